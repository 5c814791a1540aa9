"""An asset's columns in the units of its regime, and the one index of wear that they tell together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.regimes import Regimes, learn_regimes

Floats = NDArray[np.float64]

RIDGE = 10.0
INDEX_UNIT = 0.16
"""The index's size beside the columns': of the span of lives it spreads about as the columns do."""


@dataclass(frozen=True, slots=True)
class Signals:
    """regimes: what is normal. weight: (k,) of the index of wear (ridge regression of the life that is
    left)."""

    regimes: Regimes
    weight: Floats

    @property
    def columns(self) -> tuple[int, int]:
        """How many columns and set-points there are."""
        return len(self.weight), self.regimes.setting.shape[1]

    def of(self, x: Floats, setting: Floats) -> Floats:
        """(n, k + 1) of rows (n, k) at set-points (n, s): the normalised columns, then the index."""
        z = self.regimes.normalised(x, setting)
        return np.column_stack([z, (z * self.weight).sum(axis=1)])  # a product of matrices rounds by its size


def learn_signals(x: Sequence[Floats], setting: Sequence[Floats], left: Sequence[Floats]) -> Signals:
    """Learned from lives: rows (n, k), set-points (n, s) and what was left (n,) of each."""
    rows, y = np.vstack(x), np.concatenate(left)
    regimes = learn_regimes(rows, np.vstack(setting))
    z = regimes.normalised(rows, np.vstack(setting))
    gram = z.T @ z + RIDGE * np.eye(z.shape[1])
    return Signals(regimes, np.linalg.solve(gram, z.T @ (y - y.mean())) / max(INDEX_UNIT * y.max(), 1e-9))
