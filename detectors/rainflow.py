"""Counting load cycles (ASTM E1049-85, 5.4.4) and the damage they do (Palmgren-Miner, EN 1993-1-9).

What a history leaves open is its residue, a few dozen turning points however long it was: that is all the
state there is, so a history may come in pieces.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.kernels import kernel

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cycles:
    """Cycles in the order in which they close. range, mean: (n,), in the signal's unit. count: 1 or .5."""

    range: Floats
    mean: Floats
    count: Floats


@dataclass(frozen=True, slots=True)
class SnCurve:
    """Cycles to failure by stress range (EN 1993-1-9, 7.1; from memory): two slopes and a cut-off.

    `category` is the range in MPa that is survived 2 million times. Slope 3 up to 5 million cycles, 5 beyond,
    and ranges below that of 100 million do no damage.
    """

    category: float

    @property
    def knee(self) -> float:
        """The range at 5 million cycles, constant-amplitude limit, in MPa."""
        return self.category * float((2 / 5) ** (1 / 3))

    @property
    def cut_off(self) -> float:
        """The range at 100 million cycles, in MPa."""
        return self.knee * float((5 / 100) ** (1 / 5))

    def life(self, stress_range: Floats) -> Floats:
        """Cycles to failure of each range in MPa, (n,); infinite below the cut-off."""
        ratio = self.knee / np.maximum(stress_range, self.cut_off)
        cycles = 5e6 * np.where(ratio <= 1, ratio**3, ratio**5)
        return np.where(stress_range < self.cut_off, np.inf, cycles)


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


def damage(cycles: Cycles, curve: SnCurve) -> float:
    """Miner's sum of what the cycles, with ranges in MPa, take from life; at 1 it is used up."""
    return float(np.sum(cycles.count / curve.life(cycles.range)))


@kernel
def _count(series: Floats, stack: Floats, depth: int, closed: Floats) -> tuple[int, int]:
    """Push the series onto the stack of turning points; returns its depth and how many cycles closed.

    The newest point on the stack may still move on; a range counts once what follows it is as large.
    """
    found = 0
    for value in series:
        if depth > 0 and value == stack[depth - 1]:
            continue
        if depth > 1 and (stack[depth - 1] - stack[depth - 2]) * (value - stack[depth - 1]) > 0:
            stack[depth - 1] = value
        else:
            stack[depth] = value
            depth += 1
        while depth > 2:
            latest = abs(stack[depth - 1] - stack[depth - 2])
            inner = abs(stack[depth - 2] - stack[depth - 3])
            if latest < inner:
                break
            closed[found, 0] = inner
            closed[found, 1] = (stack[depth - 2] + stack[depth - 3]) / 2
            if depth == 3:  # it begins with the history's first point: half a cycle, which is then dropped
                closed[found, 2] = 0.5
                stack[0], stack[1] = stack[1], stack[2]
                depth = 2
            else:
                closed[found, 2] = 1.0
                stack[depth - 3] = stack[depth - 1]
                depth -= 2
            found += 1
    return depth, found
