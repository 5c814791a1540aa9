"""Statistics of overlapping windows of each slot's rows: mean, scatter, slope and range of each channel."""

import numpy as np
from numpy.typing import NDArray

from detectors.kernels import kernel
from detectors.slots import grown, wider

FEATURES = 4
"""Per channel, in this order: mean, standard deviation, rise over the window, range."""


class Windows:
    """The latest rows of many slots. A window of `length` rows is complete every `hop` rows of its slot."""

    def __init__(self, channels: int, length: int, hop: int) -> None:
        self._hop = hop
        self.latest = np.zeros((0, length, channels), np.float32)
        """Row k of a slot, counted from its first, is at k modulo length."""
        self.seen = np.zeros(0, np.int64)
        """Rows of each slot so far."""

    def reach(self, slots: int) -> None:
        """Make room for that many slots."""
        self.latest = grown(self.latest, slots, 0.0)
        self.seen = grown(self.seen, slots, 0)

    def widen(self, channels: int) -> None:
        """Add channels that were missing so far."""
        self.latest = wider(self.latest, 2, channels, np.nan)

    def begin(self, slot: int) -> None:
        """The slot's next row is the first of its first window."""
        self.seen[slot] = 0

    def complete(
        self, slot: NDArray[np.int32], x: NDArray[np.float32]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Take in rows; returns the m rows that complete a window, and the windows' features.

        Features are (m, channels, `FEATURES`), NaN where a channel was missing in more than half the rows.
        """
        ends = np.empty(len(x), np.int64)
        most = len(x) // self._hop + min(len(x), len(self.seen))
        features = np.empty((most, x.shape[1], FEATURES), np.float32)
        count = _complete(slot, x, self._hop, self.latest, self.seen, ends, features)
        return ends[:count], features[:count]


@kernel
def _complete(
    slot: NDArray[np.int32],
    x: NDArray[np.float32],
    hop: int,
    latest: NDArray[np.float32],
    seen: NDArray[np.int64],
    ends: NDArray[np.int64],
    features: NDArray[np.float32],
) -> int:
    count, length = 0, latest.shape[1]
    for i in range(len(slot)):
        s = slot[i]
        latest[s, seen[s] % length] = x[i]
        seen[s] += 1
        if seen[s] >= length and (seen[s] - length) % hop == 0:
            for k in range(x.shape[1]):
                _describe(latest[s, :, k], seen[s] % length, features[count, k])
            ends[count] = i
            count += 1
    return count


@kernel
def _describe(values: NDArray[np.float32], first: int, found: NDArray[np.float32]) -> None:
    """Features of the finite values of a window whose oldest value is at `first`."""
    n, length = 0, len(values)
    t_sum = x_sum = 0.0
    low, high = np.inf, -np.inf
    for k in range(length):
        x = float(values[(first + k) % length])
        if np.isfinite(x):
            n, t_sum, x_sum = n + 1, t_sum + k, x_sum + x
            low, high = min(low, x), max(high, x)
    found[:] = np.nan
    if 2 * n < length:
        return
    tt = xx = tx = 0.0
    for k in range(length):
        x = float(values[(first + k) % length])
        if np.isfinite(x):
            t, x = k - t_sum / n, x - x_sum / n
            tt, xx, tx = tt + t * t, xx + x * x, tx + t * x
    found[0], found[1] = x_sum / n, np.sqrt(xx / n)
    found[2], found[3] = tx / max(tt, 1.0) * length, high - low
