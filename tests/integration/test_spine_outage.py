"""While the database is away nothing is lost, doubled or skipped: the worker waits in place and goes on."""

import asyncio
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from console.settings import Settings, load_settings
from storage.bootstrap import WRITER
from storage.server.database import Database
from streams.wire.binary import encode_binary
from tests.integration.test_spine_bad_input import NOW, TOPIC, ask, frame, running

FRAMES = 400


@pytest.fixture
def settings(plain_database: Database, tmp_path: Path) -> Settings:
    return load_settings(database=plain_database.dsn(WRITER), data_dir=tmp_path, partitions=1)


async def end_connections(database: Database) -> None:
    """As a restart of the server does: every connection of the database is cut."""
    async with await psycopg.AsyncConnection.connect(database.admin_dsn, autocommit=True) as admin:
        await admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (database.name,)
        )


async def allow_connections(database: Database, allowed: bool) -> None:
    async with await psycopg.AsyncConnection.connect(database.admin_dsn, autocommit=True) as admin:
        await admin.execute(
            sql.SQL("alter database {} allow_connections {}").format(
                sql.Identifier(database.name), sql.Literal(allowed)
            )
        )


async def test_cut_connections_and_a_closed_database_cost_no_record(
    settings: Settings, plain_database: Database
) -> None:
    async with running(settings, "l1") as (wired, broker):
        for seq in range(FRAMES):
            await broker.publish(TOPIC, b"l1", encode_binary(frame(seq, at=NOW - timedelta(hours=2))))
            if seq % 100 == 50:
                await end_connections(plain_database)
            if seq == 200:
                await allow_connections(plain_database, False)
                await end_connections(plain_database)
            if seq == 300:
                await asyncio.sleep(1.0)
                await allow_connections(plain_database, True)
        await wired.drained()
        assert await ask(wired, "select count(*), count(distinct ts) from telemetry") == [
            (5 * FRAMES, 5 * FRAMES)
        ]
        assert await ask(
            wired, "select stored, duplicate, dead from partition_tally where consumer = 'score'"
        ) == [(FRAMES, 0, 0)]


async def test_whoever_claims_the_partition_fences_the_worker_off(settings: Settings) -> None:
    async with running(settings, "l1", survives=False) as (wired, broker):
        await broker.publish(TOPIC, b"l1", encode_binary(frame(0)))
        await wired.drained()
        async with wired.pool.connection() as conn:
            await conn.execute("update sink_offset set epoch = epoch + 1")
        await broker.publish(TOPIC, b"l1", encode_binary(frame(1)))
        with pytest.raises(Exception, match="claimed anew"):
            await asyncio.wait_for(asyncio.shield(wired.worker.score.failed), 20)
        assert await ask(wired, "select count(*) from telemetry") == [(5,)]
