"""Remaining life by the few past failures: the part of its age that was left to those that looked alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from forecasting.asset_features import AssetFeatures
from forecasting.contract import Forecast, Forecaster, History, ModelError, Run, Verdict
from forecasting.model_bytes import pack, unpack
from forecasting.points import in_order

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEWEST_FAILURES, FEWEST_POINTS = 3, 5
LIMIT = 1.0
QUANTILES = (0.1, 0.5, 0.9)

INSTANTS, SETTLED = 64, 0.4
"""Of each life that now is compared with, evenly spread from this part of it on: before, the age says
nothing."""

LOOKED_AT = (0, 2)
"""Features of each column that make instants alike: the fast and the slow mean."""

WIDTH = 0.5
"""Standard deviations of these at which an instant counts for little."""

SOON = 0.02
"""Parts of the age are learned as log((left + SOON * typical life) / age)."""

LARGEST_LOG = 50.0
SMALLEST_SPREAD = 0.05
LONGEST = 3.0
"""No quantile is longer than this many times the longest life on record."""

SHAPES = {
    "span": np.zeros(3),
    "likeness": np.zeros((2, 0)),
    "example": np.zeros((0, 0)),
    "part": np.zeros(0),
    "run": np.zeros(0, np.int64),
}


@dataclass(frozen=True, slots=True)
class Record:
    """span: (3,) typical and longest life, spread of the forecasts' error. likeness: (2, f) mean and scale.

    example: (m, f) instants of past lives, standardised. part: (m,) logarithm of life left over age there.
    run: (m,) whose life.
    """

    span: Floats
    likeness: Floats
    example: Floats
    part: Floats
    run: Ints

    def middle(self, feature: Floats, without: int = -1) -> float:
        """Logarithm of life left over age at features (f,): the mean over instants, the more alike the more
        weight."""
        off = (feature - self.likeness[0]) / self.likeness[1] - self.example
        distance = (off**2).mean(axis=1) / WIDTH**2
        distance[self.run == without] = np.inf
        weight = np.exp(-0.5 * (distance - distance.min()))
        return float((weight * self.part).sum() / weight.sum())

    def quantiles(self, feature: Floats, age: float, probabilities: Sequence[float]) -> Floats:
        """(q,) life left at an age: log-normal, with Student's t for the number of past lives."""
        runs = int(self.run[-1]) + 1
        wide = self.span[2] * np.sqrt(1 + 1 / runs) * stdtrit(runs - 1, np.asarray(probabilities))
        left = (
            max(age, SOON * self.span[0]) * np.exp(np.minimum(self.middle(feature) + wide, LARGEST_LOG))
            - SOON * self.span[0]
        )
        return np.asarray(np.clip(left, 0.0, LONGEST * self.span[1]))


