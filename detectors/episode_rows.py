"""The alarm's state machine as a compiled loop: what a row does to a slot's episode, and which rows to tell.

On-delay, off-delay and hysteresis after ISA-18.2; the release level follows the episode's peak, because
after a fault machines seldom return to their old level.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.kernels import kernel
from detectors.slots import NEVER

STATE = np.dtype(
    [
        ("on", np.bool_),
        ("run", np.int32),
        ("level", np.float64),
        ("onset_us", np.int64),
        ("peak", np.float64),
        ("peak_us", np.int64),
        ("fallen_us", np.int64),
        ("floor", np.float64),
        ("floor_us", np.int64),
    ]
)
"""Of one slot: `run` counts rows above the on-level in a row, since `onset_us`; `level` is the threshold that
the latest episode opened under; `fallen_us` is when the score fell to the release level; `floor` is where the
on-level decays from, since `floor_us`."""

FRESH = np.array((False, 0, 0.0, NEVER, 0.0, NEVER, NEVER, 0.0, NEVER), STATE)

Rules = tuple[int, float, int, float]
"""Persistence in rows, fall, off-delay and re-arm time in microseconds."""


OPENED, PEAK, CLOSED = range(3)
NOTHING = -1

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


@kernel
def follow(
    slot: NDArray[np.int32],
    ts_us: NDArray[np.int64],
    score: NDArray[np.float32],
    level: NDArray[np.float32],
    rules: Rules,
    states: NDArray[Any],
    pending: NDArray[np.int64],
    told: NDArray[Any],
) -> int:
    """Move each slot's state on row by row; returns how many events were written to `told`.

    `pending` (slots,) is the row of a new peak that is not told yet, -1 for none.
    """
    count = 0
    for i in range(len(slot)):
        state = states[slot[i]]
        change = _move(state, ts_us[i], score[i], level[i], rules)
        if change == PEAK:
            pending[slot[i]] = i
        elif change == OPENED:
            count = _tell(told, count, OPENED, i, slot[i], state)
        elif change == CLOSED:
            if pending[slot[i]] >= 0:
                count = _tell(told, count, PEAK, pending[slot[i]], slot[i], state)
                pending[slot[i]] = -1
            count = _tell(told, count, CLOSED, i, slot[i], state)
    for i in range(len(slot)):
        if pending[slot[i]] == i:
            count = _tell(told, count, PEAK, i, slot[i], states[slot[i]])
    return count


@kernel
def _move(state: Any, ts_us: int, score: float, level: float, rules: Rules) -> int:
    """Move one slot's state on by a row; returns what that changed, or `NOTHING`."""
    persistence, fall, off_us, rearm_us = rules
    if not np.isfinite(score):
        return NOTHING
    if state.on:
        higher = score > state.peak
        if higher:
            state.peak, state.peak_us = score, ts_us
        release = state.level + fall * (state.peak - state.level)
        if score > release:
            state.fallen_us = NEVER
        elif state.fallen_us == NEVER:
            state.fallen_us = ts_us
        if state.fallen_us != NEVER and ts_us - state.fallen_us >= off_us:
            state.on, state.run = False, 0
            state.floor, state.floor_us = release, ts_us
            return CLOSED
        return PEAK if higher else NOTHING
    if not score > level + _floor_left(state, ts_us, rearm_us):
        state.run = 0
        return NOTHING
    if state.run == 0:
        state.onset_us = ts_us
    state.run += 1
    if state.run < persistence:
        return NOTHING
    state.on, state.level = True, level
    state.peak, state.peak_us, state.fallen_us = score, ts_us, NEVER
    return OPENED


@kernel
def _floor_left(state: Any, ts_us: int, rearm_us: float) -> float:
    """How far above its threshold the slot's on-level still is, after an episode under `state.level`."""
    if state.floor_us == NEVER:
        return 0.0
    return float((state.floor - state.level) * np.exp(-(ts_us - state.floor_us) / rearm_us))


@kernel
def _tell(told: NDArray[Any], count: int, change: int, row: int, slot: int, state: Any) -> int:
    event = told[count]
    event.change, event.row, event.slot = change, row, slot
    event.onset_us, event.end_us = state.onset_us, state.fallen_us
    event.peak, event.peak_us = state.peak, state.peak_us
    return count + 1


@kernel
def count(
    slot: NDArray[np.int32],
    ts_us: NDArray[np.int64],
    score: NDArray[np.float32],
    levels: NDArray[np.float32],
    rules: Rules,
    lasting_us: int,
    states: NDArray[Any],
    opened: NDArray[np.float64],
) -> None:
    """Count, for each slot and each of the `levels`, the episodes that there are if it is the threshold.

    states: (slots, levels). opened: (slots, levels), without those that turn out to last longer than that.
    """
    for i in range(len(slot)):
        mine = states[slot[i]]
        for j in range(len(levels)):
            if mine[j].on or mine[j].run > 0 or score[i] > levels[j]:
                change = _move(mine[j], ts_us[i], score[i], levels[j], rules)
                if change == OPENED:
                    opened[slot[i], j] += 1
                elif change == CLOSED and mine[j].fallen_us - mine[j].onset_us > lasting_us:
                    opened[slot[i], j] = max(opened[slot[i], j] - 1, 0.0)  # it may have faded since


@kernel
def watch(
    slot: NDArray[np.int32],
    ts_us: NDArray[np.int64],
    score: NDArray[np.float32],
    gap_us: int,
    last_us: NDArray[np.int64],
    watched_us: NDArray[np.float64],
) -> int:
    """Add up for how long each slot has had a score; what is missing longer than `gap_us` does not count.

    Returns how much that is in microseconds.
    """
    added = 0
    for i in range(len(slot)):
        if np.isfinite(score[i]):
            s = slot[i]
            if last_us[s] != NEVER and ts_us[i] - last_us[s] <= gap_us:
                watched_us[s] += ts_us[i] - last_us[s]
                added += ts_us[i] - last_us[s]
            last_us[s] = ts_us[i]
    return added
