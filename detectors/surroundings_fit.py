"""Learns from machines' stored hours what their surroundings explain, and tells what that leaves.

Huber's robust regression (statsmodels RLM; Huber 1964) of each channel on its surroundings, on hourly means
of several machines, each about its own median: hours of machines with a fault count for little.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from statsmodels.robust.norms import HuberT
from statsmodels.robust.robust_linear_model import RLM

from detectors.baseline import FEWEST, TINY, learn, slopes
from detectors.surroundings import LAG_H, Surroundings, terms

Floats = NDArray[np.float64]

LEAST_MACHINES = 3
"""Machines below which one with a fault would say what is normal."""

LEAST_H = 28 * 24
"""Hours on record below which weather and load have shown too little."""

MOST_HOURS = 50_000
"""Of all machines that teach, evenly: more of them tell no slope better, and take memory."""

WINDOWS = 4
"""Parts of the later half of the record, each judged by a fit to all that came before it."""

LEVEL_H = 7 * 24
"""Hours before such a part that say where a machine stands, as its first rows tell the chart."""

WORTH = 0.9
"""A channel is explained if, in the last quarter of the hours, what is left spreads at most so much."""

WEIGHT = 0.05
"""Of the chart's means; the level of a machine does not depend on it."""

SIGMA = 1.4826
"""Standard deviation of a Gaussian by its median absolute deviation."""


class Names(NamedTuple):
    """Which columns of `Weeks` are which channels."""

    channels: tuple[str, ...]
    given: tuple[str, ...]
    ambient: tuple[str, ...]


class Weeks(NamedTuple):
    """A machine's n hours on record, in order; NaN where unknown.

    hour: (n,) int64, since 1970 UTC. around: (n, s) means of its surroundings, given ones first. smoothed:
    (n, s), the same once smoothed over `LAG_H`. x: (n, m) means of the channels that may follow them.
    """

    hour: NDArray[np.int64]
    around: Floats
    smoothed: Floats
    x: Floats

    @classmethod
    def of(cls, hour: NDArray[np.int64], around: Floats, x: Floats) -> "Weeks":
        """From the means alone."""
        return cls(hour, around, _smoothed(hour, around), x)

    def between(self, first: int, last: int) -> "Weeks":
        """Those from hour `first` until before `last`."""
        some = (self.hour >= first) & (self.hour < last)
        return Weeks(self.hour[some], self.around[some], self.smoothed[some], self.x[some])

    def terms(self, usual: Floats, given: int) -> Floats:
        """(n, t), of the surroundings about the usual (s,), of which the first are `given`."""
        return terms(self.around - usual, self.smoothed - usual, given)


@dataclass(frozen=True, slots=True)
class Window:
    """What machines show from hour `first` until before `last`, by a fit to what came before.

    plain, left: (m,) robust standard deviation of each channel about where the machines stood, all machines
    together: without the fit, and with it. rival: with another one, if it had not seen these hours.
    """

    first: int
    last: int
    plain: Floats
    left: Floats
    rival: Floats | None = None


class Rival(NamedTuple):
    """A fit to compare with, and the hour until which it was learned from."""

    fit: Surroundings
    until: int


def fit(machines: Sequence[Weeks], names: Names) -> Surroundings:
    """Learn from all hours, but of those channels alone that it explains in hours not learned from.

    What the given ones explain at once is no reason: each machine's own baseline knows that row by row, which
    means over hours, in which a machine moves and rests, do not.

    Raises `ValueError` if there is too little to learn from, and says what is needed.
    """
    known = _known(machines)
    first, last = _span(known)
    asked = last - (last - first) // 4
    taught, every = [each.between(first, asked) for each in known], range(len(names.channels))
    tried, at_once = _fit(taught, names, every), _fit(taught, names, every, at_once=True)
    left, plain, own = (spread(known, by, names, asked, last) for by in (tried, None, at_once))
    return _fit(known, names, np.flatnonzero(left <= WORTH * np.fmin(plain, own)).tolist())


