"""A data set of lives: those on record until failure, and assets that were cut off before it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from forecasting.contract import History, Run

Floats = NDArray[np.float64]

PROBABILITIES = (0.05, 0.5, 0.95)
FOLDS = 5
SEED = 2010

Tell = Callable[[str], None]
"""Hears what is going on."""


@dataclass(frozen=True, slots=True)
class Record:
    """runs: lives by asset. asked: histories to forecast, by asset. left: what was left to them, if that is
    known."""

    name: str
    runs: Mapping[str, Run]
    asked: Mapping[str, History] = field(default_factory=dict)
    left: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """One forecast: of which asset, at which of its rows (from 1), 5 %, 50 % and 95 % quantiles."""

    record: str
    asset: str
    row: int
    quantiles: tuple[float, float, float]


Along = Callable[[History], Floats]
"""Quantiles (n, 3) at each row of a history."""

Fit = Callable[[Sequence[Run]], Along]


def left_along(run: Run, cap: float = np.inf) -> Floats:
    """(n,) what was left at each row, up to the cap."""
    age = run.history.age_h
    return np.asarray(np.minimum(age[-1] - age, cap))


def out_of_fold(record: Record, fit: Fit, folds: int = FOLDS) -> dict[str, Floats]:
    """Quantiles along each run, said by who learned from the runs of the other folds."""
    names = list(record.runs)
    fold = np.random.default_rng(SEED).permutation(len(names)) % folds
    found = dict[str, Floats]()
    for number in range(folds):
        say = fit([record.runs[name] for name, own in zip(names, fold, strict=True) if own != number])
        found |= {
            name: say(record.runs[name].history)
            for name, own in zip(names, fold, strict=True)
            if own == number
        }
    return {name: found[name] for name in names}
