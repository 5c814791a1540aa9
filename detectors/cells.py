"""Baselines of many machines, each in several regimes, as arrays that a kernel can walk."""

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.baseline import FEWEST, Baseline, learn, slopes
from detectors.fleet_prior import FleetPrior
from detectors.slots import grown, wider

MAX_REGIMES = 16
"""Regimes told apart; those from 15 up share a baseline."""

FEW_BUFFERS = 16
"""So many are kept even if nobody collects rows."""

FIRST_LOOK = 8
"""The part of the rows, one in so many, after which a machine's own first rows are looked at."""

UNTOUCHED = {"buffer_of": -1, "location": np.nan}
"""What a cell holds before anything is learned; 0 for the arrays that are not named."""


@dataclass
class Cells:
    """Arrays over cells. A cell is the baseline of one slot in one regime; cell r < `MAX_REGIMES` is the
    fleet's prior for regime r.

    learned: (cells,) bool, whether it judges any channel. provisional: (cells,) bool, whether it does so by
    what machines have shared, with the few rows that it has itself. location, inverse_scale: (cells,
    channels), inverse_scale 0 where not judged. precision: (cells, channels, channels). slope: of the same
    shape, what deviations of the `given` channels (channels,) make of the others. While a cell collects
    rows to learn from, they are the first filled[cell] rows of buffers[buffer_of[cell]], to be looked at when
    there are until[cell]; buffer_of is -1 while it does not. refused: (cells,), rows too odd to teach.
    """

    learned: NDArray[np.bool_]
    provisional: NDArray[np.bool_]
    filled: NDArray[np.int32]
    until: NDArray[np.int32]
    refused: NDArray[np.int32]
    buffer_of: NDArray[np.int32]
    location: NDArray[np.float32]
    inverse_scale: NDArray[np.float32]
    precision: NDArray[np.float32]
    slope: NDArray[np.float32]
    buffers: NDArray[np.float32]
    given: NDArray[np.bool_]
    count: int = MAX_REGIMES
    _free: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, given: NDArray[np.bool_], baseline: int) -> "Cells":
        """The empty priors alone; `baseline` rows make a baseline."""
        channels = len(given)
        return cls(
            np.zeros(MAX_REGIMES, np.bool_),
            np.zeros(MAX_REGIMES, np.bool_),
            np.zeros(MAX_REGIMES, np.int32),
            np.zeros(MAX_REGIMES, np.int32),
            np.zeros(MAX_REGIMES, np.int32),
            np.full(MAX_REGIMES, -1, np.int32),
            np.full((MAX_REGIMES, channels), np.nan, np.float32),
            np.zeros((MAX_REGIMES, channels), np.float32),
            np.zeros((MAX_REGIMES, channels, channels), np.float32),
            np.zeros((MAX_REGIMES, channels, channels), np.float32),
            np.zeros((0, baseline, channels), np.float32),
            given,
        )

    def add(self, cells: int) -> int:
        """Make room for that many new cells; returns the number of the first."""
        first, self.count = self.count, self.count + cells
        for each in fields(self)[:10]:
            array: NDArray[Any] = getattr(self, each.name)
            setattr(self, each.name, grown(array, self.count, UNTOUCHED.get(each.name, 0)))
        return first

    def collect(self, cell: int) -> int:
        """Give the cell a buffer to collect rows in; returns the buffer's number."""
        if not self._free:
            before = len(self.buffers)
            self.buffers = grown(self.buffers, before + 1, 0.0)
            self._free = list(range(before, len(self.buffers)))
        self.buffer_of[cell] = self._free.pop()
        whole = self.buffers.shape[1]
        self.until[cell] = whole if self.learned[cell] else max(whole // FIRST_LOOK, FEWEST)
        return int(self.buffer_of[cell])

    def look(self, cell: int, prior: FleetPrior | None) -> None:
        """Judge by the rows so far and the prior, if there is one."""
        whole = self.buffers.shape[1]
        seen = self.buffers[self.buffer_of[cell], : self.filled[cell]]
        self.until[cell] = min(2 * self.until[cell], whole)
        if prior is not None:
            self.take(cell, prior.shrunk(seen, whole))

    def take(self, cell: int, baseline: Baseline) -> None:
        """Judge by this baseline until there is a better one."""
        judged = baseline.scale > 0
        self.location[cell] = baseline.location
        self.inverse_scale[cell] = np.where(judged, 1.0 / np.where(judged, baseline.scale, 1.0), 0.0)
        self.precision[cell] = baseline.precision
        self._regress(cell)
        self.learned[cell] = self.provisional[cell] = judged.any()

    def complete(self, cell: int, weight: float) -> None:
        """Learn from the cell's buffer and take it back."""
        buffer = int(self.buffer_of[cell])
        if self.provisional[cell]:
            self.forget(cell)
        self.learn(cell, self.buffers[buffer], weight)
        self._take_back(cell)

    def renew(self, cell: int) -> None:
        """Make the cell as a new one is, and take its buffer back."""
        self.forget(cell)
        if self.buffer_of[cell] >= 0:
            self._take_back(cell)
        self.until[cell] = self.refused[cell] = 0

    def _take_back(self, cell: int) -> None:
        """The cell collects no longer; its buffer is free."""
        self._free.append(int(self.buffer_of[cell]))
        self.filled[cell], self.buffer_of[cell] = 0, -1
        if len(self.buffers) > FEW_BUFFERS and 4 * len(self._free) >= 3 * len(self.buffers):
            self._give_room_back()

    def _give_room_back(self) -> None:
        """Keep the buffers that are in use: a fleet that was learned together needs them once."""
        users = np.flatnonzero(self.buffer_of >= 0)
        self.buffers = self.buffers[self.buffer_of[users]]
        self.buffer_of[users] = np.arange(len(users))
        self._free = []

    def learn(self, cell: int, rows: NDArray[np.float32], weight: float) -> None:
        """Learn the channels of the cell that are not judged yet, independent of those that are."""
        known = self.inverse_scale[cell] > 0
        found = learn(np.where(np.isfinite(rows) & ~known, rows, np.nan), weight, self.given)
        fresh = found.scale > 0
        self.location[cell] = np.where(known, self.location[cell], found.location)
        self.inverse_scale[cell, fresh] = 1.0 / found.scale[fresh]
        self.precision[cell] = np.where(np.outer(known, known), self.precision[cell], found.precision)
        self._regress(cell)
        self.learned[cell] = known.any() or fresh.any()

    def _regress(self, cell: int) -> None:
        """Say what the given channels make of the others, as the precision has it."""
        if self.given.any():
            self.slope[cell] = slopes(self.precision[cell].astype(np.float64), self.given)

    def forget(self, cell: int) -> None:
        """Make the cell's baseline one that knows nothing."""
        self.learned[cell] = self.provisional[cell] = False
        self.inverse_scale[cell] = self.precision[cell] = self.slope[cell] = 0.0
        self.location[cell] = np.nan

    def widen(self, given: NDArray[np.bool_]) -> None:
        """Make room for channels of which nothing is known."""
        channels, self.given = len(given), given
        self.location = wider(self.location, 1, channels, np.nan)
        self.inverse_scale = wider(self.inverse_scale, 1, channels, 0.0)
        self.precision = wider(wider(self.precision, 1, channels, 0.0), 2, channels, 0.0)
        self.slope = wider(wider(self.slope, 1, channels, 0.0), 2, channels, 0.0)
        self.buffers = wider(self.buffers, 2, channels, np.nan)

    def arrays(self, order: NDArray[np.int32]) -> dict[str, NDArray[Any]]:
        """Cells in that order as arrays to save, without what chance made of the buffers' numbers."""
        owners = [cell for cell in order.tolist() if self.buffer_of[cell] >= 0]
        rows = [self.buffers[self.buffer_of[cell], : self.filled[cell]] for cell in owners]
        return {
            "learned": self.learned[order],
            "provisional": self.provisional[order],
            "until": self.until[order],
            "refused": self.refused[order],
            "collecting": self.buffer_of[order] >= 0,
            "filled": self.filled[order],
            "location": self.location[order],
            "inverse_scale": self.inverse_scale[order],
            "precision": self.precision[order],
            "rows": np.concatenate([self.buffers.reshape(-1, self.buffers.shape[2])[:0], *rows]),
        }

    @classmethod
    def restore(cls, saved: dict[str, NDArray[Any]], given: NDArray[np.bool_], baseline: int) -> "Cells":
        """The inverse of `arrays`, numbered in the order in which they were saved; raises `ValueError`."""
        kept = (
            "learned",
            "provisional",
            "filled",
            "until",
            "refused",
            "location",
            "inverse_scale",
            "precision",
        )
        if len({len(saved[name]) for name in (*kept, "collecting")}) != 1:
            raise ValueError("its arrays are of different lengths")
        cells = cls.of(given, baseline)
        cells.add(len(saved["learned"]) - MAX_REGIMES)
        for name in kept:
            getattr(cells, name)[: cells.count] = saved[name]
        for cell in range(cells.count):
            cells._regress(cell)
        collected = np.split(saved["rows"], np.cumsum(saved["filled"])[:-1])
        for cell in np.flatnonzero(saved["collecting"]).tolist():
            buffer = cells.collect(cell)
            cells.until[cell] = saved["until"][cell]
            cells.buffers[buffer, : saved["filled"][cell]] = collected[cell]
        return cells
