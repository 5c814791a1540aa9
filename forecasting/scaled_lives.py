"""The model behind `ScaledLife`: wear goes along the lives on record, each at a pace of its own.

If an asset will have lasted a life T, it is now at the part age / T of it, and what it shows is compared with
what those that failed showed at the same parts of theirs (similarity of trajectories, after Wang, Yu, Siegel
and Lee, PHM 2008, in scaled time). How likely each T is beforehand, the law of the lives says.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from forecasting.life_law import LifeLaw, life_law

Floats = NDArray[np.float64]

POINTS = 256
"""Steps in which a life is kept."""

WINDOWS = np.array([0.0, 0.5, 0.9, 0.99, 1.0])
"""What an asset shows is its mean over each of these parts of its age: the nearer to now, the finer."""

PARTS = np.array([0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99])
"""Of each life on record, at which is learned what wear is worth."""

TRUST = np.array([0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0])
"""What likeness may be worth: none (the law alone) up to that of so many independent looks."""

SHARES = np.concatenate([[0.0], expit(np.linspace(-10.0, 8.0, 400))[1:-1], [0.9999]])
"""The law's shares between which lives are weighed: fine at both ends."""

LEAST_GAIN = 1e-3
"""However unlikely the true life became by looking at wear, it counts as no less likely than so many times
before."""

SLIGHT = 1e-9
"""No part of a life is smaller where a mean is taken."""


@dataclass(frozen=True, slots=True)
class Rows:
    """One asset: rows x (n, k) at ages (n,) in hours, usable and in order, the last age above 0."""

    age: Floats
    x: Floats
    failed: bool = True

    def sums(self, at: Floats) -> Floats:
        """(m, k) integral of x over the part of the age up to each of `at` (m,), from 0 to 1.

        Between rows x changes evenly; before the first one it is as there.
        """
        part = np.concatenate([[0.0], np.maximum(self.age, 0.0) / self.age[-1]])
        x = np.vstack([self.x[:1], self.x])
        steps = np.diff(part)[:, None] * (x[1:] + x[:-1]) / 2
        total = np.vstack([np.zeros(x.shape[1]), np.cumsum(steps, axis=0)])
        return np.column_stack([np.interp(at, part, column) for column in total.T])


@dataclass(frozen=True, slots=True)
class Ahead:
    """What may be left: hours (n + 1,) ascending, and the probability (n,) between each two."""

    hours: Floats
    chance: Floats

    def quantiles(self, probabilities: Floats) -> Floats:
        """(q,) hours left."""
        return np.interp(probabilities, np.concatenate([[0.0], np.cumsum(self.chance)]), self.hours)


@dataclass(frozen=True, slots=True)
class ScaledLives:
    """curve: (lives, POINTS + 1, k) integral of each failed life's rows over the part of the life so far.

    noise: (k,) mean squared difference between two lives at the same part, 0 for a column that says nothing.
    trust: (t,) probability of each of `TRUST`.
    """

    law: LifeLaw
    curve: Floats
    noise: Floats
    trust: Floats

    def ahead(self, rows: Rows) -> Ahead:
        """What may be left to an asset after its last row."""
        age, shown = float(rows.age[-1]), np.diff(rows.sums(WINDOWS), axis=0) / np.diff(WINDOWS)[:, None]
        edges, beforehand = _beforehand(self.law, age)
        life = (edges[1:] + edges[:-1]) / 2
        likely = _likelihood(_unlikeness(shown, age / life, self.curve, self.noise))
        return Ahead(edges - age, self.trust @ _normalised(beforehand * likely))


def learn(runs: Sequence[Rows]) -> ScaledLives:
    """The model of ended and censored lives; raises `ValueError` without a failure.

    Censored ones tell how long lives are. What wear is worth is averaged over what it would have been worth
    for each failed life, had only the others been on record (Bayesian model averaging; a life counts once).
    """
    curve = np.array([run.sums(np.linspace(0.0, 1.0, POINTS + 1)) for run in runs if run.failed])
    shown = _means(curve, np.outer(PARTS, WINDOWS))
    noise = _noise(shown)
    return ScaledLives(_law(runs), curve, noise, _trust(runs, curve, shown, noise))


