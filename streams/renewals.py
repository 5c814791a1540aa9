"""When machines start over: at their first row after each repair, service or failure on record."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.slots import NEVER, grown

Instants = Mapping[int, Sequence[int]]
"""Microseconds at which each slot's machine, or each asset, was renewed, in order."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """A machine that starts over at `row`, as it was renewed at that instant, however late that was heard."""

    row: int
    slot: int
    at_us: int


class Renewals:
    """Since when each slot's normal counts: its first row, or the last renewal that it started over after.

    A row at the instant of a renewal belongs to the life before, as in `fleet.maintenance.lives`. A slot
    starts over once after a renewal; one that is older than what its normal counts from says nothing new.
    """

    def __init__(self) -> None:
        self._slots = 0
        self._since_us = np.zeros(0, np.int64)

    def due(self, slot: NDArray[np.int32], ts_us: NDArray[np.int64], known: Instants) -> list[Renewal]:
        """The renewals that take effect at one of the rows (n,), which are in log order, in that order.

        known: of slots that there is a row of, now or before.
        """
        self._begin(slot, ts_us)
        return sorted(self._due(slot, ts_us, known), key=lambda each: (each.row, each.slot, each.at_us))

    def _begin(self, slot: NDArray[np.int32], ts_us: NDArray[np.int64]) -> None:
        """A slot's first row is where its normal counts from."""
        self._slots = max(self._slots, int(slot.max()) + 1 if len(slot) else 0)
        self._since_us = grown(self._since_us, self._slots, NEVER)
        slots, first = np.unique(slot, return_index=True)
        new = self._since_us[slots] == NEVER
        self._since_us[slots[new]] = ts_us[first[new]]

    def _due(self, slot: NDArray[np.int32], ts_us: NDArray[np.int64], known: Instants) -> Iterator[Renewal]:
        for s, instants in known.items():
            for at_us in instants:
                if at_us > self._since_us[s]:
                    after = np.flatnonzero((slot == s) & (ts_us > at_us))
                    if len(after):
                        self._since_us[s] = at_us
                        yield Renewal(int(after[0]), s, at_us)

    def array(self) -> NDArray[np.int64]:
        """All that is needed to go on."""
        return self._since_us[: self._slots]

    def take(self, array: NDArray[np.int64]) -> None:
        """Go on from what `array` gave."""
        self._since_us, self._slots = array, len(array)
