"""From a run of rows to what the T² chart judges: smoothed deviations, channel by channel.

A run is a few dozen rows of one machine. Each step goes over all of it before the next one begins, so that
every loop is long, plain and has few arrays: that is what compiles to vector instructions.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.kernels import kernel

Floats = NDArray[np.float32]
Ints16 = NDArray[np.int16]

FARTHEST = np.float32(1e6)
"""Standard deviations beyond which what was measured is told no further, so that no sum overflows."""

NOTHING = np.float32(np.nan)


class Run(NamedTuple):
    """Room for the deviations of a run of n rows, used again for the next.

    z: deviations in standard deviations, row after row, NaN where missing or not judged. steps: what they add
    to the means. means, free: their EWMAs, cut and uncut; row i + 1 is after row i. e: (channels, n), the
    means to judge, 0 where there is none. y: (channels, n), precision e. present: (n,), how many channels a
    row shows. scale: (channels,), standard deviations.
    """

    z: Floats
    steps: Floats
    means: Floats
    free: Floats
    e: Floats
    y: Floats
    present: Ints16
    scale: Floats


@kernel
def room(rows: int, channels: int) -> Run:
    """For runs of up to so many rows."""
    flat, longer = rows * channels, (rows + 1) * channels
    return Run(
        np.empty(flat, np.float32),
        np.empty(flat, np.float32),
        np.empty(longer, np.float32),
        np.empty(longer, np.float32),
        np.empty((channels, rows), np.float32),
        np.empty((channels, rows), np.float32),
        np.empty(rows, np.int16),
        np.empty(channels, np.float32),
    )


@kernel
def smooth_run(
    rows: Floats,
    normal: tuple[Floats, Floats],
    pace: tuple[np.float32, np.float32],
    means: tuple[Floats, Floats],
    told: tuple[Floats, Floats],
    run: Run,
) -> bool:
    """Fill `run` but for y, move `means` on and tell what is expected and observed; whether values miss.

    normal: level and inverse scale. pace: weight of a row, and where deviations are cut. means: of the slot,
    cut and uncut. told: (n, channels) each.
    """
    level, inverse = normal
    weight, clip = pace
    n = len(rows)
    _standardise(rows, level, inverse, run.z)
    _smooth(n, weight, clip, run.z, run.steps, means[0], run.means)
    _smooth(n, weight, FARTHEST, run.z, run.steps, means[1], run.free)
    for k in range(len(inverse)):
        run.scale[k] = 1 / inverse[k]
    _describe(rows, level, run.scale, run.z, run.free, told[0], told[1])
    _turn(n, run.z, run.means, run.e)
    return _count(n, np.count_nonzero(inverse), len(inverse), run.z, run.present)


@kernel
def _standardise(rows: Floats, level: Floats, inverse_scale: Floats, z: Floats) -> None:
    channels = len(level)
    for i in range(len(rows)):
        for k in range(channels):
            known = abs(rows[i, k]) < np.inf and inverse_scale[k] > 0
            z[i * channels + k] = (rows[i, k] - level[k]) * inverse_scale[k] if known else NOTHING


@kernel
def _smooth(
    n: int, weight: np.float32, most: np.float32, z: Floats, steps: Floats, mean: Floats, means: Floats
) -> None:
    """EWMAs of n rows of deviations, cut at `most`. A missing one changes nothing. Moves `mean` on.

    As keep * last + step, because then the loop that depends on itself is as short as it can be.
    """
    channels, cells = len(mean), n * len(mean)
    keep = np.float32(1) - weight
    for m in range(cells):
        steps[m] = weight * min(max(z[m], -most), most) if z[m] == z[m] else NOTHING
    means[:channels] = mean
    for m in range(cells):
        last = means[m]
        means[m + channels] = keep * last + steps[m] if steps[m] == steps[m] else last
    mean[:] = means[cells : cells + channels]


@kernel
def _describe(
    rows: Floats,
    level: Floats,
    scale: Floats,
    z: Floats,
    free: Floats,
    expected: Floats,
    observed: Floats,
) -> None:
    """Say of each row and channel what is expected and what is seen, which is told unclipped."""
    channels = len(level)
    for i in range(len(rows)):
        for k in range(channels):
            m = i * channels + k
            seen = level[k] + free[m + channels] * scale[k]
            told = seen if abs(seen) < np.inf else rows[i, k]
            expected[i, k] = level[k] if scale[k] < np.inf else NOTHING
            observed[i, k] = told if z[m] == z[m] else NOTHING


@kernel
def _turn(n: int, z: Floats, means: Floats, e: Floats) -> None:
    """The means to judge, channel by channel."""
    channels = len(e)
    for i in range(n):
        for k in range(channels):
            m = i * channels + k
            e[k, i] = means[m + channels] if z[m] == z[m] else np.float32(0)


@kernel
def _count(n: int, judged: int, channels: int, z: Floats, present: Ints16) -> bool:
    """How many channels each row shows; whether that is less than all `judged` in any."""
    known = 0
    for m in range(n * channels):
        known += z[m] == z[m]
    present[:n] = judged
    if known == n * judged:
        return False
    present[:n] = 0
    for i in range(n):
        for k in range(channels):
            m = i * channels + k
            present[i] += z[m] == z[m]
    return True
