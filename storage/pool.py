"""Connections to the database, as the product's processes use them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

Connection: TypeAlias = AsyncConnection[TupleRow]
Pool: TypeAlias = AsyncConnectionPool[Connection]

_SESSION = "-c statement_timeout=60s -c idle_in_transaction_session_timeout=60s -c timezone=UTC"


class _Pool(AsyncConnectionPool[Connection]):
    @asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[Connection]:  # noqa: ASYNC109
        """A connection for as long as the context lasts.

        psycopg calls a transaction that idled too long an internal error; it can be tried again. A
        cancellation that comes together with the connection is forgotten by Python 3.11's `asyncio.wait_for`
        (python/cpython#86296), which the pool waits with: who cancelled would wait for ever.
        """
        before = _cancellations()
        try:
            async with super().connection(timeout) as conn:
                if _cancellations() > before:
                    raise asyncio.CancelledError
                yield conn
        except psycopg.errors.IdleInTransactionSessionTimeout as error:
            raise psycopg.OperationalError(str(error)) from error


def _cancellations() -> int:
    """How often the running task was asked to end."""
    task = asyncio.current_task()
    return task.cancelling() if task else 0


@asynccontextmanager
async def open_pool(dsn: str, application_name: str = "faultline", max_size: int = 4) -> AsyncIterator[Pool]:
    """A pool of autocommit connections, closed at the end.

    No wait is endless: connecting, a silent network (`tcp_user_timeout`), a statement, an idle transaction
    and a free connection each have a limit. Beyond it comes `psycopg.OperationalError` (`PoolTimeout` is
    one). Two connections at least: a claim ends the previous owner's transaction over the second.
    """
    kwargs = {
        "autocommit": True,
        "application_name": application_name,
        "connect_timeout": 10,
        "tcp_user_timeout": 30_000,
        "keepalives_idle": 30,
        "options": _SESSION,
        "prepare_threshold": 3,
    }
    pool = _Pool(
        dsn,
        kwargs=kwargs,
        min_size=1,
        max_size=max(2, max_size),
        timeout=30,
        open=False,
        name=application_name,
    )
    async with pool:
        yield pool
