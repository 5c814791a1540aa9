"""How good forecasts of remaining life are: the published measures, and forecasters on machines left out.

RMSE and the NASA score after Saxena, Goebel, Simon and Eklund (PHM 2008); alpha-lambda accuracy, prognostic
horizon and cumulative relative accuracy after Saxena et al., "Metrics for offline evaluation of prognostic
performance" (IJPHM 1, 2010); the score of the IEEE PHM 2012 challenge after Nectoux et al. (2012). Lives are
in any one unit for the measures, in hours for `left_out`.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.contract import Forecast, Forecaster, History, Run, Verdict

Floats = NDArray[np.float64]

EARLY_COST, LATE_COST = 13.0, 10.0
"""Cycles of error after which the NASA score grows by e: a forecast that is too long costs more."""

PHM_EARLY, PHM_LATE = 20.0, 5.0
"""Per cent of the true life by which a forecast may be short, or long, for half of the points."""

FOLDS = 5
PARTS = np.array([0.2, 0.35, 0.5, 0.65, 0.8, 0.95])
"""Of each life, the instants that are forecast from."""

HALF_WAY = 2
ALPHA = 0.2
"""Of alpha-lambda accuracy: at which of these instants, within which part of what is left."""

FEWEST = 4
"""Failures below which nothing can be said."""


def rmse(predicted: Floats, true: Floats) -> float:
    """Root mean squared error of lives (n,)."""
    return float(np.sqrt(np.mean((predicted - true) ** 2)))


def mean_error(predicted: Floats, true: Floats) -> float:
    """Mean absolute error of lives (n,)."""
    return float(np.abs(predicted - true).mean())


def nasa_score(predicted: Floats, true: Floats) -> float:
    """Sum over lives (n,) in cycles; 0 is perfect, and one bad forecast can outweigh all others."""
    late = predicted - true
    return float(np.expm1(np.where(late < 0, -late / EARLY_COST, late / LATE_COST)).sum())


def phm2012_points(predicted: Floats, true: Floats) -> Floats:
    """Of each life, none of them 0: 1 for perfect, half of it for each step that a forecast is off."""
    error = 100.0 * (true - predicted) / true
    return np.asarray(np.exp2(-np.where(error <= 0, -error / PHM_LATE, error / PHM_EARLY)))


def phm2012_score(predicted: Floats, true: Floats) -> float:
    """Mean over lives (n,), none of them 0, from 0 to 1 for perfect."""
    return float(phm2012_points(predicted, true).mean())


def coverage(low: Floats, high: Floats, true: Floats) -> float:
    """Share of lives (n,) that their intervals hold."""
    return float(np.mean((low <= true) & (true <= high)))


def alpha_lambda(predicted: Floats, true: Floats, alpha: float, part: float) -> bool:
    """Whether the forecast at `part` (lambda) of the way is within `alpha` of the true life there.

    predicted, true: (n,) along one asset's life, equally far apart from the first forecast to the end of
    life. Raises `ValueError` if there is none.
    """
    if not len(true):
        raise ValueError("there is no forecast to judge")
    at = round(part * (len(true) - 1))
    return bool(abs(predicted[at] - true[at]) <= alpha * true[at])


def relative_accuracy(predicted: Floats, true: Floats) -> float:
    """Cumulative relative accuracy: the mean of 1 - |error| / life over one asset's forecasts while life is
    left."""
    left = true > 0
    if not left.any():
        raise ValueError("no forecast was made before the end of life")
    return float(np.mean(1.0 - np.abs(predicted - true)[left] / true[left]))


def prognostic_horizon(predicted: Floats, true: Floats, within: float) -> float:
    """Life left when forecasts come to stay `within` the truth, of one asset; 0 where the last one does not.

    predicted, true: (n,) along one asset's life, `true` falling.
    """
    off = np.flatnonzero(np.abs(predicted - true) > within)
    if not len(off):
        return float(true[0])
    return float(true[off[-1] + 1]) if off[-1] + 1 < len(true) else 0.0


@dataclass(frozen=True, slots=True)
class Answers:
    """What was said along lives that ended in failure, at `PARTS` of each, by who had not seen them.

    life: (n,) which run each row is of. left_h: (n,) hours that were left in truth. dummy_h: (n,) what the
    median life less the age says. p10_h, p50_h, p90_h: (n,), NaN where there was no answer.
    """

    life: NDArray[np.int64]
    left_h: Floats
    dummy_h: Floats
    p10_h: Floats
    p50_h: Floats
    p90_h: Floats

    @property
    def answered(self) -> NDArray[np.bool_]:
        """(n,) where there was an answer."""
        return np.isfinite(self.p50_h)

    def at(self, rows: NDArray[np.bool_]) -> "Answers":
        """Only those rows."""
        return Answers(*(getattr(self, name)[rows] for name in self.__slots__))

    def of(self, lives: Collection[int]) -> "Answers":
        """Only those on these runs."""
        return self.at(np.isin(self.life, list(lives)))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Errors of P50 in hours on assets left out, beside those of the dummy: the median life less the age.

    `coverage` is the share of lives between P10 and P90, .8 if all is well; `width_h` is how far apart these
    are. `alpha_lambda` is the share of lives whose P50 half-way is off by no more than a fifth of what was
    left. `answered` is the share of instants at which there was a number; without one errors are not finite.
    """

    failures: int
    answered: float
    mae_h: float
    dummy_mae_h: float
    coverage: float
    width_h: float
    rmse_h: float
    alpha_lambda: float

    def as_json(self) -> dict[str, Any]:
        """Rounded to what matters; None for what there is not without an answer."""
        return {k: round(value, 3) if np.isfinite(value) else None for k, value in asdict(self).items()}


