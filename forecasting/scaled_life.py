"""Remaining life from few failures of a like machine and a wear that is measured: from three failures on."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from forecasting.contract import Forecast, Forecaster, History, ModelError, Run, Verdict
from forecasting.life_law import LifeLaw
from forecasting.model_bytes import pack, unpack
from forecasting.points import in_order
from forecasting.scaled_lives import POINTS, TRUST, Ahead, Rows, ScaledLives, learn

Floats = NDArray[np.float64]

FEWEST_FAILURES = 3
FEWEST_POINTS = 5
LIMIT = 1.0
QUANTILES = np.array([0.1, 0.5, 0.9])

LONGEST = 3.0
"""Nothing is said beyond this many times the longest run on record."""

STRANGE = 1.0
"""A mean this many ranges beyond all on record is outside what the lives can tell."""

WILDEST = 1e100
"""Values on record are cut there, short of infinity."""

SHAPES = {
    "law": np.zeros((2, 0)),
    "curve": np.zeros((0, 0, 0)),
    "noise": np.zeros(0),
    "trust": np.zeros(0),
    "bounds": np.zeros((2, 0)),
    "span": np.zeros(2),
}


class ScaledLife:
    """How long such machines last, and how far along their curves this one is, at a pace of its own.

    Where lives are alike the law of the lives decides, where wear is alike at the same part of a life the
    wear does: how much each is worth is found by leaving each life out (`forecasting.scaled_lives`). Lives
    and histories are to count their age from the same event: new or overhauled. Set-points are not looked at.
    """

    NAME: ClassVar[str] = "scaled_life"
    VERSION: ClassVar[int] = 1

    def __init__(self) -> None:
        self._kind = f"{self.NAME}-{self.VERSION}"
        self._failures, self._longest = 0, 0.0
        self._bounds = np.zeros((2, 0))
        self._model: ScaledLives | None = None

    def fit(self, runs: Sequence[Run]) -> None:
        """Learn from failed and censored runs; raises `ValueError` if their numbers of columns differ."""
        read = [Rows(*in_order(run.history.age_h, run.history.x), run.failed) for run in runs]
        rows = [Rows(one.age, np.clip(one.x, -WILDEST, WILDEST), one.failed) for one in read if _usable(one)]
        if len({one.x.shape[1] for one in rows}) > 1:
            raise ValueError("the runs have different numbers of columns; fit each kind of asset by itself")
        self._failures = sum(one.failed for one in rows)
        self._longest = max((float(one.age[-1]) for one in rows), default=0.0)
        self._model = learn(rows) if self._failures else None
        seen = np.vstack([one.x for one in rows if one.failed]) if self._failures else np.zeros((1, 0))
        self._bounds = np.stack([seen.min(axis=0), seen.max(axis=0)])

    def predict(self, histories: Sequence[History]) -> list[Forecast]:
        """Forecast each history from its last row; about half a ms each with ten failures."""
        return [self._forecast(history) for history in histories]

    def ahead(self, history: History) -> Ahead:
        """What may be left after a history's last row, from one failure on; raises `ValueError` without."""
        rows = Rows(*in_order(history.age_h, history.x))
        if self._model is None:
            raise ValueError("no failure on record: nothing is fitted")
        columns = self._bounds.shape[1]
        if not _usable(rows) or rows.x.shape[1] != columns:
            raise ValueError(f"needs {FEWEST_POINTS} rows of {columns} columns, the last one after 0 h")
        return self._model.ahead(Rows(rows.age, self._cut(rows.x)))

    def state(self) -> bytes:
        """The model's arrays; of an unfitted one the number of failures."""
        arrays = SHAPES | {"span": np.array([self._failures, self._longest])}
        if (model := self._model) is not None:
            law = np.stack([model.law.log_age, model.law.log_alive])
            arrays |= {"law": law, "curve": model.curve, "bounds": self._bounds}
            arrays |= {"noise": model.noise, "trust": model.trust}
        return pack(self._kind, arrays)

    def load(self, state: bytes) -> None:
        """Use a saved model; raises `ModelError`."""
        arrays = unpack(self._kind, state, SHAPES)
        law, curve, bounds = arrays["law"], arrays["curve"], arrays["bounds"]
        k = bounds.shape[1]
        wanted = [(2,), (2, k), (len(curve), POINTS + 1, k), (k,), (len(TRUST),)]
        fits = [arrays[name].shape for name in ("span", "bounds", "curve", "noise", "trust")] == wanted
        unfitted = not curve.size and arrays["span"].shape == (2,)
        if not (fits or unfitted) or not all(np.isfinite(array).all() for array in arrays.values()):
            raise ModelError(f"the arrays of the saved {self._kind} do not belong together; fit it again")
        self._failures, self._longest = int(arrays["span"][0]), float(arrays["span"][1])
        self._bounds = bounds
        whole = None if unfitted else ScaledLives(LifeLaw(*law), curve, arrays["noise"], arrays["trust"])
        self._model = whole

    def _forecast(self, history: History) -> Forecast:
        rows = Rows(*in_order(history.age_h, history.x))
        if len(rows.age) and rows.x[-1, 0] >= LIMIT:
            return Forecast(Verdict.ESTIMATE, 0.0, 0.0, 0.0, "the limit is reached")
        failures = f"{self._failures} failures on record"
        if self._model is None or self._failures < FEWEST_FAILURES:
            basis = f"{self._failures} of {FEWEST_FAILURES} failures on record"
            return Forecast(Verdict.TOO_LITTLE_DATA, basis=basis)
        if unlike := self._unlike(rows):
            return Forecast(Verdict.TOO_LITTLE_DATA, basis=unlike)
        said = self._model.ahead(Rows(rows.age, self._cut(rows.x))).quantiles(QUANTILES)
        p10, p50, p90 = (float(hours) for hours in said)
        furthest = LONGEST * self._longest - float(rows.age[-1])
        if p90 > furthest:
            return Forecast(Verdict.MORE_THAN, min(p10, furthest), basis=failures)
        return Forecast(Verdict.ESTIMATE, p10, p50, p90, failures)

    def _unlike(self, rows: Rows) -> str:
        """Why the lives on record say nothing of such rows; empty if they do."""
        columns = self._bounds.shape[1]
        if rows.x.shape[1] != columns:
            return f"{rows.x.shape[1]} columns, fitted on {columns}"
        if not _usable(rows):
            return f"{len(rows.age)} of {FEWEST_POINTS} points"
        if rows.age[-1] >= self._longest:
            return "older than all runs on record"
        low, high = self._bounds
        last = self._cut(rows.x)[-FEWEST_POINTS:].mean(axis=0)
        margin = STRANGE * (high - low) + 1e-9
        beyond = ((last < low - margin) | (last > high + margin)).any()
        return f"unlike the {self._failures} failures on record" if beyond else ""

    def _cut(self, x: Floats) -> Floats:
        """Values not farther than two margins beyond those on record."""
        low, high = self._bounds
        margin = 2 * STRANGE * (high - low) + 1e-6
        return np.clip(x, low - margin, high + margin)


def _usable(rows: Rows) -> bool:
    return len(rows.age) >= FEWEST_POINTS and bool(rows.age[-1] > max(rows.age[0], 0.0))


FORECASTER: type[Forecaster] = ScaledLife