def _trust(runs: Sequence[Rows], curve: Floats, shown: Floats, noise: Floats) -> Floats:
    """(t,) probability of each of `TRUST`; the law alone where there is nobody to compare with."""
    failed = [number for number, run in enumerate(runs) if run.failed]
    if len(failed) < 2:
        return np.asarray(TRUST == 0.0, np.float64)
    gain = np.zeros(len(TRUST))
    for life, number in enumerate(failed):
        law = _law([*runs[:number], *runs[number + 1 :]])
        others, end = np.delete(curve, life, axis=0), float(runs[number].age[-1])
        seen = zip(PARTS, shown[life], strict=True)
        gain += np.mean([_gain(law, others, noise, end, *one) for one in seen], axis=0)
    return _normalised(np.exp(gain - gain.max()))


def _law(runs: Sequence[Rows]) -> LifeLaw:
    return life_law(
        np.array([max(float(run.age[0]), 0.0) for run in runs]),
        np.array([run.age[-1] for run in runs]),
        np.array([run.failed for run in runs], np.bool_),
    )


def _gain(law: LifeLaw, curve: Floats, noise: Floats, end: float, part: float, shown: Floats) -> Floats:
    """(t,) logarithm of how much likelier the true end was for a look at the wear, by each trust."""
    age = part * end
    edges, beforehand = _beforehand(law, age)
    likely = _likelihood(_unlikeness(shown, 2 * age / (edges[1:] + edges[:-1]), curve, noise))
    true = min(int(np.searchsorted(edges[1:], end)), len(beforehand) - 1)
    gain = _normalised(beforehand * likely)[:, true] / beforehand[true]
    return np.asarray(np.log(gain + LEAST_GAIN))


def _beforehand(law: LifeLaw, age: float) -> tuple[Floats, Floats]:
    """Edges (n + 1,) of the lives that an asset of an age may have, and how likely each (n,) between is.

    An asset is met at any part of its life as likely as at any other, so each life counts once, however long:
    hence the division.
    """
    edges = law.ages(age, SHARES)
    return edges, _normalised(np.diff(SHARES) / (edges[1:] + edges[:-1]))


def _likelihood(unlikeness: Floats) -> Floats:
    """(t, n) by each trust, as a mean over the lives (lives, n) compared with."""
    off = 0.5 * (unlikeness - unlikeness.min())
    return np.array([np.exp(-trust * off).mean(axis=0) for trust in TRUST])


def _unlikeness(shown: Floats, part: Floats, curve: Floats, noise: Floats) -> Floats:
    """(lives, n) squared distance, in noises, of what an asset shows (w, k) from lives at parts (n,)."""
    heard = noise > 0
    off = shown[:, heard] - _means(curve[:, :, heard], np.outer(part, WINDOWS))
    return np.asarray((off**2 / noise[heard]).mean(axis=2).sum(axis=-1))


def _means(curve: Floats, edges: Floats) -> Floats:
    """(lives, n, w, k) of the curves between neighbouring parts of the life (n, w + 1)."""
    at = np.maximum(edges, SLIGHT * np.arange(edges.shape[1])) * POINTS
    low = np.minimum(at.astype(np.int64), POINTS - 1)
    share = (at - low)[..., None]
    total = curve[:, low] * (1 - share) + curve[:, low + 1] * share
    return np.asarray(np.diff(total, axis=2) / (np.diff(at) / POINTS)[..., None])


def _noise(shown: Floats) -> Floats:
    """(k,) mean squared difference of two lives, of what each shows (lives, parts, w, k)."""
    if len(shown) < 2:
        return np.zeros(shown.shape[-1])
    return np.asarray(2 * shown.var(axis=0, ddof=1).mean(axis=(0, 1)))


def _normalised(weight: Floats) -> Floats:
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))
