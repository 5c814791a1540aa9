"""Whether what a model sees now still looks like what it was fitted on."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

BINS = 10


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
