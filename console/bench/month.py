"""A month of a fleet, written as a worker writes it: through the sink, machines interleaved in time.

It is filled once for all queries of a bench, in a database of its own that ends with the server.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from fleet.asset import Asset, Fleet
from fleet.clock import microseconds
from storage.chunk_result import ChunkResult, EpisodeRow, Tally, Telemetry
from storage.pool import Pool
from storage.registry import load_registry, register
from storage.rollup import run_due
from storage.server.launcher import Progress
from storage.sink import Sink

TOPIC = "month"
SPAN = timedelta(days=30)
ROWS_A_CHUNK = 10
"""Of each machine in a transaction."""

EPISODES = 10
"""Of each machine."""

Ids: TypeAlias = NDArray[np.int32]

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

    assets: tuple[Asset, ...]
    end: datetime


async def filled_month(pool: Pool, fleet: Fleet, chunks: int, tell: Progress) -> Month:
    """The month with `chunks` x 10 rows of each machine; goes on where an earlier call has ended."""
    await register(pool, fleet)
    registry = await load_registry(pool)
    ids = defaultdict[int, list[int]](list)
    for asset in registry.assets:
        ids[len(registry.equipment_type(asset.equipment_type).channels)].append(asset.asset_id)
    machines = {width: np.array(found, np.int32) for width, found in sorted(ids.items())}
    cells = ROWS_A_CHUNK * sum(width * len(found) for width, found in machines.items())
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    sink = Sink(pool, "bench")
    claim = await sink.claim(TOPIC, 0)
    for number in range(claim.next_offset or 0, chunks):
        if number % 25 == 0:
            tell(f"writing a month: {number * cells:,} samples")
        await sink.write(claim, _chunk(machines, end, number, chunks))
    done = 0
    while rolled_up := await run_due(pool, limit=2000):
        tell(f"rolling it up: {(done := done + rolled_up):,} hours of machines")
    return Month(registry.assets, end)


def _chunk(machines: Mapping[int, Ids], end: datetime, number: int, chunks: int) -> ChunkResult:
    """`machines` by the number of their channels."""
    random = np.random.default_rng(number)
    step_us = SPAN // timedelta(microseconds=1) // (chunks * ROWS_A_CHUNK)
    first_us = microseconds(end - SPAN) + number * ROWS_A_CHUNK * step_us
    ts_us = first_us + step_us * np.arange(ROWS_A_CHUNK, dtype=np.int64)
    telemetry = [_rows(random, ids, ts_us, width) for width, ids in machines.items()]
    due = number % (chunks // EPISODES) == 0
    episodes = [_episode(int(each), first_us) for ids in machines.values() for each in ids] if due else []
    return ChunkResult(TOPIC, 0, number, number + 1, Tally(stored=1), telemetry, episodes=episodes)


def _rows(random: np.random.Generator, ids: Ids, ts_us: NDArray[np.int64], width: int) -> Telemetry:
    n = len(ids) * len(ts_us)
    return Telemetry(
        np.repeat(ids, len(ts_us)),
        np.tile(ts_us, len(ids)),
        random.exponential(0.4, n).astype(np.float32),
        np.zeros(n, np.int64),
        random.normal(100.0, 1.0, (n, width)).astype(np.float32),
    )


def _episode(asset_id: int, onset_us: int) -> EpisodeRow:
    end_us = onset_us + 3600 * 1_000_000
    who = UUID(int=(asset_id << 64) + onset_us)
    return EpisodeRow(who, asset_id, "machine", "bench", onset_us, end_us, onset_us, 7.0, SAID)
