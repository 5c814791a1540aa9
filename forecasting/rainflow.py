"""Counting load cycles (ASTM E1049-85, 5.4.4).

What a history leaves open is its residue, a few dozen turning points however long it was: that is all the
state there is, so a history may come in pieces.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from forecasting.kernels import kernel

Floats = NDArray[np.float64]

MOST_OPEN = 64
"""Turning points kept of a machine. Of more, the oldest range counts as half a cycle: that takes as many
swings one after the other, each smaller than the one before."""


@dataclass(frozen=True, slots=True)
class Cycles:
    """Cycles in the order in which they close. range, mean: (n,), in the signal's unit. count: 1 or .5."""

    range: Floats
    mean: Floats
    count: Floats


@dataclass(frozen=True, slots=True)
class Residues:
    """What is open of many histories, by slot. points: (slots, MOST_OPEN). depth: (slots,) how many are."""

    points: Floats
    depth: NDArray[np.int64]

    @classmethod
    def empty(cls, slots: int) -> Self:
        """Of histories that have not begun."""
        return cls(np.zeros((slots, MOST_OPEN)), np.zeros(slots, np.int64))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Both arrays by name."""
        return {"points": self.points, "depth": self.depth}

    def count(self, slot: NDArray[np.int32], values: Floats) -> tuple[Cycles, NDArray[np.int64]]:
        """Go on with values (n,), none missing; returns the cycles that close and which value closed each."""
        room = len(values) + int(self.depth[np.unique(slot)].sum())
        closed, by = np.empty((room, 3)), np.empty(room, np.int64)
        found = _count_by_slot(slot, values, self.points, self.depth, closed, by)
        return Cycles(*closed[:found].T.copy()), by[:found].copy()


def count(series: NDArray[np.floating], residue: Floats | None = None) -> tuple[Cycles, Floats]:
    """The cycles that close in a series (n,) that goes on from a residue; returns them and the new residue.

    Missing values are left out. The first half cycles, which ASTM counts as soon as they begin with the
    history's first point, close here too.
    """
    finite = np.asarray(series, np.float64)
    finite = finite[np.isfinite(finite)]
    before = np.empty(0) if residue is None else residue
    stack = np.empty(len(before) + len(finite))
    stack[: len(before)] = before
    closed = np.empty((len(stack), 3))
    depth, found = _count(finite, stack, len(before), closed)
    return Cycles(*closed[:found].T.copy()), stack[:depth].copy()


def open_half_cycles(residue: Floats) -> Cycles:
    """What the residue is worth if the history ends here: each range is half a cycle (5.4.4, step 6)."""
    ranges = np.abs(np.diff(residue))
    moves = ranges > 0
    return Cycles(ranges[moves], (residue[:-1] + residue[1:])[moves] / 2, np.full(int(moves.sum()), 0.5))


@kernel
def _count(series: Floats, stack: Floats, depth: int, closed: Floats) -> tuple[int, int]:
    """Push the series onto the stack of turning points; returns its depth and how many cycles closed."""
    found = 0
    for value in series:
        depth, found = _push(value, stack, depth, closed, found)
    return depth, found


@kernel
def _count_by_slot(
    slot: NDArray[np.int32],
    values: Floats,
    points: Floats,
    depth: NDArray[np.int64],
    closed: Floats,
    by: NDArray[np.int64],
) -> int:
    found = 0
    for row in range(len(values)):
        before = found
        depth[slot[row]], found = _push(values[row], points[slot[row]], depth[slot[row]], closed, found)
        by[before:found] = row
    return found


@kernel
def _push(value: float, stack: Floats, depth: int, closed: Floats, found: int) -> tuple[int, int]:
    """One more value. The newest point may still move on; a range counts once what follows it is as large."""
    if depth > 0 and value == stack[depth - 1]:
        return depth, found
    if depth > 1 and (stack[depth - 1] - stack[depth - 2]) * (value - stack[depth - 1]) > 0:
        stack[depth - 1] = value
    else:
        if depth == len(stack):
            depth = _drop_first(stack, depth, closed, found)
            found += 1
        stack[depth] = value
        depth += 1
    while depth > 2:
        latest = abs(stack[depth - 1] - stack[depth - 2])
        inner = abs(stack[depth - 2] - stack[depth - 3])
        if latest < inner:
            break
        if depth == 3:  # it begins with the history's first point
            depth = _drop_first(stack, depth, closed, found)
        else:
            _close(stack[depth - 2], stack[depth - 3], 1.0, closed, found)
            stack[depth - 3] = stack[depth - 1]
            depth -= 2
        found += 1
    return depth, found


@kernel
def _drop_first(stack: Floats, depth: int, closed: Floats, found: int) -> int:
    """The oldest range is half a cycle, and its first point goes; returns the depth."""
    _close(stack[0], stack[1], 0.5, closed, found)
    stack[: depth - 1] = stack[1:depth].copy()
    return depth - 1


@kernel
def _close(a: float, b: float, count: float, closed: Floats, found: int) -> None:
    closed[found, 0] = abs(a - b)
    closed[found, 1] = (a + b) / 2
    closed[found, 2] = count
