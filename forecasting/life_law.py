"""How long machines of a type last, from few lives: log-normal, beside all that the lives leave open.

It is there from one life on, as the spread of lives has a prior of its own: half-Cauchy, as Gelman (2006)
advises for a spread that few groups tell.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, logsumexp

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

USUAL_SPREAD = 0.3
"""Standard deviation of the logarithm of lives that the prior holds for usual: a third more or less."""

SPREADS = np.geomspace(0.003, 3.0, 50)
OFFSETS = 8.0 * np.sinh(np.linspace(-4.0, 4.0, 65)) / np.sinh(4.0)
"""Where spreads are looked for, and centres, in spreads from the mean of the lives that failed: the nearer,
the finer, as many lives tell it."""

UNLIKELY = -14.0
"""Laws whose likelihood is less than e to this of the best one's are left out."""

STEPS = np.geomspace(1e-3, 12.0, 200)
AGES = np.concatenate([-STEPS[::-1], [0.0], STEPS])
"""Logarithms of the ages at which survival is tabulated, from the mean of the lives that failed."""

EARLIEST = -30.0
"""Logarithm of the hours that count as no age at all."""


@dataclass(frozen=True, slots=True)
class LifeLaw:
    """log_age: (n,) increasing, of hours. log_alive: (n,) of the probability to outlive each, falling."""

    log_age: Floats
    log_alive: Floats

    def ages(self, survived: float, failed: Floats) -> Floats:
        """(m,) ages by which shares (m,) of those that survived an age have failed."""
        now = float(np.log(max(survived, np.exp(EARLIEST))))
        alive = np.interp(now, self.log_age, self.log_alive) + np.log1p(-failed)
        age = np.exp(np.maximum(np.interp(-alive, -self.log_alive, self.log_age), now))
        return np.where(failed > 0, age, survived)


def life_law(entry: Floats, end: Floats, failed: Flags) -> LifeLaw:
    """Bayesian prediction for a machine not among n: seen from age `entry` to age `end` (n,), then `failed`.

    Raises `ValueError` without a failure.
    """
    if not failed.any():
        raise ValueError("no failure: how long such machines last cannot be told")
    middle = float(np.log(end[failed]).mean())
    offset, spread = (one.ravel() for one in np.meshgrid(OFFSETS, SPREADS, indexing="ij"))
    centre = middle + offset * spread
    # a step of the centre is one of the offset times the spread, a step of the spread one of its logarithm
    step = np.repeat(np.gradient(OFFSETS), len(SPREADS)) * spread**2
    weight = np.log(step) - np.log1p((spread / USUAL_SPREAD) ** 2)
    for since, until, ended in zip(entry, end, failed, strict=True):
        z = (np.log(until) - centre) / spread
        weight += -0.5 * z**2 - np.log(spread) if ended else log_ndtr(-z)
        if since > 0:
            weight -= log_ndtr((centre - np.log(since)) / spread)
    likely = weight > weight.max() + UNLIKELY
    centre, spread, weight = centre[likely], spread[likely], weight[likely]
    beyond = (middle + AGES[:, None] - centre) / spread
    alive = logsumexp(weight + log_ndtr(-beyond), axis=1) - logsumexp(weight)
    return LifeLaw(middle + AGES, np.minimum.accumulate(alive))
