"""Scores to episodes: an alarm that follows its peak and ends when the machine has clearly fallen back."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from detectors.episode_rows import CLOSED, EVENT, FRESH, STATE, follow
from detectors.slots import check_rows, grown, plain
from detectors.state_bytes import pack, unpack

VERSION = 2


class Change(StrEnum):
    """What happened to an episode."""

    OPENED = "opened"
    PEAK = "peak"
    CLOSED = "closed"


CHANGES = tuple(Change)


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
        self._threshold = float(threshold)
        self._rules = persistence, float(fall), round(off_s * 1e6), rearm_s * 1e6
        self._kind = f"episodes {VERSION}"
        self._slots = 0
        self._state = np.full(0, FRESH, STATE)

    def update(
        self,
        slot: NDArray[np.int32],
        ts_us: NDArray[np.int64],
        score: NDArray[np.float32],
        threshold: NDArray[np.float32] | None = None,
    ) -> list[EpisodeEvent]:
        """Changes in the order of rows; all arrays are (n,), in time order within a slot.

        `threshold` is each row's own, in place of the tracker's.
        """
        if threshold is None:
            threshold = np.full(len(slot), self._threshold, np.float32)
        self._slots = max(self._slots, check_rows(slot, ts_us, score, threshold))
        self._state = grown(self._state, self._slots, FRESH)
        rows = plain(slot, np.int32), plain(ts_us, np.int64), plain(score, np.float32)
        level = plain(threshold, np.float32)
        told = np.empty(3 * len(slot), EVENT)
        count = follow(*rows, level, self._rules, self._state, np.full(len(self._state), -1), told)
        return [_event(each) for each in np.sort(told[:count], order="row", kind="stable")]

    def is_on(self, slot: int) -> bool:
        """Whether an episode of the slot is on."""
        return slot < self._slots and bool(self._state[slot]["on"])

    def renew(self, slot: int, at_us: int) -> EpisodeEvent | None:
        """Begin anew with a slot that was repaired then; returns the end of its episode, if one is on.

        It ends at the repair, or at its peak if that came later, as the repair was heard of late; the event's
        row is 0, the first one of the next update.
        """
        if slot >= self._slots:
            return None
        before = self._state[slot].copy()
        self._state[slot] = FRESH
        if not before["on"]:
            return None
        peak_us = int(before["peak_us"])
        spell = int(before["onset_us"]), peak_us, float(before["peak"]), max(at_us, peak_us)
        return EpisodeEvent(Change.CLOSED, 0, slot, *spell)

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
