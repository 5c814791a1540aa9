"""What was stored of an asset, as a computation goes over it again: raw rows, minutes, hours."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from storage.binary_copy import POSTGRES_EPOCH_US
from storage.pool import Pool

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

_HEADER, _TRAILER = 19, 2
"""Bytes around the rows of a COPY BINARY stream."""

_ROWS = sql.SQL(
    "copy (select ts, {values} from telemetry where asset_id = {asset} and ts >= {start} and ts < {end} "
    "order by ts) to stdout (format binary)"
)


async def telemetry_days(
    pool: Pool, asset_id: int, columns: int, start: datetime, end: datetime
) -> AsyncIterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Of each day from `start` until before `end` that has rows: instants and values.

    (n,) in microseconds since 1970 UTC, rising; (n, columns) in the channels' units, NaN where missing.
    """
    while start < end:
        until = min(start + DAY, end)
        ts_us, values = await _between(pool, asset_id, columns, start, until)
        if len(ts_us):
            yield ts_us, values
        start = until


async def _between(
    pool: Pool, asset_id: int, columns: int, start: datetime, end: datetime
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    values = [sql.SQL("coalesce({}, 'NaN')").format(sql.Identifier(f"v{k}")) for k in range(columns)]
    statement = _ROWS.format(
        values=sql.SQL(", ").join(values),
        asset=sql.Literal(asset_id),
        start=sql.Literal(start),
        end=sql.Literal(end),
    )
    async with pool.connection() as conn, conn.cursor() as cursor, cursor.copy(statement) as copy:
        data = b"".join([bytes(part) async for part in copy])
    cell = np.dtype([("length", ">i4"), ("value", ">f4")])
    row = np.dtype([("fields", ">i2"), ("length", ">i4"), ("ts", ">i8"), ("cells", cell, (columns,))])
    rows = np.frombuffer(data[_HEADER:-_TRAILER], row)
    return rows["ts"].astype(np.int64) + POSTGRES_EPOCH_US, rows["cells"]["value"].astype(np.float32)


async def trusted_minutes(
    pool: Pool, asset_id: int, columns: Sequence[int], start: datetime, end: datetime
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Means of some channels over each minute that has rows, as of the last rollup.

    (n,) starts of the minutes in microseconds since 1970 UTC, rising; (n, columns) in the channels' units,
    NaN where nothing was measured, or nothing to be trusted.
    """
    statement = sql.SQL(
        "select (extract(epoch from ts) * 1000000)::bigint, array[{means}]::float8[] from rollup_minute "
        "where asset_id = %s and ts >= %s and ts < %s order by ts"
    ).format(means=sql.SQL(", ").join(sql.SQL("vmean[{}]").format(sql.Literal(k + 1)) for k in columns))
    async with pool.connection() as conn:
        rows = await (await conn.execute(statement, (asset_id, start, end))).fetchall()
    values = np.array([row[1] for row in rows], np.float64)
    return np.array([row[0] for row in rows], np.int64), values.reshape(-1, len(columns))


async def trusted_hours(
    pool: Pool, asset_id: int, column: int, start: datetime, end: datetime
) -> NDArray[np.float64]:
    """Means of a channel over each hour from `start`, a whole one, until before `end`, as of the last rollup.

    (hours,) in the channel's unit, NaN where nothing was measured, or nothing to be trusted.
    """
    statement = sql.SQL(
        "select (extract(epoch from ts - %(start)s) / 3600)::int, vmean[{}]::float8 from rollup_hour "
        "where asset_id = %(asset_id)s and ts >= %(start)s and ts < %(end)s"
    ).format(sql.Literal(column + 1))
    async with pool.connection() as conn:
        span = {"asset_id": asset_id, "start": start, "end": end}
        rows = await (await conn.execute(statement, span)).fetchall()
    mean = np.full(-(-(end - start) // HOUR), np.nan)
    for hour, value in rows:
        mean[hour] = np.nan if value is None else value
    return mean
