"""Usage by day: what each meter of a machine went on by on a day (UTC), the sum of its hours.

Who rolls hours up adds up their days in the same transaction, late data included, so that days and hours
never differ. A day is looked at once it is over: until then the hour that is on counts as a whole one.
"""

from collections.abc import Sequence
from datetime import date

from psycopg import sql

from storage.pool import Connection
from storage.usage import METERS, USED

# A counter goes on from its last reading, so the next day with one changes too. In one pass from that reading
# on: `usage.HOURS` looks it up for each hour, but any of them.
_ADD_UP = sql.SQL(
    """
with written as (
    select distinct asset_id, day from unnest(%(asset_id)s::int[], %(day)s::date[]) as due (asset_id, day)
), touched as (
    select asset_id, day from written union
    select w.asset_id, following.day from written as w cross join lateral (
        select min(u.day) as day from usage_day as u
        where u.asset_id = w.asset_id and u.day > w.day group by u.channel) as following
)
insert into usage_day as known (asset_id, day, channel, unit, used, readings)
select touched.asset_id, touched.day, m.name, m.unit, hour.used, hour.readings
from touched join asset as a using (asset_id) join ({meters}) as m using (equipment_type),
timezone('UTC', touched.day::timestamp) as start_ts, lateral (
    select sum({used}) as used, count(*) as readings from (
        select h.ts, h.vmax[m.place]::float8 as high, h.vmin[m.place] as low, h.vmean[m.place] as mean,
               lag(h.vmax[m.place]) over (order by h.ts) as before
        from rollup_hour as h where h.asset_id = touched.asset_id and h.vmax[m.place] is not null
        and h.ts < start_ts + interval '24 hours' and h.ts >= coalesce((
            select max(past.ts) from rollup_hour as past
            where m.counts and past.asset_id = touched.asset_id and past.ts < start_ts
            and past.vmax[m.place] is not null), start_ts)) as reading
    where ts >= start_ts) as hour
where hour.readings > 0
on conflict (asset_id, day, channel) do update set
    unit = excluded.unit, used = excluded.used, readings = excluded.readings
where (known.unit, known.used, known.readings) <> (excluded.unit, excluded.used, excluded.readings)
"""
).format(meters=METERS, used=USED)

_TAKE = """
delete from usage_due where (asset_id, day) in (select asset_id, day from usage_due limit %s)
returning asset_id, day
"""


async def add_up(conn: Connection, days: Sequence[tuple[int, date]]) -> None:
    """Add up these days of machines anew, in the caller's transaction."""
    if days:
        asset_id, day = map(list, zip(*days, strict=True))
        await conn.execute(_ADD_UP, {"asset_id": asset_id, "day": day})


async def add_up_stored(conn: Connection, limit: int) -> int:
    """Add up so many of the days that were stored before days were kept; returns how many those were."""
    days = await (await conn.execute(_TAKE, (limit,))).fetchall()
    await add_up(conn, days)
    return len(days)
