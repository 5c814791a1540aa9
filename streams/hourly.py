"""What is told of a machine once an hour: its health and what lowers it, what is used up, and the message."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.slots import grown
from fleet.vertical import Counted, VerticalPack
from storage.chunk_result import HealthRow, WearRow
from streams.health_message import HealthMessage
from streams.rows import Rows
from streams.verdict import Verdict

HEALTH_EVERY_US = 3600 * 1_000_000
"""Event time between two health rows of a machine: one at its first row of each hour."""

LOWERED_BY = 3
"""Channels named as what lowers the health."""


class Hourly:
    """Machines by slot, and the hour that each was told of last."""

    def __init__(self, pack: VerticalPack) -> None:
        self.pack = pack
        self._slots = 0
        self._told_hour = np.zeros(0, np.int64)

    def reach(self, slots: int) -> None:
        """Make room for that many machines."""
        self._slots = max(self._slots, slots)
        self._told_hour = grown(self._told_hour, slots, 0)

    def due(
        self, slot: NDArray[np.int32], ts_us: NDArray[np.int64], health: NDArray[np.float32]
    ) -> list[int]:
        """Rows at which a machine's health is told: its first one of each hour with a known health."""
        hour = ts_us // HEALTH_EVERY_US
        due = []
        for i in np.flatnonzero(np.isfinite(health) & (hour > self._told_hour[slot])).tolist():
            if hour[i] > self._told_hour[slot[i]]:
                self._told_hour[slot[i]] = hour[i]
                due.append(i)
        return due

    def health_row(self, i: int, rows: Rows, health: NDArray[np.float32], verdict: Verdict) -> HealthRow:
        """Health at row i, 0 at the least, with the channels that lower it."""
        names = [channel.name for channel in self.pack.equipment_type.channels]
        shares = np.maximum(verdict.row(verdict.scores.contribution, i, 0.0), 0.0)
        top = [k for k in np.argsort(-shares, kind="stable")[:LOWERED_BY].tolist() if shares[k] > 0]
        lowered_by = {names[k]: round(float(shares[k] / shares.sum()), 4) for k in top}
        return HealthRow(int(rows.asset_id[i]), int(rows.ts_us[i]), max(float(health[i]), 0.0), lowered_by)

    def wear_rows(self, i: int, rows: Rows, counted: Sequence[Counted]) -> list[WearRow]:
        """What is used up at row i."""
        asset_id, ts_us = int(rows.asset_id[i]), int(rows.ts_us[i])
        return [
            WearRow(asset_id, one.name, ts_us, value, one.warning, one.limit, one.unit)
            for one, value in counted
        ]

    def message(
        self,
        i: int,
        rows: Rows,
        health: NDArray[np.float32],
        counted: Sequence[Counted],
        means: NDArray[np.float32],
        mode: str,
    ) -> HealthMessage:
        """How far the machine is on its way to each of its limits at row i. means: (channels,).

        mode: as it is named there.
        """
        levels = {"condition": 1.0 - float(health[i]) / 100.0}
        levels |= {one.name: value / one.limit for one, value in counted}
        return HealthMessage(int(rows.asset_id[i]), int(rows.ts_us[i]), levels, _known(means), mode)

    def array(self) -> NDArray[np.int64]:
        """All that is needed to go on."""
        return self._told_hour[: self._slots]

    def take(self, array: NDArray[np.int64]) -> None:
        """Go on from what `array` gave."""
        self._told_hour, self._slots = array, len(array)


def _known(means: NDArray[np.float32]) -> tuple[float | None, ...]:
    """None in place of NaN."""
    return tuple(None if np.isnan(mean) else mean for mean in means.tolist())
