"""Remaining life learned from the failures on record, with intervals that hold for assets not yet seen."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from forecasting.contract import LIMIT, REACHED, Forecast, Forecaster, History, ModelError, Run, Verdict
from forecasting.life_model import FEWEST_POINTS, LifeModel, learn
from forecasting.model_bytes import pack, unpack
from forecasting.points import in_order

FEWEST_FAILURES = 8

SHAPES = {
    "life": np.zeros(3),
    "column": np.zeros((2, 0)),
    "feature": np.zeros((4, 0)),
    "centre": np.zeros((0, 0)),
    "weight": np.zeros(0),
    "error": np.zeros((2, 0)),
    "quantile": np.zeros(3),
}


class ConformalLife:
    """Regression on features of whole histories, with cross-conformal intervals that leave assets out.

    Errors for assets that the regression did not see, in units of the typical error at that prediction,
    make the interval, so it covers a new asset of the same kind whatever the distribution (Papadopoulos et
    al. 2011; Vovk 2015). Each asset counts once. Censored runs are left out: lives are learned from
    failures alone, which errs towards too short where many assets outlive the record.
    """

    NAME: ClassVar[str] = "conformal_life"
    VERSION: ClassVar[int] = 1

    def __init__(self) -> None:
        self._kind = f"{self.NAME}-{self.VERSION}"
        self._failures = 0
        self._model: LifeModel | None = None

    def fit(self, runs: Sequence[Run]) -> None:
        """Learn from the failed runs; raises `ValueError` if their numbers of columns differ."""
        lives = [in_order(run.history.age_h, run.history.x) for run in runs if run.failed]
        lives = [(age, x) for age, x in lives if len(age) >= FEWEST_POINTS]
        if len({x.shape[1] for _, x in lives}) > 1:
            raise ValueError("the runs have different numbers of columns; fit each kind of asset by itself")
        self._failures = len(lives)
        self._model = learn(lives) if len(lives) >= FEWEST_FAILURES else None

    def predict(self, histories: Sequence[History]) -> list[Forecast]:
        """Forecast each history from its last row; without enough failures there is no number."""
        if self._model is None:
            basis = f"{self._failures} of {FEWEST_FAILURES} failures on record"
            return [Forecast(Verdict.TOO_LITTLE_DATA, basis=basis) for _ in histories]
        return [_forecast(self._model, history) for history in histories]

    def state(self) -> bytes:
        """The model's arrays; of an unfitted one the number of failures."""
        if self._model is None:
            return pack(self._kind, SHAPES | {"life": np.array([0.0, 0.0, self._failures])})
        return pack(self._kind, self._model.arrays())

    def load(self, state: bytes) -> None:
        """Use a saved model; raises `ModelError`."""
        model = LifeModel(**unpack(self._kind, state, SHAPES))
        unfitted = model.centre.size == 0
        if model.life.shape != (3,) or not (unfitted or model.coherent()):
            raise ModelError(f"the arrays of the saved {self._kind} do not belong together; fit it again")
        self._failures = int(model.life[2])
        self._model = None if unfitted else model


def _forecast(model: LifeModel, history: History) -> Forecast:
    columns = model.column.shape[1]
    if history.x.shape[1] != columns:
        basis = f"{history.x.shape[1]} columns, fitted on {columns}"
        return Forecast(Verdict.TOO_LITTLE_DATA, basis=basis)
    age, x = in_order(history.age_h, history.x)
    if len(age) and x[-1, 0] >= LIMIT:
        return REACHED
    if len(age) < FEWEST_POINTS:
        return Forecast(Verdict.TOO_LITTLE_DATA, basis=f"{len(age)} of {FEWEST_POINTS} points")
    features = model.features(age, x)[-1]
    failures = f"{model.life[2]:.0f} failures on record"
    if model.strange(features):
        return Forecast(Verdict.TOO_LITTLE_DATA, basis=f"unlike the {failures}")
    p10, p50, p90 = (float(hours) for hours in model.quantiles(features))
    return Forecast(Verdict.ESTIMATE, p10, p50, p90, failures)


FORECASTER: type[Forecaster] = ConformalLife
