"""Hot spot of an oil-immersed transformer and the ageing of its insulation (IEC 60076-7:2018, 6 and 8).

The standard's difference equations (8.2.3) replace each time constant's exponential by its first term and ask
for steps of at most half the winding's. Here the exponential itself is taken, which is exact for a load that
holds over the step, and a longer step goes in parts of that length, so rows a quarter of an hour apart do.
The difference shows in steps of minutes under a heavy overload: see `docs/wear-models.md`.
"""

from dataclasses import astuple, dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from forecasting.kernels import kernel
from forecasting.wear.contract import Lifetime, Quantity
from forecasting.wear.model import FIRST, NEXT, Floats, Slots, WearModel

LOAD = Quantity("load", "1", 3.0, load=True)
"""Load factor K: current over rated current."""

AMBIENT = Quantity("ambient", "°C", 70.0, low=-60.0)

INSULATION_LIFE = Lifetime("h", warning=144_000.0, limit=180_000.0)
"""Hours at the reference hot spot: 180 000 by IEEE C57.91; IEC 60076-7 also has 150 000, to a degree of
polymerisation of 200. That it warns at four fifths is an engineering default."""


@dataclass(frozen=True, slots=True)
class Cooling:
    """Constants by the way of cooling: exponents x of oil and y of winding, thermal model constants k11, k21
    and k22, time constants of oil and winding in minutes (IEC 60076-7, 8.2, recommended values)."""

    x: float
    y: float
    k11: float
    k21: float
    k22: float
    oil_min: float
    winding_min: float


DISTRIBUTION = Cooling(0.8, 1.6, 1.0, 1.0, 2.0, oil_min=180.0, winding_min=4.0)
ONAN = Cooling(0.8, 1.3, 0.5, 2.0, 2.0, oil_min=210.0, winding_min=10.0)
ONAF = Cooling(0.8, 1.3, 0.5, 2.0, 2.0, oil_min=150.0, winding_min=7.0)


@dataclass(frozen=True, slots=True)
class Transformer:
    """From the temperature-rise test, at rated load: rises in K of the top oil over ambient and of the hot
    spot over the top oil (H gr), and the ratio R of load to no-load losses."""

    cooling: Cooling
    top_oil_rise: float
    gradient: float
    loss_ratio: float

    def __post_init__(self) -> None:
        if min(self.top_oil_rise, self.gradient, self.loss_ratio, *astuple(self.cooling)) <= 0:
            raise ValueError("temperature rises, loss ratio and constants of cooling must be above 0")

    def steady(self, load: float, ambient: float) -> tuple[float, float]:
        """Top oil and hot spot that a load factor leads to in the end; they and the ambient are in °C."""
        top_oil, winding, oil_flow = self.steady_parts(load, ambient)
        return top_oil, top_oil + winding - oil_flow

    def steady_parts(self, load: float, ambient: float) -> tuple[float, float, float]:
        """Top oil in °C, and Δθh1 and Δθh2, whose difference is the hot spot over it, in K, in the end."""
        return _steady(load, ambient, self.rated, astuple(self.cooling))

    @property
    def rated(self) -> tuple[float, float, float]:
        """Top-oil rise, gradient and ratio of losses."""
        return self.top_oil_rise, self.gradient, self.loss_ratio


def ageing_rate(hot_spot: float, upgraded: bool = False) -> float:
    """Relative ageing rate V at a hot spot in °C (IEC 60076-7, 6.3).

    Of plain paper 2^((θ - 98) / 6), 1 at 98 °C; of thermally upgraded paper exp(15000/383 - 15000/(θ + 273)),
    1 at 110 °C.
    """
    return _ageing_rate(hot_spot, upgraded)


def temperatures(transformer: Transformer, step_min: Floats, load: Floats, ambient: Floats) -> Floats:
    """(n, 2): top oil and hot spot in °C at each row of one transformer, without its ageing.

    step_min: (n,) minutes since the row before, infinite where what was before is not known: the temperatures
    are then those that the load leads to in the end. load: (n,) load factors; ambient: (n,) in °C. All three
    lags are of first order, so the exponentials are exact over a step of any length at a steady load.
    """
    found = np.empty((len(step_min), 2))
    if len(found):
        duty = np.column_stack([load, ambient]).astype(np.float64)
        _follow(step_min, duty, transformer.rated, astuple(transformer.cooling), found)
    return found


