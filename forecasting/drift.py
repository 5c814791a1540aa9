"""Whether what a model sees, and how far it errs, is still as it was when it was fitted."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

BINS = 10

PROFILE = 5
"""Bins of hours left, in each of which forecasts err alike."""


def decile_edges(values: ArrayLike) -> list[float]:
    """The inner edges (at most `BINS` - 1) of equally full bins; none for no values."""
    known = np.asarray(values, np.float64)
    if not len(known):
        return []
    return sorted(set(np.quantile(known, np.arange(1, BINS) / BINS).tolist()))


def stability_index(then: Sequence[float], edges: Sequence[float], now: ArrayLike) -> float:
    """Population stability index of the values `now` against the shares `then` of each bin between `edges`.

    0 is no shift. An empty bin counts as half a value.
    """
    values = np.asarray(now, np.float64)
    count = np.bincount(np.searchsorted(np.asarray(edges), values), minlength=len(edges) + 1)
    share = np.maximum(count, 0.5) / max(len(values), 1)
    before = np.maximum(np.asarray(then, np.float64), 0.5 / max(len(values), 1))
    return float(np.sum((share - before) * np.log(share / before)))


def shares(edges: Sequence[float], values: ArrayLike) -> list[float]:
    """The share of values in each bin between `edges`."""
    known = np.asarray(values, np.float64)
    count = np.bincount(np.searchsorted(np.asarray(edges), known), minlength=len(edges) + 1)
    return [float(share) for share in count / max(len(known), 1)]


def error_profile(left_h: ArrayLike, error_h: ArrayLike) -> dict[str, list[float]]:
    """How far forecasts (n,) erred at how many hours left: means over at most `PROFILE` equally full bins."""
    left, error = np.asarray(left_h, np.float64), np.asarray(error_h, np.float64)
    parts = [part for part in np.array_split(np.argsort(left, kind="stable"), PROFILE) if len(part)]
    return {
        "left_h": [round(float(left[part].mean()), 3) for part in parts],
        "error_h": [round(float(error[part].mean()), 3) for part in parts],
    }


def expected_error(profile: Mapping[str, Sequence[float]], left_h: ArrayLike) -> Floats:
    """Errors (n,) in hours that a profile, not an empty one, lets one expect at so many hours left (n,).

    Errors grow with the life that is left: compared without regard to it, a model that was asked earlier in
    lives would look worse than it was.
    """
    return np.interp(np.asarray(left_h, np.float64), profile["left_h"], profile["error_h"])
