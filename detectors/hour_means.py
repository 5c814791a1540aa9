"""Each machine's channels by the hour: means over whole hours, told once the hour is over.

They are the stored hour rollups as they come about: means of minutes first, rounded as those are stored, then
of the hour, each minute by its number of values. So a model learns from rollups what it is asked about live.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.kernels import kernel
from detectors.slots import NEVER, check_rows, grown, plain, wider
from detectors.state_bytes import pack, unpack

VERSION = 1

MINUTE_US = 60_000_000
MINUTES = 60
"""Of an hour."""

CLOCK = np.dtype([("minute", np.int64), ("told_hour", np.int64)])
"""Of one slot: the minute of its last row, and the hour that `told` is of, both counted from 1970 UTC."""

SUMS = np.dtype(
    [
        ("minute", np.float64),
        ("minute_rows", np.int64),
        ("hour", np.float64),
        ("hour_rows", np.int64),
        ("told", np.float32),
    ]
)
"""Of one slot and channel: sums of the minute and the hour that go on; the mean of the last whole hour."""

NO_HOUR = np.array((NEVER, NEVER), CLOCK)
NO_SUMS = np.zeros((), SUMS)


class HourMeans:
    """Means of many slots' channels, causal and independent of how their rows are cut into updates."""

    def __init__(self, channels: int) -> None:
        self._slots = 0
        self._clock = np.full(0, NO_HOUR)
        self._sums = np.full((0, channels), NO_SUMS)

    def widen(self, channels: int) -> None:
        """Go on with channels added at the end; raises `ValueError` for fewer."""
        self._sums = wider(self._sums, 1, channels, NO_SUMS)

    def update(
        self, slot: NDArray[np.int32], ts_us: NDArray[np.int64], x: NDArray[np.float32], asked: Sequence[int]
    ) -> NDArray[np.float32]:
        """Take in rows, instants rising within a slot; x: (n, channels), NaN where nothing is to be trusted.

        Returns (m, channels): at each `asked` row, in order, the means over the hour before the row's own.
        NaN where it had no value to trust, or its slot was not heard of in it.
        """
        self._slots = max(self._slots, check_rows(slot, ts_us, x))
        self._clock = grown(self._clock, self._slots, NO_HOUR)
        self._sums = grown(self._sums, self._slots, NO_SUMS)
        rows = plain(slot, np.int32), plain(ts_us, np.int64), plain(x, np.float32)
        out = np.empty((len(asked), x.shape[1]), np.float32)
        _add(*rows, np.array(asked, np.int64), self._clock, self._sums, out)
        return out

    def state(self) -> bytes:
        """One entry for each slot, and one for each of its channels."""
        return pack(self._kind, {"clock": self._clock[: self._slots], "sums": self._sums[: self._slots]})

    def load(self, state: bytes) -> None:
        """Go on from `state`; raises `StateError`."""
        found = unpack(self._kind, state, {"clock": self._clock, "sums": self._sums})
        self._clock, self._sums = found["clock"], found["sums"]
        self._slots = len(self._clock)

    @property
    def _kind(self) -> str:
        return f"hour means {VERSION}: {self._sums.shape[1]} channels"


@kernel
def _add(
    slot: NDArray[np.int32],
    ts_us: NDArray[np.int64],
    x: NDArray[np.float32],
    asked: NDArray[np.int64],
    clocks: NDArray[np.void],
    sums: NDArray[np.void],
    out: NDArray[np.float32],
) -> None:
    told = 0
    for i in range(len(slot)):
        clock, minute = clocks[slot[i]], ts_us[i] // MINUTE_US
        if minute != clock.minute:
            if clock.minute != NEVER:
                _close(clock.minute, minute, clock, sums[slot[i]])
            clock.minute = minute
        for k in range(x.shape[1]):
            if x[i, k] == x[i, k]:
                sums[slot[i], k].minute += x[i, k]
                sums[slot[i], k].minute_rows += 1
        if told < len(asked) and asked[told] == i:
            known = clock.told_hour == minute // MINUTES - 1
            for k in range(x.shape[1]):
                out[told, k] = sums[slot[i], k].told if known else np.nan
            told += 1


@kernel
def _close(minute: int, now: int, clock: Any, sums: NDArray[np.void]) -> None:
    """End a slot's minute, and its hour if `now` is in another."""
    for k in range(len(sums)):
        channel = sums[k]
        if channel.minute_rows > 0:
            mean = np.float32(channel.minute / channel.minute_rows)
            channel.hour += np.float64(mean) * channel.minute_rows
            channel.hour_rows += channel.minute_rows
            channel.minute, channel.minute_rows = 0.0, 0
    if now // MINUTES != minute // MINUTES:
        clock.told_hour = minute // MINUTES
        for k in range(len(sums)):
            channel = sums[k]
            channel.told = channel.hour / channel.hour_rows if channel.hour_rows > 0 else np.nan
            channel.hour, channel.hour_rows = 0.0, 0
