"""Operating regimes: set-points that assets return to, and what is normal for each column in each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_REGIMES = 8
EXPLAINED = 0.999
"""There are regimes if so few of them explain this part of the variance of the set-points; else there is
one."""

LLOYD_STEPS = 10
MOST_ROWS = 10_000
"""Regimes are looked for in so many rows, evenly spread."""

WILD = 20.0
"""Columns are cut at so many standard deviations."""


@dataclass(frozen=True, slots=True)
class Regimes:
    """setting: (2, s) mean and scale of the set-points. centre: (r, s) of the regimes, standardised.

    mean, scale: (r, k) of the columns in each regime; the scale is 0 where a column does not vary.
    """

    setting: Floats
    centre: Floats
    mean: Floats
    scale: Floats

    def of(self, setting: Floats) -> Ints:
        """The regime (n,) of set-points (n, s): the nearest."""
        return _nearest(_standard(setting, self.setting), self.centre)

    def normalised(self, x: Floats, setting: Floats) -> Floats:
        """Rows (n, k) in standard deviations from what is normal in their regime."""
        regime = self.of(setting)
        scale = self.scale[regime]
        z = np.divide(x - self.mean[regime], scale, out=np.zeros(x.shape), where=scale > 0)
        return np.asarray(np.clip(z, -WILD, WILD))


def learn_regimes(x: Floats, setting: Floats) -> Regimes:
    """Regimes of set-points (n, s), none where s is 0, and the moments of finite rows (n, k) in each."""
    spread = _spread(setting)
    moments = np.stack([setting.mean(axis=0), np.where(spread > 0, spread, 1.0)])
    standard = _standard(setting, moments)
    centre = _centres(standard[:: -(-len(standard) // MOST_ROWS)])
    regime = _nearest(standard, centre)
    of_each = [x[regime == number] for number in range(len(centre))]
    mean, scale = np.array([rows.mean(axis=0) for rows in of_each]), np.array([*map(_spread, of_each)])
    return Regimes(moments, centre, mean, scale)


def _spread(rows: Floats) -> Floats:
    """Standard deviation of each column, 0 where it is constant but for rounding."""
    spread = rows.std(axis=0)
    return np.asarray(np.where(spread > 1e-9 * (1.0 + np.abs(rows.mean(axis=0))), spread, 0.0))


def _centres(standard: Floats) -> Floats:
    """Centres (r, s) by k-means from the points farthest apart (Gonzalez 1985), as few as explain enough."""
    one = standard.mean(axis=0, keepdims=True)
    allowed = (1 - EXPLAINED) * _inertia(standard, one)
    start = standard[[_distances(standard, one).argmax()]]
    while allowed > 0 and len(start) < MOST_REGIMES:
        farthest = _distances(standard, start).min(axis=1).argmax()
        start = np.vstack([start, standard[farthest]])
        centre = _settled(standard, start)
        if _inertia(standard, centre) <= allowed:
            return centre
    return np.asarray(one)


def _settled(standard: Floats, centre: Floats) -> Floats:
    """The centres after Lloyd's steps; one that lost all its points stays where it was."""
    for _ in range(LLOYD_STEPS):
        nearest = _nearest(standard, centre)
        own = [standard[nearest == number] for number in range(len(centre))]
        centre = np.asarray(
            [rows.mean(axis=0) if len(rows) else old for rows, old in zip(own, centre, strict=True)]
        )
    return centre


def _inertia(standard: Floats, centre: Floats) -> float:
    return float(_distances(standard, centre).min(axis=1).sum())


def _nearest(standard: Floats, centre: Floats) -> Ints:
    if len(centre) == 1:
        return np.zeros(len(standard), np.int64)
    return np.asarray(_distances(standard, centre).argmin(axis=1))


def _distances(standard: Floats, centre: Floats) -> Floats:
    """(n, r) squared."""
    return np.asarray(((standard[:, None, :] - centre) ** 2).sum(axis=2))


def _standard(setting: Floats, moments: Floats) -> Floats:
    return np.asarray((setting - moments[0]) / moments[1])
