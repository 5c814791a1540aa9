"""How long what wears on a machine lasts, if it is used as in past days, or at another load."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleet.asset import EquipmentType, FleetError
from fleet.modelled_wear import ModelledWear, Reading
from fleet.vertical import WearCounter
from forecasting.wear.contract import Lifetime
from forecasting.wear.forward import Duty, Outlook, outlook
from forecasting.wear.headroom import hours_until
from forecasting.wear.metered import RunningTotal, TimeAbove
from forecasting.wear.transformer import InsulationAgeing

OVERLOADS = (1.1, 1.2, 1.3)
"""Parts of the rated current that the headroom is told for."""


@dataclass(frozen=True, slots=True)
class Past:
    """How a machine of a type was used. ts_us: (n,) in order. x: (n, channels), NaN where unknown."""

    kind: EquipmentType
    ts_us: NDArray[np.int64]
    x: NDArray[np.float64]

    def duty(self, one: ModelledWear) -> Duty:
        """The same as a wear model sees it."""
        return Duty(self.ts_us, one.duty(self.kind, self.x))


@dataclass(frozen=True, slots=True)
class AtLoad:
    """What is left at so many times the past load."""

    load: float
    left: Outlook


@dataclass(frozen=True, slots=True)
class CounterOutlook:
    """A counter as it stands, and how long it lasts at each load that it is known for."""

    counter: ModelledWear
    value: float
    at: tuple[AtLoad, ...]


@dataclass(frozen=True, slots=True)
class Headroom:
    """Hours from the end of the past until the hot spot reaches each limit (°C), by the load factor.

    The ambient is the warmest of the last day; 0: it is reached, None: it never is.
    """

    top_oil: float
    hot_spot: float
    ambient: float
    hours: dict[float, dict[float, float | None]]


def as_modelled(counter: WearCounter | ModelledWear) -> ModelledWear:
    """A counter that is read or timed as one that a wear model keeps."""
    if isinstance(counter, ModelledWear):
        return counter
    lifetime = Lifetime(counter.unit, counter.warning, counter.limit)
    model = RunningTotal(lifetime) if counter.above is None else TimeAbove(counter.above, lifetime)
    titles = counter.title_en, counter.title_zh
    return ModelledWear(counter.name, model, (Reading(counter.channel),), *titles)


def counter_outlook(one: ModelledWear, past: Past, value: float, loads: Sequence[float]) -> CounterOutlook:
    """What is left of a counter that stands at `value`, at each of the loads at which that is known.

    A counter whose duty has nothing that grows with load is known at the past load alone. Raises
    `FleetError` where a load is beyond what the model holds for.
    """
    follows = any(quantity.load for quantity in one.model.duty)
    duty = past.duty(one)
    known = [load for load in loads if load == 1 or follows]
    try:
        return CounterOutlook(
            one, value, tuple(AtLoad(load, outlook(one.model, duty, value, load)) for load in known)
        )
    except ValueError as error:
        raise FleetError(f"wear counter {one.name}: {error}") from error


def headroom(one: ModelledWear, past: Past) -> Headroom | None:
    """How long a transformer can carry overloads; None of another part, or if its load is not known."""
    if not isinstance(one.model, InsulationAgeing):
        return None
    duty = past.duty(one)
    model = one.model.fresh()
    model.update(np.zeros(len(duty.ts_us), np.int32), duty.ts_us, duty.x)
    last_day = duty.last(1).x[:, 1]
    if not model.seen.any() or not np.isfinite(last_day).any():
        return None
    ambient = float(np.nanmax(last_day))
    thermal = model.thermal[0]
    hours = {load: hours_until(model.transformer, thermal, load, ambient) for load in OVERLOADS}
    return Headroom(float(model.top_oil[0]), float(model.hot_spot[0]), ambient, hours)