def left_out(make: Callable[[], Forecaster], runs: Sequence[Run], assets: Sequence[int]) -> Answers | None:
    """Cross-validated over assets: each is forecast by a fit that did not see it.

    `assets` says whose each run is; equal runs are left out together whichever forecaster is asked. None if
    there are too few failures.
    """
    failed = judged(runs)
    owners = sorted({assets[n] for n in failed})
    if len(failed) < FEWEST or len(owners) < 2:
        return None
    fold = {asset: number % FOLDS for number, asset in enumerate(owners)}
    parts = []
    for number in range(min(FOLDS, len(owners))):
        seen = [run for run, asset in zip(runs, assets, strict=True) if fold.get(asset) != number]
        forecaster = make()
        forecaster.fit(seen)
        lives = [float(np.ptp(run.history.age_h)) for run in seen if run.failed]
        out = [n for n in failed if fold[assets[n]] == number]
        parts.append(ask(forecaster, runs, out, float(np.median(lives)) if lives else 0.0))
    return _by_life(parts)


def judged(runs: Sequence[Run]) -> list[int]:
    """The runs that say how good forecasts are: failed, and long enough to be asked along."""
    return [n for n, run in enumerate(runs) if run.failed and len(run.history.age_h) >= len(PARTS)]


def ask(forecaster: Forecaster, runs: Sequence[Run], lives: Sequence[int], usual_h: float = 0.0) -> Answers:
    """What a fitted forecaster says along some of the runs, beside a median life of `usual_h`."""
    rows = [row for n in lives for row in _along(forecaster, n, runs[n].history, usual_h)]
    table = np.array(rows, np.float64).reshape(-1, 6)
    return Answers(table[:, 0].astype(np.int64), *table[:, 1:].T)


def evaluation(said: Answers) -> Evaluation:
    """The figures that a model is known by."""
    failures, known = len(np.unique(said.life)), said.at(said.answered)
    if not len(known.life):
        dummy_h = mean_error(said.dummy_h, said.left_h)
        return Evaluation(failures, 0.0, np.inf, dummy_h, 0.0, np.inf, np.inf, 0.0)
    off = np.abs(said.p50_h - said.left_h).reshape(failures, len(PARTS))
    near = off[:, HALF_WAY] <= ALPHA * said.left_h.reshape(failures, len(PARTS))[:, HALF_WAY]
    return Evaluation(
        failures,
        float(said.answered.mean()),
        mean_error(known.p50_h, known.left_h),
        mean_error(known.dummy_h, known.left_h),
        coverage(known.p10_h, known.p90_h, known.left_h),
        float((known.p90_h - known.p10_h).mean()),
        rmse(known.p50_h, known.left_h),
        float(near.mean()),
    )


def _along(forecaster: Forecaster, life: int, whole: History, usual_h: float) -> list[tuple[float, ...]]:
    """A row of `Answers` at each of `PARTS`."""
    age = whole.age_h
    at = np.searchsorted(age - age[0], PARTS * (age[-1] - age[0]))
    said = forecaster.predict([_until(whole, int(i)) for i in at])
    return [
        (
            life,
            age[-1] - age[i],
            max(usual_h - (age[i] - age[0]), 0.0),
            *_hours(one),
        )
        for i, one in zip(at, said, strict=True)
    ]


def _until(whole: History, last: int) -> History:
    """A history up to and with a row."""
    rows = slice(0, last + 1)
    return History(whole.age_h[rows], whole.x[rows], None if whole.setting is None else whole.setting[rows])


def _hours(said: Forecast) -> Iterable[float]:
    """P10, P50, P90; NaN where one is not given, and all where it is no estimate."""
    quantiles = said.p10_h, said.p50_h, said.p90_h
    known = said.verdict is Verdict.ESTIMATE
    return (np.nan if hours is None or not known else hours for hours in quantiles)


def _by_life(parts: Sequence[Answers]) -> Answers:
    """All of them, by life."""
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in Answers.__slots__]
    order = np.argsort(columns[0], kind="stable")
    return Answers(*(column[order] for column in columns))
