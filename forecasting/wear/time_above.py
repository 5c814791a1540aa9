"""Hours during which a reading is above a value: running time, time in overload."""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from forecasting.wear.contract import Lifetime, Quantity
from forecasting.wear.model import Floats, Slots, WearModel

MOST = 1e12


class TimeAbove(WearModel):
    """Hours above `above`, in the reading's unit. How they follow the load is not known."""

    NAME: ClassVar[str] = "time_above"
    VERSION: ClassVar[int] = 1

    def __init__(self, above: float, lifetime: Lifetime) -> None:
        self._above = above
        super().__init__(lifetime, (Quantity("reading", "1", MOST, low=-MOST),))

    @classmethod
    def example(cls) -> Self:
        """Hours in which a spindle turns at 100 r/min or more."""
        return cls(100.0, Lifetime("h", 16_000.0, 20_000.0))

    def _use(self, slot: Slots, what: NDArray[np.int8], step_h: Floats, x: Floats) -> Floats:
        return np.where(x[:, 0] > self._above, step_h, 0.0)


WEAR_MODEL: type[WearModel] = TimeAbove
