"""The clock of a machine: which rows are on time, and whether it went back (ISO 13374 data manipulation).

Only time that goes back can be told from rows alone. What is far from the broker's clock never gets here: it
is a dead letter (`streams/wire/limits`). A jump ahead within that window looks like a pause, and a slow
drift like nothing at all.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.kernels import kernel
from detectors.slots import NEVER, check_rows, grown, plain
from detectors.state_bytes import pack, unpack

VERSION = 1

LATE_ROWS = 30
"""Late rows in a row that make a fault, as many as values out of range do."""

PAUSE = 2
"""Times the spacing of rows before it, from which a spacing is a pause that other rows may belong in."""

STATE = np.dtype(
    [
        ("last_us", np.int64),
        ("spacing_us", np.int64),
        ("since_us", np.int64),
        ("late", np.int64),
        ("late_us", np.int64),
    ]
)
"""Of one slot: its latest row on time, how long after the one before that was, since when there was no pause;
how many rows in a row were late without belonging in a pause, and the instant of the first of them."""

FRESH = np.array((NEVER, 0, NEVER, 0, 0), STATE)


@dataclass(frozen=True, slots=True)
class ClockFault:
    """A machine's clock that went back by `back_us`, as that shows (`end_us` None) or ends.

    Slot and onset tell faults apart. The onset is the first instant that came late, so it lies before what
    the machine had shown by then; `end_us` is the first instant on time again.
    """

    slot: int
    onset_us: int
    end_us: int | None
    back_us: int


class Clock:
    """Watches many slots' clocks, causally and independent of how rows are cut into updates.

    A row is on time if it is later than all before it. A fault is 30 late rows in a row whose instants lie in
    time that the machine has already shown without a pause: rows that were held back, by a gateway or as dead
    letters, belong in a pause and are no fault however many they are.
    """

    def __init__(self) -> None:
        self._kind = f"clock {VERSION}"
        self._slots = 0
        self._state = np.full(0, FRESH, STATE)

    def check(
        self, slot: NDArray[np.int32], ts_us: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], list[ClockFault]]:
        """Which rows (n,) are on time, and faults in the order of rows."""
        self._slots = max(self._slots, check_rows(slot, ts_us))
        self._state = grown(self._state, self._slots, FRESH)
        on_time, told = np.empty(len(slot), np.bool_), np.empty(len(slot), EVENT)
        count = _check(plain(slot, np.int32), plain(ts_us, np.int64), self._state, on_time, told)
        return on_time, [_fault(each) for each in told[:count]]

    def state(self) -> bytes:
        """One entry for each slot."""
        return pack(self._kind, {"slots": self._state[: self._slots]})

    def load(self, state: bytes) -> None:
        """Go on from `state`; raises `StateError`."""
        self._state = unpack(self._kind, state, {"slots": self._state})["slots"]
        self._slots = len(self._state)


EVENT = np.dtype([("slot", np.int32), ("onset_us", np.int64), ("end_us", np.int64), ("back_us", np.int64)])


def _fault(told: np.void) -> ClockFault:
    slot, onset_us, end_us, back_us = told.tolist()
    return ClockFault(slot, onset_us, None if end_us == NEVER else end_us, back_us)


@kernel
def _check(
    slot: NDArray[np.int32],
    ts_us: NDArray[np.int64],
    states: NDArray[Any],
    on_time: NDArray[np.bool_],
    told: NDArray[Any],
) -> int:
    count = 0
    for i in range(len(slot)):
        state, now = states[slot[i]], ts_us[i]
        on_time[i] = now > state.last_us
        if on_time[i]:
            if state.late >= LATE_ROWS:
                count = _tell(told, count, slot[i], state, now)
            state.late = 0
            _go_on(state, now)
        elif now >= state.since_us:
            if state.late == 0:
                state.late_us = now
            state.late += 1
            if state.late == LATE_ROWS:
                count = _tell(told, count, slot[i], state, NEVER)
    return count


@kernel
def _go_on(state: Any, now: int) -> None:
    if state.last_us == NEVER:
        state.since_us = now
    else:
        spacing = now - state.last_us
        if 0 < state.spacing_us * PAUSE < spacing:
            state.since_us = now
        state.spacing_us = spacing
    state.last_us = now


@kernel
def _tell(told: NDArray[Any], count: int, slot: int, state: Any, end_us: int) -> int:
    event = told[count]
    event.slot, event.onset_us, event.end_us = slot, state.late_us, end_us
    event.back_us = state.last_us - state.late_us
    return count + 1
