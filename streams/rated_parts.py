"""One wear counter of many machines whose parts differ: one model for all parts with the same ratings."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.contract import StateError
from detectors.state_bytes import pack, unpack
from fleet.asset import EquipmentType
from fleet.modelled_wear import ModelledWear, RatedWear
from fleet.rating import Ratings
from forecasting.contract import ModelError
from forecasting.wear.model import Floats, Slots, WearModel

STATE = "rated-parts-1"

NOBODY = -1


class RatedParts:
    """Parts by slot of the machine. A machine whose ratings change has a new part, that begins anew."""

    def __init__(self, wear: ModelledWear | RatedWear, kind: EquipmentType) -> None:
        self._wear = wear
        self._kind = kind
        self._kinds: list[ModelledWear] = []
        self._models: list[WearModel] = []
        self._number: dict[str, int] = {}
        self._which = np.zeros(0, np.int64)
        self._place = np.zeros(0, np.int32)

    def widen(self, kind: EquipmentType) -> None:
        """Go on with a type that has channels added at its end, which the counter may read."""
        self._kind = kind

    def grow(self, slots: int) -> None:
        """Make room for slots 0 to `slots` - 1, whose machines have no part yet."""
        more = max(slots - len(self._which), 0)
        self._which = np.append(self._which, np.full(more, NOBODY))
        self._place = np.append(self._place, np.full(more, NOBODY, np.int32))

    def rate(self, slot: int, ratings: Ratings) -> None:
        """Say the ratings of a machine; if one is missing it has no part."""
        which = self._of(ratings)
        if which in {NOBODY, self._which[slot]}:
            self._which[slot] = which
            return
        model = self._models[which]
        taken = self._place[self._which == which]
        free = np.setdiff1d(np.arange(len(model.seen) + 1), taken)[0]
        self._which[slot], self._place[slot] = which, free
        model.grow(int(free) + 1)
        model.renew(int(free))

    def renew(self, slot: int) -> None:
        """The machine has a new part of the same kind."""
        if self._which[slot] != NOBODY:
            self._models[self._which[slot]].renew(int(self._place[slot]))

    def of(self, slot: int) -> ModelledWear | None:
        """The machine's counter, if it has one."""
        which = self._which[slot]
        return self._kinds[which] if which != NOBODY else None

    def standing(self, slot: NDArray[np.int64]) -> Floats:
        """(n,): the counters of those machines as they stand, NaN where there is none yet."""
        found = np.full(len(slot), np.nan)
        for number in np.unique(self._which[slot]).tolist():
            if number != NOBODY:
                model, mine = self._models[number], np.flatnonzero(self._which[slot] == number)
                place = self._place[slot[mine]]
                value = self._kinds[number].used + model.value[place]
                found[mine] = np.where(model.seen[place], value, np.nan)
        return found

    def update(self, slot: Slots, ts_us: NDArray[np.int64], x: NDArray[np.float32]) -> Floats:
        """Take in rows (n, channels); returns (n,), the counter after each, NaN where there is none yet."""
        after = np.full(len(slot), np.nan)
        if not self._models:
            return after
        which = self._which[slot]
        for number in np.unique(which[which != NOBODY]).tolist():
            rows = np.flatnonzero(which == number)
            after[rows] = self._after(number, self._place[slot[rows]], ts_us[rows], x[rows])
        return after

    def _after(self, number: int, place: Slots, ts_us: NDArray[np.int64], x: NDArray[np.float32]) -> Floats:
        model, one = self._models[number], self._kinds[number]
        duty, seen = one.duty(self._kind, x), model.seen
        counted = one.used + model.update(place, ts_us, duty)
        if seen[place].all():
            return counted
        return np.where(seen[place] | _seen_since(place, model.knows(duty), len(seen)), counted, np.nan)

    def _of(self, ratings: Ratings) -> int:
        """The number of the model for such parts."""
        mine = {each.name: ratings[each.name] for each in self._wear.ratings if each.name in ratings}
        key = json.dumps(mine, sort_keys=True)
        if key not in self._number:
            made = self._wear.of(mine)
            if made is None:
                return NOBODY
            self._number[key] = len(self._models)
            self._kinds.append(made)
            self._models.append(made.model.fresh())
        return self._number[key]

    def state(self) -> bytes:
        """The models, each with its ratings and the slots of its machines."""
        index = [[key, self._slots_of(number)] for key, number in self._number.items()]
        states = [model.state() for model in self._models]
        parts = {
            "index": json.dumps(index).encode(),
            "sizes": json.dumps([len(each) for each in states]).encode(),
            "states": b"".join(states),
        }
        return pack(STATE, {name: np.frombuffer(part, np.uint8) for name, part in parts.items()})

    def _slots_of(self, number: int) -> list[int]:
        """Slots by place, `NOBODY` where the machine has another part by now."""
        slots = np.full(len(self._models[number].seen), NOBODY)
        mine = np.flatnonzero(self._which == number)
        slots[self._place[mine]] = mine
        return slots.tolist()

    def load(self, state: bytes, slots: int) -> None:
        """Go on from a saved state of so many machines; raises `StateError`."""
        raw: dict[str, NDArray[Any]] = dict.fromkeys(("index", "sizes", "states"), np.empty(0, np.uint8))
        found = unpack(STATE, state, raw)
        self.grow(slots)
        states, at = found["states"].tobytes(), 0
        sizes = json.loads(found["sizes"].tobytes())
        for (key, machines), size in zip(json.loads(found["index"].tobytes()), sizes, strict=True):
            number = self._of(json.loads(key))
            if number != NOBODY:
                self._load(number, machines, states[at : at + size])
            at += size

    def _load(self, number: int, machines: list[int], state: bytes) -> None:
        try:
            self._models[number].load(state)
        except ModelError as error:
            raise StateError(str(error)) from error
        for place, slot in enumerate(machines):
            if slot != NOBODY:
                self._which[slot], self._place[slot] = number, place


def _seen_since(place: Slots, known: NDArray[np.bool_], places: int) -> NDArray[np.bool_]:
    """(n,): whether a row of the same place, this one or one before it, is known."""
    first = np.full(places, len(place))
    np.minimum.at(first, place[known], np.flatnonzero(known))
    return np.asarray(np.arange(len(place)) >= first[place])
