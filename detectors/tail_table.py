"""How improbable a squared distance is, looked up: no logarithm is taken and no distribution evaluated.

The grid has `STEPS` points between a power of two and the next. There a float32's own bits count evenly, so
they are the place in the table.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special

from detectors.kernels import kernel

Floats = NDArray[np.float32]

LOWEST, HIGHEST = -10, 30
"""Powers of two between which -log10 p is tabulated; outside them the score stays at the end's value."""

STEPS = 16

SHIFT = 23 - 4
"""A float32 has 23 bits of mantissa, of which the first four name the step."""

START = (127 + LOWEST) << 23
"""The bits of the first point: the exponent of a float32 has the offset 127."""

LAST = ((HIGHEST - LOWEST) << 23) - 1

FINE = np.float32(2.0**-SHIFT)


def tails(channels: int, degrees: int) -> Floats:
    """-log10 of the tail of F(p, degrees) at T²/p for p = 0..channels, (channels + 1, points)."""
    points = np.arange((HIGHEST - LOWEST) * STEPS + 1, dtype=np.int32)
    t2 = (START + (points << SHIFT)).astype(np.int32).view(np.float32).astype(np.float64)
    p = np.arange(1, channels + 1)[:, None]
    found = np.abs(np.log10(special.fdtrc(p, degrees, t2 / p)))  # never -0
    return np.concatenate([np.zeros((1, len(points))), found]).astype(np.float32)


@kernel
def tail(table: Floats, t2: np.float32) -> np.float32:
    """-log10 p of T² by one row of `tails`, linear between the grid's points."""
    beyond = min(max(int(np.float32(t2).view(np.int32)) - START, 0), LAST)
    low = beyond >> SHIFT
    part = np.float32(beyond - (low << SHIFT)) * FINE
    return np.float32(table[low] + part * (table[low + 1] - table[low]))
