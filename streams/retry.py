"""Retry in place: an outage never skips a record, it waits."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import psycopg
import psycopg_pool
import structlog

from streams import metrics

T = TypeVar("T")

LONGEST_PAUSE_S = 15.0

OUTAGE = (psycopg.OperationalError, psycopg.InterfaceError, psycopg_pool.PoolTimeout, ConnectionError)
"""What a database that is down, restarting, full or locked answers; anything else is our mistake."""

LIMIT_EXCEEDED = "54"
"""Class of SQLSTATE that psycopg counts among the above, though waiting does not help."""

log = structlog.get_logger()


class OutageRetry:
    """Awaits operations of one agent until the outage is over."""

    def __init__(self, agent: str) -> None:
        self._agent = agent
        self.last_refusal = float("-inf")
        """When the database last refused, on the monotonic clock."""

    async def until_done(self, operation: Callable[[], Awaitable[T]]) -> T:
        """The operation's result, with pauses of 0.25 s doubling to 15 s between attempts.

        It must be safe to repeat after an unknown outcome. Errors that are no outage are raised.
        """
        for attempt in itertools.count():
            try:
                return await operation()
            except OUTAGE as error:
                if isinstance(error, psycopg.Error) and (error.sqlstate or "").startswith(LIMIT_EXCEEDED):
                    raise
                pause = min(LONGEST_PAUSE_S, 0.25 * 2 ** min(attempt, 10))
                self.last_refusal = time.monotonic()
                metrics.RETRIES.labels(self._agent).inc()
                log.warning(
                    "waiting for the database", agent=self._agent, pause_s=pause, error=type(error).__name__
                )
                await asyncio.sleep(pause)
        raise AssertionError("unreachable")
