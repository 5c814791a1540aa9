"""What of a history a trend may be drawn through: finite, in order, since the last reset, without spikes."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_POINTS = 512
OLDEST_H = 1e8
"""Ages beyond this are nonsense (11 000 years)."""

SPIKE = 5.0
"""Robust standard deviations off the median of five at which a point is replaced by it (Hampel 1974)."""

LEAP = 3.0
"""So many times as far as in any of the four steps before, the last step is not believed until the next."""

RESET, RESET_SIGMA = 0.1, 8.0
"""A fall of the level by this much, and by so many robust standard deviations of its steps, is a repair."""

MAD_TO_SIGMA = 1.4826


def usable(age: Floats, level: Floats) -> tuple[Floats, Floats]:
    """Of points (n,) in order those since the last reset, at most MOST_POINTS, cut to [-1, 2], no spikes."""
    level = _without_spikes(np.clip(level, -1.0, 2.0))
    start = _last_reset(level)
    stride = -(-(len(age) - start) // MOST_POINTS) or 1
    return age[start:][::-1][::stride][::-1], level[start:][::-1][::stride][::-1]


def in_order(age_h: Floats, x: Floats) -> tuple[Floats, Floats]:
    """Copies of the rows (n,), (n, k) that are finite and older than all before them."""
    age, x = np.asarray(age_h, np.float64), np.asarray(x, np.float64)
    finite = np.isfinite(x).all(axis=1) & np.isfinite(age) & (np.abs(np.nan_to_num(age)) < OLDEST_H)
    age, x = age[finite], x[finite]
    later = age > np.concatenate([[-np.inf], np.maximum.accumulate(age)])[:-1]
    return age[later], x[later]


def _without_spikes(level: Floats) -> Floats:
    """Single wild points replaced, each judged by the points about it, the last by the steps before it."""
    if len(level) < 7:
        return level
    middle = np.median(np.lib.stride_tricks.sliding_window_view(level, 5), axis=1)
    off = level[2:-2] - middle
    reach = SPIKE * _sigma(off)
    clean = level.copy()
    clean[2:-2] = np.where(np.abs(off) > reach, middle, level[2:-2])
    near_end = float(np.median(level[-3:]))
    if abs(level[-2] - near_end) > reach:
        clean[-2] = near_end
    *before, last = np.abs(np.diff(clean[-6:]))
    if last > reach and last > LEAP * max(before):
        clean[-1] = clean[-2]
    return clean


def _last_reset(level: Floats) -> int:
    """Index of the first point after the last repair."""
    step = np.diff(level)
    if not len(step):
        return 0
    fallen = np.flatnonzero(step < -max(RESET, RESET_SIGMA * _sigma(step)))
    return int(fallen[-1]) + 1 if len(fallen) else 0


def _sigma(deviation: Floats) -> float:
    return MAD_TO_SIGMA * float(np.median(np.abs(deviation - np.median(deviation))))
