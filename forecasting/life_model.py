"""The regression behind `ConformalLife`: learned from whole lives, checked on assets it did not see."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel_ridge import KernelRidge, fit_each
from forecasting.life_features import life_features

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Points = tuple[Floats, Floats]
"""Ages (n,) and rows (n, k) of one asset, usable and in order."""

FEWEST_POINTS = 5
ROWS_PER_RUN = 64
"""Instants of each run that are learned from, evenly spread over its life."""

PENALTIES = (1e-5, 1e-4, 1e-3, 1e-2)
MOST_FOLDS = 10
SEED = 13381

MISS = 0.1
"""Share of lives below P10, and above P90."""

SCALE_BINS = 8
SMALLEST_ERROR = 0.1
"""The typical error at a prediction is no less than this part of the overall one."""

SOON = 0.1
"""Lives are learned as log(1 + life / (SOON * typical life)): relative errors count, near 0 absolute ones."""

LONGEST = 3.0
"""No quantile is longer than this many times the longest life on record."""

STRANGE = 0.5
"""A feature this many of its ranges beyond all examples is outside what the model knows."""

WILD, CUT = 20.0, 5.0
"""Standardised columns are cut at WILD before features are made of them, standardised features at CUT."""


@dataclass(frozen=True, slots=True)
class LifeModel:
    """life: (3,) typical and longest life in hours, number of failures. column: (2, k) mean and scale.

    feature: (4, f) mean, scale, lowest, highest. centre, weight: see `KernelRidge`. error: (2, bins)
    predicted value and typical error there. quantile: (3,) of errors in units of the typical one.
    """

    life: Floats
    column: Floats
    feature: Floats
    centre: Floats
    weight: Floats
    error: Floats
    quantile: Floats

    def arrays(self) -> dict[str, Floats]:
        """The arrays by name."""
        return {part.name: getattr(self, part.name) for part in fields(self)}

    def coherent(self) -> bool:
        """Whether the arrays belong together."""
        (k, bins), (centres, f) = (self.column.shape[1], self.error.shape[1]), self.centre.shape
        wanted = [(3,), (2, k), (4, f), (centres, f), (centres + f + 1,), (2, bins), (3,)]
        fits = [array.shape for array in self.arrays().values()] == wanted and f == 6 * k + 1 and bins > 0
        return fits and bool(self.life[0] > 0) and all(np.isfinite(a).all() for a in self.arrays().values())

    def features(self, age: Floats, x: Floats) -> Floats:
        """(n, f) at every row."""
        standard = np.clip((x - self.column[0]) / self.column[1], -WILD, WILD)
        return life_features(age, standard, float(self.life[0]))

    def strange(self, features: Floats) -> bool:
        """Whether features (f,) are outside what the examples show."""
        lowest, highest = self.feature[2:]
        margin = STRANGE * (highest - lowest) + 1e-9
        return bool(((features < lowest - margin) | (features > highest + margin)).any())

    def quantiles(self, features: Floats) -> Floats:
        """(3,) hours left: P10, P50, P90 at features (f,)."""
        z = _standardised(features[None], self.feature)
        predicted = KernelRidge(self.centre, self.weight).predict(z)
        log = predicted + np.interp(predicted, *self.error) * self.quantile
        soon = SOON * self.life[0]
        return np.asarray(soon * np.expm1(np.clip(log, 0.0, np.log1p(LONGEST * self.life[1] / soon))))


def learn(lives: Sequence[Points]) -> LifeModel:
    """The model of lives that ended in failure; needs at least two."""
    spans = [age[-1] - age[0] for age, _ in lives]
    life = np.array([np.median(spans), max(spans), len(lives)], np.float64)
    rows = np.vstack([x for _, x in lives])
    blank = LifeModel(life, np.stack([rows.mean(axis=0), _scale(rows)]), *(np.zeros(0),) * 5)
    seen, left, run = _examples(blank, lives)
    feature = np.stack([seen.mean(axis=0), _scale(seen), seen.min(axis=0), seen.max(axis=0)])
    z, y = _standardised(seen, feature), np.log1p(left / (SOON * life[0]))
    unseen, penalty = _cross_validated(z, y, run)
    regression = fit_each(z, y, (penalty,))[0]
    error = _typical_error(unseen, np.abs(y - unseen))
    surprise = _one_each((y - unseen) / np.interp(unseen, *error), run)
    return LifeModel(
        life, blank.column, feature, regression.centre, regression.weight, error, _conformal(surprise)
    )


def _examples(model: LifeModel, lives: Sequence[Points]) -> tuple[Floats, Floats, Ints]:
    """Features (n, f), hours left (n,) and the run (n,) of the instants to learn from."""
    seen, left, run = [], [], []
    for number, (age, x) in enumerate(lives):
        at = np.unique(np.linspace(FEWEST_POINTS - 1, len(age) - 1, ROWS_PER_RUN).astype(int))
        seen.append(model.features(age, x)[at])
        left.append(age[-1] - age[at])
        run.append(np.full(len(at), number))
    return np.vstack(seen), np.concatenate(left), np.concatenate(run)


def _cross_validated(z: Floats, y: Floats, run: Ints) -> tuple[Floats, float]:
    """Predictions (n,) for assets left out, and the penalty that makes the best ones."""
    runs = int(run[-1]) + 1
    fold = (np.random.default_rng(SEED).permutation(runs) % min(runs, MOST_FOLDS))[run]
    unseen = np.empty((len(PENALTIES), len(y)))
    for out in (fold == number for number in np.unique(fold)):
        unseen[:, out] = [fitted.predict(z[out]) for fitted in fit_each(z[~out], y[~out], PENALTIES)]
    best = int(np.argmin(((unseen - y) ** 2).mean(axis=1)))
    return unseen[best], PENALTIES[best]


def _typical_error(predicted: Floats, error: Floats) -> Floats:
    """(2, bins): mean prediction and mean absolute error of equally full bins of predictions."""
    bins = np.array_split(np.argsort(predicted, kind="stable"), SCALE_BINS)
    floor = max(SMALLEST_ERROR * float(error.mean()), 1e-9)
    return np.array([[predicted[part].mean(), max(error[part].mean(), floor)] for part in bins]).T


def _one_each(surprise: Floats, run: Ints) -> Floats:
    """One value (runs,) of each run, at a random instant of its life: only those are exchangeable."""
    rng = np.random.default_rng(SEED)
    return np.array([rng.choice(surprise[run == number]) for number in np.unique(run)])


def _conformal(surprise: Floats) -> Floats:
    """(3,): the ranks between which a new asset's surprise lies with probability 1 - 2 MISS; the median."""
    ranked, n = np.sort(surprise), len(surprise)
    rank = max(int((n + 1) * MISS), 1)
    return np.array([ranked[rank - 1], np.median(ranked), ranked[n - rank]])


def _scale(rows: Floats) -> Floats:
    """Standard deviation of each column, 1 where it is constant."""
    scale = rows.std(axis=0)
    return np.where(scale > 1e-12 * (1.0 + np.abs(rows.mean(axis=0))), scale, 1.0)


def _standardised(features: Floats, moments: Floats) -> Floats:
    return np.asarray(np.clip((features - moments[0]) / moments[1], -CUT, CUT))
