"""Units in which a channel's values come by mistake, after a change of sensor, scaling or gateway."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

QUANTITIES: tuple[dict[str, tuple[float, float]], ...] = (
    {"K": (1.0, 0.0), "°C": (1.0, 273.15), "°F": (5 / 9, 459.67 * 5 / 9)},  # temperature
    {"A": (1.0, 0.0), "mA": (1e-3, 0.0), "kA": (1e3, 0.0)},  # current
    {"V": (1.0, 0.0), "mV": (1e-3, 0.0), "kV": (1e3, 0.0)},  # voltage
    {"W": (1.0, 0.0), "kW": (1e3, 0.0), "MW": (1e6, 0.0)},  # power
    {"N": (1.0, 0.0), "kN": (1e3, 0.0)},  # force
    {"kPa": (1e3, 0.0), "bar": (1e5, 0.0), "MPa": (1e6, 0.0), "psi": (6894.757, 0.0)},  # pressure
    {"mm": (1e-3, 0.0), "m": (1.0, 0.0), "µm": (1e-6, 0.0), "in": (0.0254, 0.0)},  # length
    {"m/s": (1.0, 0.0), "km/h": (1 / 3.6, 0.0), "mm/s": (1e-3, 0.0), "in/s": (0.0254, 0.0)},  # velocity
    {"m/s²": (1.0, 0.0), "mm/s²": (1e-3, 0.0), "g": (9.80665, 0.0)},  # acceleration; g as ISO 80000-3 has it
    {"L/min": (1 / 6e4, 0.0), "m³/h": (1 / 3600, 0.0), "L/s": (1e-3, 0.0)},  # flow
    {"1/min": (1 / 60, 0.0), "r/min": (1 / 60, 0.0), "Hz": (1.0, 0.0)},  # rotation
    {"s": (1.0, 0.0), "ms": (1e-3, 0.0), "min": (60.0, 0.0)},  # time
    {"%": (1e-2, 0.0), "1": (1.0, 0.0)},  # share
)
"""Each quantity's units to scale and offset: times the scale plus the offset is the value in SI units."""


@dataclass(frozen=True, slots=True)
class MixUp:
    """A unit that values may come in: `scale` times the right value plus `offset`."""

    unit: str
    scale: float
    offset: float


def mix_ups(unit: str) -> tuple[MixUp, ...]:
    """The units that values in `unit` may come in instead; none for a unit that is not in the list."""
    for quantity in QUANTITIES:
        if unit in quantity:
            scale, offset = quantity[unit]
            others = ((other, *si) for other, si in quantity.items() if si != (scale, offset))
            return tuple(MixUp(other, scale / by, (offset - plus) / by) for other, by, plus in others)
    return ()


def mix_up_table(units: tuple[str, ...]) -> NDArray[np.float64]:
    """Scale and offset of each channel's mix-ups: (channels, most mix-ups, 2), NaN where it has fewer."""
    found = [mix_ups(unit) for unit in units]
    table = np.full((len(units), max(map(len, found), default=0), 2), np.nan)
    for k, some in enumerate(found):
        for j, one in enumerate(some):
            table[k, j] = one.scale, one.offset
    return table
