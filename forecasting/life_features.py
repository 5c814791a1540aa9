"""What of a history tells how long it will go on: the level now, how it got there, what was normal at first.

All windows are in hours, so thinning or another sampling rate changes little. Row i uses rows up to i only.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WINDOWS = (0.05, 0.15, 0.4)
"""Trailing windows as parts of a typical life."""

EARLY = 0.075
"""The part of a typical life that shows what is normal for this asset."""


def life_features(age: Floats, x: Floats, life: float) -> Floats:
    """Features (n, 6 k + 1) of standardised rows x (n, k) at ages (n,); life: typical life in hours.

    Per column the means over three trailing windows, the slopes over the two longer ones and the deviation
    from the asset's own early mean; then the age.
    """
    since = age - age[0]
    means = [_mean(since, x, part * life) for part in WINDOWS]
    slopes = [_slope(since, x, part * life) for part in WINDOWS[1:]]
    deviation = means[1] - _early(since, x, EARLY * life)
    return np.hstack([*means, *slopes, deviation, age[:, None] / life])


def _mean(age: Floats, x: Floats, window: float) -> Floats:
    """(n, k): mean over the rows of the last `window` hours."""
    end = np.arange(1, len(age) + 1)
    start = np.searchsorted(age, age - window, side="right")
    start = np.minimum(start, end - 1)  # a window shorter than the step still holds its own row
    total = np.vstack([np.zeros(x.shape[1]), np.cumsum(x, axis=0)])
    return np.asarray((total[end] - total[start]) / (end - start)[:, None])


def _slope(age: Floats, x: Floats, window: float) -> Floats:
    """(n, k): least-squares slope over the last `window` hours, per window; 0 where there is one row only."""
    t = age[:, None] / window
    mean_t, mean_x = _mean(age, t, window), _mean(age, x, window)
    spread = _mean(age, t * t, window) - mean_t**2
    shared = _mean(age, t * x, window) - mean_t * mean_x
    return np.divide(shared, spread, out=np.zeros_like(shared), where=spread > 1e-9 * (1.0 + mean_t**2))


def _early(age: Floats, x: Floats, window: float) -> Floats:
    """(n, k): mean of the rows of the first `window` hours, as far as they are past."""
    so_far = np.cumsum(x, axis=0) / np.arange(1, len(age) + 1)[:, None]
    last = int(np.searchsorted(age, window, side="right")) - 1
    return np.asarray(so_far[np.minimum(np.arange(len(age)), last)])
