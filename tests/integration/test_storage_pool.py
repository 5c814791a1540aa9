"""Connections to the database as tasks get them that may be cancelled at any moment."""

import asyncio
from contextlib import suppress

import pytest

from storage.bootstrap import WRITER
from storage.pool import open_pool
from storage.server.database import Database


@pytest.mark.parametrize("turns", range(12))
async def test_a_cancellation_is_not_lost_while_a_connection_is_handed_over(
    plain_database: Database, turns: int
) -> None:
    """Python 3.11's `asyncio.wait_for`, which the pool waits with, forgets one that comes with the result."""
    async with open_pool(plain_database.dsn(WRITER), max_size=2) as pool:

        async def use() -> None:
            async with pool.connection() as conn:
                await conn.execute("select 1")

        held = [await pool.getconn() for _ in range(2)]
        waiting = asyncio.create_task(use())
        await asyncio.sleep(0.05)
        await pool.putconn(held.pop())
        for _ in range(turns):
            await asyncio.sleep(0)
        cancelled = waiting.cancel()
        await asyncio.wait({waiting})
        assert waiting.cancelled() is cancelled
        await pool.putconn(held.pop())
        async with asyncio.timeout(10):  # both connections are back
            async with pool.connection(), pool.connection():
                pass


async def test_who_was_cancelled_may_still_use_one_to_clean_up(plain_database: Database) -> None:
    async with open_pool(plain_database.dsn(WRITER)) as pool:

        async def clean_up() -> int:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            async with pool.connection() as conn:
                row = await (await conn.execute("select 7")).fetchone()
            assert row is not None
            return int(row[0])

        task = asyncio.create_task(clean_up())
        await asyncio.sleep(0)
        task.cancel()
        assert await task == 7
