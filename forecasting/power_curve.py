"""Power curve of a wind turbine by the method of bins (IEC 61400-12-1): what it yields at a wind speed.

Wind speeds are first taken to the reference density (`normalised_wind`, for turbines with active control),
then power is averaged in bins of .5 m/s. A bin counts from 30 minutes of data on, the curve from 180 hours on
(from memory, not verified).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

BIN = 0.5
"""Width in m/s; bins are centred on multiples of it."""

BIN_MIN, TOTAL_H = 30.0, 180.0

REFERENCE_DENSITY = 1.225
"""kg/m³, at sea level."""

GAS_CONSTANT = 287.05
"""Of dry air, J/(kg K)."""

USUAL = 3.5
"""Robust standard deviations from its bin's median within which a value is one of normal operation."""

LEAST_SCATTER = 0.01
"""Least standard deviation in a bin that is believed, as a share of the highest power."""

MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True, slots=True)
class PowerCurve:
    """wind: (b,) mean wind speeds in m/s of the bins, rising; power: (b,) mean power in them."""

    wind: Floats
    power: Floats

    def expected(self, wind: Floats) -> Floats:
        """(n,) power at wind speeds (n,) at the reference density: linear between bins.

        NaN beyond the outermost bins by more than half of one: nobody knows what it does there.
        """
        known = (wind >= self.wind[0] - BIN / 2) & (wind <= self.wind[-1] + BIN / 2)
        return np.where(known, np.interp(wind, self.wind, self.power), np.nan)


def normalised_wind(wind: Floats, temperature_c: Floats, pressure_pa: Floats) -> Floats:
    """(n,) wind speeds that at the reference density hold as much power: v (ρ / 1.225)^(1/3)."""
    density = pressure_pa / (GAS_CONSTANT * (temperature_c + 273.15))
    return np.asarray(wind * np.cbrt(density / REFERENCE_DENSITY))


def fit_power_curve(wind: Floats, power: Floats, row_min: float) -> PowerCurve:
    """The curve of normal operation, from means (n,) over `row_min` minutes each, NaN where missing.

    Standstill, curtailment and ice are to be left out by the standard; where no status says so they show as
    values far from their bin's median. Raises `ValueError` for too little data.
    """
    known = np.isfinite(wind) & np.isfinite(power) & (wind >= 0)
    hours = known.sum() * row_min / 60
    if hours < TOTAL_H:
        raise ValueError(f"{hours:.0f} hours of wind and power: a power curve needs {TOTAL_H:.0f}")
    wind, power = wind[known], power[known]
    at = np.round(wind / BIN).astype(np.int64)
    usual = _usual(at, power)
    found = [
        (wind[mine].mean(), power[mine].mean())
        for k in range(int(at.max()) + 1)
        if (mine := usual & (at == k)).sum() * row_min >= BIN_MIN
    ]
    if len(found) < 2:
        raise ValueError(f"{len(found)} bins of {BIN} m/s with {BIN_MIN:.0f} minutes of data: 2 are needed")
    return PowerCurve(*np.array(found).T)


def _usual(at: NDArray[np.int64], power: Floats) -> Flags:
    """(n,) which values are near the median of their bin."""
    usual, least = np.zeros(len(at), np.bool_), LEAST_SCATTER * np.abs(power).max()
    for k in np.unique(at):
        mine = at == k
        off = np.abs(power[mine] - np.median(power[mine]))
        usual[mine] = off <= USUAL * max(MAD_TO_SIGMA * np.median(off), least)
    return usual
