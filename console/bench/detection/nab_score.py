"""The NAB score (Lavin and Ahmad 2015, arXiv:1510.03336; numenta/NAB v1.1, nab/sweeper.py and optimizer.py).

A detection in a labelled window counts by how early it is, outside one by how far behind the last. One
threshold for the whole corpus is the best there is for a profile: that is the published protocol, which every
published score enjoys too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PROBATION = 0.15
"""Share of a series that is not scored, of its first 5000 rows at most."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Profile:
    """What a false and a missed detection cost; a right one is worth 1 at most."""

    false: float
    missed: float


PROFILES: Mapping[str, Profile] = {
    "standard": Profile(0.11, 1.0),
    "low_fp": Profile(0.22, 1.0),
    "low_fn": Profile(0.11, 2.0),
}


@dataclass(frozen=True, slots=True)
class NabSeries:
    """score: (n,), higher is odder, never NaN. windows: first and last row of each labelled one, in order."""

    score: Floats
    windows: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class NabScore:
    """0 is to find nothing, 100 everything at once. `threshold` is the best one, which the score reaches."""

    score: float
    threshold: float


def nab_score(corpus: Sequence[NabSeries], profile: Profile) -> NabScore:
    """The corpus' score at its best threshold."""
    worth, score, window = _points(corpus, profile)
    windows = sum(len(series.windows) for series in corpus)
    order = np.argsort(-score, kind="stable")
    best, threshold = -windows * profile.missed, np.inf
    reached = np.full(windows, -profile.missed)
    total = best
    for at, point in enumerate(order.tolist()):
        if window[point] < 0:
            total += worth[point]
        elif worth[point] > reached[window[point]]:
            total += worth[point] - reached[window[point]]
            reached[window[point]] = worth[point]
        last = at + 1 == len(order) or score[order[at + 1]] != score[point]
        if last and total > best:
            best, threshold = total, float(score[point])
    perfect, worst = windows, -windows * profile.missed
    return NabScore(100 * (best - worst) / (perfect - worst), threshold)


def _points(corpus: Sequence[NabSeries], profile: Profile) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """All scored points: what a detection there is worth, its score, its window's number or -1."""
    worth, score, window = list[Floats](), list[Floats](), list[NDArray[np.int64]]()
    number = 0
    for series in corpus:
        n = len(series.score)
        begin = int(np.ceil(min(np.floor(PROBATION * n), PROBATION * 5000)))
        value, inside = _worth(n, series.windows, profile)
        worth.append(value[begin:])
        score.append(series.score[begin:])
        window.append(np.where(inside < 0, -1, inside + number)[begin:])
        number += len(series.windows)
    return np.concatenate(worth), np.concatenate(score), np.concatenate(window)


def _worth(n: int, windows: Sequence[tuple[int, int]], profile: Profile) -> tuple[Floats, NDArray[np.int64]]:
    """What a detection at each row is worth, and the window that it is in."""
    row = np.arange(n)
    worth, inside = np.full(n, -profile.false), np.full(n, -1)
    for number, (first, last) in enumerate(windows):
        width = last - first + 1
        behind = row > last
        past = (row[behind] - last) / max(width - 1, 1)
        worth[behind] = np.where(past > 3, -1.0, _sigmoid(past)) * profile.false
        within = slice(first, last + 1)
        worth[within] = _sigmoid(-(last - row[within] + 1) / width) / _sigmoid(np.array(-1.0))
        inside[within] = number
    return worth, inside


def _sigmoid(position: Floats) -> Floats:
    """1 at the far left, 0 at a window's right edge, -1 far behind it."""
    return np.asarray(-np.tanh(2.5 * position))  # 2 sigmoid(-5 x) - 1
