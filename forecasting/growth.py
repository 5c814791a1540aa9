"""Shapes in which a degradation level may grow, and how well each fits.

level = base + rise * ((t - onset) / (now - onset)) ** exponent after the onset, base before it, plus
first-order autoregressive noise. All onsets and exponents of a grid are fitted at once by generalised
least squares (Prais and Winsten 1954). How well each fits is its weight in the forecast (Bayesian model
averaging; Hoeting et al. 1999), so that not knowing the shape of the growth widens the interval.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEP, STRAIGHT = 0.0, 1.0
EXPONENTS = np.array([STEP, 0.5, STRAIGHT, 1.5, 2.0, 3.0, 4.0, 6.0])
"""First grid: 0 is a step that leads nowhere; an exponential resembles 4 to 6 on its way to the limit."""

ONSET_RATIO, FEWEST_GROWING = 0.85, 5
"""First grid: each onset leaves this part of the points that the one before it leaves, down to so many."""

FINE_ONSETS, FINE_EXPONENTS = 20, 10
"""Second grid, about the part of the first that fits."""

USUAL, SPREAD, SLOWEST = 1.4, 0.5, 0.5
"""Prior of the exponent (Laplace, of its logarithm): wear mostly grows a little faster than in proportion to
time; a step is as likely as the slowest growth."""

ROUNDING = 1e-6
"""Standard deviation of the level that stands for no noise at all."""

NEGLIGIBLE = 1e-4
"""A model of this weight beside the best is left out."""

MOST_CORRELATED = 0.995


@dataclass(frozen=True, slots=True)
class Fits:
    """m models on n points; times in spans of the history before now (0).

    onset, exponent, base, rise: (m,). error: (m,) residual sum of squares, infinite where the model cannot
    be told from a constant. covariance: (m, 3), of (base, rise): var(base), cov, var(rise). residual: (m, n).
    evidence: (m,) logarithm of the marginal likelihood under flat priors on base and rise.
    """

    onset: Floats
    exponent: Floats
    base: Floats
    rise: Floats
    error: Floats
    covariance: Floats
    residual: Floats
    evidence: Floats

    def weights(self, trust: float = 1.0) -> Floats:
        """The models' probabilities, 0 where negligible; trust: the part of the evidence that counts."""
        weight = np.exp(trust * (self.evidence - self.evidence.max()))
        weight[weight < NEGLIGIBLE] = 0.0
        return np.asarray(weight / weight.sum())


def candidate_onsets(time: Floats) -> Floats:
    """Onsets to try, rising: half a span before the first point, and points ever nearer to the last."""
    n = len(time)
    steps = np.arange(int(np.log(FEWEST_GROWING / n) / np.log(ONSET_RATIO)) + 1)
    left = np.unique((n * ONSET_RATIO**steps).astype(int))[::-1]
    return np.concatenate(([time[0] - 0.5 * (time[-1] - time[0])], time[n - left]))


def fit(time: Floats, level: Floats, onsets: Floats, exponents: Floats, rho: float) -> Fits:
    """Every onset with every exponent; rho: lag-1 autocorrelation of the noise, at the median step."""
    onset, exponent = np.repeat(onsets, len(exponents)), np.tile(exponents, len(onsets))
    one, y = _whitened(np.ones(len(time)), time, rho), _whitened(level, time, rho)
    u = _whitened(_shapes(time, onsets, exponents), time, rho)
    s11, s1u, suu = one @ one, u @ one, np.einsum("ij,ij->i", u, u)
    determinant = s11 * suu - s1u**2
    distinct = determinant > 1e-9 * s11 * suu
    determinant[~distinct] = 1.0
    base = (suu * (one @ y) - s1u * (u @ y)) / determinant
    rise = (s11 * (u @ y) - s1u * (one @ y)) / determinant
    residual = y - base[:, None] * one - rise[:, None] * u
    error = np.einsum("ij,ij->i", residual, residual) + len(y) * ROUNDING**2
    covariance = (error / freedom(len(y)) / determinant)[:, None] * np.stack(
        [suu, -s1u, np.full_like(suu, s11)], 1
    )
    evidence = -0.5 * freedom(len(y)) * np.log(error) - 0.5 * np.log(determinant)
    evidence[~distinct], error[~distinct] = -np.inf, np.inf
    return Fits(onset, exponent, base, rise, error, covariance, residual, evidence)


