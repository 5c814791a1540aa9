"""Counters that are read or timed (`forecasting/wear_meter`), to be run forward as wear models are.

No wear models: how they follow the load is not known, so their duty has nothing that grows with it, and they
are not in the catalog.
"""

from dataclasses import replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from forecasting.wear.contract import Lifetime, Quantity
from forecasting.wear.counted import CountedModel
from forecasting.wear.model import Floats, Slots, WearModel

MOST = 1e12


class RunningTotal(CountedModel):
    """Goes on as a machine's own counter does."""

    NAME: ClassVar[str] = "running_total"
    VERSION: ClassVar[int] = 1

    def __init__(self, lifetime: Lifetime) -> None:
        super().__init__(lifetime, "total", (), (), 1.0)
        self.duty = (replace(self.duty[0], unit=lifetime.unit, load=False),)

    @classmethod
    def example(cls) -> Self:
        """The travel of a ball guide: 50 km (C/P)³ with C/P = 5 (ISO 14728-1)."""
        return cls(Lifetime("km", 5_000.0, 6_250.0))


class TimeAbove(WearModel):
    """Hours in which a reading is above a value."""

    NAME: ClassVar[str] = "time_above"
    VERSION: ClassVar[int] = 1

    def __init__(self, above: float, lifetime: Lifetime) -> None:
        self._above = above
        super().__init__(lifetime, (Quantity("reading", "1", MOST, low=-MOST),))

    @classmethod
    def example(cls) -> Self:
        """Hours in which a spindle turns."""
        return cls(100.0, Lifetime("h", 16_000.0, 20_000.0))

    def _use(self, slot: Slots, what: NDArray[np.int8], step_h: Floats, x: Floats) -> Floats:
        return np.where(x[:, 0] > self._above, step_h, 0.0)
