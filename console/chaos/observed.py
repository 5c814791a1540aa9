"""What a run left behind, in the database and in the log: what the checker compares with the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FrameKey = tuple[str, str, int]
"""(tenant, asset, sequence)."""

Place = tuple[str, int]
"""(topic, partition)."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Records of a partition by fate, as the platform counted them."""

    stored: int
    duplicate: int
    dead: int
    tombstone: int

    @property
    def total(self) -> int:
        """All that was read."""
        return self.stored + self.duplicate + self.dead + self.tombstone


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: where it came from, why, and the hash of the bytes that were kept."""

    topic: str
    partition: int
    offset: int
    reason: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What the platform made of the data; each is a set of rows as text, or of hashes.

    `states` maps (consumer, topic, partition) to the SHA-256 of the engine's state and, for telemetry, the
    offset it belongs to. `scores` holds for each asset the hash of its scores and quality flags.
    """

    scores: frozenset[str]
    episodes: frozenset[str]
    health: frozenset[str]
    forecasts: frozenset[str]
    wear: frozenset[str]
    messages: frozenset[str]
    states: Mapping[tuple[str, str, int], str]


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything there is after a run.

    frames: how often each is in the frame ledger; content: hash of its stored rows. stray_rows: telemetry
    rows that belong to no frame; missing_values: values among them that are null or NaN. ends: first and next
    offset of each partition's log. health_keys: what there is to tell; told: what the health topics tell;
    unsent: messages left in the outbox. recovery_s: from the end of the last fault until all that was in the
    log by then was stored.
    """

    frames: Mapping[FrameKey, int]
    content: Mapping[FrameKey, str]
    stray_rows: int
    missing_values: int
    letters: Sequence[Letter]
    tallies: Mapping[Place, Tally]
    positions: Mapping[Place, int]
    ends: Mapping[Place, tuple[int, int]]
    health_keys: frozenset[str]
    told: frozenset[str]
    unsent: int
    findings: Findings
    recovery_s: float = 0.0
    errors_per_minute: float = 0.0
