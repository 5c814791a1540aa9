"""T² of a run's smoothed deviations, each channel's share of it, and what is missing held out exactly."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.kernels import kernel
from detectors.t2_means import Run

Floats = NDArray[np.float32]


@kernel
def split_t2(n: int, precision: Floats, e: Floats, y: Floats, share: Floats, t2: Floats) -> None:
    """T² (n,) of the deviations e, and each channel's `share` (n, channels) of it; y becomes precision e."""
    channels = len(precision)
    t2[:n] = 0
    for k in range(channels):
        _product(n, precision[k], e, y[k])
        for i in range(n):
            t2[i] += e[k, i] * y[k, i]
    for i in range(n):
        for k in range(channels):
            share[i, k] = e[k, i] * y[k, i]


@kernel
def _product(n: int, weights: Floats, e: Floats, y: Floats) -> None:
    """y = weights e for the first n columns of `e`: four channels at a time, as most of it is reading y."""
    channels = len(weights)
    fours = channels - channels % 4
    y[:n] = 0
    for j in range(0, fours, 4):
        a, b, c, d = weights[j], weights[j + 1], weights[j + 2], weights[j + 3]
        ea, eb, ec, ed = e[j], e[j + 1], e[j + 2], e[j + 3]
        for i in range(n):
            y[i] += (a * ea[i] + b * eb[i]) + (c * ec[i] + d * ed[i])
    for j in range(fours, channels):
        a, ea = weights[j], e[j]
        for i in range(n):
            y[i] += a * ea[i]


@kernel
def beyond(n: int, away: Floats, y: Floats, more: Floats) -> None:
    """`more` (n,) = 2 away'y: what T² is more about a level that far away, but for that level's own."""
    more[:n] = 0
    for k in range(len(away)):
        twice = 2 * away[k]
        for i in range(n):
            more[i] += twice * y[k, i]


@kernel
def leave_gaps_out(
    n: int,
    precision: Floats,
    judged: NDArray[np.bool_],
    run: Run,
    share: Floats,
    t2: Floats,
    back: tuple[Floats, Floats, np.float32],
    more: Floats,
) -> None:
    """Correct T², `share` and `more` of the rows in which a channel is missing; `back` of `way_back`."""
    channels = len(precision)
    away, turned, whole = back
    most = np.count_nonzero(judged)
    for i in range(n):
        if run.present[i] < most:
            gaps = np.flatnonzero(judged & np.isnan(run.z[i * channels : (i + 1) * channels]))
            t2[i] = _hold_out(precision, gaps, run.e[:, i], run.y[:, i], share[i])
            more[i] = _hold_out(precision, gaps, away, turned.copy(), np.empty_like(away)) - whole
            for k in range(channels):
                more[i] += 2 * away[k] * run.y[k, i]


@kernel
def _hold_out(
    precision: Floats, gaps: NDArray[np.int64], e: NDArray[Any], y: NDArray[Any], share: Floats
) -> float:
    """T² of one row without its gaps: of the channels present alone. Writes each channel's `share` of it.

    The gaps get the values that the other channels make most likely. Those solve (P e)[gaps] = 0, which
    leaves for the others the inverse of their own covariance.
    """
    likely = _solved(precision, gaps, y)
    for i in range(len(gaps)):
        for k in range(len(y)):
            y[k] += np.float32(likely[i]) * precision[gaps[i], k]
    for gap in gaps:
        y[gap] = 0.0
    t2 = 0.0
    for k in range(len(y)):
        share[k] = e[k] * y[k]
        t2 += share[k]
    return t2


@kernel
def _solved(precision: Floats, gaps: NDArray[np.int64], y: NDArray[Any]) -> NDArray[np.float64]:
    """The x for which precision[gaps, gaps] x = -y[gaps], by elimination; positive definite, so unpivoted."""
    n = len(gaps)
    a, x = np.empty((n, n)), np.empty(n)
    for i in range(n):
        x[i] = -y[gaps[i]]
        for j in range(n):
            a[i, j] = precision[gaps[i], gaps[j]]
    for i in range(n):
        for j in range(i + 1, n):
            factor = a[j, i] / a[i, i]
            x[j] -= factor * x[i]
            for k in range(i, n):
                a[j, k] -= factor * a[i, k]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            x[i] -= a[i, k] * x[k]
        x[i] /= a[i, i]
    return x
