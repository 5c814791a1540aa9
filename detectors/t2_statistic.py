"""T² of a run's smoothed deviations, each channel's share of it, and what is missing held out exactly."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.kernels import kernel

Floats = NDArray[np.float32]

SHORT = 8
"""Rows below which a run is multiplied row by row."""


@kernel
def split_t2(n: int, precision: Floats, e: Floats, y: Floats, share: Floats, t2: Floats) -> None:
    """T² (n,) of the deviations e, and each channel's `share` (n, channels) of it; y becomes precision e."""
    channels = len(precision)
    t2[:n] = 0
    for k in range(channels):
        if n < SHORT:
            _short_product(n, k, precision, e, y)
        else:
            _product(n, k, precision, e, y)
        for i in range(n):
            t2[i] += e[k, i] * y[k, i]
    for i in range(n):
        for k in range(channels):
            share[i, k] = e[k, i] * y[k, i]


@kernel
def _product(n: int, k: int, matrix: Floats, e: Floats, y: Floats) -> None:
    """y[k] = matrix[k] e for n columns: four channels at a time, as most of it is reading y."""
    channels = len(matrix)
    fours = channels - channels % 4
    y[k, :n] = 0
    for j in range(0, fours, 4):
        a, b, c, d = matrix[k, j], matrix[k, j + 1], matrix[k, j + 2], matrix[k, j + 3]
        for i in range(n):
            y[k, i] += (a * e[j, i] + b * e[j + 1, i]) + (c * e[j + 2, i] + d * e[j + 3, i])
    for j in range(fours, channels):
        a = matrix[k, j]
        for i in range(n):
            y[k, i] += a * e[j, i]


@kernel
def _short_product(n: int, k: int, matrix: Floats, e: Floats, y: Floats) -> None:
    """The same to the bit, where a loop over the rows takes longer to begin than to run."""
    channels = len(matrix)
    fours = channels - channels % 4
    for i in range(n):
        total = np.float32(0)
        for j in range(0, fours, 4):
            one = matrix[k, j] * e[j, i] + matrix[k, j + 1] * e[j + 1, i]
            total += one + (matrix[k, j + 2] * e[j + 2, i] + matrix[k, j + 3] * e[j + 3, i])
        for j in range(fours, channels):
            total += matrix[k, j] * e[j, i]
        y[k, i] = total


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
    most: int,
    precision: Floats,
    judged: NDArray[np.bool_],
    run: tuple[Floats, Floats, Floats, NDArray[np.int16]],
    share: Floats,
    t2: Floats,
    back: tuple[Floats, Floats, np.float32],
    more: Floats,
) -> None:
    """Correct T², `share` and `more` of the rows in which a channel is missing.

    most: how many channels a row can show. run: z, e, y and how many it does show. back: a, precision a and
    a'precision a of `way_back`.
    """
    channels = len(precision)
    z, e, y, present = run
    away, turned, whole = back
    for i in range(n):
        if present[i] < most:
            gaps = np.flatnonzero(judged & np.isnan(z[i * channels : (i + 1) * channels]))
            t2[i] = _hold_out(precision, gaps, e[:, i], y[:, i], share[i])
            more[i] = _hold_out(precision, gaps, away, turned.copy(), np.empty_like(away)) - whole
            for k in range(channels):
                more[i] += 2 * away[k] * y[k, i]


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
    a = np.empty((n, n + 1))
    for i in range(n):
        for j in range(n):
            a[i, j] = precision[gaps[i], gaps[j]]
        a[i, n] = -y[gaps[i]]
    for i in range(n):
        for j in range(i + 1, n):
            factor = a[j, i] / a[i, i]
            for k in range(i, n + 1):
                a[j, k] -= factor * a[i, k]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            a[i, n] -= a[i, k] * a[k, n]
        a[i, n] /= a[i, i]
    return a[:, n]
