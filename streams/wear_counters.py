"""All wear counters of an equipment type's machines: those read or timed, and those of wear models."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleet.modelled_wear import ModelledWear
from fleet.rating import Ratings
from fleet.vertical import VerticalPack, WearCounter
from forecasting.wear_meter import WearMeter
from streams.rated_parts import RatedParts

MODEL = "wear model "
"""How the names of the models' arrays begin in what is saved."""


class WearCounters:
    """Counters by slot, in the order of the pack's `counters`."""

    def __init__(self, pack: VerticalPack) -> None:
        self._pack = pack
        kind = pack.equipment_type
        above = [np.nan if counter.above is None else counter.above for counter in pack.wear]
        columns = [kind.column(counter.channel) for counter in pack.wear]
        self._meter = WearMeter(np.array(columns, np.int64), np.array(above, np.float64))
        self._parts = {each.name: RatedParts(each, kind) for each in pack.modelled}
        self._ratings: list[Ratings] = []

    def rate(self, ratings: Sequence[Ratings], first: int = 0) -> None:
        """Say the ratings of the machines in slots `first` on, with room made for them."""
        slots = first + len(ratings)
        changed = [
            (slot, said)
            for slot, said in enumerate(ratings, first)
            if slot >= len(self._ratings) or self._ratings[slot] != said
        ]
        self._ratings[first:] = ratings
        self._meter.grow(slots)
        for parts in self._parts.values():
            parts.grow(slots)
            for slot, said in changed:
                parts.rate(slot, said)

    def of(self, slot: int) -> tuple[WearCounter | ModelledWear | None, ...]:
        """The machine's counters, None where it lacks ratings."""
        return (*self._pack.wear, *(parts.of(slot) for parts in self._parts.values()))

    def update(
        self, slot: NDArray[np.int32], ts_us: NDArray[np.int64], x: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Take in rows (n, channels); returns (n, counters) after each, NaN where a model has seen none."""
        read = self._meter.update(slot, ts_us, x)
        modelled = [parts.update(slot, ts_us, x) for parts in self._parts.values()]
        return np.column_stack([read, *modelled]) if modelled else read

    def widened(self, pack: VerticalPack, ratings: Sequence[Ratings]) -> "WearCounters":
        """The same for a pack whose type has channels added; counters that stay go on."""
        wider = WearCounters(pack)
        wider._meter.grow(len(self._meter.last_us))
        wider._meter.last_us = self._meter.last_us
        counted = dict(zip((one.name for one in self._pack.wear), self._meter.value.T, strict=True))
        for k, one in enumerate(pack.wear):
            wider._meter.value[:, k] = counted.get(one.name, 0.0)
        wider._parts |= {name: parts for name, parts in self._parts.items() if name in wider._parts}
        for parts in wider._parts.values():
            parts.widen(pack.equipment_type)
        wider.rate(ratings)
        return wider

    def arrays(self, slots: int) -> dict[str, NDArray[Any]]:
        """What is saved of the first slots; a model's array is named after its counter."""
        states = {f"{MODEL}{name}": parts.state() for name, parts in self._parts.items()}
        return {
            "wear_us": self._meter.last_us[:slots],
            "wear": self._meter.value[:slots],
            **{name: np.frombuffer(state, np.uint8) for name, state in states.items()},
        }

    def take(self, saved: Mapping[str, NDArray[Any]], ratings: Sequence[Ratings]) -> None:
        """Go on from what `arrays` gave, with the ratings of today; raises `StateError`.

        A model that is not in it starts now.
        """
        self._meter.last_us, self._meter.value = saved["wear_us"], saved["wear"]
        for name, parts in self._parts.items():
            if f"{MODEL}{name}" in saved:
                parts.load(saved[f"{MODEL}{name}"].tobytes(), len(self._meter.last_us))
        self.rate(ratings)
