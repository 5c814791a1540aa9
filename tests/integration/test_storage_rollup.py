"""Rollups equal what NumPy makes of the raw rows, in whatever order and however late those came."""

import asyncio
from datetime import UTC, datetime

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from fleet.clock import microseconds
from storage.bootstrap import OWNER, WRITER
from storage.chunk_result import Telemetry
from storage.pool import Pool
from storage.rollup import run_due
from storage.server.database import Database
from storage.sink import Claim, Sink
from tests.integration.storage_harness import (
    SECOND,
    T0,
    TOPIC,
    ask,
    block,
    chunk,
    one_row,
    until_blocked,
)

HOUR_US = 3600 * SECOND


class Writer:
    """Writes one chunk after the other."""

    def __init__(self, sink: Sink, claim: Claim) -> None:
        self._sink, self._claim = sink, claim
        self._offset = 0

    async def write(self, *telemetry: Telemetry) -> None:
        await self._sink.write(self._claim, chunk(self._offset, self._offset + 1, *telemetry))
        self._offset += 1


async def writer(pool: Pool) -> Writer:
    sink = Sink(pool, "score")
    return Writer(sink, await sink.claim(TOPIC, 0))


def presses(seed: int) -> Telemetry:
    """Three hours of two presses with holes, missing values and values not to be trusted."""
    rng = np.random.default_rng(seed)
    second = np.sort(rng.choice(3 * 3600, 700, replace=False))
    asset = np.repeat([1, 2], len(second)).astype(np.int32)
    values = rng.normal(50, 20, (2 * len(second), 3)).astype(np.float32)
    values[rng.random(values.shape) < 0.2] = np.nan
    bad = rng.choice([0, 0, 1, 2, 6], 2 * len(second))
    return block(asset, np.tile(T0 + second * SECOND, 2), values, rng.exponential(size=len(asset)), bad)


def part(rows: Telemetry, keep: NDArray[np.bool_]) -> Telemetry:
    return Telemetry(*(getattr(rows, name)[keep] for name in ("asset_id", "ts_us", "score", "bad", "values")))


def expected(rows: Telemetry, width_us: int) -> dict[tuple[int, int], list[object]]:
    """(asset, bucket) to n, bad, score_max, count, min, max, mean of each channel."""
    untrusted = (rows.bad[:, None] >> np.arange(rows.values.shape[1])) & 1
    trusted = np.where(untrusted, np.nan, rows.values.astype(np.float64))
    bucket = rows.ts_us // width_us * width_us
    found: dict[tuple[int, int], list[object]] = {}
    for key in sorted(set(zip(rows.asset_id.tolist(), bucket.tolist(), strict=True))):
        mine = (rows.asset_id == key[0]) & (bucket == key[1])
        columns = [column[~np.isnan(column)] for column in trusted[mine].T]
        found[key] = [
            int(mine.sum()),
            int((rows.bad[mine] != 0).sum()),
            float(rows.score[mine].max()),
            [len(column) for column in columns],
            *(
                [float(f(column)) if len(column) else None for column in columns]
                for f in (np.min, np.max, np.mean)
            ),
        ]
    return found


def stored(database: Database, table: str) -> dict[tuple[int, int], list[object]]:
    columns = "n, bad, score_max::float8, vcount, vmin::float8[], vmax::float8[], vmean"
    query = f"select asset_id, ts, {columns} from {table}"
    return {(asset_id, microseconds(ts)): rest for asset_id, ts, *rest in ask(database, query)}


def check(database: Database, rows: Telemetry) -> None:
    for table, width_us in (("rollup_minute", 60 * SECOND), ("rollup_hour", HOUR_US)):
        wanted, found = expected(rows, width_us), stored(database, table)
        assert found.keys() == wanted.keys()
        for key, values in wanted.items():
            assert found[key][:6] == values[:6], (table, key)
            for mean, exact in zip(found[key][6], values[6], strict=True):  # type: ignore[call-overload]
                assert mean == (None if exact is None else pytest.approx(exact, rel=3e-6))


async def test_rollups_equal_a_recomputation_whatever_the_order(any_database: Database, pool: Pool) -> None:
    rows, writes = presses(1), await writer(pool)
    when = np.random.default_rng(2).permutation(len(rows.ts_us)) % 7  # each chunk has rows of all hours
    for step in range(7):
        await writes.write(part(rows, when == step))
        if step % 3 == 1:
            assert await run_due(pool, limit=4) > 0
    while await run_due(pool, limit=5):
        pass
    check(any_database, rows)
    assert ask(any_database, "select count(*) from rollup_due") == [(0,)]


