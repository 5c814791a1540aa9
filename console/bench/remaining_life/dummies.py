"""Who knows nothing about the asset but its age at the most: what a forecast is worth shows beside theirs."""

from collections.abc import Mapping, Sequence

import numpy as np

from console.bench.remaining_life.record import PROBABILITIES, Along, Fit, Floats, left_along
from forecasting.contract import History, Run


def constant(runs: Sequence[Run], cap: float = np.inf) -> Along:
    """Always what was left at any instant on record."""
    said = np.quantile(np.concatenate([left_along(run, cap) for run in runs]), PROBABILITIES)
    return lambda history: np.tile(said, (len(history.age_h), 1))


def age_only(runs: Sequence[Run], cap: float = np.inf) -> Along:
    """What was left to those on record that reached this age; nothing where none did."""
    ends = np.array([run.history.age_h[-1] for run in runs])

    def say(history: History) -> Floats:
        left = [np.minimum(ends[ends > age] - age, cap) for age in history.age_h]
        return np.array([np.quantile(one, PROBABILITIES) if len(one) else np.zeros(3) for one in left])

    return say


def dummies(cap: float) -> Mapping[str, Fit]:
    """By name, with lives up to the cap."""
    return {
        "constant": lambda runs: constant(runs, cap),
        "age only": lambda runs: age_only(runs, cap),
    }
