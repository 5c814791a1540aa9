"""What a chunk's transaction leaves behind when connections break and owners freeze."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from storage.bootstrap import WRITER
from storage.errors import Fenced
from storage.pool import Pool, open_pool
from storage.server.database import Database
from storage.sink import Sink, Written
from tests.integration.storage_harness import (
    TOPIC,
    ask,
    chunk,
    contents,
    one_row,
    until_blocked,
    until_gone,
    writer_pool,
)
from tests.integration.storage_wire import wire

LOCK = "select from sink_offset where topic = 'telemetry.acme' for update"


@pytest.fixture
async def pool(plain_database: Database) -> AsyncIterator[Pool]:
    async with writer_pool(plain_database) as opened:
        yield opened


async def write_and_freeze(database: Database, frozen: asyncio.Event, awake: asyncio.Event) -> None:
    """What an owner does that stands still in the middle of its COPY."""
    async with await psycopg.AsyncConnection.connect(database.dsn(WRITER)) as conn, conn.cursor() as cursor:
        await cursor.execute(LOCK)
        async with cursor.copy("copy telemetry (ts, bad, asset_id, v0) from stdin") as copy:
            await copy.write("2026-03-01\t0\t1\t1.5\n")
            frozen.set()
            await awake.wait()


@pytest.mark.parametrize("committed", [True, False])
async def test_a_connection_lost_during_commit_neither_loses_nor_doubles(
    plain_database: Database, pool: Pool, committed: bool
) -> None:
    direct = plain_database.dsn(WRITER)
    result = chunk(0, 10, one_row(1, 0, 1.0), one_row(2, 0, 2.0))
    async with wire(direct) as relay, open_pool(relay.dsn(direct)) as broken:
        sink = Sink(broken, "score")
        claim = await sink.claim(TOPIC, 0)
        relay.deliver_last = committed
        relay.breaks_at = lambda piece: b"COMMIT" in piece
        with pytest.raises(psycopg.OperationalError):
            await sink.write(claim, result)
        relay.breaks_at = lambda _: False
        assert await sink.write(claim, result) == Written(rows=0 if committed else 2, repeated=committed)
    assert ask(plain_database, "select asset_id, v0 from telemetry order by 1") == [(1, 1.0), (2, 2.0)]
    assert ask(plain_database, "select stored from partition_tally") == [(10,)]


async def test_a_connection_lost_before_commit_leaves_nothing(plain_database: Database, pool: Pool) -> None:
    direct = plain_database.dsn(WRITER)
    async with wire(direct) as relay, open_pool(relay.dsn(direct)) as broken:
        sink = Sink(broken, "score")
        claim = await sink.claim(TOPIC, 0)
        before = contents(plain_database)
        relay.breaks_at = lambda piece: b"PGCOPY" in piece
        with pytest.raises(psycopg.OperationalError):
            await sink.write(claim, chunk(0, 10, one_row(1, 0, 1.0)))
        assert contents(plain_database) == before


async def test_a_claim_waits_for_the_transaction_under_way(plain_database: Database, pool: Pool) -> None:
    sink = Sink(pool, "score")
    await sink.claim(TOPIC, 0)
    async with await psycopg.AsyncConnection.connect(plain_database.dsn(WRITER)) as owner:
        await owner.execute("update sink_offset set next_offset = 7")
        claiming = asyncio.create_task(sink.claim(TOPIC, 0))
        await until_blocked(plain_database)
        await owner.commit()
        claim = await claiming
    assert (claim.epoch, claim.next_offset) == (2, 7)


async def test_a_claim_ends_the_transaction_of_an_owner_that_froze_while_writing(
    plain_database: Database, pool: Pool
) -> None:
    sink = Sink(pool, "score", takeover_s=0.1)
    old = await sink.claim(TOPIC, 0)
    frozen, awake = asyncio.Event(), asyncio.Event()
    writing = asyncio.create_task(write_and_freeze(plain_database, frozen, awake))
    await frozen.wait()
    claim = await sink.claim(TOPIC, 0)
    awake.set()
    with pytest.raises(psycopg.OperationalError):
        await writing
    await sink.write(claim, chunk(0, 1, one_row(1, 0, 2.0)))
    with pytest.raises(Fenced):
        await sink.write(old, chunk(0, 1, one_row(1, 0, 2.0)))
    assert ask(plain_database, "select v0 from telemetry") == [(2.0,)]


async def test_a_transaction_that_idled_too_long_can_be_tried_again(
    plain_database: Database, pool: Pool
) -> None:
    async def idle() -> None:
        async with pool.connection() as conn, conn.transaction():
            await conn.execute("set idle_in_transaction_session_timeout = '10ms'")
            await until_gone(plain_database, conn.info.backend_pid)
            await conn.execute("select 1")

    with pytest.raises(psycopg.OperationalError, match="idle-in-transaction timeout"):
        await idle()
    async with pool.connection() as conn:
        await conn.execute("select 1")


async def test_a_write_that_is_cancelled_leaves_nothing_and_spoils_nothing(
    plain_database: Database, pool: Pool
) -> None:
    sink = Sink(pool, "score")
    claim = await sink.claim(TOPIC, 0)
    before = contents(plain_database)
    async with await psycopg.AsyncConnection.connect(plain_database.dsn(WRITER)) as other:
        await other.execute(LOCK)
        writing = asyncio.create_task(sink.write(claim, chunk(0, 1, one_row(1, 0, 2.0))))
        await until_blocked(plain_database)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
    assert contents(plain_database) == before
    assert await sink.write(claim, chunk(0, 1, one_row(1, 0, 2.0))) == Written(rows=1)


async def test_lanes_that_share_assets_do_not_deadlock(plain_database: Database, pool: Pool) -> None:
    sink = Sink(pool, "score")
    claims = [await sink.claim(TOPIC, partition) for partition in range(3)]

    async def write(partition: int) -> None:
        for step in range(20):
            rows = [
                one_row(asset, 3 * step + partition, 1.0)
                for asset in ((1, 2, 3), (3, 2, 1), (2, 1, 3))[partition]
            ]
            await sink.write(claims[partition], chunk(step, step + 1, *rows))

    await asyncio.gather(*map(write, range(3)))
    assert ask(plain_database, "select count(*) from telemetry") == [(180,)]
