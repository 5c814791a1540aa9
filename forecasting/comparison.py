"""Which of two models erred less, where both were asked the same: the same lives, the same hours."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.evaluation import Answers

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Mean absolute errors of P50 in hours over `lives` that ended in failure, each of which counts once.

    No error is finite without a life; the champion's is not where it had an answer to nothing.
    """

    lives: int
    mae_h: float
    champion_mae_h: float


def compare(new: Answers, champion: Answers) -> Comparison:
    """At the instants at which both had an answer, of the same rows; raises `ValueError` if these differ.

    A champion without any answer loses to one that has some.
    """
    if not (np.array_equal(new.life, champion.life) and np.array_equal(new.left_h, champion.left_h)):
        raise ValueError("the two were not asked the same")
    both = new.answered & champion.answered
    rows = both if champion.answered.any() else new.answered
    error, its = (np.abs(said.p50_h - said.left_h)[rows] for said in (new, champion))
    return by_life(new.life[rows], error, np.where(np.isnan(its), np.inf, its))


def by_life(life: NDArray[np.int64], error_h: Floats, champion_error_h: Floats) -> Comparison:
    """From errors (n,) at the same instants of lives (n,); a life's many forecasts are wrong together."""
    if not len(life):
        return Comparison(0, np.inf, np.inf)
    number = np.unique(life, return_inverse=True)[1]
    count = np.bincount(number)
    mine, its = (np.bincount(number, error) / count for error in (error_h, champion_error_h))
    return Comparison(len(count), float(mine.mean()), float(its.mean()))
