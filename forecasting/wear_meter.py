"""Accumulated use of many machines against their limits (OPC UA LifetimeVariable)."""

import numpy as np
from numpy.typing import NDArray

from forecasting.kernels import kernel

LONGEST_STEP_US = 3600 * 1_000_000
"""Time between two instants beyond which nothing is known of the use in between, so none is counted."""


class WearMeter:
    """Accumulates k counters by slot; what was counted depends on no cut into updates.

    column: (k,) int64, the channel that each counter looks at. above: (k,) float64, NaN where the channel's
    reading is the use itself; else the use is the hours during which the channel is above that value.
    """

    def __init__(self, column: NDArray[np.int64], above: NDArray[np.float64]) -> None:
        self._column = column
        self._above = above
        self.last_us = np.zeros(0, np.int64)
        self.value = np.zeros((0, len(column)), np.float64)

    def grow(self, slots: int) -> None:
        """Make room for slots 0 to `slots` - 1."""
        more = slots - len(self.last_us)
        if more > 0:
            self.last_us = np.concatenate([self.last_us, np.zeros(more, np.int64)])
            self.value = np.concatenate([self.value, np.zeros((more, len(self._column)))])

    def update(
        self, slot: NDArray[np.int32], ts_us: NDArray[np.int64], x: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Take in rows (time order within a slot); returns (n, k), each counter after each row."""
        after = np.empty((len(slot), len(self._column)), np.float64)
        _accumulate(slot, ts_us, x, self._column, self._above, self.last_us, self.value, after)
        return after


@kernel
def _accumulate(
    slot: NDArray[np.int32],
    ts_us: NDArray[np.int64],
    x: NDArray[np.float32],
    column: NDArray[np.int64],
    above: NDArray[np.float64],
    last_us: NDArray[np.int64],
    value: NDArray[np.float64],
    after: NDArray[np.float64],
) -> None:
    for row in range(len(slot)):
        s = slot[row]
        step = ts_us[row] - last_us[s]
        if last_us[s] == 0 or step > LONGEST_STEP_US:
            step = 0
        last_us[s] = ts_us[row]
        for k in range(len(column)):
            reading = x[row, column[k]]
            if np.isnan(above[k]):
                if np.isfinite(reading):
                    value[s, k] = reading
            elif reading > above[k]:
                value[s, k] += step / 3.6e9
            after[row, k] = value[s, k]
