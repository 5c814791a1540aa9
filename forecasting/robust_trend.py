"""Remaining life from the trend of the degradation level alone: needs no failures on record."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit

from forecasting.contract import LIMIT, REACHED, Forecast, Forecaster, History, Run, Verdict
from forecasting.growth import (
    EXPONENTS,
    STEP,
    STRAIGHT,
    Fits,
    autocorrelation,
    candidate_onsets,
    fit,
    fit_finely,
    freedom,
)
from forecasting.model_bytes import pack, unpack
from forecasting.points import in_order, usable

Floats = NDArray[np.float64]

FEWEST_POINTS = 12

ALPHA = 0.05
"""At most this share of histories without growth gets a trend, over all windows tried (Bonferroni)."""

SHORTEST_WINDOW = 8
"""Points in the shortest trailing window that is tested; each window is half of the one before."""

LASTING = np.array([1.0, 2.0, 4.0])
"""Exponents of growth that goes on. What differs from it counts as noise at first: so a step, or growth that
has ended, looks like noise with a long memory and gets no number."""

VISIBLE = 2.0
"""The rise must be this many standard deviations of the noise: less is of no practical significance."""

LEAST_RISE = 0.05
"""And this share of the way to the limit: a machine in good order has drifts and seasons as significant as
wear, and from a twentieth of the way the rest cannot be told."""

HORIZON = 20.0
"""Nothing is said beyond this many times the observed span."""

DRAWS = 32
QUANTILES = np.array([0.1, 0.5, 0.9])


def _normal_pairs(n: int) -> Floats:
    """(n, 2) evenly spread standard normal pairs: the additive recurrence of Roberts (2018)."""
    uniform = np.arange(1, n + 1)[:, None] * np.array([0.7548776662466927, 0.5698402909980532]) % 1.0
    normal = ndtri(uniform)
    return np.asarray((normal - normal.mean(axis=0)) / normal.std(axis=0))


PAIRS = _normal_pairs(DRAWS)
CHANCES = np.arange(1, DRAWS + 1) * 0.8191725133961645 % 1.0
"""(DRAWS,) evenly spread in 0 to 1, out of step with the pairs."""

SURELY = 2.0
"""Standard deviations above an uncertain limit from which it is reached, whatever it is."""

MEMORY_H = 24.0
"""How long the noise of a level lasts that is read off symptoms: duty and weather move them for about a day.
Of points closer together only one in that time counts. Chosen on simulated packs: see docs/packs.md."""

LEAST = 1e-9
"""No life is less likely than this beforehand."""

LOWEST = 1e-6
"""No level counts as lower where its logarithm is taken."""


class RobustTrend:
    """Growth that is significant is carried on to the limit; without it there is no number.

    The level may be flat for long and then grow in proportion to time, faster or slower (see
    `forecasting.growth`). The quantiles hold the uncertainty of onset, shape, size and noise, and of a limit
    that is not exact, not that of a future duty other than the past one. A machine that still runs above
    such a limit has a higher one. A level with such a limit is read off symptoms: of its points one in
    `MEMORY_H` counts, and a fault is as much less likely beforehand as it lasts longer (flat prior of the
    logarithm), as a trend is first seen where it happens to look steep.
    """

    NAME: ClassVar[str] = "robust_trend"
    VERSION: ClassVar[int] = 1

    def __init__(self) -> None:
        self._kind = f"{self.NAME}-{self.VERSION}"

    def fit(self, runs: Sequence[Run]) -> None:
        """Nothing is learned from other runs."""

    def predict(self, histories: Sequence[History]) -> list[Forecast]:
        """Forecast each history; about 2 ms for 300 points."""
        return [_forecast(history) for history in histories]

    def state(self) -> bytes:
        """The name and version only."""
        return pack(self._kind, {})

    def load(self, state: bytes) -> None:
        """Accept what `state` gave; raises `ModelError`."""
        unpack(self._kind, state, {})


def _forecast(history: History) -> Forecast:
    age, x = in_order(history.age_h, history.x[:, :1])
    if len(x) and x[-1, 0] >= LIMIT * np.exp(SURELY * history.limit_spread):
        return REACHED
    age, level = usable(age, x[:, 0])
    if len(level) < FEWEST_POINTS:
        return _without_trend(level, Verdict.TOO_LITTLE_DATA, f"{len(level)} of {FEWEST_POINTS} points")
    span = float(age[-1] - age[0])
    time = (age - age[-1]) / span
    onsets = candidate_onsets(time)
    rough = fit(time, level, onsets, LASTING, rho=0.0)
    residual = rough.residual[np.argmin(rough.error)]
    rho = autocorrelation(residual)
    first = fit(time, level, onsets, EXPONENTS, rho)
    vague = history.limit_spread > 0
    fine = fit_finely(time, level, first, onsets, rho, _trust(age) if vague else 1.0)
    if not (_significant(first, time) and _grows(fine, float(residual.std()))):
        return _without_trend(level, Verdict.NO_TREND, f"no significant growth over {span:.0f} h")
    limits = _limits(level[-1], history.limit_spread)
    return _carried_on(fine, span, freedom(len(time)), limits, vague)


def _without_trend(level: Floats, verdict: Verdict, basis: str) -> Forecast:
    return REACHED if len(level) and level[-1] >= LIMIT else Forecast(verdict, basis=basis)


def _trust(age: Floats) -> float:
    """The part of the points' evidence that counts if noise lasts for `MEMORY_H`."""
    return min(1.0, float(np.median(np.diff(age))) / MEMORY_H)


