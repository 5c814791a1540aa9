"""What many assets show by now, row by row: where each column is, where it goes, how fast for the age.

The same loop runs live and in training, so what a model learned from is what it is asked about.
"""

import numpy as np
from numpy.typing import NDArray

from forecasting.kernels import kernel

Floats = NDArray[np.float64]

RATES = np.array([0.1, 0.04, 0.02, 0.01])
"""Of the exponentially weighted means; those of an asset with fewer rows are plain means since its first
row, so the slow ones hold what was normal for it while they forget it slowly."""

YOUNG = 10
"""Rows that are added to an asset's age before a change is divided by it."""

CHANGES = len(RATES) - 1
PER_COLUMN = len(RATES) + 2 * CHANGES


class AssetFeatures:
    """The features of assets by slot; what they are depends on no cut into updates.

    Per column: the weighted means, the differences of each to the next slower one, which are slopes over
    ever longer times, and these per row of the asset's age. Rows are taken to be equally far apart.
    """

    def __init__(self, columns: int) -> None:
        self.seen = np.zeros(0, np.int64)
        self.mean = np.zeros((0, len(RATES), columns))

    def grow(self, slots: int) -> None:
        """Make room for slots 0 to `slots` - 1."""
        more = max(slots - len(self.seen), 0)
        self.seen = np.concatenate([self.seen, np.zeros(more, np.int64)])
        self.mean = np.concatenate([self.mean, np.zeros((more, *self.mean.shape[1:]))])

    def update(self, slot: NDArray[np.int32], z: Floats) -> Floats:
        """Take in finite rows (n, columns), in order within a slot; returns (n, 10 columns), after each."""
        out = np.empty((len(slot), PER_COLUMN, z.shape[1]))
        _advance(slot, z, self.seen, self.mean, out)
        return out.reshape(len(slot), PER_COLUMN * z.shape[1])


@kernel
def _advance(slot: NDArray[np.int32], z: Floats, seen: NDArray[np.int64], mean: Floats, out: Floats) -> None:
    rates = len(RATES)
    for row in range(len(slot)):
        s = slot[row]
        seen[s] += 1
        for k in range(rates):
            step = max(RATES[k], 1.0 / seen[s])
            for c in range(z.shape[1]):
                mean[s, k, c] += step * (z[row, c] - mean[s, k, c])
                out[row, k, c] = mean[s, k, c]
        per_age = 20.0 / (seen[s] + YOUNG)
        for k in range(CHANGES):
            for c in range(z.shape[1]):
                change = mean[s, k, c] - mean[s, k + 1, c]
                out[row, rates + k, c] = change
                out[row, rates + CHANGES + k, c] = change * per_age
