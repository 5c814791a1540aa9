"""Remaining life from the age alone, as machines of a type have lasted: for few failures on record."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from forecasting.contract import LIMIT, REACHED, Forecast, Forecaster, History, ModelError, Run, Verdict
from forecasting.model_bytes import pack, unpack
from forecasting.points import in_order
from forecasting.weibull import Lives, Predictive, UnknownLife, predictive

Floats = NDArray[np.float64]

STRANGE = 0.5
"""A duty this many ranges beyond all on record is outside what the lives can tell."""

SURE = 1e-9
"""Survival below this counts as this."""

SHAPES = {"span": np.zeros((2, 0)), "failed": np.zeros(0, np.bool_), "duty": np.zeros((0, 0))}


class WeibullLife:
    """The survival prior of a type: Weibull lives with censored runs, conditional on the age reached.

    The quantiles hold not knowing the law as well (`forecasting.weibull.predictive`), so that three failures
    give a wide interval and not a wrong one. Nothing is said of ages that no run has reached: where P90 lies
    there, the forecast is "more than". A run counts from the age at its first row to that at its last; of
    columns beyond the level, which are to be duties and not symptoms, its means count. Runs and histories
    are to count their age from the same event: new, overhauled, or first seen.
    """

    NAME: ClassVar[str] = "weibull_life"
    VERSION: ClassVar[int] = 1

    def __init__(self) -> None:
        self._kind = f"{self.NAME}-{self.VERSION}"
        self._learn(Lives(np.zeros(0), np.zeros(0), np.zeros(0, np.bool_), np.zeros((0, 0))))

    def fit(self, runs: Sequence[Run]) -> None:
        """Learn from failed and censored runs; raises `ValueError` if their numbers of columns differ."""
        rows = [(*in_order(run.history.age_h, run.history.x), run.failed) for run in runs]
        rows = [(age, x, failed) for age, x, failed in rows if len(age) and age[-1] > max(age[0], 0.0)]
        if len({x.shape[1] for _, x, _ in rows}) > 1:
            raise ValueError("the runs have different numbers of columns; fit each kind of asset by itself")
        columns = rows[0][1].shape[1] - 1 if rows else 0
        self._learn(
            Lives(
                np.array([max(age[0], 0.0) for age, _, _ in rows]),
                np.array([age[-1] for age, _, _ in rows]),
                np.array([failed for _, _, failed in rows], np.bool_),
                np.array([x[:, 1:].mean(axis=0) for _, x, _ in rows]).reshape(len(rows), columns),
            )
        )

    def predict(self, histories: Sequence[History]) -> list[Forecast]:
        """Forecast each history from the age at its last row."""
        return [self._forecast(history) for history in histories]

    def hazard(self, run: Run) -> float | None:
        """Cumulative hazard that a run went through, as these lives have it; None where they give no law.

        It is the residual of Cox and Snell (1968): over many runs not learned from, as many are expected to
        fail as their hazards sum up to, however long each was seen.
        """
        age, x = in_order(run.history.age_h, run.history.x)
        if self._law is None or not len(age) or self._unlike(age[:1], x):
            return None
        span = np.maximum(age[[0, -1]], 0.0)
        alive = float(self._law.survival(span[1:], x[:, 1:].mean(axis=0), float(span[0]))[0])
        return float(-np.log(max(alive, SURE)))

    def state(self) -> bytes:
        """The lives themselves: what is learned from them is learned again in 10 ms."""
        lives = self._lives
        span = np.stack([lives.entry, lives.end])
        return pack(self._kind, {"span": span, "failed": lives.failed, "duty": lives.covariate})

    def load(self, state: bytes) -> None:
        """Use a saved model; raises `ModelError`."""
        arrays = unpack(self._kind, state, SHAPES)
        span, failed, duty = arrays["span"], arrays["failed"], arrays["duty"]
        one_each = span.shape == (2, len(failed)) and len(duty) == len(failed)
        if not one_each or not (np.isfinite(span).all() and np.isfinite(duty).all() and _in_order(span)):
            raise ModelError(f"the arrays of the saved {self._kind} do not belong together; fit it again")
        self._learn(Lives(span[0], span[1], failed, duty))

    def _learn(self, lives: Lives) -> None:
        self._lives = lives
        self._law: Predictive | None = None
        self._basis = f"{lives.failed.sum()} failures in {len(lives.end)} runs"
        try:
            self._law = predictive(lives)
        except UnknownLife as error:
            self._basis = str(error)

    def _forecast(self, history: History) -> Forecast:
        age, x = in_order(history.age_h, history.x)
        if len(age) and x[-1, 0] >= LIMIT:
            return REACHED
        if self._law is None:
            return Forecast(Verdict.TOO_LITTLE_DATA, basis=self._basis)
        if unlike := self._unlike(age, x):
            return Forecast(Verdict.TOO_LITTLE_DATA, basis=unlike)
        now, longest = max(float(age[-1]), 0.0), float(self._lives.end.max())
        p10, p50, p90 = _quantiles(self._law, now, longest, x[:, 1:].mean(axis=0))
        if p90 is None:
            return Forecast(Verdict.MORE_THAN, longest - now if p10 is None else p10, basis=self._basis)
        return Forecast(Verdict.ESTIMATE, p10, p50, p90, self._basis)

    def _unlike(self, age: Floats, x: Floats) -> str:
        """Why the lives on record say nothing of such a history; empty if they do."""
        lives, duties = self._lives, x.shape[1] - 1
        if duties != lives.covariate.shape[1]:
            return f"{duties + 1} columns, fitted on {lives.covariate.shape[1] + 1}"
        if not len(age):
            return "no usable point"
        if age[-1] >= lives.end.max():
            return f"older than all {len(lives.end)} runs on record"
        duty, low, high = x[:, 1:].mean(axis=0), lives.covariate.min(axis=0), lives.covariate.max(axis=0)
        margin = STRANGE * (high - low) + 1e-9
        return (
            "another duty than all on record"
            if ((duty < low - margin) | (duty > high + margin)).any()
            else ""
        )


def _quantiles(law: Predictive, now: float, longest: float, duty: Floats) -> list[float | None]:
    """P10, P50, P90 of the hours left, None where the age would be beyond the longest run."""

    def alive(age: float) -> float:
        return float(law.survival(np.array([age]), duty, now)[0])

    left = alive(longest)
    return [
        None if left > share else brentq(lambda age, s=share: alive(age) - s, now, longest, rtol=1e-9) - now
        for share in (0.9, 0.5, 0.1)
    ]


def _in_order(span: Floats) -> bool:
    return bool((span[0] >= 0).all() and (span[1] > span[0]).all())


FORECASTER: type[Forecaster] = WeibullLife
