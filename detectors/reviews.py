"""When to look anew at what a fleet has shown: as event time goes on, not as records happen to be cut."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

NEVER = np.iinfo(np.int64).min
"""An instant that stands for none."""

SOONEST_US, LATEST_US = 3_600_000_000, 86_400_000_000
GROWTH = 10
"""A review comes when the time since the first one has grown by one part in so many, within these limits."""


class Reviews:
    """The first at the first row, then hourly, daily in the end; the newest instant so far decides."""

    def __init__(self) -> None:
        self.first_us = self.last_us = NEVER
        """Instants of the first and the latest review."""
        self._newest_us = self._next_us = NEVER

    def cut(self, ts_us: NDArray[np.int64]) -> Iterator[tuple[slice, bool]]:
        """Rows (n,) in log order, in slices; a review is due before each slice that says so."""
        newest = np.maximum.accumulate(np.maximum(ts_us, self._newest_us))
        start = 0
        while start < len(newest):
            due = bool(newest[start] >= self._next_us)
            if due:
                self._review(int(newest[start]))
            end = int(np.searchsorted(newest, self._next_us))
            self._newest_us = int(newest[end - 1])
            yield slice(start, end), due
            start = end

    def _review(self, now_us: int) -> None:
        self.first_us = now_us if self.first_us == NEVER else self.first_us
        since = min(max((now_us - self.first_us) // GROWTH, SOONEST_US), LATEST_US)
        self.last_us, self._next_us = now_us, now_us + since

    def array(self) -> NDArray[np.int64]:
        """All that is needed to go on."""
        return np.array([self.first_us, self.last_us, self._newest_us, self._next_us])

    def take(self, array: NDArray[np.int64]) -> None:
        """Go on from what `array` gave; raises `ValueError`."""
        self.first_us, self.last_us, self._newest_us, self._next_us = array.tolist()
