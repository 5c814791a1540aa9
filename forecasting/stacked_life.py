"""The regressions behind `LearnedLife`: trees and a kernel, weighted and calibrated on assets left out in
turn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from forecasting.asset_features import PER_COLUMN, AssetFeatures
from forecasting.boosted_trees import BoostedTrees, fit_trees
from forecasting.intervals import Intervals, calibrate
from forecasting.kernel_ridge import KernelRidge, fit_each
from forecasting.signals import Signals, learn_signals

Floats = NDArray[np.float64]

ROWS_PER_RUN = 48
"""Instants of each run that are learned from, evenly spread over its life."""

SEEDS = (1, 2, 3)
FOLDS = 5
FOLD_SEED = 13381

SMOOTH = (2, 4, 5, 6, 7, 8, 9)
"""Features of a column that the kernel looks at: the slow mean and all changes; a distance drowns in more."""

PENALTY, WIDTH, CUT = 1e-6, 1.5, 5.0
"""Of the kernel: ridge penalty per row, how much narrower than the typical distance, where features are
cut."""

STRANGE = 10.0
"""Standard deviations from normal, as a mean over the last rows, that wear does not explain."""


@dataclass(frozen=True, slots=True)
class Life:
    """One asset's rows in order: age (n,), x (n, k), setting (n, s)."""

    age: Floats
    x: Floats
    setting: Floats

    def left(self, horizon: float) -> Floats:
        """(n,) life left, up to the horizon."""
        return np.asarray(np.minimum(self.age[-1] - self.age, horizon))


@dataclass(frozen=True, slots=True)
class Regressions:
    """Two opinions on the life that is left. moments: (2, f) of the features that the kernel looks at."""

    signals: Signals
    trees: BoostedTrees
    moments: Floats
    kernel: KernelRidge

    def features(self, life: Life) -> Floats:
        """(n, f), each row from it and those before it."""
        return _features(self.signals, life)

    def next_features(self, bank: AssetFeatures, slot: int, life: Life) -> Floats:
        """(n, f) of the rows that come next in a life of which the bank's slot has those before."""
        return _with_age(bank, slot, self.signals.of(life.x, life.setting), life.age)

    def strange(self, features: Floats) -> NDArray[np.bool_]:
        """(n,) whether a column is farther than ever from what is normal in its regime."""
        columns = self.signals.columns[0]
        return np.asarray((np.abs(features[:, :columns]) > STRANGE).any(axis=1))

    def opinions(self, features: Floats) -> Floats:
        """(n, 2) hours left."""
        z = WIDTH * np.clip((_smooth(features) - self.moments[0]) / self.moments[1], -CUT, CUT)
        return np.column_stack([self.trees.predict(features), self.kernel.predict(z)])


@dataclass(frozen=True, slots=True)
class StackedLife:
    """span: (3,) horizon, longest life, failures. weight: (4,) of the opinions near failure, then of those at
    the horizon; between the two they change with the mean opinion."""

    span: Floats
    regressions: Regressions
    weight: Floats
    intervals: Intervals

    def quantiles(self, features: Floats, probabilities: Floats) -> Floats:
        """(n, q) hours left, up to the horizon, at features (n, f)."""
        shares = _shares(self.regressions.opinions(features), self.span[0])
        predicted = self._clipped((shares * self.weight).sum(axis=1))
        return self._clipped(self.intervals.quantiles(predicted, probabilities))

    def _clipped(self, hours: Floats) -> Floats:
        return np.clip(hours, 0.0, self.span[0])


def learn(lives: Sequence[Life], horizon: float) -> StackedLife:
    """The model of lives that ended in failure; needs as many as there are folds.

    An error at failure counts as if it were twice as large as one at the horizon.
    """
    longest = max(life.age[-1] - life.age[0] for life in lives)
    horizon = min(horizon, longest)
    fold = np.random.default_rng(FOLD_SEED).permutation(len(lives)) % FOLDS
    unseen, true = list[Floats](), list[Floats]()
    for number in range(FOLDS):
        out = [life for life, own in zip(lives, fold, strict=True) if own == number]
        others = [life for life, own in zip(lives, fold, strict=True) if own != number]
        regressions = _regressions(others, horizon, SEEDS[:1])
        unseen.append(regressions.opinions(_learned_from(regressions.signals, out)))
        true.append(_left(out, horizon))
    opinions, left = np.vstack(unseen), np.concatenate(true)
    shares, counts = _shares(opinions, horizon), 1.0 / (horizon + left)
    weight, _ = nnls(shares * counts[:, None], left * counts)
    intervals = calibrate(np.clip(shares @ weight, 0.0, horizon), left, len(lives))
    span = np.array([horizon, longest, len(lives)], np.float64)
    return StackedLife(span, _regressions(lives, horizon, SEEDS), weight, intervals)


def _shares(opinions: Floats, horizon: float) -> Floats:
    """(n, 4) of opinions (n, 2), up to the horizon: what of each lies near failure, and at the horizon."""
    opinions = np.clip(opinions, 0.0, horizon)
    far = opinions.mean(axis=1, keepdims=True) / horizon
    return np.hstack([opinions * (1.0 - far), opinions * far])


def _regressions(lives: Sequence[Life], horizon: float, seeds: Sequence[int]) -> Regressions:
    left = [life.left(horizon) for life in lives]
    signals = learn_signals([life.x for life in lives], [life.setting for life in lives], left)
    features, y = _learned_from(signals, lives), _left(lives, horizon)
    smooth = _smooth(features)
    scale = smooth.std(axis=0)
    moments = np.stack([smooth.mean(axis=0), np.where(scale > 1e-9, scale, 1.0)])
    standard = WIDTH * np.clip((smooth - moments[0]) / moments[1], -CUT, CUT)
    return Regressions(signals, fit_trees(features, y, seeds), moments, fit_each(standard, y, (PENALTY,))[0])


def _learned_from(signals: Signals, lives: Sequence[Life]) -> Floats:
    """(instants of all lives, f); one life at a time, as all rows of many years would fill the memory."""
    return np.vstack([_features(signals, life)[_instants(life)] for life in lives])


def _left(lives: Sequence[Life], horizon: float) -> Floats:
    """(instants of all lives,) what was left there."""
    return np.concatenate([life.left(horizon)[_instants(life)] for life in lives])


def _features(signals: Signals, life: Life) -> Floats:
    bank = AssetFeatures(signals.columns[0] + 1)
    bank.grow(1)
    return _with_age(bank, 0, signals.of(life.x, life.setting), life.age)


def _with_age(bank: AssetFeatures, slot: int, z: Floats, age: Floats) -> Floats:
    return np.column_stack([bank.update(np.full(len(z), slot, np.int32), z), age])


def _smooth(features: Floats) -> Floats:
    columns = (features.shape[1] - 1) // PER_COLUMN
    blocks = [features[:, k * columns : (k + 1) * columns] for k in SMOOTH]
    return np.hstack([*blocks, features[:, -1:]])


def _instants(life: Life) -> NDArray[np.int64]:
    """Rows to learn from."""
    rows = len(life.age)
    return np.unique(np.linspace(0, rows - 1, min(ROWS_PER_RUN, rows)).astype(np.int64))
