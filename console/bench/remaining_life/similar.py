"""Remaining life by five bearings that failed: no forecaster of ours learns from so few.

Similarity (after Wang, Yu, Siegel and Lee, PHM 2008): what was left to past lives where they looked as this
one does now, as a part of the age they had, as lives of one kind differ by factors. It did not pay as a
forecaster: on C-MAPSS it is off by 43 to 60 cycles where `LearnedLife` is by 10.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

from console.bench.remaining_life.record import PROBABILITIES, Floats
from forecasting.asset_features import AssetFeatures
from forecasting.contract import History, Run

INSTANTS, SETTLED = 64, 0.4
"""Of each life that now is compared with, from this part of it on: before, the age says nothing."""

LOOKED_AT = (0, 2)
"""Features of each column that make instants alike: the fast and the slow mean."""

WIDTH = 0.5
"""Standard deviations of these at which an instant counts for little."""

SOON = 0.02
"""Parts of the age are learned as log(left / age + SOON)."""


def similar(runs: Sequence[Run], history: History) -> Floats:
    """(3,) quantiles of the life left: log-normal about the mean over instants, the more alike the more
    weight."""
    example, part, run = _examples(runs)
    scale = example.std(axis=0)
    unseen = [
        _middle((example - one) / scale, part, run != number)
        for one, number in zip(example, run, strict=True)
    ]
    spread = float(np.sqrt(np.mean((part - unseen) ** 2) * (1 + 1 / len(runs))))
    now = _features(history)[-1]
    middle = _middle((example - now) / scale, part, np.ones(len(run), np.bool_))
    log = middle + spread * stdtrit(len(runs) - 1, np.asarray(PROBABILITIES))
    return np.asarray(history.age_h[-1] * np.maximum(np.exp(log) - SOON, 0.0))


def _examples(runs: Sequence[Run]) -> tuple[Floats, Floats, Floats]:
    """Features (m, f), logarithm of life left over age (m,) and the run (m,) of the instants compared
    with."""
    seen, part, run = [], [], []
    for number, one in enumerate(runs):
        age = one.history.age_h
        at = np.unique(np.linspace(SETTLED * (len(age) - 1), len(age) - 1, INSTANTS).astype(int))
        seen.append(_features(one.history)[at])
        part.append(np.log((age[-1] - age[at]) / age[at] + SOON))
        run.append(np.full(len(at), number))
    return np.vstack(seen), np.concatenate(part), np.concatenate(run)


def _middle(off: Floats, part: Floats, counted: Floats) -> float:
    distance = (off[counted] ** 2).mean(axis=1) / WIDTH**2
    weight = np.exp(-0.5 * (distance - distance.min()))
    return float((weight * part[counted]).sum() / weight.sum())


def _features(history: History) -> Floats:
    """(n, f) at every row, from it and those before."""
    n, columns = history.x.shape
    bank = AssetFeatures(columns)
    bank.grow(1)
    blocks = bank.update(np.zeros(n, np.int32), history.x).reshape(n, -1, columns)
    return np.asarray(blocks[:, LOOKED_AT].reshape(n, -1))
