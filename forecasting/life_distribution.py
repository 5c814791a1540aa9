"""A distribution of remaining life through the three quantiles of a forecast."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]

Z90 = float(ndtri(0.9))

SOONEST_H = 1.0
"""Quantiles are no less than this: a logarithm is taken, and within the hour nothing can be planned."""

SLIMMEST = 1.05
"""Neighbouring quantiles are at least this factor apart, so that the density exists."""

STEPS = 400
FURTHEST = 4.0
"""Means are integrated up to this many times P90, where less than 1 % is left."""


@dataclass(frozen=True, slots=True)
class LifeDistribution:
    """Log-normal on each side of the median (Fechner's two-piece law on the logarithm of the life).

    It has exactly the quantiles that were forecast, whichever way they are skewed. Hours count from the
    instant of the forecast.
    """

    p10_h: float
    p50_h: float
    p90_h: float

    def __post_init__(self) -> None:
        if not 0 <= self.p10_h <= self.p50_h <= self.p90_h < np.inf:
            raise ValueError(f"quantiles must ascend from 0: {self.p10_h}, {self.p50_h}, {self.p90_h}")

    def failed_by(self, hours: ArrayLike, survived_h: float = 0.0) -> Floats:
        """Probability (n,) of a failure by each of `hours` (n,), given that `survived_h` were survived."""
        alive = 1.0 - float(self._cdf(np.array(survived_h)))
        ahead = self._cdf(np.maximum(np.asarray(hours, np.float64), survived_h))
        if alive < 1e-9:  # it should have failed long ago: any moment now
            return np.where(np.asarray(hours) > survived_h, 1.0, 0.0)
        return np.asarray(1.0 - (1.0 - ahead) / alive)

    def unused(self, hours: ArrayLike, survived_h: float = 0.0) -> Floats:
        """Mean hours of life (n,) that are left over if it is ended at each of `hours` (n,)."""
        at = np.asarray(hours, np.float64)
        grid = np.linspace(0.0, max(FURTHEST * self.p90_h, float(np.max(at, initial=0.0)) + 1.0), STEPS)
        survival = 1.0 - self.failed_by(grid, survived_h)
        pieces = np.diff(grid) * (survival[1:] + survival[:-1]) / 2.0
        left = np.concatenate([np.cumsum(pieces[::-1])[::-1], [0.0]])
        return np.asarray(np.interp(at, grid, left))

    def _cdf(self, hours: Floats) -> Floats:
        median = max(self.p50_h, SOONEST_H * SLIMMEST)
        below = np.log(median / min(max(self.p10_h, SOONEST_H), median / SLIMMEST)) / Z90
        above = np.log(max(self.p90_h, median * SLIMMEST) / median) / Z90
        log = np.log(np.maximum(hours, 1e-9) / median)
        return np.where(hours > 0, ndtr(log / np.where(log < 0, below, above)), 0.0)
