"""Remaining life learned from the failures on record, with intervals that hold for whatever the fleet is."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from forecasting.contract import Forecast, History, ModelError, Run, Verdict
from forecasting.kernel_ridge import KernelRidge, fit_each
from forecasting.life_features import life_features
from forecasting.model_bytes import pack, unpack
from forecasting.points import in_order

Floats = NDArray[np.float64]

FEWEST_FAILURES = 8
FEWEST_POINTS = 5
LIMIT = 1.0

ROWS_PER_RUN = 64
"""Instants of each run that are learned from, evenly spread over its life."""

PENALTIES = (1e-5, 1e-4, 1e-3, 1e-2)
FOLDS = 10
SEED = 13381

MISS = 0.1
"""Share of lives below P10, and above P90."""

SCALE_BINS = 8
STRANGE = 0.5
"""A feature this many of its ranges beyond what was seen before is outside the model's knowledge."""

SOON = 0.1
"""Lives are learned as log(1 + life / (SOON * typical life)): relative errors count, but not below this."""

WILD = 20.0
CUT = 5.0
"""Standardised columns are cut at WILD before features, standardised features at CUT."""


@dataclass(frozen=True, slots=True)
class Model:
    """All that a fit leaves, as arrays.

    life: (1,) typical life in hours. failures: (1,). column: (2, k) mean and scale. feature: (4, f) mean,
    scale, lowest, highest. centre, weight: see KernelRidge. error_at, error: (bins,) predicted value and
    the typical error there. quantile: (3,) of errors in units of the typical one.
    """

    life: Floats
    failures: Floats
    column: Floats
    feature: Floats
    centre: Floats
    weight: Floats
    error_at: Floats
    error: Floats
    quantile: Floats

    def arrays(self) -> dict[str, Floats]:
        """The arrays by name."""
        return {part.name: getattr(self, part.name) for part in fields(self)}


NOTHING = Model(
    *(np.zeros(1), np.zeros(1), np.zeros((2, 0)), np.zeros((4, 0)), np.zeros((0, 0))),
    *(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0)),
)


class ConformalLife:
    """Regression on features of whole histories, with cross-conformal intervals that leave assets out.

    Errors of assets that the regression did not see, in units of the typical error at that prediction, give
    the interval: it holds for a new asset of the same kind, whatever the distribution (Vovk 2015; Papadopoulos
    et al. 2011). Each asset counts once, however long it was watched. Censored runs are left out: lives are
    learned from failures alone, which errs towards too short where many assets outlive the record.
    """

    NAME: ClassVar[str] = "conformal_life"
    VERSION: ClassVar[int] = 1

    def __init__(self) -> None:
        self._kind = f"{self.NAME}-{self.VERSION}"
        self._model = NOTHING

    def fit(self, runs: Sequence[Run]) -> None:
        """Learn from the failed runs; raises `ValueError` if their numbers of columns differ."""
        failed = [in_order(run.history.age_h, run.history.x) for run in runs if run.failed]
        failed = [(age, x) for age, x in failed if len(age) >= FEWEST_POINTS]
        if len({x.shape[1] for _, x in failed}) > 1:
            raise ValueError("the runs have different numbers of columns; fit each kind of asset by itself")
        enough = len(failed) >= FEWEST_FAILURES
        self._model = _learn(failed) if enough else _only_counted(len(failed))

    def predict(self, histories: Sequence[History]) -> list[Forecast]:
        """Forecast each history; about 1 ms for 300 points of 16 columns."""
        return [_forecast(self._model, history) for history in histories]

    def state(self) -> bytes:
        """The model's arrays."""
        return pack(self._kind, self._model.arrays())

    def load(self, state: bytes) -> None:
        """Use a saved model; raises `ModelError`."""
        model = Model(**unpack(self._kind, state, NOTHING.arrays()))
        if not _coherent(model):
            raise ModelError(f"the arrays of the saved {self._kind} do not belong together; fit it again")
        self._model = model


def _only_counted(failures: int) -> Model:
    return Model(**{**NOTHING.arrays(), "failures": np.array([float(failures)])})


def _coherent(model: Model) -> bool:
    k, (centres, f), bins = model.column.shape[1], model.centre.shape, len(model.error)
    shapes = [(1,), (1,), (2, k), (4, f), (centres, f), (centres + f + 1,), (bins,), (bins,), (3,)]
    arrays = list(model.arrays().values())
    unfitted = all(a.shape == b.shape for a, b in zip(arrays, NOTHING.arrays().values(), strict=True))
    fitted = f == 6 * k + 1 and bins > 0 and [a.shape for a in arrays] == shapes and model.life[0] > 0
    return (unfitted or bool(fitted)) and all(np.isfinite(a).all() for a in arrays)


def _learn(failed: Sequence[tuple[Floats, Floats]]) -> Model:
    life = float(np.median([age[-1] - age[0] for age, _ in failed]))
    rows = np.vstack([x for _, x in failed])
    column = np.stack([rows.mean(axis=0), _scale(rows)])
    seen, run, left = _examples(failed, column, life)
    feature = np.stack([seen.mean(axis=0), _scale(seen), seen.min(axis=0), seen.max(axis=0)])
    z, y = _standardised(seen, feature), _to_log(left, life)
    penalty, unseen = _cross_validated(z, y, run)
    regression = fit_each(z, y, (penalty,))[0]
    error_at, error = _typical_error(unseen, y)
    surprise = (y - unseen) / np.interp(unseen, error_at, error)
    quantile = _quantiles(_one_each(surprise, run), len(failed))
    count = np.array([float(len(failed))])
    return Model(
        np.array([life]),
        count,
        column,
        feature,
        regression.centre,
        regression.weight,
        error_at,
        error,
        quantile,
    )
