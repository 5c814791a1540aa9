"""Remaining life learned from many failures on record, row by row, in whatever regimes the assets run."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from forecasting.contract import LIMIT, REACHED, Forecast, Forecaster, History, ModelError, Run, Verdict
from forecasting.followed_lives import Latest, usable
from forecasting.model_bytes import pack, unpack
from forecasting.stacked_life import Life, Regressions, StackedLife, learn
from forecasting.stacked_life_arrays import SHAPES, from_arrays, to_arrays

Floats = NDArray[np.float64]

FEWEST_FAILURES = 8
FEWEST_POINTS = 5
QUANTILES = np.array([0.1, 0.5, 0.9])

LONGEST_SILENCE_H = 12.0
"""If its last row is older, too little is known of how a life is now."""


class LearnedLife:
    """Boosted trees and kernel regression on what an asset shows against itself, with conformal intervals.

    Rows must be about equally far apart, as in cycles or trips. Lives are learned up to `horizon_h` (none:
    the longest on record), as a healthy asset does not show how long it will last (Heimes 2008): a forecast
    that is as long as that means "or more". Censored runs are left out, which errs towards too short where
    many assets outlive the record.
    """

    NAME: ClassVar[str] = "learned_life"
    VERSION: ClassVar[int] = 1

    def __init__(self, horizon_h: float = np.inf) -> None:
        self._kind = f"{self.NAME}-{self.VERSION}"
        self._horizon = horizon_h
        self._failures = 0
        self._model: StackedLife | None = None

    def fit(self, runs: Sequence[Run]) -> None:
        """Learn from the failed runs; raises `ValueError` if their columns or set-points differ."""
        lives = [usable(run.history) for run in runs if run.failed]
        lives = [life for life in lives if len(life.age) >= FEWEST_POINTS]
        if len({(life.x.shape[1], life.setting.shape[1]) for life in lives}) > 1:
            raise ValueError(
                "the runs have different numbers of columns or set-points; fit each kind of asset by itself"
            )
        self._failures = len(lives)
        self._model = learn(lives, self._horizon) if len(lives) >= FEWEST_FAILURES else None

    def predict(self, histories: Sequence[History]) -> list[Forecast]:
        """Forecast each history from its last row; without enough failures there is no number."""
        if self._model is None:
            return [self._unfitted() for _ in histories]
        lives = [usable(history) for history in histories]
        said = [_without_model(self._model, life) for life in lives]
        asked = [life for life, forecast in zip(lives, said, strict=True) if forecast is None]
        answers = _forecasts(self._model, _last_features(self._model, asked))
        return [forecast or next(answers) for forecast in said]

    def at(self, latest: Sequence[Latest]) -> list[Forecast]:
        """Forecast lives that were followed row by row: what `predict` says of the whole of each."""
        if self._model is None:
            return [self._unfitted() for _ in latest]
        said = [_unasked(one.points, one.level, one.silent_h) for one in latest]
        asked = [one.features for one, forecast in zip(latest, said, strict=True) if forecast is None]
        answers = _forecasts(self._model, np.array(asked))
        return [forecast or next(answers) for forecast in said]

    def _unfitted(self) -> Forecast:
        basis = f"{self._failures} of {FEWEST_FAILURES} failures on record"
        return Forecast(Verdict.TOO_LITTLE_DATA, basis=basis)

    @property
    def regressions(self) -> Regressions | None:
        """What lives are followed for; None without a fitted model."""
        return self._model.regressions if self._model else None

    def along(self, history: History, probabilities: Sequence[float]) -> Floats:
        """(n, q) quantiles of the life left at each usable row of a history, from it and those before it.

        Raises `ValueError` without a fitted model, and for other columns than it was fitted on.
        """
        life = usable(history)
        if self._model is None:
            raise ValueError(f"{self._failures} of {FEWEST_FAILURES} failures on record: nothing is fitted")
        if other := _other_columns(self._model, life):
            raise ValueError(other)
        features = self._model.regressions.features(life)
        return self._model.quantiles(features, np.asarray(probabilities, np.float64))

    def state(self) -> bytes:
        """The model's arrays; of an unfitted one the number of failures."""
        if self._model is None:
            return pack(self._kind, SHAPES | {"span": np.array([0.0, 0.0, self._failures])})
        return pack(self._kind, to_arrays(self._model))

    def load(self, state: bytes) -> None:
        """Use a saved model; raises `ModelError`."""
        arrays: dict[str, NDArray[Any]] = unpack(self._kind, state, SHAPES)
        try:
            model = from_arrays(arrays) if arrays["trees"].size else None
            self._failures = int(arrays["span"][2])
        except (ValueError, IndexError) as error:
            raise ModelError(
                f"the saved {self._kind} does not hang together; fit it again: {error}"
            ) from error
        self._model = model


def _without_model(model: StackedLife, life: Life) -> Forecast | None:
    """What is clear, or cannot be told, before the model is asked; None if it is to be asked."""
    if other := _other_columns(model, life):
        return Forecast(Verdict.TOO_LITTLE_DATA, basis=other)
    return _unasked(len(life.age), float(life.x[-1, 0]) if len(life.age) else 0.0)


def _unasked(points: int, level: float, silent_h: float = 0.0) -> Forecast | None:
    """As above, by a life's number of rows, the last one's level of wear and how long ago that was."""
    if points and silent_h > LONGEST_SILENCE_H:
        basis = f"no hour with all channels of the model for {silent_h:.0f} h"
        return Forecast(Verdict.TOO_LITTLE_DATA, basis=basis)
    if points and level >= LIMIT:
        return REACHED
    if points < FEWEST_POINTS:
        return Forecast(Verdict.TOO_LITTLE_DATA, basis=f"{points} of {FEWEST_POINTS} points")
    return None


def _other_columns(model: StackedLife, life: Life) -> str:
    """How the columns differ from those of the model; empty if they do not."""
    fitted, (columns, settings) = model.regressions.signals.columns, (life.x.shape[1], life.setting.shape[1])
    if (columns, settings) == fitted:
        return ""
    return f"{columns} columns and {settings} set-points, fitted on {fitted[0]} and {fitted[1]}"


def _last_features(model: StackedLife, lives: Sequence[Life]) -> Floats:
    """(lives, f) of the last row of each."""
    return np.array([model.regressions.features(life)[-1] for life in lives])


def _forecasts(model: StackedLife, features: Floats) -> Iterator[Forecast]:
    """A forecast at each row of features (n, f), all in one batch."""
    if not len(features):
        return
    failures = f"{model.span[2]:.0f} failures on record"
    strange = model.regressions.strange(features).tolist()
    for odd, (p10, p50, p90) in zip(strange, model.quantiles(features, QUANTILES).tolist(), strict=True):
        if odd:
            yield Forecast(Verdict.TOO_LITTLE_DATA, basis=f"unlike the {failures}")
        else:
            yield Forecast(Verdict.ESTIMATE, p10, p50, p90, failures)


FORECASTER: type[Forecaster] = LearnedLife
