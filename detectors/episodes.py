"""Scores to episodes: an alarm that follows its peak and ends when the machine has clearly fallen back.

On-delay, off-delay and hysteresis after ISA-18.2; the release level follows the episode's peak, because
after a fault machines seldom return to their old level.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.kernels import kernel
from detectors.slots import check_rows, grown, plain
from detectors.state_bytes import pack, unpack

NEVER = np.iinfo(np.int64).min
"""An instant that stands for none."""

VERSION = 1

STATE = np.dtype(
    [
        ("on", np.bool_),
        ("run", np.int32),
        ("onset_us", np.int64),
        ("peak", np.float64),
        ("peak_us", np.int64),
        ("fallen_us", np.int64),
        ("floor", np.float64),
        ("floor_us", np.int64),
    ]
)
"""Of one slot: `run` counts rows above the on-level in a row, since `onset_us`; `fallen_us` is when the score
fell to the release level; `floor` is where the on-level decays from, since `floor_us`."""

FRESH = np.array((False, 0, NEVER, 0.0, NEVER, NEVER, 0.0, NEVER), STATE)


class Change(StrEnum):
    """What happened to an episode."""

    OPENED = "opened"
    PEAK = "peak"
    CLOSED = "closed"


CHANGES = tuple(Change)
OPENED, PEAK, CLOSED = range(3)

EVENT = np.dtype(
    [
        ("row", np.int64),
        ("change", np.int8),
        ("slot", np.int32),
        ("onset_us", np.int64),
        ("peak_us", np.int64),
        ("peak", np.float64),
        ("end_us", np.int64),
    ]
)


@dataclass(frozen=True, slots=True)
class EpisodeEvent:
    """A change of one slot's episode at `row` of the update.

    `onset_us` tells the slot's episodes apart. The peak is the highest score since the episode opened and
    `peak_us` its instant; for OPENED and PEAK that is `row` itself. `end_us` is set when it closed.
    """

    change: Change
    row: int
    slot: int
    onset_us: int
    peak_us: int
    peak_score: float
    end_us: int | None = None


class EpisodeTracker:
    """Episodes of many slots, independent of how the rows are cut into updates.

    An episode opens when the score was above `threshold` for `persistence` rows in a row; its onset is the
    first of them. It closes once the score has stayed at or below threshold + fall (peak - threshold) for
    `off_s` seconds; its end is when it fell there. Then that level is the slot's threshold, decaying to
    `threshold` with the time constant `rearm_s`: a machine that stays odd opens another episode only when
    it gets odder, or after a long while. A NaN score changes nothing.

    Within an update only the highest of an episode's new peaks is told.
    """

    def __init__(
        self,
        threshold: float = 4.0,
        persistence: int = 10,
        *,
        fall: float = 0.35,
        off_s: float = 30.0,
        rearm_s: float = 3600.0,
    ) -> None:
        if persistence < 1 or not 0 <= fall < 1 or off_s < 0 or rearm_s <= 0:
            raise ValueError("needs persistence >= 1, 0 <= fall < 1, off_s >= 0 and rearm_s > 0")
        self._rules = (float(threshold), persistence, float(fall), round(off_s * 1e6), rearm_s * 1e6)
        self._kind = f"episodes {VERSION}"
        self._slots = 0
        self._state = np.full(0, FRESH, STATE)

    def update(
        self, slot: NDArray[np.int32], ts_us: NDArray[np.int64], score: NDArray[np.float32]
    ) -> list[EpisodeEvent]:
        """Changes in the order of rows; all arrays are (n,), in time order within a slot."""
        self._slots = max(self._slots, check_rows(slot, ts_us, score))
        self._state = grown(self._state, self._slots, FRESH)
        rows = plain(slot, np.int32), plain(ts_us, np.int64), plain(score, np.float32)
        told = np.empty(3 * len(slot), EVENT)
        count = _follow(*rows, self._rules, self._state, np.full(len(self._state), -1), told)
        return [_event(each) for each in np.sort(told[:count], order="row", kind="stable")]

    def state(self) -> bytes:
        """One entry for each slot."""
        return pack(self._kind, {"slots": self._state[: self._slots]})

    def load(self, state: bytes) -> None:
        """Go on from `state`, under this tracker's own thresholds; raises `StateError`."""
        self._state = unpack(self._kind, state, {"slots": self._state})["slots"]
        self._slots = len(self._state)


def _event(told: np.void) -> EpisodeEvent:
    row, change, slot, onset_us, peak_us, peak, end_us = told.tolist()
    return EpisodeEvent(
        CHANGES[change], row, slot, onset_us, peak_us, peak, end_us if change == CLOSED else None
    )


@kernel
def _follow(
    slot: NDArray[np.int32],
    ts_us: NDArray[np.int64],
    score: NDArray[np.float32],
    rules: tuple[float, int, float, int, float],
    states: NDArray[Any],
    pending: NDArray[np.int64],
    told: NDArray[Any],
) -> int:
    """Move each slot's state on row by row; returns how many events were written to `told`.

    `pending` (slots,) is the row of a new peak that is not told yet, -1 for none.
    """
    threshold, persistence, fall, off_us, rearm_us = rules
    count = 0
    for i in range(len(slot)):
        state = states[slot[i]]
        if not np.isfinite(score[i]):
            continue
        if state.on:
            if score[i] > state.peak:
                state.peak, state.peak_us = score[i], ts_us[i]
                pending[slot[i]] = i
            release = threshold + fall * (state.peak - threshold)
            if score[i] > release:
                state.fallen_us = NEVER
                continue
            if state.fallen_us == NEVER:
                state.fallen_us = ts_us[i]
            if ts_us[i] - state.fallen_us >= off_us:
                if pending[slot[i]] >= 0:
                    count = _tell(told, count, PEAK, pending[slot[i]], slot[i], state)
                    pending[slot[i]] = -1
                count = _tell(told, count, CLOSED, i, slot[i], state)
                state.on, state.run = False, 0
                state.floor, state.floor_us = release, ts_us[i]
        elif score[i] > threshold + _floor_left(state, ts_us[i], threshold, rearm_us):
            if state.run == 0:
                state.onset_us = ts_us[i]
            state.run += 1
            if state.run >= persistence:
                state.on, state.peak, state.peak_us, state.fallen_us = True, score[i], ts_us[i], NEVER
                count = _tell(told, count, OPENED, i, slot[i], state)
        else:
            state.run = 0
    for i in range(len(slot)):
        if pending[slot[i]] == i:
            count = _tell(told, count, PEAK, i, slot[i], states[slot[i]])
    return count


@kernel
def _floor_left(state: Any, ts_us: int, threshold: float, rearm_us: float) -> float:
    """How far above the threshold the slot's on-level still is."""
    if state.floor_us == NEVER:
        return 0.0
    return float((state.floor - threshold) * np.exp(-(ts_us - state.floor_us) / rearm_us))


@kernel
def _tell(told: NDArray[Any], count: int, change: int, row: int, slot: int, state: Any) -> int:
    event = told[count]
    event.change, event.row, event.slot = change, row, slot
    event.onset_us, event.end_us = state.onset_us, state.fallen_us
    event.peak, event.peak_us = state.peak, state.peak_us
    return count + 1
