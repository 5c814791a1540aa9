"""All wear counters of an equipment type's machines: those read or timed, and those of wear models."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.contract import StateError
from fleet.modelled_wear import ModelledWear
from fleet.vertical import VerticalPack
from forecasting.contract import ModelError
from forecasting.wear.model import WearModel
from forecasting.wear_meter import WearMeter

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
        self._models: dict[str, WearModel] = {each.name: each.model.fresh() for each in pack.modelled}

    def grow(self, slots: int) -> None:
        """Make room for slots 0 to `slots` - 1."""
        self._meter.grow(slots)
        for model in self._models.values():
            model.grow(slots)

    def update(
        self, slot: NDArray[np.int32], ts_us: NDArray[np.int64], x: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Take in rows (n, channels); returns (n, counters) after each, NaN where a model has seen none."""
        read = self._meter.update(slot, ts_us, x)
        modelled = [self._after(each, slot, ts_us, x) for each in self._pack.modelled]
        return np.column_stack([read, *modelled]) if modelled else read

    def _after(
        self, each: ModelledWear, slot: NDArray[np.int32], ts_us: NDArray[np.int64], x: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        column = [self._pack.equipment_type.column(channel) for channel, _ in each.channels]
        duty = x[:, column] * np.array([factor for _, factor in each.channels])
        model = self._models[each.name]
        after = model.update(slot, ts_us, duty)
        return np.where(model.seen[slot], after, np.nan)

    def widened(self, pack: VerticalPack) -> "WearCounters":
        """The same for a pack whose type has channels added; counters that stay go on."""
        wider = WearCounters(pack)
        wider.grow(len(self._meter.last_us))
        wider._meter.last_us = self._meter.last_us
        counted = dict(zip((one.name for one in self._pack.wear), self._meter.value.T, strict=True))
        for k, one in enumerate(pack.wear):
            wider._meter.value[:, k] = counted.get(one.name, 0.0)
        wider._models |= {name: model for name, model in self._models.items() if name in wider._models}
        return wider

    def arrays(self, slots: int) -> dict[str, NDArray[Any]]:
        """What is saved of the first slots; a model's array is named after its counter."""
        states = {f"{MODEL}{name}": model.state() for name, model in self._models.items()}
        return {
            "wear_us": self._meter.last_us[:slots],
            "wear": self._meter.value[:slots],
            **{name: np.frombuffer(state, np.uint8) for name, state in states.items()},
        }

    def take(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `arrays` gave; raises `StateError`. A model that is not in it starts now."""
        self._meter.last_us, self._meter.value = saved["wear_us"], saved["wear"]
        for name, model in self._models.items():
            if f"{MODEL}{name}" in saved:
                self._load(model, saved[f"{MODEL}{name}"].tobytes())
        self.grow(len(self._meter.last_us))

    def _load(self, model: WearModel, state: bytes) -> None:
        try:
            model.load(state)
        except ModelError as error:
            raise StateError(str(error)) from error
