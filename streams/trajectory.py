"""The thinned past of one degrading quantity: bounded in memory, however long it gets."""

from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np

from forecasting.contract import History

CAPACITY = 512
"""Points kept; when they are used up every other one goes, so the past stays evenly covered."""


@dataclass
class Trajectory:
    """Levels (0 as new, 1 at the limit) of one asset's quantity against time."""

    ts_us: list[int] = field(default_factory=list)
    level: list[float] = field(default_factory=list)
    stride: int = 1
    seen: int = 0

    def add(self, ts_us: int, level: float) -> bool:
        """Take in a point later than all before; False for one that is not (a repeat)."""
        if self.ts_us and ts_us <= self.ts_us[-1]:
            return False
        if self.seen % self.stride == 0 or not self.ts_us:
            self.ts_us.append(ts_us)
            self.level.append(level)
        else:  # the newest point always stands last, it is where the forecast starts
            self.ts_us[-1], self.level[-1] = ts_us, level
        self.seen += 1
        if len(self.ts_us) > CAPACITY:
            self._thin()
        return True

    def _thin(self) -> None:
        self.ts_us = self.ts_us[:-1:2] + self.ts_us[-1:]
        self.level = self.level[:-1:2] + self.level[-1:]
        self.stride *= 2

    def copy(self) -> "Trajectory":
        """The trajectory as it is now, untouched by later points."""
        return Trajectory(list(self.ts_us), list(self.level), self.stride, self.seen)

    def after(self, since_us: int) -> "Trajectory":
        """What came after an instant, as a trajectory of its own: later points are all kept again."""
        first = bisect_right(self.ts_us, since_us)
        return Trajectory(self.ts_us[first:], self.level[first:], seen=len(self.ts_us) - first)

    def history(self, since_us: int | None = None) -> History:
        """The past as a forecaster wants it, or what came after an instant; age counts from its start."""
        first = 0 if since_us is None else bisect_right(self.ts_us, since_us)
        ts_us, level = np.array(self.ts_us[first:], np.int64), np.array(self.level[first:], np.float64)
        return History((ts_us - ts_us[:1]) / 3.6e9, level[:, None])
