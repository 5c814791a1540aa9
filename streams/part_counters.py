"""Wear counters of the parts that machines take up in turn: each part's own, whichever is in use."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.contract import StateError
from detectors.state_bytes import pack, unpack
from fleet.asset import EquipmentType
from fleet.part_wear import PartWear
from fleet.rating import Ratings
from fleet.vertical import Counted
from forecasting.contract import ModelError
from forecasting.wear.magazine import COMES_ON, IDLE, MOST_PARTS, NEW, Magazine
from forecasting.wear.model import NEVER
from streams.rated_parts import NOBODY, RatedParts

STATE = "part counters 1"

Parts = dict[int, list[Counted]]
"""The counters of a machine's parts at some rows, in the order of their numbers."""


Changes = Mapping[int, Sequence[tuple[int, int]]]
"""Microseconds at which parts of each slot's machine, or of each asset, were changed, and their numbers."""

NO_CHANGES: Changes = {}


class PartCounters:
    """Counters by slot of the machine and number of the part."""

    def __init__(self, wear: PartWear, kind: EquipmentType) -> None:
        self._wear = wear
        self._number, self._used = kind.column(wear.number), kind.column(wear.used)
        self._magazine = Magazine()
        self._parts = RatedParts(wear.wear, kind)
        self._ratings: list[Ratings | None] = []

    def widen(self, kind: EquipmentType) -> None:
        """Go on with a type that has channels added at its end, which the counters may read."""
        self._parts.widen(kind)

    def rate(self, ratings: Sequence[Ratings], first: int = 0) -> None:
        """Say the ratings of the machines in slots `first` on, with room made for them."""
        before, slots = self._ratings[first:], first + len(ratings)
        self._ratings[first:] = ratings
        self._magazine.grow(slots)
        self._parts.grow(slots * MOST_PARTS)
        for slot, said in enumerate(ratings[: len(before)], first):
            if said != before[slot - first]:
                for number, place in self._magazine.parts(slot).items():
                    self._parts.rate(place, self._wear.ratings_of(said, number))

    def update(
        self,
        slot: NDArray[np.int32],
        ts_us: NDArray[np.int64],
        x: NDArray[np.float32],
        asked: Iterable[int] = (),
        changed_us: Changes = NO_CHANGES,
    ) -> tuple[Parts, int]:
        """Take in rows (n, channels); the counters of their machines after each row that is asked for.

        changed_us: by slot, the instants at which parts were changed, each with the part's number. A part
        begins anew at its machine's first row after that, or at the next one if that is heard late. Also
        told is how many did.
        """
        due = self._due(slot, ts_us, changed_us)
        wanted, told, renewed, start = set(asked), Parts(), 0, 0
        for end in sorted({*(i + 1 for i in wanted), *due, len(slot)}):
            rows = slice(start, end)
            self._take(slot[rows], ts_us[rows], x[rows])
            if end - 1 in wanted:
                told[end - 1] = self._standing(int(slot[end - 1]))
            renewed += sum(self._change(*each) for each in due.get(end, ()))
            start = end
        return told, renewed

    def _due(
        self, slot: NDArray[np.int32], ts_us: NDArray[np.int64], changed_us: Changes
    ) -> dict[int, list[tuple[int, int, int]]]:
        """Slot, part and instant of each change that may be news, by the row at which it takes effect."""
        due: dict[int, list[tuple[int, int, int]]] = {}
        for s, changes in changed_us.items():
            mine = np.flatnonzero(slot == s)
            for at_us, number in changes:
                place = int(np.searchsorted(ts_us[mine], at_us, side="right"))
                if place < len(mine) and not self._magazine.knows(s, number, at_us):
                    due.setdefault(int(mine[place]), []).append((s, number, at_us))
        return due

    def _change(self, slot: int, number: int, at_us: int) -> bool:
        place = self._magazine.change(slot, number, at_us)
        if place != NOBODY:
            self._parts.renew(place)
        return place != NOBODY

    def _take(self, slot: NDArray[np.int32], ts_us: NDArray[np.int64], x: NDArray[np.float32]) -> None:
        number, own = (x[:, column].astype(np.float64) for column in (self._number, self._used))
        place, what, before_us, part = self._magazine.update(slot, ts_us, number, own)
        starts = [0, *(i for i in np.flatnonzero(what == NEW).tolist() if i)]
        for start, end in zip(starts, [*starts[1:], len(slot)], strict=True):
            if start < end and what[start] == NEW:
                ratings = self._wear.ratings_of(self._ratings[slot[start]] or {}, int(part[start]))
                self._parts.rate(int(place[start]), ratings)
                self._parts.renew(int(place[start]))
            rows = slice(start, end)
            self._count(place[rows], what[rows], ts_us[rows], before_us[rows], x[rows])

    def _count(
        self,
        place: NDArray[np.int32],
        what: NDArray[np.int8],
        ts_us: NDArray[np.int64],
        before_us: NDArray[np.int64],
        x: NDArray[np.float32],
    ) -> None:
        """Wear each row's part. One that comes on rested until the machine's row before."""
        used, came = what != IDLE, (what >= COMES_ON) & (before_us != NEVER)
        at = np.repeat(np.flatnonzero(used), 1 + came[used])
        rests = came[at] & (np.diff(at, prepend=NOBODY) != 0)
        duty = x[at]
        duty[rests] = 0.0
        self._parts.update(place[at], np.where(rests, before_us[at], ts_us[at]), duty)

    def _standing(self, slot: int) -> list[Counted]:
        """The counters of the machine's parts that are known; a new one that did not work yet stands at 0."""
        parts = sorted(self._magazine.parts(slot).items())
        values = np.nan_to_num(self._parts.standing(np.array([place for _, place in parts], np.int64)))
        counters = ((number, self._parts.of(place)) for number, place in parts)
        return [
            (self._wear.named(one, number), value)
            for (number, one), value in zip(counters, values.tolist(), strict=True)
            if one is not None
        ]

    def state(self) -> bytes:
        """Which parts there are, and how each is worn."""
        parts = {"magazine": self._magazine.state(), "parts": self._parts.state()}
        return pack(STATE, {name: np.frombuffer(part, np.uint8) for name, part in parts.items()})

    def load(self, state: bytes) -> None:
        """Go on from a saved state; raises `StateError`. Ratings are to be said anew."""
        raw = np.empty(0, np.uint8)
        found = unpack(STATE, state, {"magazine": raw, "parts": raw})
        try:
            self._magazine.load(found["magazine"].tobytes())
        except ModelError as error:
            raise StateError(str(error)) from error
        slots = len(self._magazine.forgotten)
        self._parts.load(found["parts"].tobytes(), slots * MOST_PARTS)
        self._ratings = [None] * slots