def held_out(machines: Sequence[Weeks], names: Names, rival: Rival | None = None) -> Iterator[Window]:
    """The later half of the record in parts, each judged by a fit to what came before; raises `ValueError`.

    So a season that a fit has not seen counts against it, as it would in operation.
    """
    known = _known(machines)
    first, last = _span(known)
    if last - first < LEAST_H:
        raise ValueError(
            f"{(last - first) / 24:.0f} days of hours are on record, {LEAST_H // 24} are needed: wait, or "
            "send history with `faultline replay`"
        )
    edges = np.linspace((first + last) // 2, last, WINDOWS + 1).astype(int).tolist()
    for begin, end in pairwise(edges):
        fitted = fit([each.between(first, begin) for each in known], names)
        plain, left = (spread(known, by, names, begin, end) for by in (None, fitted))
        beside = None
        if rival is not None and rival.until <= begin:
            beside = spread(known, rival.fit, names, begin, end)
        yield Window(begin, end, plain, left, beside)


def spread(machines: Sequence[Weeks], by: Surroundings | None, names: Names, first: int, last: int) -> Floats:
    """(m,) robust standard deviation of what is left from hour `first` until before `last`; NaN if unknown.

    It is about each machine's own level in the week before, and less its own regression there on what is
    given, as the chart would have it.
    """
    none = np.empty((0, len(names.channels)))
    left = np.concatenate([none, *(_left(each, by, names, first, last) for each in machines)])
    return SIGMA * _medians(np.abs(left))


def explained(machine: Weeks, by: Surroundings, names: Names) -> Floats:
    """(n, m) what a fit to such hours explains of a machine's, 0 of the channels that it does not explain."""
    part = np.zeros(machine.x.shape)
    where = [names.channels.index(name) for name in by.channels]
    part[:, where] = machine.terms(by.usual, len(by.given)) @ by.slope.T
    return part


def _known(machines: Sequence[Weeks]) -> list[Weeks]:
    """The machines that have hours with all of their surroundings; raises `ValueError` for too few."""
    known = [each for each in machines if np.isfinite(each.around).all(axis=1).sum() >= FEWEST]
    if len(known) < LEAST_MACHINES:
        raise ValueError(
            f"{len(known)} machines have load and weather on record, {LEAST_MACHINES} are needed: "
            "let more of them send both"
        )
    return known


def _span(machines: Sequence[Weeks]) -> tuple[int, int]:
    """The first hour and the one after the last."""
    return int(min(each.hour[0] for each in machines)), int(max(each.hour[-1] for each in machines)) + 1


def _left(machine: Weeks, by: Surroundings | None, names: Names, first: int, last: int) -> Floats:
    """(n, m) what is left of a machine's hours; none if too little is known of where it stood."""
    x = machine.x if by is None else machine.x - explained(machine, by, names)
    before = (machine.hour >= first - LEVEL_H) & (machine.hour < first)
    here = (machine.hour >= first) & (machine.hour < last)
    if before.sum() < FEWEST:
        return np.empty((0, x.shape[1]))
    rows = np.hstack([x, machine.around[:, : len(names.given)]])
    given = np.arange(rows.shape[1]) >= x.shape[1]
    normal = learn(rows[before], WEIGHT, given)
    scale = np.where(normal.scale > 0, normal.scale, 1.0)
    z = (rows[here] - normal.location) / scale
    duty = np.nan_to_num(z[:, given]) @ slopes(normal.precision, given)[:, given].T
    return np.asarray(((z - duty) * scale)[:, ~given])


def _fit(
    machines: Sequence[Weeks], names: Names, which: Sequence[int], at_once: bool = False
) -> Surroundings:
    """The regressions of the channels at these columns; `at_once`: on the given ones now alone."""
    usual = _medians(np.concatenate([each.around for each in machines]))
    found = [each.terms(usual, len(names.given)) for each in machines]
    design = np.concatenate([each - _medians(each) for each in found])
    if at_once:
        design[:, len(names.given) :] *= 0.0
    x = np.concatenate([each.x - _medians(each.x) for each in machines])
    thin = slice(None, None, 1 + len(x) // MOST_HOURS)
    slope = {k: _regression(design[thin], x[thin, k]) for k in which}
    kept = [k for k in which if slope[k].any()]
    return Surroundings(
        tuple(names.channels[k] for k in kept),
        names.given,
        names.ambient,
        usual,
        np.array([slope[k] for k in kept]).reshape(len(kept), design.shape[1]),
    )


def _regression(design: Floats, y: Floats) -> Floats:
    """Slopes of y (n,) on the columns of the design (n, p), 0 where nothing can be told."""
    slope = np.zeros(design.shape[1])
    known = np.isfinite(design).all(axis=1) & np.isfinite(y)
    if known.sum() < FEWEST * len(slope):
        return slope
    design, y = design[known], y[known]
    scale = design.std(axis=0)
    moves = scale > TINY
    if moves.any() and np.median(np.abs(y - np.median(y))) > TINY:
        columns = np.column_stack([np.ones(len(y)), design[:, moves] / scale[moves]])
        slope[moves] = RLM(y, columns, M=HuberT()).fit().params[1:] / scale[moves]
    return slope


def _smoothed(hour: NDArray[np.int64], now: Floats) -> Floats:
    """(n, s) means over the same hours of values (n, s) once smoothed over `LAG_H`.

    Within an hour a value is as its mean, and in hours that are missing as in the one after them.
    """
    mean, level = np.empty_like(now), np.full(now.shape[1], np.nan)
    decay = np.exp(-1 / LAG_H)
    missed = np.exp(-(np.diff(hour, prepend=hour[:1] - 1) - 1) / LAG_H)
    for i in range(len(hour)):
        level = np.where(np.isnan(level), now[i], level)
        level = np.where(np.isnan(now[i]), level, now[i] + (level - now[i]) * missed[i])
        mean[i] = now[i] + (level - now[i]) * LAG_H * (1 - decay)
        level = np.where(np.isnan(now[i]), level, now[i] + (level - now[i]) * decay)
    return mean


def _medians(values: Floats) -> Floats:
    """(k,) medians of the columns of (n, k) over what is known, NaN where nothing is."""
    known = [column[np.isfinite(column)] for column in values.T]
    return np.array([np.median(column) if len(column) else np.nan for column in known])
