"""A working day of a machine that people drive: when it does what."""

from dataclasses import dataclass

import numpy as np

from streams.simulator.dynamics import Array, Flags, Indices
from streams.simulator.machine import Block


@dataclass(frozen=True, slots=True)
class Spells:
    """What a machine does, in order. start, end: (s,) seconds of the day; kind: (s,) index."""

    start: Array
    end: Array
    kind: Indices

    def at(self, clock_s: Array) -> tuple[Indices, Flags]:
        """The latest spell at each instant (n,), 0 before the first, and whether it still goes on."""
        latest = np.searchsorted(self.start, clock_s, side="right") - 1
        known = np.maximum(latest, 0)
        return known, (latest >= 0) & (self.end[known] > clock_s)


def hours_of_work(block: Block, rng: np.random.Generator) -> tuple[tuple[float, float], ...]:
    """Begin and end of the morning and the afternoon, in seconds of the day; none on a Sunday."""
    if block.weekday == 6:
        return ()
    late = rng.uniform(-600, 600, 4)
    begin, noon, one, end = np.array([7.0, 12.0, 13.0, 17.5]) * 3600 + late
    return (float(begin), float(noon)), (float(one), float(end))
