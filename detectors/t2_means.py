"""From a run of rows to what the T² chart judges: smoothed deviations, channel by channel.

A run is a few dozen rows of one machine. Each step goes over all of it before the next one begins, so that
every loop is long, plain and has few arrays: that is what compiles to vector instructions.
"""

import numpy as np
from numpy.typing import NDArray

from detectors.kernels import kernel

Floats = NDArray[np.float32]
Ints16 = NDArray[np.int16]

FARTHEST = np.float32(1e6)
"""Standard deviations beyond which what was measured is told no further, so that no sum overflows."""

NOTHING = np.float32(np.nan)


@kernel
def standardise(rows: Floats, level: Floats, inverse_scale: Floats, z: Floats) -> None:
    """Deviations in standard deviations, row after row in `z`; NaN where missing or not judged."""
    channels = len(level)
    for i in range(len(rows)):
        for k in range(channels):
            known = abs(rows[i, k]) < np.inf and inverse_scale[k] > 0
            z[i * channels + k] = (rows[i, k] - level[k]) * inverse_scale[k] if known else NOTHING


@kernel
def smooth(
    n: int, weight: np.float32, most: np.float32, z: Floats, steps: Floats, mean: Floats, means: Floats
) -> None:
    """EWMAs of n rows of deviations, cut at `most`: row i + 1 of `means` is after row i. Moves `mean` on.

    A missing value changes nothing; `steps` is room for what each adds. As keep * last + step, because then
    the loop that depends on itself is as short as it can be.
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
def describe(
    rows: Floats,
    level: Floats,
    inverse_scale: Floats,
    scale: Floats,
    z: Floats,
    free: Floats,
    expected: Floats,
    observed: Floats,
) -> None:
    """Say of each row and channel what is expected and what is seen: `free`, the means that were not cut.

    `scale` is room for the standard deviations, as dividing takes longer.
    """
    channels = len(level)
    for k in range(channels):
        scale[k] = 1 / inverse_scale[k]
    for i in range(len(rows)):
        for k in range(channels):
            m = i * channels + k
            seen = level[k] + free[m + channels] * scale[k]
            told = seen if abs(seen) < np.inf else rows[i, k]
            expected[i, k] = level[k] if scale[k] < np.inf else NOTHING
            observed[i, k] = told if z[m] == z[m] else NOTHING


@kernel
def turn(n: int, z: Floats, means: Floats, e: Floats) -> None:
    """The means to judge, channel by channel in `e`; 0 where there is none."""
    channels = len(e)
    for i in range(n):
        for k in range(channels):
            m = i * channels + k
            e[k, i] = means[m + channels] if z[m] == z[m] else np.float32(0)


@kernel
def count_present(n: int, judged: int, given: int, channels: int, z: Floats, present: Ints16) -> bool:
    """How many channels each row shows but for those given; whether that is less than are `judged` in any.

    The `given` ones have a deviation in every row.
    """
    known = 0
    for m in range(n * channels):
        known += z[m] == z[m]
    present[:n] = judged
    if known == n * (judged + given):
        return False
    for i in range(n):
        shown = -given
        for m in range(i * channels, (i + 1) * channels):
            shown += z[m] == z[m]
        present[i] = shown
    return True
