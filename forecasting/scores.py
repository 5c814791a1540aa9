"""How good forecasts of remaining life are, by the published measures.

RMSE and the NASA score after Saxena, Goebel, Simon and Eklund (PHM 2008); alpha-lambda accuracy, prognostic
horizon and cumulative relative accuracy after Saxena et al., "Metrics for offline evaluation of prognostic
performance" (IJPHM 1, 2010); the score of the IEEE PHM 2012 challenge after Nectoux et al. (2012). Lives are
in any one unit.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EARLY_COST, LATE_COST = 13.0, 10.0
"""Cycles of error after which the NASA score grows by e: a forecast that is too long costs more."""

PHM_EARLY, PHM_LATE = 20.0, 5.0
"""Per cent of the true life by which a forecast may be short, or long, for half of the points."""


def rmse(predicted: Floats, true: Floats) -> float:
    """Root mean squared error of lives (n,)."""
    return float(np.sqrt(np.mean((predicted - true) ** 2)))


def nasa_score(predicted: Floats, true: Floats) -> float:
    """Sum over lives (n,) in cycles; 0 is perfect, and one bad forecast can outweigh all others."""
    late = predicted - true
    return float(np.expm1(np.where(late < 0, -late / EARLY_COST, late / LATE_COST)).sum())


def phm2012_score(predicted: Floats, true: Floats) -> float:
    """Mean over lives (n,), none of them 0, from 0 to 1 for perfect."""
    error = 100.0 * (true - predicted) / true
    return float(np.exp2(-np.where(error <= 0, -error / PHM_LATE, error / PHM_EARLY)).mean())


def coverage(low: Floats, high: Floats, true: Floats) -> float:
    """Share of lives (n,) that their intervals hold."""
    return float(np.mean((low <= true) & (true <= high)))


def alpha_lambda(predicted: Floats, true: Floats, alpha: float, part: float) -> bool:
    """Whether the forecast at `part` (lambda) of the way is within `alpha` of the true life there.

    predicted, true: (n,) along one asset's life, equally far apart from the first forecast to the end of
    life. Raises `ValueError` if there is none.
    """
    if not len(true):
        raise ValueError("there is no forecast to judge")
    at = round(part * (len(true) - 1))
    return bool(abs(predicted[at] - true[at]) <= alpha * true[at])


def relative_accuracy(predicted: Floats, true: Floats) -> float:
    """Cumulative relative accuracy: the mean of 1 - |error| / life over one asset's forecasts while life is
    left."""
    left = true > 0
    if not left.any():
        raise ValueError("no forecast was made before the end of life")
    return float(np.mean(1.0 - np.abs(predicted - true)[left] / true[left]))


def prognostic_horizon(predicted: Floats, true: Floats, within: float) -> float:
    """Life left when forecasts come to stay `within` the truth, of one asset; 0 where the last one does not.

    predicted, true: (n,) along one asset's life, `true` falling.
    """
    off = np.flatnonzero(np.abs(predicted - true) > within)
    if not len(off):
        return float(true[0])
    return float(true[off[-1] + 1]) if off[-1] + 1 < len(true) else 0.0