def freedom(n: int) -> int:
    """Degrees of freedom that n points leave: base, rise and autocorrelation are estimated."""
    return n - 3


def fit_finely(
    time: Floats, level: Floats, first: Fits, onsets: Floats, rho: float, trust: float = 1.0
) -> Fits:
    """Shapes about those of `first` (a fit of `onsets` with EXPONENTS) that have weight, and steps there.

    trust: the part of the points' evidence that counts, less than 1 where no shape is quite right or the
    noise has a longer memory than `rho` says (power posterior; Miller and Dunson 2019).
    """
    weight = first.weights(trust).reshape(len(onsets), len(EXPONENTS))
    growing = EXPONENTS > STEP
    low, high = _around(EXPONENTS[growing], weight[:, growing].sum(axis=0))
    exact = [STEP, STRAIGHT] if low < STRAIGHT < high else [STEP]  # a use counter is exactly straight
    exponents = np.concatenate([exact, np.linspace(low, high, FINE_EXPONENTS)])
    fine_onsets = np.linspace(*_around(onsets, weight.sum(axis=1)), FINE_ONSETS)
    fits = fit(time, level, fine_onsets, exponents, rho)
    fits.covariance[:] /= trust
    fits.evidence[:] *= trust
    fits.evidence[:] -= np.abs(np.log(np.maximum(fits.exponent, SLOWEST) / USUAL)) / SPREAD
    return fits


def autocorrelation(residual: Floats) -> float:
    """Lag-1 autocorrelation of the residual (n,) of a fit, as high as it may well be.

    Twice the bias of the estimate (Kendall 1954; the shapes tried make it worse) and two standard errors
    are added: taken too low it finds trends in noise.
    """
    n, r = len(residual), residual - residual.mean()
    rho = max(float(r[1:] @ r[:-1]) / (float(r @ r) + n * ROUNDING**2), 0.0)
    rho = min(rho + 2 * (2 + 4 * rho) / n, MOST_CORRELATED)
    return min(rho + 2 * float(np.sqrt((1 - rho**2) / n)), MOST_CORRELATED)


def _shapes(time: Floats, onsets: Floats, exponents: Floats) -> Floats:
    """(onsets * exponents, n) in [0, 1]: 0 up to the onset, 1 now."""
    u = np.clip((time - onsets[:, None]) / (time[-1] - onsets[:, None]), 0.0, 1.0)
    log = np.log(u, out=np.full_like(u, -np.inf), where=u > 0)[:, None, :]
    power = np.maximum(exponents, 1e-12)[:, None]  # so that 0 ** 0 is 0: before the step
    return np.asarray(np.exp(power * log).reshape(-1, len(time)))


def _whitened(a: Floats, time: Floats, rho: float) -> Floats:
    """Rows (..., n) without the autocorrelation of noise whose correlation is rho at the median step."""
    if rho == 0:
        return a
    step = np.diff(time)
    kept = rho ** (step / np.median(step))
    fresh = (a[..., 1:] - kept * a[..., :-1]) / np.sqrt(1 - kept**2)
    return np.concatenate([a[..., :1], fresh], axis=-1)


def _around(grid: Floats, weight: Floats) -> tuple[float, float]:
    """The part of a grid that has weight, up to its neighbours; the whole of it where nothing has."""
    at = np.flatnonzero(weight)
    if not len(at):
        return float(grid[0]), float(grid[-1])
    return float(grid[max(at[0] - 1, 0)]), float(grid[min(at[-1] + 1, len(grid) - 1)])
