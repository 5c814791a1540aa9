"""Weibull lives from ended and censored runs: maximum likelihood, and prediction beside what is unknown.

A life t has S(t) = exp(-rate * (t * exp(-effect . z)) ** shape): a unit of the covariate z lengthens life by
the factor exp(effect), accelerated failure time (Meeker and Escobar 1998, sections 8.2 and 17.2; IEC 61649).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize
from scipy.special import chdtri, stdtrit

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FEWEST_FAILURES = 3
FAILURES_PER_COVARIATE = 5
"""Below this many a regression finds effects that are not there (Vittinghoff and McCulloch 2007)."""

SHAPES = 0.2, 50.0
"""Where shapes are looked for; a part's lies between 0.5 (early failures) and 10 (all wear out together)."""

PRIOR = -1.0
"""Power of the shape in the prior density of its logarithm: flat in location and in log spread of log t."""

RIDGE = 1.0
"""Penalty of effects: one standard deviation of a duty seldom shortens life to less than a third."""

DRAWS = 512
TAILS = 4.0
"""Degrees of freedom of the draws: heavier tails than any posterior here has."""

LARGEST = 600.0
"""Powers of ages end here, short of infinity."""


class UnknownLife(ValueError):
    """Runs from which no life can be told; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Lives:
    """n runs: seen from age `entry` on to age `end` (n,) hours, then `failed` (n,) or still running.

    covariate: (n, k) float64 of what each run's duty was; the fit is in whatever units they have.
    """

    entry: Floats
    end: Floats
    failed: Flags
    covariate: Floats


@dataclass(frozen=True, slots=True)
class Weibull:
    """Maximum likelihood: shape, scale in hours (63 % have failed by then), effect (k,) of the covariates."""

    shape: float
    scale: float
    effect: Floats

    def survival(self, age: Floats, covariate: Floats) -> Floats:
        """(n,) share that outlives ages (n,) under a covariate (k,)."""
        return np.asarray(np.exp(-((age / self.scale / np.exp(covariate @ self.effect)) ** self.shape)))


def check(lives: Lives) -> None:
    """Raises `UnknownLife` where the runs cannot tell shape, scale and effects."""
    failures, covariates = int(lives.failed.sum()), lives.covariate.shape[1]
    needed = max(FEWEST_FAILURES, FAILURES_PER_COVARIATE * covariates)
    if failures < needed:
        duty = f" for {covariates} duty columns" if covariates else ""
        raise UnknownLife(f"{failures} of {needed} failures on record{duty}")
    ended = lives.end[lives.failed]
    if ended.max() <= ended.min() * (1 + 1e-9) and ended.max() >= lives.end.max():
        raise UnknownLife(f"all {failures} failures at the same age: how lives differ cannot be told")


def fit(lives: Lives, ridge: float = RIDGE) -> Weibull:
    """Maximum likelihood with right censoring and late entry; raises `UnknownLife`.

    ridge: penalty ridge / 2 * |effect|^2 per unit of the covariates' standard deviation; 0 for none.
    """
    check(lives)
    likelihood = _Likelihood(lives, ridge)
    best = likelihood.highest(shape_power=0.0)
    effect = best[1:] / likelihood.spread
    rate = likelihood.failures / likelihood.exposure(best[None])[0]
    scale = np.exp(likelihood.unit - np.log(rate) / np.exp(best[0]) - likelihood.centre @ effect)
    return Weibull(float(np.exp(best[0])), float(scale), effect)


def shape_interval(lives: Lives, confidence: float = 0.9) -> tuple[float, float]:
    """Profile-likelihood interval of the shape, without covariates; raises `UnknownLife`.

    An end that the data leave open is that of `SHAPES`.
    """
    check(lives)
    likelihood = _Likelihood(_bare(lives), 0.0)
    best = float(likelihood.highest(shape_power=0.0)[0])
    fall = likelihood.log(np.array([[best]]), 0.0)[0] - 0.5 * float(chdtri(1, 1 - confidence))

    def above(log_shape: float) -> float:
        return float(likelihood.log(np.array([[log_shape]]), 0.0)[0] - fall)

    low, high = np.log(SHAPES)
    ends = [
        edge if above(edge) > 0 else brentq(above, min(edge, best), max(edge, best)) for edge in (low, high)
    ]
    return float(np.exp(ends[0])), float(np.exp(ends[1]))


@dataclass(frozen=True, slots=True)
class Predictive:
    """What the lives say of a machine not among them, over all shapes and effects that they leave open.

    failures: number of them. unit: log-hours that ages are measured from. scaling: (2, k) centre and spread
    of the covariates. draw: (m, 1 + k) log shape and standardised effects. weight: (m,). exposure: (m,) sum
    of the runs' ages to the power of the shape: the rate's posterior is a Gamma distribution with it, so the
    rate is integrated in closed form.
    """

    failures: int
    unit: float
    scaling: Floats
    draw: Floats
    weight: Floats
    exposure: Floats

    def survival(self, age: Floats, covariate: Floats, survived: float = 0.0) -> Floats:
        """(n,) probability to outlive ages (n,) hours, given that `survived` hours are survived."""
        z = (covariate - self.scaling[0]) / self.scaling[1]
        shift = self.unit + self.draw[:, 1:] @ z
        return np.asarray(
            self._alive(age, shift).sum(axis=1) / self._alive(np.array([survived]), shift).sum()
        )

    def _alive(self, age: Floats, shift: Floats) -> Floats:
        """(n, m) weight times the probability to outlive each age."""
        with np.errstate(divide="ignore"):
            log_power = np.exp(self.draw[:, 0]) * (np.log(age)[:, None] - shift)
        power = np.exp(np.minimum(log_power, LARGEST))
        return np.asarray(self.weight * (1.0 + power / self.exposure) ** -self.failures)


def predictive(lives: Lives) -> Predictive:
    """Bayesian prediction under the right-invariant prior 1 / spread; raises `UnknownLife`.

    Without covariates and with censoring after a number of failures it covers exactly as it says, however
    few they are (location-scale family of log t; Severini, Mukerjee and Ghosh 2002). Shapes and effects are
    drawn from a Student's t about the mode and weighted; no randomness: an additive recurrence.
    """
    check(lives)
    likelihood = _Likelihood(lives, RIDGE)
    mode = likelihood.highest(PRIOR)
    draw, log_density = _draws(mode, likelihood.curvature(mode, PRIOR))
    inside = (draw[:, 0] > np.log(SHAPES[0])) & (draw[:, 0] < np.log(SHAPES[1]))
    draw, log_density = draw[inside], log_density[inside]
    log_weight = likelihood.log(draw, PRIOR) - log_density
    weight = np.exp(log_weight - log_weight.max())
    scaling = np.stack([likelihood.centre, likelihood.spread])
    return Predictive(
        likelihood.failures, likelihood.unit, scaling, draw, weight / weight.sum(), likelihood.exposure(draw)
    )


class _Likelihood:
    """The likelihood of (log shape, standardised effects) with the rate at its best, ages near 1."""

    def __init__(self, lives: Lives, ridge: float) -> None:
        self.failures = int(lives.failed.sum())
        self.centre = lives.covariate.mean(axis=0)
        spread = lives.covariate.std(axis=0)
        self.spread = np.where(spread > 1e-12 * (1.0 + np.abs(self.centre)), spread, 1.0)
        self.unit = float(np.log(lives.end[lives.failed]).mean())
        self._z = (lives.covariate - self.centre) / self.spread
        with np.errstate(divide="ignore"):
            self._entry, self._end = np.log(lives.entry) - self.unit, np.log(lives.end) - self.unit
        self._failed, self._ridge = lives.failed, ridge

    def exposure(self, at: Floats) -> Floats:
        """(m,) sum of the runs' ages to the power of the shape, at each of (m, 1 + k)."""
        shape, shift = np.exp(at[:, :1]), at[:, 1:] @ self._z.T
        end, entry = (np.minimum(shape * (each - shift), LARGEST) for each in (self._end, self._entry))
        return np.asarray((np.exp(end) - np.exp(entry)).sum(axis=1))

    def log(self, at: Floats, shape_power: float) -> Floats:
        """(m,) log likelihood, penalised, times the shape to the `shape_power`, a prior."""
        ages = (self._end - at[:, 1:] @ self._z.T)[:, self._failed].sum(axis=1)
        shape = np.exp(at[:, 0])
        fit = (self.failures + shape_power) * at[:, 0] + shape * ages
        penalty = 0.5 * self._ridge * (at[:, 1:] ** 2).sum(axis=1)
        return np.asarray(fit - self.failures * np.log(self.exposure(at)) - penalty)

    def highest(self, shape_power: float) -> Floats:
        """(1 + k,) where it is highest."""
        start = np.zeros(1 + self._z.shape[1])
        bounds = [(np.log(SHAPES[0]), np.log(SHAPES[1]))] + [(-5.0, 5.0)] * self._z.shape[1]
        found = minimize(
            lambda at: -self.log(at[None], shape_power)[0], start, bounds=bounds, method="L-BFGS-B"
        )
        return np.asarray(found.x)

    def curvature(self, at: Floats, shape_power: float, step: float = 1e-3) -> Floats:
        """(1 + k, 1 + k) negative second derivatives, by central differences."""
        k = len(at)
        one = step * np.eye(k)
        sign = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
        pair = np.stack(np.broadcast_arrays(one[:, None], one[None, :]), axis=2)  # (k, k, 2, k)
        corner = at + np.einsum("cs,ijsk->ijck", sign, pair)
        value = self.log(corner.reshape(-1, k), shape_power).reshape(k, k, 4)
        return np.asarray(-(value @ sign.prod(axis=1)) / (4 * step**2))


def _draws(mode: Floats, curvature: Floats) -> tuple[Floats, Floats]:
    """(DRAWS, d) evenly spread Student's t about the mode, and the logarithm of their density (DRAWS,)."""
    d = len(mode)
    value, vector = np.linalg.eigh(curvature)
    root = vector / np.sqrt(np.maximum(value, 0.05))  # flat directions are still searched widely
    golden = brentq(lambda x: x ** (d + 1) - x - 1.0, 1.0, 2.0)  # Roberts (2018)
    uniform = (0.5 + np.arange(1, DRAWS + 1)[:, None] * golden ** -np.arange(1.0, d + 1)) % 1.0
    t = stdtrit(TAILS, uniform)
    return mode + t @ root.T, -0.5 * (TAILS + 1) * np.log1p(t**2 / TAILS).sum(axis=1)


def _bare(lives: Lives) -> Lives:
    return Lives(lives.entry, lives.end, lives.failed, np.zeros((len(lives.end), 0)))
