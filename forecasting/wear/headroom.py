"""How long a transformer can carry a load until its hot spot reaches a limit (IEC 60076-7, 7 and 8.2)."""

from dataclasses import astuple

import numpy as np

from forecasting.wear.model import Floats
from forecasting.wear.transformer import Transformer

LIMITS = {
    98.0: "plain paper at its reference rate of ageing",
    110.0: "thermally upgraded paper at its reference rate of ageing",
    120.0: "normal cyclic loading",
    140.0: "long-time emergency loading",
}
"""Hot spots in °C, and what ends there (IEC 60076-7:2018, 6.3 and table 2)."""

SETTLED_H = 48
"""By then the slowest time constant, three hours, has passed sixteen times: what is not reached never is."""


def hours_until(unit: Transformer, thermal: Floats, load: float, ambient: float) -> dict[float, float | None]:
    """Hours until the hot spot reaches each of LIMITS, 0 if it has, None if it never does; to the minute.

    thermal: (3,) as `InsulationAgeing.thermal` has it. load: the factor from now on; ambient in °C. The
    temperatures follow the exponentials of the standard's equations, so also where the hot spot first rises
    beyond what the load leads to in the end.
    """
    minutes = np.arange(SETTLED_H * 60 + 1, dtype=np.float64)
    hot_spot = _hot_spot(unit, thermal, load, ambient, minutes)
    reached = {limit: np.flatnonzero(hot_spot >= limit) for limit in LIMITS}
    return {limit: float(at[0]) / 60 if len(at) else None for limit, at in reached.items()}


def _hot_spot(unit: Transformer, thermal: Floats, load: float, ambient: float, minutes: Floats) -> Floats:
    """(n,) °C after so many minutes of a constant load."""
    _, _, k11, _, k22, oil_min, winding_min = astuple(unit.cooling)
    end = np.array(unit.steady_parts(load, ambient))
    time_constant = np.array([k11 * oil_min, k22 * winding_min, oil_min / k22])
    parts = end + (thermal - end) * np.exp(-minutes[:, None] / time_constant)
    return np.asarray(parts @ np.array([1.0, 1.0, -1.0]))
