"""However the log is cut into chunks, and whatever is tried again, the tables end up the same."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

import numpy as np
import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet.dead_letter import Reason
from storage.bootstrap import OWNER
from storage.chunk_result import (
    FRAME,
    ChunkResult,
    DeadLetter,
    EpisodeRow,
    HealthRow,
    OutboxMessage,
    Tally,
    Telemetry,
    WearRow,
)
from storage.rollup import run_due
from storage.server.database import Database
from storage.sink import Sink
from tests.integration.storage_harness import MACHINES, SECOND, T0, TOPIC, block, chunk, contents, writer_pool


@dataclass(frozen=True)
class Frame:
    """A record with `rows` instants of an asset from a minute on; the same minute may come again."""

    asset_id: int
    minute: int
    rows: int
    missing: bool


Record = Frame | Reason | None
"""A frame, a record that is a dead letter, or a tombstone."""

records = st.lists(
    st.one_of(
        st.builds(Frame, st.integers(1, 3), st.integers(0, 90), st.integers(1, 3), st.booleans()),
        st.sampled_from(Reason),
        st.none(),
    ),
    min_size=1,
    max_size=12,
)


def what_becomes_of(log: Sequence[Record], first: int, end: int) -> ChunkResult:
    """A pure function of the records, as the agents are."""
    frames = [(offset, r) for offset, r in enumerate(log[first:end], first) if isinstance(r, Frame)]
    dead = [(offset, r) for offset, r in enumerate(log[first:end], first) if isinstance(r, Reason)]
    return chunk(
        first,
        end,
        *telemetry(frames),
        tally=Tally(stored=len(frames), dead=len(dead), tombstone=end - first - len(frames) - len(dead)),
        frames=np.array([(f.asset_id, 1, n, f.minute, n, at(f, 0), f.rows) for n, f in frames], FRAME),
        dead_letters=[DeadLetter(n, reason, "", b"k", b"v", 1, [], n) for n, reason in dead],
        health=[HealthRow(f.asset_id, T0 + n, float(n), {}) for n, f in frames],
        episodes=[episode(f.asset_id, n) for n, f in frames],
        wear=[WearRow(f.asset_id, "strokes", T0 + n, float(n), 1.0, 2.0, "1") for n, f in frames],
        outbox=[OutboxMessage(f"m{n}", "health.acme", b"", b"") for n, _ in frames],
        snapshot=bytes([end]),
    )


def at(frame: Frame, row: int) -> int:
    return T0 + (60 * frame.minute + row) * SECOND


def episode(asset_id: int, n: int) -> EpisodeRow:
    return EpisodeRow(UUID(int=asset_id), asset_id, "machine", "t2-1", T0, None, T0 + n, float(n), {})


def telemetry(frames: Sequence[tuple[int, Frame]]) -> list[Telemetry]:
    """A block for each equipment type; of two values for one instant the first counts."""
    blocks = []
    for kind, columns in (("press", 3), ("lift", 1)):
        rows: dict[tuple[int, int], list[float]] = {}
        for offset, frame in frames:
            if MACHINES[frame.asset_id - 1][1] == kind:
                for k in range(frame.rows):
                    value = np.nan if frame.missing else offset + k / 8
                    rows.setdefault((frame.asset_id, at(frame, k)), [value] * columns)
        if rows:
            order = sorted(rows)
            blocks.append(block([a for a, _ in order], [t for _, t in order], [rows[key] for key in order]))
    return blocks


async def run(
    database: Database, log: Sequence[Record], cuts: set[int], retries: set[int]
) -> dict[str, list[str]]:
    """Store the log in chunks with these cuts; some are tried again by an owner that claims anew."""
    with psycopg.connect(database.dsn(OWNER), autocommit=True) as conn:
        conn.execute(
            "truncate tenant, telemetry, rollup_minute, rollup_hour, rollup_due, health, frame cascade"
        )
        conn.execute("truncate sink_offset, partition_tally, snapshot, dead_letter, outbox")
        conn.execute("alter table asset alter column asset_id restart")
    async with writer_pool(database) as pool:
        sink = Sink(pool, "score")
        claim = await sink.claim(TOPIC, 0)
        edges = sorted({0, len(log), *(cut for cut in cuts if cut < len(log))})
        for first, end in pairwise(edges):
            result = what_becomes_of(log, first, end)
            await sink.write(claim, result)
            if first in retries:
                claim = await sink.claim(TOPIC, 0)
                await sink.write(claim, result)
                await run_due(pool)
        while await run_due(pool, 2):
            pass
    return contents(database, without=["sink_offset"])


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(log=records, cuts=st.sets(st.integers(1, 11)), retries=st.sets(st.integers(0, 11)))
def test_tables_do_not_depend_on_the_cut(
    plain_database: Database, log: list[Record], cuts: set[int], retries: set[int]
) -> None:
    whole = asyncio.run(run(plain_database, log, set(), set()))
    assert asyncio.run(run(plain_database, log, cuts, retries)) == whole
