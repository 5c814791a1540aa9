"""What the storage tests share: a small fleet, chunks to write, and a look at all tables at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np
import psycopg
from numpy.typing import ArrayLike
from psycopg import sql

from fleet.asset import Asset, Channel, EquipmentType, Fleet, Site, Tenant
from fleet.clock import microseconds
from storage.bootstrap import OWNER, WRITER
from storage.chunk_result import ChunkResult, Tally, Telemetry
from storage.pool import Pool, open_pool
from storage.registry import load_registry, register
from storage.server.database import Database

TOPIC = "telemetry.acme"
T0 = microseconds(datetime(2026, 3, 1, 12, tzinfo=UTC))
SECOND = 1_000_000

PRESS = EquipmentType(
    "press", (Channel("force", "kN"), Channel("speed", "mm/s"), Channel("temperature", "°C"))
)
LIFT = EquipmentType("lift", (Channel("current", "A"),))
MACHINES = (("p1", "press"), ("p2", "press"), ("l1", "lift"))


def small_fleet() -> Fleet:
    """Two presses and a lift of one tenant; a fresh database numbers them 1, 2, 3."""
    assets = tuple(Asset(0, "acme", "hall", name, kind) for name, kind in MACHINES)
    return Fleet((Tenant("acme"),), (Site("acme", "hall"),), assets, (PRESS, LIFT))


@asynccontextmanager
async def writer_pool(database: Database) -> AsyncIterator[Pool]:
    """A pool as a worker has it, on a database that knows the small fleet."""
    async with open_pool(database.dsn(WRITER)) as pool:
        await register(pool, small_fleet())
        assert [asset.asset_id for asset in (await load_registry(pool)).assets] == [1, 2, 3]
        yield pool


def block(
    asset_id: ArrayLike, ts_us: ArrayLike, values: ArrayLike, score: Any = np.nan, bad: ArrayLike = 0
) -> Telemetry:
    """Telemetry from whatever NumPy can broadcast; `values` are (n, columns)."""
    ts = np.asarray(ts_us, np.int64)
    n = len(ts)
    return Telemetry(
        np.broadcast_to(np.asarray(asset_id, np.int32), n).copy(),
        ts,
        np.broadcast_to(np.asarray(score, np.float32), n).copy(),
        np.broadcast_to(np.asarray(bad, np.int64), n).copy(),
        np.asarray(values, np.float32),
    )


def chunk(first: int, end: int, *telemetry: Telemetry, **parts: Any) -> ChunkResult:
    """The result of records [first, end) of partition 0, all stored unless told otherwise."""
    tally = parts.pop("tally", Tally(stored=end - first))
    return ChunkResult(TOPIC, 0, first, end, tally, telemetry, **parts)


def one_row(asset_id: int, second: float, value: float) -> Telemetry:
    """A single instant of one asset's first channel."""
    columns = 1 if MACHINES[asset_id - 1][1] == "lift" else 3
    return block(asset_id, [T0 + int(second * SECOND)], [[value] + [np.nan] * (columns - 1)])


_NOT_COMPARED = {"id", "created_at", "applied_at", "sent_at"}
"""Columns that tell when or how something was stored, not what."""


def contents(database: Database, without: Sequence[str] = ()) -> dict[str, list[str]]:
    """Every table's rows as sorted text, as the owner sees them; empty tables are left out."""
    found = {}
    with psycopg.connect(database.dsn(OWNER), autocommit=True) as conn:
        tables = conn.execute(
            "select table_name, array_agg(column_name::text order by ordinal_position) "
            "from information_schema.columns where table_schema = 'faultline' group by table_name"
        ).fetchall()
        for table, columns in tables:
            if table not in without:
                kept = [sql.Identifier(name) for name in columns if name not in _NOT_COMPARED]
                statement = sql.SQL("select row({})::text from {} order by 1")
                rows = conn.execute(
                    statement.format(sql.SQL(", ").join(kept), sql.Identifier(table))
                ).fetchall()
                found[table] = [row for (row,) in rows]
    return {table: rows for table, rows in found.items() if rows}


def ask(database: Database, query: str, role: str = OWNER) -> list[tuple[Any, ...]]:
    """The rows that a role gets for a query."""
    with psycopg.connect(database.dsn(role), autocommit=True) as conn:
        return conn.execute(query.encode()).fetchall()


async def until_blocked(database: Database, statements: int = 1) -> None:
    """Wait until so many of the writer's statements wait for locks."""
    query = "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    async with asyncio.timeout(20):
        while len(await asyncio.to_thread(ask, database, query, WRITER)) < statements:  # noqa: ASYNC110 - only asking tells
            await asyncio.sleep(0.01)


async def until_gone(database: Database, backend: int) -> None:
    """Wait until the server has ended that connection of the writer."""
    query = f"select from pg_stat_activity where pid = {backend}"
    async with asyncio.timeout(20):
        while await asyncio.to_thread(ask, database, query, WRITER):  # noqa: ASYNC110 - only asking tells
            await asyncio.sleep(0.01)