class InsulationAgeing(WearModel):
    """Loss of life L, the integral of V, in hours at the reference hot spot. Duty: load factor, ambient °C.

    After a gap, as at first, the temperatures are those that the load leads to in the end (IEC 60076-7, 8.2.3
    takes this as the best that can be assumed).
    """

    NAME: ClassVar[str] = "insulation_ageing"
    VERSION: ClassVar[int] = 1

    def __init__(
        self, transformer: Transformer, upgraded: bool = False, lifetime: Lifetime = INSULATION_LIFE
    ) -> None:
        self.transformer = transformer
        self.upgraded = upgraded
        super().__init__(lifetime, (LOAD, AMBIENT))

    @classmethod
    def example(cls) -> Self:
        """An ONAF transformer with plain paper that at rated load and 20 °C ages at its reference rate."""
        return cls(Transformer(ONAF, top_oil_rise=52.0, gradient=26.0, loss_ratio=6.0))

    @property
    def thermal(self) -> Floats:
        """(slots, 3): the modelled top oil in °C, Δθh1 and Δθh2 in K, NaN before the first row."""
        return self._by_slot["thermal"].copy()

    @property
    def top_oil(self) -> Floats:
        """(slots,): the modelled top oil in °C after the last row, NaN before the first."""
        return self._by_slot["thermal"][:, 0].copy()

    @property
    def hot_spot(self) -> Floats:
        """(slots,): the modelled hot spot in °C after the last row, NaN before the first."""
        top_oil, winding, oil_flow = self._by_slot["thermal"].T
        return np.asarray(top_oil + winding - oil_flow)

    def _new_slot(self) -> dict[str, NDArray[Any]]:
        return {**super()._new_slot(), "thermal": np.full((1, 3), np.nan)}

    def _use(self, slot: Slots, what: NDArray[np.int8], step_h: Floats, x: Floats) -> Floats:
        used, thermal = np.zeros(len(slot)), self._by_slot["thermal"]
        rated, constants = self.transformer.rated, astuple(self.transformer.cooling)
        _age(slot, what, step_h * 60, x, rated, constants, self.upgraded, thermal, used)
        return used


@kernel
def _age(
    slot: Slots,
    what: NDArray[np.int8],
    step_min: Floats,
    duty: Floats,
    rated: tuple[float, ...],
    cooling: tuple[float, ...],
    upgraded: bool,
    thermal: Floats,
    used: Floats,
) -> None:
    """thermal: (slots, 3) top oil in °C and the two parts of the hot-spot gradient, Δθh1 and Δθh2, in K."""
    _, _, k11, _, k22, oil_min, winding_min = cooling
    for row in range(len(slot)):
        now = thermal[slot[row]]
        if what[row] == FIRST:
            now[0], now[1], now[2] = _steady(duty[row, 0], duty[row, 1], rated, cooling)
        elif what[row] == NEXT:
            top_oil, winding, oil_flow = _steady(duty[row, 0], duty[row, 1], rated, cooling)
            parts = int(np.ceil(step_min[row] / (winding_min / 2)))
            minutes = step_min[row] / parts
            oil = 1 - np.exp(-minutes / (k11 * oil_min))
            fast = 1 - np.exp(-minutes / (k22 * winding_min))
            slow = 1 - np.exp(-minutes * k22 / oil_min)
            for _ in range(parts):
                now[0] += (top_oil - now[0]) * oil
                now[1] += (winding - now[1]) * fast
                now[2] += (oil_flow - now[2]) * slow
                used[row] += _ageing_rate(now[0] + now[1] - now[2], upgraded) * minutes / 60


@kernel
def _follow(
    step_min: Floats, duty: Floats, rated: tuple[float, ...], cooling: tuple[float, ...], found: Floats
) -> None:
    _, _, k11, _, k22, oil_min, winding_min = cooling
    top_oil, winding, oil_flow = _steady(duty[0, 0], duty[0, 1], rated, cooling)
    for row in range(len(step_min)):
        to, to_winding, to_oil_flow = _steady(duty[row, 0], duty[row, 1], rated, cooling)
        minutes = step_min[row]
        top_oil += (to - top_oil) * (1 - np.exp(-minutes / (k11 * oil_min)))
        winding += (to_winding - winding) * (1 - np.exp(-minutes / (k22 * winding_min)))
        oil_flow += (to_oil_flow - oil_flow) * (1 - np.exp(-minutes * k22 / oil_min))
        found[row, 0], found[row, 1] = top_oil, top_oil + winding - oil_flow


@kernel
def _steady(
    load: float, ambient: float, rated: tuple[float, ...], cooling: tuple[float, ...]
) -> tuple[float, float, float]:
    """Top oil in °C, Δθh1 and Δθh2 in K that a load leads to in the end."""
    top_oil_rise, gradient, loss_ratio = rated
    x, y, _, k21, _, _, _ = cooling
    losses = (1 + loss_ratio * load * load) / (1 + loss_ratio)
    winding = gradient * load**y
    return ambient + top_oil_rise * losses**x, k21 * winding, (k21 - 1) * winding


@kernel
def _ageing_rate(hot_spot: float, upgraded: bool) -> float:
    if upgraded:
        return float(np.exp(15000 / 383 - 15000 / (hot_spot + 273)))
    return float(2 ** ((hot_spot - 98) / 6))


WEAR_MODEL: type[WearModel] = InsulationAgeing
