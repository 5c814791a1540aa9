"""Minute and hour rollups of whatever was written, late data included.

Every chunk notes which ranges it wrote, in its own transaction. The job takes notes away, and in one
transaction computes the minutes they touch from the raw rows, the hours from the minutes and, of the hours,
what was used by day. A snapshot that shows a note shows its rows too, so nothing is missed however writers
and the job interleave. The same job serves every edition of the database.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, timedelta
from functools import cache
from typing import Any, LiteralString

from psycopg import sql

from storage.pool import Connection, Pool
from storage.usage_days import add_up, add_up_stored

_LOCK = 0x726F6C6C7570  # "rollup": one job at a time, or an older result could land on a newer one

# For each hour, the whole minutes from the first to the last row written.
_TAKE = """
with taken as (
    delete from rollup_due where id in (select id from rollup_due order by id limit %s)
    returning asset_id, first_ts, last_ts
)
select (select count(*) from channel where channel.equipment_type = asset.equipment_type) as columns,
       asset_id, time_bucket('1 hour', first_ts) as hour,
       time_bucket('1 minute', min(first_ts)) as start,
       time_bucket('1 minute', max(last_ts)) + interval '1 minute' as stop
from taken join asset using (asset_id)
group by asset.equipment_type, asset_id, hour
order by asset_id, hour
"""

# Values that are not to be trusted do not count, and neither do those that are missing. `offset 0` has each
# column looked at once for its aggregates; a sum and a count cost half of avg(), which also adds squares.
_MINUTES = """
insert into rollup_minute as known (asset_id, ts, n, bad, score_max, vmin, vmax, vmean, vcount)
select due.asset_id, minute.*
from unnest(%(asset_id)s::int[], %(start)s::timestamptz[], %(stop)s::timestamptz[])
    as due (asset_id, start, stop)
cross join lateral (
    select time_bucket('1 minute', ts), count(*), count(*) filter (where bad <> 0), max(score),
           array[{low}], array[{high}], array[{mean}], array[{count}]
    from (select ts, bad, score, {trusted} from telemetry
          where asset_id = due.asset_id and ts >= due.start and ts < due.stop
            and ts >= %(first)s and ts < %(last)s
          offset 0) as row
    group by 1
) as minute
on conflict (asset_id, ts) do update set
    n = excluded.n, bad = excluded.bad, score_max = excluded.score_max,
    vmin = excluded.vmin, vmax = excluded.vmax, vmean = excluded.vmean, vcount = excluded.vcount
"""

_HOURS = """
insert into rollup_hour (asset_id, ts, n, bad, score_max, vmin, vmax, vmean, vcount)
select due.asset_id, due.hour, sum(n), sum(bad), max(score_max),
       array[{low}], array[{high}], array[{mean}], array[{count}]
from unnest(%(asset_id)s::int[], %(hour)s::timestamptz[]) as due (asset_id, hour)
join rollup_minute as minute on minute.asset_id = due.asset_id
    and minute.ts >= due.hour and minute.ts < due.hour + interval '1 hour'
    and minute.ts >= %(first)s and minute.ts < %(last)s
group by due.asset_id, due.hour
on conflict (asset_id, ts) do update set
    n = excluded.n, bad = excluded.bad, score_max = excluded.score_max,
    vmin = excluded.vmin, vmax = excluded.vmax, vmean = excluded.vmean, vcount = excluded.vcount
"""


async def run_due(pool: Pool, limit: int = 200) -> int:
    """Roll up the oldest `limit` notes; returns how many asset-hours that were, 0 if nothing is due.

    Where nothing is, so many of the days that are noted and not added up yet, and their number.
    Waits for a job of another process, so that with 0 everything noted before the call is rolled up.
    """
    async with pool.connection() as conn, conn.transaction():
        await conn.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        due = await (await conn.execute(_TAKE, (limit,))).fetchall()
        by_width = defaultdict[int, list[Any]](list)
        for columns, *rest in due:
            by_width[columns].append(rest)
        for columns, hours in by_width.items():
            await _roll_up(conn, columns, hours)
        await add_up(conn, [(asset_id, hour.astimezone(UTC).date()) for _, asset_id, hour, *_ in due])
        return len(due) or await add_up_stored(conn, limit)


async def _roll_up(conn: Connection, columns: int, hours: Sequence[Any]) -> None:
    asset_id, hour, start, stop = (list(column) for column in zip(*hours, strict=True))
    params = {"asset_id": asset_id, "hour": hour, "start": start, "stop": stop}
    await conn.execute(_minutes(columns), params | {"first": min(start), "last": max(stop)})
    await conn.execute(_hours(columns), params | {"first": min(hour), "last": max(hour) + timedelta(hours=1)})


@cache
def _minutes(columns: int) -> sql.Composed:
    return sql.SQL(_MINUTES).format(
        low=_each(columns, "min(v{k})"),
        high=_each(columns, "max(v{k})"),
        mean=_each(columns, "sum(v{k}::float8) / nullif(count(v{k}), 0)"),
        count=_each(columns, "count(v{k})"),
        trusted=_each(columns, "case when bad & (1::bigint << {k}) <> 0 then null else v{k} end as v{k}"),
    )


@cache
def _hours(columns: int) -> sql.Composed:
    mean = "sum(vmean[{i}]::float8 * vcount[{i}]) / nullif(sum(vcount[{i}]), 0)"
    return sql.SQL(_HOURS).format(
        low=_each(columns, "min(vmin[{i}])"),
        high=_each(columns, "max(vmax[{i}])"),
        mean=_each(columns, mean),
        count=_each(columns, "sum(vcount[{i}])"),
    )


def _each(columns: int, expression: LiteralString) -> sql.Composed:
    """The expression for each column: `{k}` is its number, `{i}` its place in an array."""
    each = (sql.SQL(expression).format(k=sql.Literal(k), i=sql.Literal(k + 1)) for k in range(columns))
    return sql.SQL(", ").join(each)
