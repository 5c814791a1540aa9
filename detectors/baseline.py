"""What is normal for a machine, learned from its first rows: level, scatter and how channels move together.

Meant for charts of exponentially weighted moving averages (EWMA; Roberts 1959, multivariate: Lowry et al.
1992), whose variance is corrected for the autocorrelation that the rows show.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.kernels import kernel

Floats = NDArray[np.float64]

CLIP = 6.0
"""Standardised deviations are cut here: one wild sample moves a slow EWMA less than an alarm needs."""

SHRINKAGE = 0.1
"""Weight of "channels are uncorrelated" in the correlation matrix; keeps its inverse tame."""

FENCE = 2.0
"""Values count up to this many 10-90 % ranges beyond the 10 % and 90 % quantiles (6.4 sigma if Gaussian)."""

RESOLUTION, TINY = 1e-6, 1e-30
"""Scatter below this part of the level, or below this, is float32 rounding: the channel is constant."""

MOST_CORRELATED = 0.99
"""Lag-1 autocorrelation is cut here: from a few hundred values nobody can tell it from 1."""

RIDGE = 0.01
"""Added to the variance of given channels, as a part of it: those that move together share their part."""

SURE = 3.0
"""Standard errors that a slope must be from 0 to count; one twice as far counts three quarters."""

FEWEST = 20
"""Values below which nothing is learned about a channel."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """location: (channels,), NaN where there were too few values.

    scale: (channels,), 0 where nothing is known of the scatter (too few values, or constant): not judged.
    precision: (channels, channels), inverse covariance of the EWMAs of standardised deviations, 0 where
    not judged.
    """

    location: Floats
    scale: Floats
    precision: Floats


def learn(rows: NDArray[np.floating], weight: float, given: NDArray[np.bool_] | None = None) -> Baseline:
    """The baseline of rows (n, channels), NaN where missing, for EWMAs of that weight.

    given: (channels,), those that say what the others should be, as load and weather do: what is left of the
    others by ordinary least squares is what scatters and is correlated.
    """
    channels = rows.shape[1]
    location, scale, deviation = np.full(channels, np.nan), np.zeros(channels), np.ones(channels)
    z = np.zeros(rows.shape)
    for k in range(channels):
        present = ~np.isnan(rows[:, k])
        values = rows[present, k].astype(np.float64)
        if len(values) >= FEWEST:
            location[k], scale[k] = level_and_scatter(values)
        if scale[k] > 0:
            z[present, k] = _standardised(values, location[k], scale[k])
    slope = _regression(z, scale > 0, given)
    expected = z @ slope.T
    for k in np.flatnonzero(scale > 0).tolist():
        present = ~np.isnan(rows[:, k])
        values = rows[present, k].astype(np.float64) - expected[present, k] * scale[k]
        z[present, k] = _standardised(values, location[k], scale[k])
        deviation[k] = np.sqrt(_ewma_variance(values, z[present, k], scale[k], weight))
    apart = np.eye(channels) - slope
    return Baseline(location, scale, apart.T @ _precision(z, deviation, scale > 0) @ apart)


def _regression(z: Floats, judged: NDArray[np.bool_], given: NDArray[np.bool_] | None) -> Floats:
    """Slopes (channels, channels) of deviations z (n, channels) on those of the given channels."""
    slope = np.zeros((z.shape[1], z.shape[1]))
    if given is None or not (given & judged).any() or not (judged & ~given).any():
        return slope
    to, by = np.flatnonzero(judged & ~given), np.flatnonzero(judged & given)
    square = np.linalg.inv(z[:, by].T @ z[:, by] + RIDGE * len(z) * np.eye(len(by)))
    found = (square @ z[:, by].T @ z[:, to]).T
    left = z[:, to] - z[:, by] @ found.T
    for i in range(len(to)):
        for j in range(len(by)):
            both = correlation(left[:, i], 0.0) * correlation(z[:, by[j]], 0.0)
            unsure = float(np.mean(left[:, i] ** 2)) * square[j, j] * (1 + both) / (1 - both)
            found[i, j] *= max(0.0, 1 - SURE**2 * unsure / max(found[i, j] ** 2, TINY))
    slope[np.ix_(to, by)] = found
    return slope


def slopes(precision: Floats, given: NDArray[np.bool_]) -> Floats:
    """What a deviation of a given channel makes of the others (channels, channels); 0 for the given ones.

    precision: (channels, channels) of all of them. The others' conditional mean given these (Anderson 1958).
    """
    judged = np.diagonal(precision) > 0
    to, by = np.flatnonzero(judged & ~given), np.flatnonzero(judged & given)
    slope = np.zeros(precision.shape)
    if len(to) and len(by):
        slope[np.ix_(to, by)] = -np.linalg.solve(precision[np.ix_(to, to)], precision[np.ix_(to, by)])
    return slope


@kernel
def level_and_scatter(values: Floats) -> tuple[float, float]:
    """Mean and standard deviation within the fences, the latter 0 for a constant; values (n,), n >= 1.

    The mean, because an EWMA settles there and not at the median.
    """
    ranked = np.sort(values)
    low, high = ranked[len(ranked) // 10], ranked[-1 - len(ranked) // 10]
    reach = FENCE * (high - low)
    if reach == 0:
        reach = np.inf  # a value that rarely changes: keep the changes
    kept = np.minimum(np.maximum(values, low - reach), high + reach)
    level, scatter = np.mean(kept), np.std(kept)
    return level, scatter if scatter > max(RESOLUTION * abs(level), TINY) else 0.0


def _standardised(values: Floats, level: float, scatter: float) -> Floats:
    return np.clip((values - level) / scatter, -CLIP, CLIP)


def _ewma_variance(values: Floats, z: Floats, scatter: float, weight: float) -> float:
    """Variance of the EWMA of z: as AR(1) implies, as seen, or as foreseen, whichever is most.

    An AR(1) with lag-1 autocorrelation r has var(EWMA) = weight/(2 - weight) (1 + r q)/(1 - r q) var(z),
    q = 1 - weight (Schmid 1997), and its mean over n rows has `level` = (1 + r)/(1 - r)/n of var(z), which
    the variance about that mean lacks.
    "As foreseen" is the later half about the level of the earlier one: a channel that wanders when healthy
    must wander further before it counts.
    """
    n, half, power = len(z), len(z) // 2, float(np.mean(z**2))
    r = correlation(z, 0.0)
    level = min((1 + r) / (1 - r) / n, 0.5)
    q = 1.0 - weight
    implied = power * (weight / (2 - weight) * (1 + r * q) / (1 - r * q) + level) / (1 - level)
    seen = np.mean(smooth(z, weight) ** 2)
    ahead = _standardised(values[half:], level_and_scatter(values[:half])[0], scatter)
    return max(implied, float(seen), float(np.mean(smooth(ahead, weight) ** 2)))


def correlation(values: Floats, level: float) -> float:
    """Lag-1 autocorrelation about the level, 0 to `MOST_CORRELATED`.

    The plain estimate is too small by (1 + 3 r)/n (Kendall 1954).
    """
    z = values - level
    r = float(np.mean(z[1:] * z[:-1])) / max(float(np.mean(z**2)), TINY)
    return min(max(r + (1 + 3 * r) / len(z), 0.0), MOST_CORRELATED)


@kernel
def smooth(z: Floats, weight: float) -> Floats:
    """EWMA of z (n,), starting at 0."""
    e = np.empty_like(z)
    last = 0.0
    for i in range(len(z)):
        last += weight * (z[i] - last)
        e[i] = last
    return e


def _precision(z: Floats, deviation: Floats, judged: NDArray[np.bool_]) -> Floats:
    """Inverse covariance of EWMAs with these standard deviations, correlated as the rows of z are."""
    unit = z / np.where(judged, np.linalg.norm(z, axis=0), 1.0)
    correlation = (1 - SHRINKAGE) * unit.T @ unit
    np.fill_diagonal(correlation, 1.0)
    inverse = np.linalg.inv(correlation) / np.outer(deviation, deviation)
    return np.where(np.outer(judged, judged), inverse, 0.0)
