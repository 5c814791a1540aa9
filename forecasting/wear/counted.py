"""Wear by the operation: a machine's own counter says how many there were, the row how hard they were.

What a counter gained while nothing was sent is known, so no time is too long. A counter that falls was set
back or replaced: what it gained before that since the last row is lost, and none is made up for it.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from forecasting.kernels import kernel
from forecasting.wear.contract import Lifetime, Quantity
from forecasting.wear.model import FIRST, LEFT_OUT, Floats, Slots, WearModel
from forecasting.wear.power_law import worn

MOST_OPERATIONS = 1e12


class CountedModel(WearModel):
    """Column 0 of the duty is the counter of operations; each wears by a power law of the other columns.

    An operation takes the product of the other columns to the powers `exponents`, over `life`. Where there
    are none, more load means more operations.
    """

    LONGEST_STEP_US: ClassVar[int] = int(np.iinfo(np.int64).max)

    def __init__(
        self,
        lifetime: Lifetime,
        operations: str,
        severity: Sequence[Quantity],
        exponents: Sequence[float],
        life: float,
    ) -> None:
        self._exponents = np.array(exponents, np.float64)
        self._life = life
        often = Quantity(operations, "1", MOST_OPERATIONS, load=not severity, counter=True)
        super().__init__(lifetime, (often, *severity))

    def _new_slot(self) -> dict[str, NDArray[Any]]:
        return {**super()._new_slot(), "count": np.zeros(1)}

    def _use(self, slot: Slots, what: NDArray[np.int8], step_h: Floats, x: Floats) -> Floats:
        operations = np.zeros(len(slot))
        _gained(slot, what, x, self._by_slot["count"], operations)
        return worn(operations, np.ascontiguousarray(x[:, 1:]), self._exponents, self._life)


@kernel
def _gained(slot: Slots, what: NDArray[np.int8], x: Floats, count: Floats, operations: Floats) -> None:
    for row in range(len(slot)):
        if what[row] == LEFT_OUT:
            continue
        if what[row] != FIRST:
            operations[row] = x[row, 0] - count[slot[row]]
        count[slot[row]] = x[row, 0]
