"""A machine by the hour: the hour rollups, and how long its state channel had which code."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from fleet.asset import EquipmentType
from fleet.hours import Hours
from storage.pool import Pool

_HOUR = sql.SQL("(extract(epoch from time_bucket('1 hour', ts)) / 3600)::bigint")

# Codes are no quantities, so the rollups say nothing of them; raw rows do, as long as they are kept.
_CODES = sql.SQL(
    "select {hour}, round({value})::int, count(*) from telemetry where asset_id = %(asset_id)s "
    "and ts >= %(start)s and ts < %(end)s and {value} is not null "
    "and coalesce(bad & (1::bigint << {column}), 0) = 0 group by 1, 2"
)

_MEANS = sql.SQL(
    "select {hour}, vmean, vmax from rollup_hour where asset_id = %(asset_id)s "
    "and ts >= %(start)s and ts < %(end)s order by ts"
)


async def newest_hour(pool: Pool, asset_id: int) -> datetime | None:
    """The newest hour of an asset in the rollups; None without any."""
    async with pool.connection() as conn:
        cursor = await conn.execute("select max(ts) from rollup_hour where asset_id = %s", (asset_id,))
        row = await cursor.fetchone()
    return row[0] if row else None


async def hours_of(pool: Pool, asset_id: int, kind: EquipmentType, start: datetime, end: datetime) -> Hours:
    """The asset's hours from `start` until before `end`, both whole hours, as of the last rollup."""
    span = {"asset_id": asset_id, "start": start, "end": end}
    async with pool.connection() as conn:
        rows = await (await conn.execute(_MEANS.format(hour=_HOUR), span)).fetchall()
        states = [k for k, channel in enumerate(kind.channels) if channel.kind == "state"]
        codes = list[tuple[int, int, int]]()
        if states:
            value, column = sql.Identifier(f"v{states[0]}"), sql.Literal(states[0])
            statement = _CODES.format(hour=_HOUR, value=value, column=column)
            codes = await (await conn.execute(statement, span)).fetchall()
    hour = np.array([row[0] for row in rows], np.int64)
    mean, high = (_matrix([row[place] for row in rows], len(kind.channels)) for place in (1, 2))
    names = tuple(channel.name for channel in kind.channels)
    asked = round((end - start).total_seconds() / 3600)
    return Hours(names, asked, hour, mean, high, _shares(hour, codes))


def _matrix(rows: list[list[float | None]], width: int) -> NDArray[np.float64]:
    """(n, width), NaN for None and for channels added since the rollup was made."""
    found = np.full((len(rows), width), np.nan)
    for i, row in enumerate(rows):
        found[i, : len(row)] = np.array(row, np.float64)[:width]
    return found


def _shares(hour: NDArray[np.int64], codes: list[tuple[int, int, int]]) -> NDArray[np.float64]:
    """(n, codes) parts of each hour's rows, NaN in hours without any."""
    place = {each: i for i, each in enumerate(hour.tolist())}
    counts = np.zeros((len(hour), max((code for _, code, _ in codes), default=-1) + 1))
    for each, code, count in codes:
        if each in place and code >= 0:
            counts[place[each], code] += count
    total = counts.sum(axis=1, keepdims=True)
    shares = np.full_like(counts, np.nan)
    np.divide(counts, total, out=shares, where=total > 0)
    return shares