async def test_late_data_opens_its_hour_again_and_no_other(
    plain_database: Database, plain_pool: Pool
) -> None:
    rows, writes = presses(3), await writer(plain_pool)
    late = (rows.ts_us - T0) // (600 * SECOND) == 8
    await writes.write(part(rows, ~late))
    assert await run_due(plain_pool) == 6
    assert await run_due(plain_pool) == 0
    await writes.write(part(rows, late))
    assert await run_due(plain_pool) == 2
    check(plain_database, rows)


async def test_assets_of_different_types_have_their_own_columns(
    plain_database: Database, plain_pool: Pool
) -> None:
    writes = await writer(plain_pool)
    await writes.write(one_row(1, 0, 1.0), one_row(3, 0, 3.0))
    assert await run_due(plain_pool) == 2
    assert ask(plain_database, "select asset_id, vmin, vcount from rollup_hour order by 1") == [
        (1, [1.0, None, None], [1, 0, 0]),
        (3, [3.0], [1]),
    ]


async def test_a_write_that_commits_while_the_job_runs_is_not_lost(
    plain_database: Database, plain_pool: Pool
) -> None:
    writes = await writer(plain_pool)
    await writes.write(one_row(1, 0, 1.0))
    await run_due(plain_pool)
    await writes.write(one_row(1, 1, 2.0))
    async with await psycopg.AsyncConnection.connect(plain_database.dsn(OWNER)) as holder:
        await holder.execute("select from rollup_minute for update")
        job = asyncio.create_task(run_due(plain_pool))
        await until_blocked(plain_database)  # it has read the raw rows and waits to write the minute
        await writes.write(one_row(1, 2, 3.0))
        await holder.commit()
        assert await job == 1
    assert await run_due(plain_pool) == 1
    assert ask(plain_database, "select n, vmax[1] from rollup_minute") == [(3, 3.0)]
    assert ask(plain_database, "select n, vmax[1] from rollup_hour") == [(3, 3.0)]


async def test_a_write_that_commits_after_the_job_took_its_hour_is_not_lost(
    plain_database: Database, plain_pool: Pool
) -> None:
    writes = await writer(plain_pool)
    await writes.write(one_row(1, 0, 1.0))
    async with await psycopg.AsyncConnection.connect(plain_database.dsn(OWNER)) as holder:
        await holder.execute("lock table partition_tally in exclusive mode")
        slow = asyncio.create_task(writes.write(one_row(1, 1, 2.0)))
        await until_blocked(plain_database)  # its rows and its note are written, not committed
        assert await run_due(plain_pool) == 1
        await holder.commit()
        await slow
    assert await run_due(plain_pool) == 1
    assert ask(plain_database, "select n, vmax[1] from rollup_minute") == [(2, 2.0)]


async def test_a_job_waits_for_another_and_then_does_what_is_left(
    plain_database: Database, plain_pool: Pool
) -> None:
    writes = await writer(plain_pool)
    await writes.write(one_row(1, 0, 1.0), one_row(2, 0, 1.0))
    await run_due(plain_pool)
    await writes.write(one_row(1, 1, 2.0), one_row(2, 1, 2.0))
    async with await psycopg.AsyncConnection.connect(plain_database.dsn(OWNER)) as holder:
        await holder.execute("select from rollup_minute where asset_id = 1 for update")
        older = asyncio.create_task(run_due(plain_pool, limit=2))
        await until_blocked(plain_database)  # at asset 1; what it will see of asset 2 is settled already
        await writes.write(one_row(2, 2, 3.0))
        newer = asyncio.create_task(run_due(plain_pool, limit=2))
        await until_blocked(plain_database, 2)
        await holder.commit()
        assert (await older, await newer) == (2, 1)
    assert ask(plain_database, "select asset_id, n from rollup_minute order by 1") == [(1, 2), (2, 3)]


async def test_buckets_are_utc_wherever_the_session_is(plain_database: Database, plain_pool: Pool) -> None:
    writes = await writer(plain_pool)
    await writes.write(one_row(1, 1800, 1.0))
    async with plain_pool.connection() as first, plain_pool.connection() as second:
        for conn in (first, second):
            await conn.execute("set timezone = 'Asia/Kolkata'")
    await run_due(plain_pool)
    assert ask(plain_database, "select ts from rollup_hour", WRITER) == [
        (datetime(2026, 3, 1, 12, tzinfo=UTC),)
    ]