def _significant(fits: Fits, time: Floats) -> bool:
    """Whether any trailing window's straight line rises, by Student's t on whitened noise."""
    windows = [len(time) >> k for k in range(len(time).bit_length()) if len(time) >> k >= SHORTEST_WINDOW]
    starts = [np.argmin(np.abs(fits.onset - time[-n])) for n in windows]
    tested = np.isin(fits.onset, fits.onset[starts]) & (fits.exponent == STRAIGHT)
    t = fits.rise[tested] / np.sqrt(fits.covariance[tested, 2])
    return bool(t.max() > stdtrit(freedom(len(time)), 1 - ALPHA / len(t)))


def _grows(fits: Fits, noise: float) -> bool:
    """Whether the rise stands out of the noise, matters and is more than a step."""
    weight = fits.weights()
    needed = max(VISIBLE * noise, LEAST_RISE * LIMIT)
    return bool(weight @ fits.rise >= needed and weight[fits.exponent == STEP].sum() < 0.5)


def _limits(level: float, spread: float) -> Floats:
    """(DRAWS,) log-normal limits above the level that the machine runs at."""
    if spread == 0:
        return np.full(DRAWS, LIMIT)
    below = ndtr(np.log(max(level, LOWEST) / LIMIT) / spread)
    return np.asarray(LIMIT * np.exp(spread * ndtri(below + (1 - below) * CHANCES)))


def _carried_on(fits: Fits, span: float, degrees: int, limits: Floats, vague: bool) -> Forecast:
    """Quantiles of the time to the limit over all models, each with the uncertainty of its base and rise."""
    weight = fits.weights()
    kept = weight > 0
    life = _lives(fits, degrees, limits)[kept]
    likely = np.repeat(weight[kept, None] / DRAWS, DRAWS, axis=1)
    if vague:
        grown = -fits.onset[kept, None]
        likely *= np.maximum(grown / (grown + life), LEAST)
    order = np.argsort(life, axis=None, kind="stable")
    cumulated = np.cumsum(likely.ravel()[order])
    at = np.minimum(np.searchsorted(cumulated, QUANTILES * cumulated[-1]), len(order) - 1)
    p10, p50, p90 = (span * float(part) for part in life.ravel()[order[at]])
    basis = f"trend over {span * min(1.0, -float(weight @ fits.onset)):.0f} h"
    if p90 > HORIZON * span:
        return Forecast(Verdict.MORE_THAN, min(p10, HORIZON * span), basis=basis)
    return Forecast(Verdict.ESTIMATE, p10, p50, p90, basis)


def _lives(fits: Fits, degrees: int, limits: Floats) -> Floats:
    """(m, DRAWS) times to each draw's limit in spans, infinite where the level does not rise."""
    var_base, both, var_rise = (fits.covariance * degrees / max(degrees - 2, 1)).T
    sd = np.sqrt(var_base)
    own = np.sqrt(np.maximum(var_rise - (both / sd) ** 2, 0.0))
    base = fits.base[:, None] + np.outer(sd, PAIRS[:, 0])
    rise = fits.rise[:, None] + np.outer(both / sd, PAIRS[:, 0]) + np.outer(own, PAIRS[:, 1])
    needed = np.divide(limits - base, rise, out=np.full_like(base, np.inf), where=rise > 0)
    with np.errstate(over="ignore", divide="ignore"):  # a step never gets there: infinite
        ahead = np.maximum(needed, 1.0) ** (1.0 / fits.exponent[:, None]) - 1.0
    return np.asarray(-fits.onset[:, None] * ahead)


FORECASTER: type[Forecaster] = RobustTrend
