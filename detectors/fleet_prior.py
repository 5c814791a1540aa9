"""What a type's machines have in common, for one that has not shown enough yet (empirical Bayes).

A machine's level is drawn from the fleet's levels; what it has shown itself moves the estimate from there,
the further the more it has shown and the more the machines differ. What is not known of the level yet counts
as scatter, so a new machine must be odder to look odd (Efron and Morris 1975).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.baseline import FEWEST, Baseline, correlation, level_and_scatter

Floats = NDArray[np.float64]

LEAST_MACHINES = 3
"""Machines below which nothing is known of how they differ."""


@dataclass(frozen=True, slots=True)
class FleetPrior:
    """Of the channels that most machines have; the arrays speak of those alone, in the channels' units.

    channels: (k,) int64. location: (k,) mean level. between: (k,) variance of levels among machines. within:
    (k,) variance of values about a machine's own level. smooth: (k, k) covariance of their EWMAs.
    """

    channels: NDArray[np.int64]
    location: Floats
    between: Floats
    within: Floats
    smooth: Floats

    @classmethod
    def pooled(
        cls, location: NDArray[np.floating], scale: NDArray[np.floating], precision: NDArray[np.floating]
    ) -> "FleetPrior | None":
        """From machines' baselines, arrays as in `Baseline` with machines first; None from too few."""
        judged = scale > 0
        channels = np.flatnonzero(judged.mean(axis=0) > 0.5) if len(scale) else np.zeros(0, np.int64)
        whole = judged[:, channels].all(axis=1)
        if whole.sum() < LEAST_MACHINES or not len(channels):
            return None
        level = location[np.ix_(whole, channels)].astype(np.float64)
        scatter = scale[np.ix_(whole, channels)].astype(np.float64)
        own = precision[whole][:, channels[:, None], channels].astype(np.float64)
        covariance = np.linalg.inv(own) * scatter[:, :, None] * scatter[:, None, :]
        between = level.var(axis=0, ddof=1) * (1 + 1 / len(level))
        return cls(channels, level.mean(axis=0), between, (scatter**2).mean(axis=0), covariance.mean(axis=0))

    def baseline(self, width: int) -> Baseline:
        """For a machine with `width` channels that has shown nothing."""
        return self._baseline(width, self.location, self.between)

    def shrunk(self, rows: NDArray[np.floating], whole: int) -> Baseline:
        """For a machine that has shown these first rows (n, width) of the `whole` that teach it all."""
        location, left = self.location.copy(), self.between.copy()
        for k, channel in enumerate(self.channels.tolist()):
            values = rows[np.isfinite(rows[:, channel]), channel].astype(np.float64)
            if len(values) < FEWEST:
                continue
            level, unsure = self._own(values, float(self.smooth[k, k]) * (1 - len(rows) / whole))
            weight = left[k] / max(left[k] + unsure, 1e-300)
            location[k] += weight * (level - location[k])
            left[k] *= 1 - weight
        return self._baseline(rows.shape[1], location, left)

    def _own(self, values: Floats, wander: float) -> tuple[float, float]:
        """A machine's own level and the variance of that; the levels of short spans wander."""
        level, scatter = level_and_scatter(values)
        r = correlation(values, level)
        return level, scatter**2 * (1 + r) / (1 - r) / len(values) + wander

    def _baseline(self, width: int, location: Floats, unsure: Floats) -> Baseline:
        scale = np.sqrt(self.within + unsure)
        covariance = (self.smooth + np.diag(unsure)) / np.outer(scale, scale)
        found = Baseline(np.full(width, np.nan), np.zeros(width), np.zeros((width, width)))
        found.location[self.channels], found.scale[self.channels] = location, scale
        found.precision[np.ix_(self.channels, self.channels)] = np.linalg.inv(covariance)
        return found


def plain(priors: Sequence[FleetPrior | None], width: int) -> dict[str, Floats]:
    """Priors as arrays of priors and `width` channels, NaN where nothing is known."""
    arrays = empty(len(priors), width)
    for each, prior in enumerate(priors):
        if prior is not None:
            for name in ("location", "between", "within"):
                arrays[name][each, prior.channels] = getattr(prior, name)
            arrays["smooth"][each][np.ix_(prior.channels, prior.channels)] = prior.smooth
    return arrays


def empty(priors: int, width: int) -> dict[str, Floats]:
    """The arrays of so many priors that know nothing."""
    shapes = {"location": (width,), "between": (width,), "within": (width,), "smooth": (width, width)}
    return {name: np.full((priors, *shape), np.nan) for name, shape in shapes.items()}


def restored(arrays: Mapping[str, Floats]) -> list[FleetPrior | None]:
    """The inverse of `plain`."""
    return [_restored(*one) for one in zip(*(arrays[name] for name in empty(0, 0)), strict=True)]


def _restored(location: Floats, between: Floats, within: Floats, smooth: Floats) -> FleetPrior | None:
    channels = np.flatnonzero(np.isfinite(location))
    if not len(channels):
        return None
    square = np.ix_(channels, channels)
    return FleetPrior(channels, location[channels], between[channels], within[channels], smooth[square])
