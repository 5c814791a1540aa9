"""How what is normal for a machine moves once it is learned: slowly by itself, or at once; both are told.

The level moves, channel by channel; correlation never does. While a machine looks odd its level stands still,
so a fault is not learned. One that has settled at another level for long is taken at its word. By then it has
shown how far it strays from there: if that is more than was learned, its T² counts for less from then on.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.slots import grown, wider

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

LOOKS = 6
"""Looks at a cell's level in a learning period: with two, what stands still looks as if it moved."""

CLOSEST = 64
"""Rows between two looks, at least: the means of the default weight have forgotten by then."""

SLOWNESS = 8
"""Learning periods in which a level that looks normal goes two thirds of the way to where the machine is."""

GAIN = 1 / (SLOWNESS * LOOKS)
"""The part of the way that it goes at each look."""

LONG = 4
"""Learning periods for which an odd machine must have stood still before that can be its new normal."""

SETTLED = 0.2
"""How far it may move meanwhile, as a part of how far away it is: less than a steady deterioration does
until it has lasted for fifteen learning periods."""

STRAYING = 2.0
"""The mean square is that of three learning periods; what walks at random has twice that at their end."""

MOST_EXCESS = 8.0
"""Deviations count for a third at the least, or the next stage of a fault would never be seen."""


def step(baseline: int) -> int:
    """Rows between two looks, where so many rows teach what is normal."""
    return max(baseline // LOOKS, CLOSEST)


@dataclass(frozen=True, slots=True)
class Moved:
    """What is normal for a slot in a regime is no longer what was told last, at `row` of the update.

    jumped: it had settled there while it was odd; else it came slowly. before, after: (channels,) levels in
    the channels' units, NaN where not judged. scale: (channels,), their standard deviations. excess: T² is
    divided by one and this from then on, as the machine strays so much more from there than was learned.
    """

    row: int
    slot: int
    regime: int
    jumped: bool
    before: Floats
    after: Floats
    scale: Floats
    excess: float

    def of(self, channels: NDArray[np.int64]) -> "Moved":
        """The same, told of those channels alone."""
        levels = self.before[channels], self.after[channels], self.scale[channels]
        return Moved(self.row, self.slot, self.regime, self.jumped, *levels, self.excess)


@dataclass
class MovingNormal:
    """Arrays over cells (`detectors.cells`), in standard deviations but for `first` and the next two.

    since: (cells,) rows since the last look, a whole step if there is something to tell. odd: (cells,) looks
    in a row at which the machine was odd, since it stood still at `candidate`. strayed: (cells,) sum of T² a
    channel about the candidate since then. excess: (cells,) as `Moved` has it. first: (cells, channels) level
    as learned, in the channels' units. moved: how far the level is from there; told: and was, when that was
    told last. total: sum of what the odd machine showed at the looks of this learning period.
    """

    since: Ints
    odd: Ints
    strayed: Floats
    excess: Floats
    first: Floats
    moved: Floats
    told: Floats
    total: Floats
    candidate: Floats

    @classmethod
    def of(cls, cells: int, channels: int) -> "MovingNormal":
        """Nothing has moved, as nothing is learned."""
        since, odd = np.zeros((2, cells), np.int32)
        strayed, excess = np.zeros((2, cells), np.float32)
        wide = [np.zeros((cells, channels), np.float32) for _ in range(5)]
        wide[0][:] = np.nan
        return cls(since, odd, strayed, excess, *wide)

    def reach(self, cells: int) -> None:
        """Make room for that many cells."""
        for each in fields(self):
            array: NDArray[Any] = getattr(self, each.name)
            setattr(self, each.name, grown(array, cells, np.nan if each.name == "first" else 0))

    def widen(self, channels: int) -> None:
        """Make room for channels of which nothing is known."""
        for each in fields(self):
            array: NDArray[Any] = getattr(self, each.name)
            if array.ndim > 1:
                fill = np.nan if each.name == "first" else 0.0
                setattr(self, each.name, wider(array, 1, channels, fill))

    def begin(self, cell: int, location: Floats, inverse_scale: Floats) -> None:
        """Channels that were learned just now begin where they are."""
        fresh = (inverse_scale > 0) & np.isnan(self.first[cell])
        self.first[cell, fresh] = location[fresh]

    def renew(self, cell: int) -> None:
        """Nothing is known of the cell any more."""
        for each in fields(self):
            getattr(self, each.name)[cell] = np.nan if each.name == "first" else 0

    def settled(self, cell: int, precision: Floats) -> Floats | None:
        """At the end of a learning period of oddness: how far away the machine has settled, if it has."""
        level, since = self.total[cell] / LOOKS, self.candidate[cell].copy()
        self.total[cell] = 0.0
        moving = _size(level - since, precision) > SETTLED * _size(level, precision)
        if moving or self.odd[cell] == LOOKS:
            self.candidate[cell], self.odd[cell], self.strayed[cell] = level, LOOKS, 0.0
        return level if self.odd[cell] >= LONG * LOOKS else None

    def spread(self, cell: int) -> None:
        """Take note of how far the machine has strayed from where it has settled.

        The candidate is the mean of as many looks as there are in a learning period, and strays as well.
        """
        seen = self.strayed[cell] / (self.odd[cell] - LOOKS) * LOOKS / (LOOKS + 1)
        self.excess[cell] = min(STRAYING * max(seen - 1.0, 0.0), MOST_EXCESS)

    def start_over(self, cell: int) -> None:
        """All that moved is told."""
        self.told[cell] = self.moved[cell]
        self.since[cell] = self.odd[cell] = 0
        self.total[cell] = self.candidate[cell] = 0.0

    def arrays(self, order: Ints) -> dict[str, NDArray[Any]]:
        """Cells in that order as arrays to save."""
        return {f"moving_{each.name}": getattr(self, each.name)[order] for each in fields(self)}

    @classmethod
    def restore(cls, saved: dict[str, NDArray[Any]]) -> "MovingNormal":
        """The inverse of `arrays`, which it takes out of what was saved; raises `ValueError`."""
        found = cls(*(saved.pop(f"moving_{each.name}") for each in fields(cls)))
        if len({len(getattr(found, each.name)) for each in fields(cls)}) != 1:
            raise ValueError("its levels are of different numbers of cells")
        return found


def _size(deviation: Floats, precision: Floats) -> float:
    return float(np.sqrt(deviation @ precision.astype(np.float64) @ deviation))
