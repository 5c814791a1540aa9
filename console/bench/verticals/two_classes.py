"""How well two classes are told apart, and who tells them apart without knowing anything."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from console.bench.detection.row_accuracy import row_accuracy
from forecasting.failure_tree import best_threshold

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SEED = 7

Dummy = Callable[[Floats, Flags, Floats], Flags]
"""From features (m, k) and classes (m,) that are known, the classes (n,) of features (n, k)."""


def f1(true: Flags, said: Flags) -> float:
    """Harmonic mean of precision and recall of (n,) positives."""
    return row_accuracy([(true, said)]).f1


def log_loss(true: Flags, probability: Floats) -> float:
    """Mean of -ln of the probability (n,) that was given to what came; none counts as below 1 %."""
    given = np.where(true, probability, 1 - probability)
    return float(-np.log(np.maximum(given, 0.01)).mean())


def always(x: Floats, positive: Flags, asked: Floats) -> Flags:
    """Everything is positive."""
    return np.ones(len(asked), np.bool_)


def majority(x: Floats, positive: Flags, asked: Floats) -> Flags:
    """What most are."""
    return np.full(len(asked), positive.mean() >= 0.5)


def at_random(x: Floats, positive: Flags, asked: Floats) -> Flags:
    """As often as it is known to be."""
    return np.asarray(np.random.default_rng(SEED).random(len(asked)) < positive.mean())


def one_threshold(x: Floats, positive: Flags, asked: Floats) -> Flags:
    """The feature, the side and the level whose F1 was best on those that are known."""
    best, said = -1.0, np.zeros(len(asked), np.bool_)
    for column, other in zip(x.T, asked.T, strict=True):
        for sign in (1.0, -1.0):
            level = best_threshold(sign * column, positive)
            if (found := f1(positive, sign * column > level)) > best:
                best, said = found, sign * other > level
    return said


DUMMIES: Mapping[str, Dummy] = {
    "always": always,
    "majority": majority,
    "at the base rate": at_random,
    "best single threshold": one_threshold,
}
