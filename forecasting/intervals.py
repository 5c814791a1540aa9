"""Intervals around predictions that hold for assets not seen, from the errors for assets that were left out.

Errors are taken in units of the typical one at that prediction (normalised conformal prediction,
Papadopoulos et al. 2011). The instants of one asset are not independent of each other, so its errors
together count as one: pooled distributions of Dunn, Wasserman and Ramdas (2022), with ranks for the number
of assets.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BINS = 12
SMALLEST = 0.1
"""The typical error at a prediction is no less than this part of the overall one."""

GROUPS = 4
"""Errors are shaped otherwise where a prediction is near the horizon, so each quarter of the predictions has
its own quantiles (Mondrian conformal prediction); an asset passes through all of them, so none has few."""

LEVELS = np.linspace(0.0, 1.0, 401)


@dataclass(frozen=True, slots=True)
class Intervals:
    """typical: (3, bins) prediction, typical error where life was shorter, where it was longer.

    surprise: (groups, 402) prediction, and quantiles from 0 to 1 of the errors in such units about there.
    """

    typical: Floats
    surprise: Floats

    def quantiles(self, predicted: Floats, probabilities: Floats) -> Floats:
        """(n, q) around predictions (n,); the median is the prediction itself."""
        tables = [np.interp(probabilities, LEVELS, quantiles) for quantiles in self.surprise[:, 1:]]
        centres = self.surprise[:, 0]
        u = np.column_stack([np.interp(predicted, centres, column) for column in np.transpose(tables)])
        u[:, probabilities == 0.5] = 0.0
        short, long = (np.interp(predicted, self.typical[0], part)[:, None] for part in self.typical[1:])
        return np.asarray(predicted[:, None] + np.where(u < 0, short, long) * u)


def calibrate(predicted: Floats, true: Floats, assets: int) -> Intervals:
    """From predictions (n,) for left-out assets and what was true, about as many of each asset."""
    error = true - predicted
    typical = _typical(predicted, error)
    short, long = (np.interp(predicted, typical[0], part) for part in typical[1:])
    surprise = error / np.where(error < 0, short, long)
    groups = np.array_split(np.argsort(predicted, kind="stable"), GROUPS)
    tables = [[predicted[part].mean(), *np.quantile(surprise[part], _ranks(assets))] for part in groups]
    return Intervals(typical, np.array(tables))


def _ranks(assets: int) -> Floats:
    """Levels as outer ranks among so many assets and the new one."""
    return np.clip(LEVELS + (2 * LEVELS - 1) / (2 * assets), 0.0, 1.0)


def _typical(predicted: Floats, error: Floats) -> Floats:
    bins = np.array_split(np.argsort(predicted, kind="stable"), BINS)
    floor = max(SMALLEST * float(np.abs(error).mean()), 1e-9)
    return np.array(
        [
            [predicted[part].mean(), *(max(2 * side.mean(), floor) for side in _sides(error[part]))]
            for part in bins
        ]
    ).T


def _sides(error: Floats) -> tuple[Floats, Floats]:
    """How much shorter and how much longer lives were than predicted."""
    return np.maximum(-error, 0.0), np.maximum(error, 0.0)
