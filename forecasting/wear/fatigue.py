"""Fatigue of welded steel: cycles by rainflow, damage by Palmgren and Miner, life by EN 1993-1-9."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from forecasting.rainflow import Cycles, Residues
from forecasting.wear.contract import SHARE, Lifetime, Quantity
from forecasting.wear.model import LEFT_OUT, Floats, Slots, WearModel

MOST_STRESS = 1e4


@dataclass(frozen=True, slots=True)
class SnCurve:
    """Cycles to failure by stress range (EN 1993-1-9, 7.1; from memory, not verified).

    `category` is the range in MPa that is survived 2 million times. Slope 3 up to 5 million cycles, 5 beyond,
    and ranges below that of 100 million do no damage.
    """

    category: float

    def __post_init__(self) -> None:
        if self.category <= 0:
            raise ValueError(f"a detail category is above 0 MPa, not {self.category:g}")

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
        square = ratio * ratio  # products: a power may differ in its last bit with a value's place
        cycles = 5e6 * np.where(ratio <= 1, square * ratio, square * square * ratio)
        return np.where(stress_range < self.cut_off, np.inf, cycles)

    def damage(self, cycles: Cycles) -> Floats:
        """What each of the cycles (n,), with ranges in MPa, takes from life; at a sum of 1 it is used up."""
        return cycles.count / self.life(cycles.range)


class Fatigue(WearModel):
    """Miner's sum over the cycles that have closed. Duty: stress at the detail, in MPa.

    What is still open, above all the largest range so far, is half a cycle each and not in the sum. Turning
    points in a gap are lost, and the mean of a cycle does not matter (as EN 1993-1-9 has it for welds).
    """

    NAME: ClassVar[str] = "fatigue"
    VERSION: ClassVar[int] = 1

    def __init__(self, curve: SnCurve, lifetime: Lifetime = SHARE) -> None:
        self.curve = curve
        super().__init__(lifetime, (Quantity("stress", "MPa", MOST_STRESS, low=-MOST_STRESS, load=True),))

    @classmethod
    def example(cls) -> Self:
        """A fillet weld of category 71."""
        return cls(SnCurve(71.0))

    def _new_slot(self) -> dict[str, NDArray[Any]]:
        return {**super()._new_slot(), **Residues.empty(1).arrays()}

    def _use(self, slot: Slots, what: NDArray[np.int8], step_h: Floats, x: Floats) -> Floats:
        residues = Residues(self._by_slot["points"], self._by_slot["depth"])
        seen = np.flatnonzero(what != LEFT_OUT)
        cycles, closed_by = residues.count(slot[seen], x[seen, 0])
        used = np.zeros(len(slot))
        np.add.at(used, seen[closed_by], self.curve.damage(cycles))
        return used


WEAR_MODEL: type[WearModel] = Fatigue
