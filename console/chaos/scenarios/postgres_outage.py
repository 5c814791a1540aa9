"""PostgreSQL goes away, refuses or blocks."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from random import Random

import psycopg
from psycopg import sql

from console.chaos.rig import Rig
from console.chaos.scenario import Scenario

_BACKENDS = """
select pg_terminate_backend(pid) from pg_stat_activity
where datname = %s and application_name = 'faultline-worker'
"""


def killed(down_s: float) -> Callable[[Rig, Random], Awaitable[None]]:
    """Kill the postmaster and start it again after that time."""

    async def faults(rig: Rig, random: Random) -> None:
        await rig.until_share_stored(0.2)
        await asyncio.sleep(random.uniform(0.0, 1.0))
        before = max(worker.largest_kib for worker in rig.workers)
        pid = rig.servers.postgres.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(down_s)
        await rig.servers.start_postgres()
        rig.to_postgres.target_port = rig.servers.postgres.port
        rig.notes["memory in the outage / before"] = max(w.largest_kib for w in rig.workers) / before

    return faults


async def backends_killed(rig: Rig, random: Random) -> None:
    """End the workers' connections again and again."""
    await rig.until_share_stored(0.1)
    for _ in range(15):
        await asyncio.sleep(random.uniform(0.0, 0.6))
        await asyncio.to_thread(_execute, rig, _BACKENDS, rig.database.name)


async def locked(rig: Rig, random: Random) -> None:
    """Hold the telemetry table for a minute."""
    await rig.until_share_stored(0.2)
    with psycopg.connect(rig.database.superuser_dsn) as conn:
        await asyncio.to_thread(conn.execute, "lock table faultline.telemetry in access exclusive mode")
        await asyncio.sleep(60)


async def crowded(rig: Rig, random: Random) -> None:
    """Take every connection that the server has, and the workers' own away."""
    await rig.until_share_stored(0.2)
    with ExitStack() as taken:
        while True:
            try:
                conn = psycopg.connect(rig.database.superuser_dsn, autocommit=True)
            except psycopg.OperationalError:
                break
            taken.enter_context(conn)
            conn.execute(_BACKENDS, (rig.database.name,))
        await asyncio.sleep(15)


def _execute(rig: Rig, statement: str, *params: object) -> None:
    with psycopg.connect(rig.database.superuser_dsn, autocommit=True) as conn:
        conn.execute(sql.SQL(statement), params)


SCENARIOS = [
    Scenario("postgres_killed", "the postmaster is killed and started again", killed(1.0), short=True),
    Scenario("postgres_down", "the postmaster is killed and away for ten minutes", killed(600.0), rate=20.0),
    Scenario("backends_killed", "connections are ended again and again", backends_killed),
    Scenario("lock_held", "another transaction holds the telemetry table for a minute", locked),
    Scenario("connections_exhausted", "the server has no connection left for fifteen seconds", crowded),
]
