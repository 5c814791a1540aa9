"""What meters of a machine went on by: counters by their readings, energy by mean power, wear day by day.

Parts of statements, for whoever has the machines that it may look at as `a`: what customers see and what the
command line says are sums of the same rows.
"""

from psycopg import sql

from fleet.catalog import packs
from storage.pool import Pool

_POWER = sql.SQL("(c.equipment_type, c.name) in ({})").format(
    sql.SQL(", ").join(
        sql.SQL("({}, {})").format(sql.Literal(name), sql.Literal(pack.power))
        for name, pack in packs().items()
        if pack.power
    )
)

METERS = sql.SQL(
    """select c.equipment_type, c.name, c.column_no + 1 as place, c.kind = 'counter' as counts,
           case when c.kind = 'counter' then c.unit else 'kWh' end as unit
    from faultline.channel as c where c.kind = 'counter' or {power}"""
).format(power=_POWER)
"""What is read of a type's machines by the hour: its counters, and the power of which energy is made."""

USED = sql.SQL("case when counts then high - case when before <= high then before else low end else mean end")
"""What a reading goes on by after the one before: less than that is a counter that was replaced."""

HOURS = sql.SQL(
    """select h.ts, m.name as channel, m.unit, {used} as used
    from faultline.rollup_hour as h join ({meters}) as m on m.equipment_type = a.equipment_type
    cross join lateral (
        select h.vmax[m.place]::float8 as high, h.vmin[m.place] as low, h.vmean[m.place] as mean) as reading
    left join lateral (
        select p.vmax[m.place] as before from faultline.rollup_hour as p
        where m.counts and p.asset_id = a.asset_id and p.ts < h.ts and p.vmax[m.place] is not null
        order by p.ts desc limit 1) as past on true
    where h.asset_id = a.asset_id and h.vmax[m.place] is not null
    and (m.counts or h.ts <= now() - interval '1 hour')"""
).format(used=USED, meters=METERS)
"""Rows `ts`, `channel`, `unit`, `used`: growth of a counter in the hour; mean kW as kWh once it is over."""

# Less than before is a part that was replaced: what it used up on that day is not known. Nor is what was used
# up on the first day on record.
DAYS = sql.SQL(
    """select d.day, d.counter, d.value, d."limit",
           case when before.value is not null
               then 100 * greatest(d.value - before.value, 0) / d."limit" end as used
    from faultline.wear_day as d left join lateral (
        select p.value from faultline.wear_day as p
        where p.asset_id = d.asset_id and p.counter = d.counter and p.day < d.day
        order by p.day desc limit 1) as before on true
    where d.asset_id = a.asset_id"""
)
"""Rows `day`, `counter`, `value`, `limit`, `used`: the share of the limit used up since the day before, %."""

IN_PERIOD = sql.SQL(
    """select sum(each.used) as used, coalesce(sum(each.readings), 0) as readings
    from date_trunc('day', p.start_ts + interval '23 hours', 'UTC') as first_ts,
    greatest(first_ts, date_trunc('day', least(p.end_ts, now()), 'UTC')) as last_ts, lateral (
        select d.used, d.readings from faultline.usage_day as d
        where d.asset_id = a.asset_id and d.channel = c.meter and d.unit = c.unit
        and d.day >= (first_ts at time zone 'UTC')::date and d.day < (last_ts at time zone 'UTC')::date
        union all
        select hour.used, 1 from (values (p.start_ts, first_ts), (last_ts, p.end_ts))
        as rest (from_ts, to_ts), lateral ({hours}) as hour
        where hour.channel = c.meter and hour.unit = c.unit
        and hour.ts >= rest.from_ts and hour.ts < least(rest.to_ts, p.end_ts)
        union all
        select day.used, 1 from ({days}) as day
        where starts_with(c.meter, 'wear:') and day.counter = substr(c.meter, 6)
        and day.day >= (p.start_ts at time zone 'UTC')::date
        and day.day < (p.end_ts at time zone 'UTC')::date) as each"""
).format(hours=HOURS, days=DAYS)
"""One row: what the meter of a contract `c` went on by in a period `p`; null where it was never read.

Whole days that are over are taken as such, the rest of the period (whole hours) by the hour.
"""

_KEEP = """
insert into wear_day as known (asset_id, counter, day, value, "limit")
select asset_id, counter, (ts at time zone 'UTC')::date, value, "limit" from wear_counter
on conflict (asset_id, counter, day) do update set value = excluded.value, "limit" = excluded."limit"
where (known.value, known."limit") <> (excluded.value, excluded."limit")
"""


async def keep_wear(pool: Pool) -> int:
    """Note where all wear counters stand, on the day of each one's newest row; returns how many moved."""
    async with pool.connection() as conn:
        return (await conn.execute(_KEEP)).rowcount
