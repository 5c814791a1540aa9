"""Channels that are given, such as load: the others are held against what these make of them, row by row.

Given channels themselves deviate from nothing after that. Their means stay 0, which makes T² by the precision
of all channels that of the others given these.
"""

import numpy as np
from numpy.typing import NDArray

from detectors.kernels import kernel
from detectors.t2_means import FARTHEST, NOTHING

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


@kernel
def count_given(inverse_scale: Floats, given: Bools) -> int:
    """How many of the channels of which the scatter is known are given."""
    count = 0
    for k in range(len(given)):
        count += given[k] and inverse_scale[k] > 0
    return count


@kernel
def hold_against(n: int, slope: Floats, given: Bools, inverse_scale: Floats, z: Floats, duty: Floats) -> None:
    """Leave of the deviations `z` of n rows what the given channels do not explain; `duty` is what they do.

    A given channel that is missing is taken to be as usual.
    """
    channels, cells = len(given), n * len(given)
    duty[:cells] = 0
    for j in range(channels):
        if given[j] and inverse_scale[j] > 0:
            for i in range(n):
                here = z[i * channels + j]
                here = min(max(here, -FARTHEST), FARTHEST) if here == here else np.float32(0)
                for k in range(channels):
                    duty[i * channels + k] += slope[k, j] * here
                z[i * channels + j] = 0
    for m in range(cells):
        z[m] -= duty[m]


@kernel
def put_back(n: int, channels: int, duty: Floats, free: Floats) -> None:
    """Add to the means `free` what was taken from their latest rows: what is seen is told with it."""
    for m in range(n * channels):
        free[m + channels] += duty[m]


@kernel
def expect(duty: Floats, scale: Floats, expected: Floats) -> None:
    """Move what is expected of n rows (n, channels) by what the given channels make of it."""
    channels = len(scale)
    for i in range(len(expected)):
        for k in range(channels):
            usual = expected[i, k] + duty[i * channels + k] * scale[k]
            expected[i, k] = usual if abs(usual) < np.inf else NOTHING
