"""The looks at a level: it follows a machine that looks well, and stands still while the machine is odd."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.kernels import kernel
from detectors.tail_table import tail

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

TOO_ODD = 2.0
"""Score above which a row does not teach what is normal: a machine may be faulty from the beginning."""


class Levels(NamedTuple):
    """The arrays of `MovingNormal` that looks change, over cells."""

    since: Ints
    odd: Ints
    strayed: Floats
    excess: Floats
    first: Floats
    moved: Floats
    told: Floats
    total: Floats
    candidate: Floats


class Pace(NamedTuple):
    """step: rows between two looks. gain: the part of the way that a level goes at each. looks: in a learning
    period. table: of one `tail` for each number of channels.
    """

    step: int
    gain: np.float32
    looks: int
    table: Floats


@kernel
def part(excess: np.float32) -> np.float32:
    """How much of T² counts where a machine strays so much more from its level than was learned."""
    return np.float32(1) / (np.float32(1) + excess)


@kernel
def look(
    cell: int,
    score: float,
    judged: int,
    normal: tuple[Floats, Floats, Floats],
    seen: tuple[Floats, Floats, Floats],
    levels: Levels,
    pace: Pace,
) -> bool:
    """At the end of a step: follow the machine, or sum up how odd it is; whether there is nothing to tell.

    judged: how many channels are. normal: location, inverse scale and precision of the cell. seen: the slot's
    means, cut and uncut, and the latest deviations, NaN where there are none.
    """
    if not np.isfinite(score):
        return True
    if score > TOO_ODD:
        away = seen[1] - levels.candidate[cell]
        levels.odd[cell] += 1
        levels.total[cell] += seen[1]
        levels.strayed[cell] += _turned(normal[2], away, np.empty_like(away)) / np.float32(judged)
        return bool(levels.odd[cell] % pace.looks != 0)
    levels.odd[cell] = 0
    levels.total[cell] = 0
    _follow(cell, normal[0], normal[1], seen, levels, pace.gain)
    return _untold(cell, normal[2], levels, pace.table[judged]) <= TOO_ODD


@kernel
def _follow(
    cell: int,
    location: Floats,
    inverse_scale: Floats,
    seen: tuple[Floats, Floats, Floats],
    levels: Levels,
    gain: np.float32,
) -> None:
    """Go a part of the way to where the machine is, channel by channel, and measure from there."""
    ewma, unclipped, latest = seen
    first, moved = levels.first[cell], levels.moved[cell]
    for k in range(len(location)):
        way = gain * ewma[k]
        to = first[k] + (moved[k] + way) / inverse_scale[k]
        if latest[k] == latest[k] and abs(to) < np.inf:
            location[k] = to
            moved[k] += way
            ewma[k] -= way
            unclipped[k] -= way


@kernel
def _untold(cell: int, precision: Floats, levels: Levels, table: Floats) -> float:
    """How odd a machine at the present level would once have been: where the level was when last told."""
    away = levels.moved[cell] - levels.told[cell]
    size = _turned(precision, away, np.empty_like(away))
    return float(tail(table, size * part(levels.excess[cell])))


@kernel
def way_back(precision: Floats, moved: Floats, clip: np.float32, away: Floats, turned: Floats) -> np.float32:
    """From the present level to the first: a = `away`, P a = `turned`; returns a'Pa.

    T² about the first level is (e + a)'P(e + a). a is cut as deviations are, so a level that jumps leaves the
    machine as far from the first one as it was.
    """
    for k in range(len(moved)):
        away[k] = min(max(moved[k], -clip), clip)
    return _turned(precision, away, turned)


@kernel
def _turned(matrix: Floats, vector: Floats, product: Floats) -> np.float32:
    """Write matrix vector to `product`; returns vector' matrix vector. In plain order: equal to the bit."""
    product[:] = 0
    for k in range(len(vector)):
        for j in range(len(vector)):
            product[j] += matrix[k, j] * vector[k]
    total = np.float32(0)
    for k in range(len(vector)):
        total += vector[k] * product[k]
    return total
