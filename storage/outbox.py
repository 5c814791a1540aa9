"""Messages that a chunk's transaction left to be sent, oldest first."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from storage.chunk_result import OutboxMessage
from storage.pool import Pool

_LOCK = 0x6F7574626F78  # "outbox": one sender at a time over all processes keeps the order

_UNSENT = """
select id, message_key, topic, key, value, header_names, header_values
from outbox where sent_at is null order by id limit %s
"""


class Outbox:
    """The unsent messages; one lease at a time over all processes.

    Messages of one partition leave in the order in which their chunks were stored: ids are given out inside
    the chunk's transaction, and a partition's transactions follow one another.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def lease(self, limit: int) -> AsyncIterator[Sequence[OutboxMessage]]:
        """The oldest unsent messages, at most `limit`; none while another process holds the lease.

        When the block ends well they are marked as sent. If it raises, or takes so long that the server
        ends the idle transaction, they stay unsent and come again.
        """
        async with self._pool.connection() as conn, conn.transaction():
            free = await (await conn.execute("select pg_try_advisory_xact_lock(%s)", (_LOCK,))).fetchone()
            rows = await (await conn.execute(_UNSENT, (limit,))).fetchall() if free and free[0] else []
            yield [
                OutboxMessage(message_key, topic, key, value, tuple(zip(names, values, strict=True)))
                for _, message_key, topic, key, value, names, values in rows
            ]
            if rows:
                sent = [row[0] for row in rows]
                await conn.execute("update outbox set sent_at = now() where id = any (%s)", (sent,))


async def unsent(pool: Pool) -> int:
    """How many messages wait."""
    async with pool.connection() as conn:
        row = await (await conn.execute("select count(*) from outbox where sent_at is null")).fetchone()
    assert row is not None
    return int(row[0])
