"""What one chunk becomes: everything that is written in its one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from fleet.dead_letter import Reason


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Asset-instants of one equipment type, n rows ordered by (asset_id, ts_us), no pair twice.

    asset_id: (n,) int32. ts_us: (n,) int64 microseconds since 1970 UTC. score: (n,) float32, NaN where
    not scored. bad: (n,) int64, bit k set where column k's value is not to be trusted. values:
    (n, columns) float32 in the channels' units, NaN where missing. NaN is stored as NULL.
    """

    asset_id: NDArray[np.int32]
    ts_us: NDArray[np.int64]
    score: NDArray[np.float32]
    bad: NDArray[np.int64]
    values: NDArray[np.float32]


FRAME = np.dtype(
    [
        ("asset_id", np.int32),
        ("boot_id", np.int64),
        ("seq", np.int64),
        ("digest", np.int64),
        ("offset", np.int64),
        ("first_ts_us", np.int64),
        ("rows", np.int32),
    ]
)
"""A stored frame in the ledger that tells a duplicate from a conflict.

`boot_id` and `seq` are unsigned 64-bit on the wire and kept as the same 64 bits signed; `digest` is 64 bits
of the SHA-256 of what the frame says (not of its encoding's bytes).
"""

NO_FRAMES = np.empty(0, FRAME)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that could not be used; `value` is cut to the first 64 KiB, `size` is what it was."""

    offset: int
    reason: Reason
    detail: str
    key: bytes | None
    value: bytes
    size: int
    headers: Sequence[tuple[str, bytes]]
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Records of the chunk by fate: they add up to the records that were read."""

    stored: int = 0
    duplicate: int = 0
    dead: int = 0
    tombstone: int = 0


@dataclass(frozen=True, slots=True)
class HealthRow:
    """Health of an asset at an instant, 0 to 100 %, with what lowers it (channel name to share)."""

    asset_id: int
    ts_us: int
    health: float
    lowered_by: dict[str, float]


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """A run of time in which a score is on. Written again, under the same id, as it grows and ends.

    `kind` is `machine`, `limit`, `sensor` or `shift`, which is over as it begins; only a machine's has a
    `peak_score` that is not 0. `evidence` is JSON for people and programs: top channels with contribution,
    expected and actual value.
    """

    episode_id: UUID
    asset_id: int
    kind: str
    detector: str
    onset_us: int
    end_us: int | None
    peak_us: int
    peak_score: float
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """One feature of a segment that was over at `ts_us`, and what was expected, in `unit`; None: unknown."""

    asset_id: int
    segment: str
    feature: str
    ts_us: int
    value: float
    expected: float | None
    unit: str


@dataclass(frozen=True, slots=True)
class ForecastRow:
    """Remaining life of an asset as seen at an instant; hours, None where the verdict gives none.

    `target` is what runs out: `condition`, or the name of a wear counter.
    """

    asset_id: int
    ts_us: int
    target: str
    forecaster: str
    verdict: str
    p10_h: float | None
    p50_h: float | None
    p90_h: float | None
    basis: str


@dataclass(frozen=True, slots=True)
class WearRow:
    """A wear counter (after OPC UA LifetimeVariable): accumulated use against a limit, in `unit`."""

    asset_id: int
    counter: str
    ts_us: int
    value: float
    warning: float
    limit: float
    unit: str


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """A message to send after the commit, at least once; `message_key` lets receivers drop repeats."""

    message_key: str
    topic: str
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]] = ()


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """All outputs of records [first_offset, next_offset) of one partition."""

    topic: str
    partition: int
    first_offset: int
    next_offset: int
    tally: Tally
    telemetry: Sequence[Telemetry] = ()
    frames: NDArray[np.void] = field(default_factory=lambda: NO_FRAMES)
    """(k,) of `FRAME`."""
    dead_letters: Sequence[DeadLetter] = ()
    health: Sequence[HealthRow] = ()
    episodes: Sequence[EpisodeRow] = ()
    features: Sequence[FeatureRow] = ()
    forecasts: Sequence[ForecastRow] = ()
    shadow_forecasts: Sequence[ForecastRow] = ()
    """What challengers would have said."""
    wear: Sequence[WearRow] = ()
    outbox: Sequence[OutboxMessage] = ()
    snapshot: bytes | None = field(default=None, repr=False)
    """State after `next_offset`, when it is time for one, or when it cannot be computed again."""