class SimilarLife:
    """Similarity-based prognosis (after Wang, Yu, Siegel and Lee, PHM 2008), for three failures or more.

    What was left to past lives where the columns were as they are now, as a part of the age they had: lives
    of one kind differ by factors. How far such forecasts are off for past lives left out makes the interval.
    Rows must be about equally far apart.
    """

    NAME: ClassVar[str] = "similar_life"
    VERSION: ClassVar[int] = 1

    def __init__(self) -> None:
        self._kind = f"{self.NAME}-{self.VERSION}"
        self._record: Record | None = None

    def fit(self, runs: Sequence[Run]) -> None:
        """Keep instants of the failed runs; raises `ValueError` if their numbers of columns differ."""
        lives = [in_order(run.history.age_h, run.history.x) for run in runs if run.failed]
        lives = [(age, x) for age, x in lives if len(age) >= FEWEST_POINTS]
        if len({x.shape[1] for _, x in lives}) > 1:
            raise ValueError("the runs have different numbers of columns; fit each kind of asset by itself")
        self._record = _remember(lives) if len(lives) >= FEWEST_FAILURES else None

    def predict(self, histories: Sequence[History]) -> list[Forecast]:
        """Forecast each history from its last row; without enough failures there is no number."""
        return [self._forecast(history) for history in histories]

    def quantiles(self, history: History, probabilities: Sequence[float]) -> Floats:
        """(q,) life left at the last row, of a fitted forecaster; raises `ValueError` where it says
        nothing."""
        age, x = in_order(history.age_h, history.x)
        if self._record is None or len(age) < FEWEST_POINTS:
            raise ValueError(self._forecast(history).basis)
        return self._record.quantiles(_features(x)[-1], age[-1], probabilities)

    def state(self) -> bytes:
        """The instants kept; none of an unfitted one."""
        record = self._record
        kept = SHAPES if record is None else {name: getattr(record, name) for name in SHAPES}
        return pack(self._kind, kept)

    def load(self, state: bytes) -> None:
        """Use a saved model; raises `ModelError`."""
        record = Record(**unpack(self._kind, state, SHAPES))
        rows, features = record.example.shape
        together = record.part.shape == record.run.shape == (rows,) and record.likeness.shape == (2, features)
        if record.span.shape != (3,) or not together:
            raise ModelError(f"the arrays of the saved {self._kind} do not belong together; fit it again")
        self._record = record if rows else None

    def _forecast(self, history: History) -> Forecast:
        age, x = in_order(history.age_h, history.x)
        record = self._record
        if record is None:
            return Forecast(Verdict.TOO_LITTLE_DATA, basis=f"fewer than {FEWEST_FAILURES} failures on record")
        if _width(x.shape[1]) != record.example.shape[1]:
            return Forecast(Verdict.TOO_LITTLE_DATA, basis=f"{x.shape[1]} columns, fitted on others")
        if len(age) and x[-1, 0] >= LIMIT:
            return Forecast(Verdict.ESTIMATE, 0.0, 0.0, 0.0, "the limit is reached")
        if len(age) < FEWEST_POINTS:
            return Forecast(Verdict.TOO_LITTLE_DATA, basis=f"{len(age)} of {FEWEST_POINTS} points")
        p10, p50, p90 = record.quantiles(_features(x)[-1], age[-1], QUANTILES).tolist()
        return Forecast(Verdict.ESTIMATE, p10, p50, p90, f"like {record.run[-1] + 1} failures on record")


def _remember(lives: Sequence[tuple[Floats, Floats]]) -> Record:
    spans = [age[-1] - age[0] for age, _ in lives]
    rows = [
        np.unique(np.linspace(SETTLED * (len(age) - 1), len(age) - 1, INSTANTS).astype(int))
        for age, _ in lives
    ]
    feature = np.vstack([_features(x)[at] for (_, x), at in zip(lives, rows, strict=True)])
    typical = float(np.median(spans))
    part = np.concatenate([_part(age, at, typical) for (age, _), at in zip(lives, rows, strict=True)])
    run = np.repeat(np.arange(len(lives)), [len(at) for at in rows])
    scale = feature.std(axis=0)
    likeness = np.stack([feature.mean(axis=0), np.where(scale > 1e-9, scale, 1.0)])
    span = np.array([typical, max(spans), 0.0])
    record = Record(span, likeness, (feature - likeness[0]) / likeness[1], part, run)
    unseen = np.array([record.middle(one, number) for one, number in zip(feature, run.tolist(), strict=True)])
    span[2] = max(float(np.sqrt(np.mean((record.part - unseen) ** 2))), SMALLEST_SPREAD)
    return record


def _part(age: Floats, at: Ints, typical: float) -> Floats:
    """Logarithm of life left over age at some instants."""
    return np.asarray(np.log((age[-1] - age[at] + SOON * typical) / np.maximum(age[at], SOON * typical)))


def _features(x: Floats) -> Floats:
    """(n, f) at every row, from it and those before."""
    bank = AssetFeatures(x.shape[1])
    bank.grow(1)
    blocks = bank.update(np.zeros(len(x), np.int32), np.clip(x, -1e6, 1e6)).reshape(len(x), -1, x.shape[1])
    return blocks[:, LOOKED_AT].reshape(len(x), -1)


def _width(columns: int) -> int:
    return len(LOOKED_AT) * columns


FORECASTER: type[Forecaster] = SimilarLife
