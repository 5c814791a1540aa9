"""What is kept of a machine by the hour, as rules about its use read it."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Hours:
    """n hours in which a machine was heard of, in the order of time, of a span of `asked` hours.

    hour: (n,) hours since 1970 UTC. mean, high: (n, channels) in the channels' units, NaN where nothing can
    be trusted. shares: (n, codes) which part of the hour's rows had each code of the state channel, NaN where
    none is known; (n, 0) without one.
    """

    names: tuple[str, ...]
    asked: int
    hour: NDArray[np.int64]
    mean: Values
    high: Values
    shares: Values

    def __len__(self) -> int:
        return len(self.mean)

    def between(self, first: int, last: int) -> "Hours":
        """Those from hour `first` until before hour `last`."""
        some = (self.hour >= first) & (self.hour < last)
        rows = self.hour[some], self.mean[some], self.high[some], self.shares[some]
        return Hours(self.names, last - first, *rows)

    def of(self, channel: str) -> Values:
        """(n,) means of a channel."""
        return self.mean[:, self.names.index(channel)]

    def grown(self, counter: str) -> float:
        """How far a counter grew; where it fell it was set back, which is no growth."""
        high = self.high[:, self.names.index(counter)]
        return float(np.diff(high[np.isfinite(high)]).clip(0.0).sum())

    def at(self, codes: Collection[int]) -> Values:
        """(n,) part of each hour at any of those codes of the state channel, NaN where not known."""
        known = [code for code in codes if code < self.shares.shape[1]]
        unknown = np.isnan(self.shares).all(axis=1) if self.shares.shape[1] else np.ones(len(self), bool)
        return np.where(unknown, np.nan, np.nansum(self.shares[:, known], axis=1))
