"""Rows of one equipment type as they come out of the log, and what they become."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.chunk_result import EpisodeRow, FeatureRow, HealthRow, Telemetry, WearRow
from streams.health_message import HealthMessage


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one equipment type in log order. values: (n, channels) float32, NaN where missing."""

    asset_id: NDArray[np.int32]
    ts_us: NDArray[np.int64]
    values: NDArray[np.float32]

    def take(self, where: NDArray[Any] | slice) -> "Rows":
        """The rows at an index, mask or slice."""
        return Rows(self.asset_id[where], self.ts_us[where], self.values[where])


@dataclass(frozen=True, slots=True)
class Scored:
    """What the rows of one equipment type became.

    watched_us: how long machines were watched, all together. opened: machine episodes that began. renewed:
    machines that started over, and whether others will now under another fit.
    """

    watched_us: int
    opened: int
    renewed: int
    telemetry: Telemetry
    health: list[HealthRow]
    episodes: list[EpisodeRow]
    features: list[FeatureRow]
    wear: list[WearRow]
    messages: list[HealthMessage]

    @classmethod
    def joined(cls, parts: "Sequence[Scored]") -> "Scored":
        """What rows became that were scored in parts, in the order of the log."""
        if len(parts) == 1:
            return parts[0]
        blocks = [part.telemetry for part in parts]
        columns = (np.concatenate([getattr(b, f.name) for b in blocks]) for f in fields(Telemetry))
        return cls(
            sum(part.watched_us for part in parts),
            sum(part.opened for part in parts),
            sum(part.renewed for part in parts),
            _in_order(Telemetry(*columns)),
            [row for part in parts for row in part.health],
            [row for part in parts for row in part.episodes],
            [row for part in parts for row in part.features],
            [row for part in parts for row in part.wear],
            [message for part in parts for message in part.messages],
        )


def telemetry_of(timely: Rows, late: Rows, score: NDArray[np.float32], flags: NDArray[np.uint8]) -> Telemetry:
    """All rows as they are stored; score (n,) and flags (n, channels) are of the timely ones."""
    unscored = len(late.ts_us)
    return _in_order(
        Telemetry(
            np.concatenate([timely.asset_id, late.asset_id]),
            np.concatenate([timely.ts_us, late.ts_us]),
            np.concatenate([score, np.full(unscored, np.nan, np.float32)]),
            np.concatenate([_bad(flags), np.zeros(unscored, np.int64)]),
            np.concatenate([timely.values, late.values]),
        )
    )


def _bad(flags: NDArray[np.uint8]) -> NDArray[np.int64]:
    """For each row (n,) the channels that are flagged, as bits."""
    bits = np.left_shift(np.int64(1), np.arange(flags.shape[1], dtype=np.int64))
    bad: NDArray[np.int64] = ((flags > 0) * bits).sum(axis=1, dtype=np.int64)
    return bad


def _in_order(rows: Telemetry) -> Telemetry:
    """In the order of the table; of two with one instant the one that came first."""
    order = np.lexsort((rows.ts_us, rows.asset_id))  # stable: a timely row comes before a late one
    repeats = (np.diff(rows.asset_id[order]) == 0) & (np.diff(rows.ts_us[order]) == 0)
    order = order[np.concatenate([[True], ~repeats])] if len(order) else order
    return Telemetry(*(getattr(rows, each.name)[order] for each in fields(Telemetry)))
