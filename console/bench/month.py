"""A month of a fleet, written as a worker writes it: through the sink, machines interleaved in time.

It is filled once for all queries of a bench, in a database of its own that ends with the server.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from console.bench.plant import fleet_of
from console.bench.telemetry import CHANNELS
from fleet.clock import microseconds
from storage.chunk_result import ChunkResult, EpisodeRow, Tally, Telemetry
from storage.pool import Pool
from storage.registry import load_registry, register
from storage.rollup import run_due
from storage.server.launcher import Progress
from storage.sink import Sink

TENANT = "month"
SPAN = timedelta(days=30)
ROWS_A_CHUNK = 10
"""Of each machine in a transaction."""

EPISODES = 10
"""Of each machine."""

SAID = {
    "mode": "bench",
    "title_en": "Bearing worn",
    "title_zh": "轴承磨损",
    "check_en": "Listen to it at low speed.",
    "check_zh": "低速运行时听诊。",
    "evidence": [
        {"channel": f"c{k:02}", "sentence_en": f"c{k:02} is high", "sentence_zh": f"c{k:02} 偏高"}
        for k in range(3)
    ],
}
"""Evidence of an episode, as large as usual."""


@dataclass(frozen=True, slots=True)
class Month:
    """Machines by number; their rows lie in the `SPAN` before `end`."""

    asset_ids: tuple[int, ...]
    end: datetime


async def filled_month(pool: Pool, assets: int, chunks: int, tell: Progress) -> Month:
    """The month with `chunks` x 10 rows of each machine; goes on where an earlier call has ended."""
    names = [f"m{number:05}" for number in range(assets)]
    await register(pool, fleet_of(TENANT, names, CHANNELS))
    ids = np.array([asset.asset_id for asset in (await load_registry(pool)).assets], np.int32)
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    sink = Sink(pool, "bench")
    claim = await sink.claim(TENANT, 0)
    for number in range(claim.next_offset or 0, chunks):
        if number % 25 == 0:
            tell(f"writing a month: {number * ROWS_A_CHUNK * assets * CHANNELS:,} samples")
        await sink.write(claim, _chunk(ids, end, number, chunks))
    done = 0
    while rolled_up := await run_due(pool, limit=2000):
        tell(f"rolling it up: {(done := done + rolled_up):,} hours of machines")
    return Month(tuple(ids.tolist()), end)


def _chunk(ids: np.ndarray[Any, np.dtype[np.int32]], end: datetime, number: int, chunks: int) -> ChunkResult:
    random = np.random.default_rng(number)
    step_us = SPAN // timedelta(microseconds=1) // (chunks * ROWS_A_CHUNK)
    first_us = microseconds(end - SPAN) + number * ROWS_A_CHUNK * step_us
    n = len(ids) * ROWS_A_CHUNK
    telemetry = Telemetry(
        np.repeat(ids, ROWS_A_CHUNK),
        np.tile(first_us + step_us * np.arange(ROWS_A_CHUNK, dtype=np.int64), len(ids)),
        random.exponential(0.4, n).astype(np.float32),
        np.zeros(n, np.int64),
        random.normal(100.0, 1.0, (n, CHANNELS)).astype(np.float32),
    )
    due = number % (chunks // EPISODES) == 0
    episodes = [_episode(int(each), first_us) for each in ids] if due else []
    return ChunkResult(TENANT, 0, number, number + 1, Tally(stored=1), [telemetry], episodes=episodes)


def _episode(asset_id: int, onset_us: int) -> EpisodeRow:
    end_us = onset_us + 3600 * 1_000_000
    who = UUID(int=(asset_id << 64) + onset_us)
    return EpisodeRow(who, asset_id, "machine", "bench", onset_us, end_us, onset_us, 7.0, SAID)
