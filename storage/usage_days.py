"""Usage by day: what each meter of a machine went on by on a day (UTC), the sum of its hours.

Who rolls hours up adds up their days in the same transaction, late data included, so that days and hours
never differ. Hours of a worker that does not know days yet leave a note. A day is looked at once it is over:
until then the hour that is on counts as a whole one.
"""

from collections.abc import Sequence
from datetime import date

from psycopg import sql

from storage.pool import Connection
from storage.usage import METERS, USED

# A counter goes on from its last reading, so the next day with one changes too. In one pass from that reading
# on: `usage.HOURS` looks it up for each hour, but any of them. Days on which a meter was not read are left
# out first: the reading before one that a machine never sends would be looked for in all hours kept.
_ADD_UP = sql.SQL(
    """
with written as (
    select distinct asset_id, day from unnest(%(asset_id)s::int[], %(day)s::date[]) as due (asset_id, day)
), touched as (
    select asset_id, day from written union
    select w.asset_id, following.day from written as w cross join lateral (
        select min(u.day) as day from usage_day as u
        where u.asset_id = w.asset_id and u.day > w.day group by u.channel) as following
), noted as (
    delete from usage_due as due using written as w where (due.asset_id, due.day) = (w.asset_id, w.day)
), read as materialized (
    select touched.asset_id, touched.day, start_ts, m.name, m.unit, m.place, m.counts
    from touched join asset as a using (asset_id) join ({meters}) as m using (equipment_type),
    timezone('UTC', touched.day::timestamp) as start_ts
    where exists (
        select from rollup_hour as h where h.asset_id = touched.asset_id and h.vmax[m.place] is not null
        and h.ts >= start_ts and h.ts < start_ts + interval '24 hours')
)
insert into usage_day as known (asset_id, day, channel, unit, used, readings)
select read.asset_id, read.day, read.name, read.unit, hour.used, hour.readings
from read cross join lateral (
    select sum({used}) as used, count(*) as readings from (
        select h.ts, h.vmax[place]::float8 as high, h.vmin[place] as low, h.vmean[place] as mean,
               lag(h.vmax[place]) over (order by h.ts) as before
        from rollup_hour as h where h.asset_id = read.asset_id and h.vmax[place] is not null
        and h.ts < start_ts + interval '24 hours' and h.ts >= coalesce((
            select max(past.ts) from rollup_hour as past
            where counts and past.asset_id = read.asset_id and past.ts < start_ts
            and past.vmax[place] is not null), start_ts)) as reading
    where ts >= start_ts) as hour
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
    """Add up so many of the days that are noted and not added up; returns how many those were."""
    days = await (await conn.execute(_TAKE, (limit,))).fetchall()
    await add_up(conn, days)
    return len(days)
