"""Which of a machine's many parts is in use: a place for each tool of a magazine, in bounded memory."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.contract import ModelError
from forecasting.kernels import kernel
from forecasting.model_bytes import pack, unpack
from forecasting.wear.model import NEVER, Floats, Slots

STATE = "magazine-1"

MOST_PARTS = 120
"""Parts of a machine that are kept apart; beyond them the longest unused is forgotten."""

NONE = -1
"""The place of a row in which no part was in use."""

FALL = 5.0
"""Percent by which a machine's own count of what is used up must fall to tell of a new part: more than
rounding does, less than what is left when somebody changes one. Engineering default."""

IDLE, GOES_ON, COMES_ON, NEW = 0, 1, 2, 3
"""What a row is to a part: none is in use; it was before; another was; it was not known, or was changed."""

PLACE = np.dtype([("number", np.int32), ("since_us", np.int64), ("used_us", np.int64), ("own", np.float64)])
"""Of a place: the part's number, 0 if it is free; since when its life counts; when it was used last; what
the machine said is used."""

SLOT = np.dtype([("at", np.int64), ("last_us", np.int64), ("forgotten", np.int64)])
"""Of a machine: the place in use, `NONE` for none; its latest row; parts that were forgotten."""

FREE = np.array((0, NEVER, NEVER, np.nan), PLACE)
FRESH = np.array((NONE, NEVER, 0), SLOT)


class Magazine:
    """Parts of many machines by place: `MOST_PARTS` of them for each slot."""

    def __init__(self) -> None:
        self._slots = np.full(0, FRESH, SLOT)
        self._places = np.full((0, MOST_PARTS), FREE, PLACE)

    def grow(self, slots: int) -> None:
        """Make room for slots 0 to `slots` - 1."""
        more = slots - len(self._slots)
        if more > 0:
            self._slots = np.concatenate([self._slots, np.full(more, FRESH, SLOT)])
            self._places = np.concatenate([self._places, np.full((more, MOST_PARTS), FREE, PLACE)])

    def update(
        self, slot: Slots, ts_us: NDArray[np.int64], number: Floats, own: Floats
    ) -> tuple[Slots, NDArray[np.int8], NDArray[np.int64], NDArray[np.int32]]:
        """Take in rows, in time order within a slot that there is room for.

        number: (n,) of the part in use, 0 for none, NaN where it is as before. own: (n,) percent that the
        machine says is used up of it, NaN where it says nothing. Returns (n,) each: the place, what the row
        is to it, the instant of the machine's row before, and the part's number.
        """
        n = len(slot)
        place, what = np.empty(n, np.int32), np.empty(n, np.int8)
        before_us, part = np.empty(n, np.int64), np.empty(n, np.int32)
        _place(slot, ts_us, number, own, self._slots, self._places, place, what, before_us, part)
        return place, what, before_us, part

    def parts(self, slot: int) -> dict[int, int]:
        """The machine's parts that are known, by their number: the place of each."""
        numbers = self._places["number"][slot]
        return {int(numbers[k]): slot * MOST_PARTS + int(k) for k in np.flatnonzero(numbers)}

    def knows(self, slot: int, number: int, at_us: int) -> bool:
        """Whether the life of a part began at that instant or later."""
        mine = self._places["number"][slot] == number
        return bool((self._places["since_us"][slot, mine] >= at_us).any())

    def change(self, slot: int, number: int, at_us: int) -> int:
        """A part was changed then; its place, or `NONE` where that says nothing new of it."""
        known = np.flatnonzero(self._places["number"][slot] == number)
        if not len(known) or self.knows(slot, number, at_us):
            return NONE
        self._places["since_us"][slot, known[0]] = at_us
        self._places["own"][slot, known[0]] = np.nan
        return slot * MOST_PARTS + int(known[0])

    @property
    def forgotten(self) -> NDArray[np.int64]:
        """(slots,): parts that each machine had too many of."""
        return self._slots["forgotten"].copy()

    def state(self) -> bytes:
        """Everything by slot, equal to the bit for equal rows."""
        taken = np.flatnonzero(self._places["number"])
        return pack(STATE, {"slots": self._slots, "taken": taken, "places": self._places.reshape(-1)[taken]})

    def load(self, state: bytes) -> None:
        """Go on from a saved state; raises `ModelError`."""
        like = {"slots": self._slots, "taken": np.empty(0, np.int64), "places": np.empty(0, PLACE)}
        found = unpack(STATE, state, like)
        slots, taken = found["slots"], found["taken"]
        if len(taken) != len(found["places"]) or (taken >= len(slots) * MOST_PARTS).any():
            raise ModelError("the saved magazines contradict themselves; start without them")
        self._slots, self._places = slots, np.full((len(slots), MOST_PARTS), FREE, PLACE)
        self._places.reshape(-1)[taken] = found["places"]


@kernel
def _place(
    slot: Slots,
    ts_us: NDArray[np.int64],
    number: Floats,
    own: Floats,
    slots: NDArray[Any],
    places: NDArray[Any],
    place: Slots,
    what: NDArray[np.int8],
    before_us: NDArray[np.int64],
    part: NDArray[np.int32],
) -> None:
    for row in range(len(slot)):
        mine, known = slots[slot[row]], places[slot[row]]
        before_us[row], mine.last_us = mine.last_us, ts_us[row]
        at, came = mine.at, IDLE
        if np.isfinite(number[row]):
            wanted = int(number[row])
            at = _find(wanted, known) if wanted > 0 else NONE
            if wanted > 0 and at == NONE:
                at, came = _take(wanted, mine, known), NEW
        if at != NONE and came != NEW:
            came = GOES_ON if at == mine.at else COMES_ON
            if own[row] < known[at].own - FALL:
                came = NEW
        if at != NONE:
            known[at].used_us = ts_us[row]
            if np.isfinite(own[row]) or came == NEW:
                known[at].own = own[row]
            if came == NEW:
                known[at].since_us = ts_us[row]
        mine.at = at
        place[row] = slot[row] * MOST_PARTS + at if at != NONE else NONE
        what[row], part[row] = came, known[at].number if at != NONE else 0


@kernel
def _find(number: int, known: NDArray[Any]) -> int:
    for k in range(len(known)):
        if known[k].number == number:
            return k
    return NONE


@kernel
def _take(number: int, mine: Any, known: NDArray[Any]) -> int:
    """A place for a part that has none: a free one, else that of the longest unused."""
    oldest = 0
    for k in range(len(known)):
        if known[k].number == 0:
            oldest = k
            break
        if known[k].used_us < known[oldest].used_us:
            oldest = k
    if known[oldest].number != 0:
        mine.forgotten += 1
    known[oldest].number = number
    known[oldest].own = np.nan
    return oldest
