"""Lines to draw: a channel, the score or the health of one asset over a span, never too many points."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from storage.pool import Connection, Pool

MAX_POINTS = 5000

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)

_US = sql.SQL("(extract(epoch from ts) * 1000000)::bigint")

_RAW = sql.SQL(
    "select {us}, v, v, v from (select ts, {raw} as v from telemetry "
    "where asset_id = %(asset_id)s and ts >= %(start)s and ts < %(end)s order by ts limit %(limit)s) as row"
)

# A rollup tells how many rows there are, so that too many need not be fetched to find that out.
_ROWS = sql.SQL(
    "select coalesce(sum(n), 0) from {table} "
    "where asset_id = %(asset_id)s and ts >= time_bucket(%(width)s, %(start)s) and ts < %(end)s"
)
_COUNT_BY_MINUTE = timedelta(days=2)
"""Spans up to this are counted by minutes, longer ones by hours."""

_ROLLED_UP = sql.SQL(
    "select {us}, low, mean, high from ("
    "select time_bucket(%(width)s, ts) as ts, {low} as low, {mean} as mean, {high} as high from {table} "
    "where asset_id = %(asset_id)s and ts >= time_bucket(%(width)s, %(start)s) and ts < %(end)s "
    "group by 1 order by 1) as bucket"
)


@dataclass(frozen=True, slots=True)
class Series:
    """A line of n points, oldest first.

    ts: (n,) datetime64[us] UTC: instants, or where there is a `resolution`, the starts of buckets that wide.
    low, mean, high: (n,) float64, equal for single values; NaN where nothing was measured, or nothing to
    be trusted.
    """

    resolution: timedelta | None
    ts: NDArray[np.datetime64]
    low: NDArray[np.float64]
    mean: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Line:
    """What is drawn: from raw rows, and from buckets of rollups."""

    raw: sql.Composable
    low: sql.Composable
    mean: sql.Composable
    high: sql.Composable


async def telemetry_series(pool: Pool, asset_id: int, channel: str, start: datetime, end: datetime) -> Series:
    """A channel's values from `start` up to but not including `end`; raises `KeyError` if there is none.

    Raw values if they are few, else minutes, else hours or multiples of them; buckets are as of the last
    rollup.
    """
    async with pool.connection() as conn:
        return await _series(conn, await _channel_line(conn, asset_id, channel), asset_id, start, end)


async def score_series(pool: Pool, asset_id: int, start: datetime, end: datetime) -> Series:
    """The score likewise; in buckets it is the highest one, three times."""
    highest = sql.SQL("max(score_max)")
    async with pool.connection() as conn:
        return await _series(conn, _Line(sql.SQL("score"), highest, highest, highest), asset_id, start, end)


async def health_series(pool: Pool, asset_id: int, start: datetime, end: datetime) -> Series:
    """The health likewise, in buckets as wide as it takes."""
    width = _enough(timedelta(seconds=1), end - start)
    line = _Line(sql.SQL("health"), sql.SQL("min(health)"), sql.SQL("avg(health)"), sql.SQL("max(health)"))
    async with pool.connection() as conn:
        return await _bucketed(
            conn, "health", line, width, {"asset_id": asset_id, "start": start, "end": end}
        )


async def _channel_line(conn: Connection, asset_id: int, channel: str) -> _Line:
    cursor = await conn.execute(
        "select column_no from asset join channel using (equipment_type) "
        "where asset_id = %s and channel.name = %s",
        (asset_id, channel),
    )
    row = await cursor.fetchone()
    if row is None:
        raise KeyError(f"asset {asset_id} has no channel {channel!r}")
    places = {"k": sql.Literal(row[0]), "i": sql.Literal(row[0] + 1)}
    return _Line(
        sql.SQL("case when bad & (1::bigint << {k}) <> 0 then null else v{k} end").format(**places),
        sql.SQL("min(vmin[{i}])").format(**places),
        sql.SQL("sum(vmean[{i}]::float8 * vcount[{i}]) / nullif(sum(vcount[{i}]), 0)").format(**places),
        sql.SQL("max(vmax[{i}])").format(**places),
    )


async def _series(conn: Connection, line: _Line, asset_id: int, start: datetime, end: datetime) -> Series:
    span: dict[str, Any] = {"asset_id": asset_id, "start": start, "end": end, "limit": MAX_POINTS + 1}
    if await _rows(conn, span, end - start) <= MAX_POINTS:
        cursor = await conn.execute(_RAW.format(us=_US, raw=line.raw), span)
        rows = await cursor.fetchall()
        if len(rows) <= MAX_POINTS:  # else they are not rolled up yet
            return _points(None, rows)
    if (end - start) / _MINUTE < MAX_POINTS:
        return await _bucketed(conn, "rollup_minute", line, _MINUTE, span)
    return await _bucketed(conn, "rollup_hour", line, _enough(_HOUR, end - start), span)


async def _rows(conn: Connection, span: Mapping[str, Any], length: timedelta) -> int:
    """Rows in the span as of the last rollup, those of the bucket in which it begins counted whole."""
    table, width = ("rollup_minute", _MINUTE) if length <= _COUNT_BY_MINUTE else ("rollup_hour", _HOUR)
    statement = _ROWS.format(table=sql.Identifier(table))
    row = await (await conn.execute(statement, {**span, "width": width})).fetchone()
    return int(row[0]) if row else 0


def _enough(step: timedelta, span: timedelta) -> timedelta:
    """The least multiple of `step` with at most `MAX_POINTS` buckets in the span, wherever it starts."""
    return step * max(1, -(-span // (step * (MAX_POINTS - 1))))


async def _bucketed(
    conn: Connection, table: str, line: _Line, width: timedelta, span: Mapping[str, Any]
) -> Series:
    statement = _ROLLED_UP.format(
        us=_US, table=sql.Identifier(table), low=line.low, mean=line.mean, high=line.high
    )
    return _points(width, await (await conn.execute(statement, {**span, "width": width})).fetchall())


def _points(resolution: timedelta | None, rows: list[tuple[Any, ...]]) -> Series:
    ts = np.array([row[0] for row in rows], np.int64).view("datetime64[us]")
    low, mean, high = np.array([row[1:] for row in rows], np.float64).reshape(-1, 3).T
    return Series(resolution, ts, low, mean, high)
