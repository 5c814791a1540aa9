"""What every simulated machine is to the simulator."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from streams.simulator.dynamics import Array

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Block:
    """The rows of one day. clock_s: (n,) seconds of the day, UTC; day: days since 1 January 1970.

    A row speaks of the `step_s` seconds that end at its instant. severity: (n,) per fault mode, 0 none,
    1 as at a usual functional failure.
    """

    clock_s: Array
    day: int
    step_s: float
    severity: Mapping[str, Array]

    @property
    def weekday(self) -> int:
        """0 is Monday."""
        return (self.day + 3) % 7

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.clock_s)

    def fault(self, mode: str) -> Array:
        """Severity of a fault mode at each row."""
        return self.severity.get(mode, np.zeros(self.rows))


class Machine(Protocol):
    """A machine lives through its days in order; its state carries over from one to the next."""

    def day(self, block: Block, rng: np.random.Generator) -> dict[str, Array]:
        """The (n,) readings of the channels that it has a sensor for, NaN where there is none."""
        ...
