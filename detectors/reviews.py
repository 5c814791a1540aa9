"""When to look anew at what a fleet has shown: as its machines live on, not as records happen to be cut."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from detectors.kernels import kernel
from detectors.slots import NEVER, grown

SOONEST_US, LATEST_US = 3_600_000_000.0, 86_400_000_000.0
GROWTH = 10
"""A review comes when the fleet's time has grown by one part in so many, within these limits."""


class Reviews:
    """Reviews at the first row, hourly at first and daily in the end, by the fleet's time.

    That is how long its machines have lived in the mean, each by its own instants: whether they come side by
    side or one after the other, as files do, makes no difference to how often there is a review. A gap counts
    as a day at the most.
    """

    def __init__(self) -> None:
        self.time_us = 0.0
        """The fleet's time at the latest review."""
        self._clock = np.zeros(3)
        self._slots = 0
        self._last_us = np.zeros(0, np.int64)

    def cut(self, slot: NDArray[np.int32], ts_us: NDArray[np.int64]) -> Iterator[tuple[slice, bool]]:
        """Rows (n,) in log order, in slices; a review is due before each slice that says so."""
        self._slots = max(self._slots, int(slot.max()) + 1 if len(slot) else 0)
        self._last_us = grown(self._last_us, self._slots, NEVER)
        start, due = 0, False
        while start < len(slot):
            end = _until_due(start, slot, ts_us, self._last_us, self._clock)
            if end > start:
                yield slice(start, end), due
            due = end < len(slot)
            if due:
                self.time_us = float(self._clock[0])
                self._clock[1] = self.time_us + min(max(self.time_us / GROWTH, SOONEST_US), LATEST_US)
            start = end

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """All that is needed to go on."""
        return {"review_clock": self._clock, "review_last_us": self._last_us[: self._slots]}

    def take(self, clock: NDArray[np.float64], last_us: NDArray[np.int64]) -> None:
        """Go on from what `arrays` gave."""
        self._clock, self._last_us, self._slots = clock.copy(), last_us, len(last_us)


@kernel
def _until_due(
    start: int,
    slot: NDArray[np.int32],
    ts_us: NDArray[np.int64],
    last_us: NDArray[np.int64],
    clock: NDArray[np.float64],
) -> int:
    """The row from `start` on before which a review is due, else their number.

    clock: the fleet's time, when the next review is due, and how many machines there are.
    """
    for i in range(start, len(slot)):
        last = last_us[slot[i]]
        if last == NEVER:
            clock[2] += 1
        elif ts_us[i] > last:
            clock[0] += min(float(ts_us[i] - last), LATEST_US) / clock[2]
        last_us[slot[i]] = max(last, ts_us[i])
        if clock[0] >= clock[1]:
            return i
    return len(slot)
