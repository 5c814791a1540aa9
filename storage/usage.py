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

# Less than before is a counter that was replaced.
_USED = sql.SQL(
    "case when counts then high - case when before <= high then before else low end else mean end as used"
)

# An hour of power is known once it is over.
_READ = sql.SQL(
    "h.asset_id = a.asset_id and h.vmax[m.place] is not null "
    "and (m.counts or h.ts <= now() - interval '1 hour')"
)

HOURS = sql.SQL(
    """select h.ts, m.name as channel, m.unit, {used}
    from faultline.rollup_hour as h join ({meters}) as m on m.equipment_type = a.equipment_type
    cross join lateral (
        select h.vmax[m.place]::float8 as high, h.vmin[m.place] as low, h.vmean[m.place] as mean) as reading
    left join lateral (
        select p.vmax[m.place] as before from faultline.rollup_hour as p
        where m.counts and p.asset_id = a.asset_id and p.ts < h.ts and p.vmax[m.place] is not null
        order by p.ts desc limit 1) as past on true
    where {read}"""
).format(used=_USED, meters=METERS, read=_READ)
"""Rows `ts`, `channel`, `unit`, `used`: a counter's growth in the hour, or the hour's mean kW as kWh."""

# The same in one pass from the last reading before: `HOURS` looks it up for each hour, but any of them.
_HOURS_OF_PERIOD = sql.SQL(
    """select {used} from ({meters}) as m cross join lateral (
        select h.ts, h.vmax[m.place]::float8 as high, h.vmin[m.place] as low, h.vmean[m.place] as mean,
               lag(h.vmax[m.place]) over (order by h.ts) as before
        from faultline.rollup_hour as h where {read} and h.ts < p.end_ts and h.ts >= coalesce((
            select max(past.ts) from faultline.rollup_hour as past
            where m.counts and past.asset_id = a.asset_id and past.ts < p.start_ts
            and past.vmax[m.place] is not null), p.start_ts)) as reading
    where m.equipment_type = a.equipment_type and m.name = c.meter and m.unit = c.unit
    and reading.ts >= p.start_ts"""
).format(used=_USED, meters=METERS, read=_READ)

# Less than before is a part that was replaced: what it used up on that day is not known.
DAYS = sql.SQL(
    """select d.day, d.counter, d.value, d."limit",
           100 * greatest(d.value - before.value, 0) / d."limit" as used
    from faultline.wear_day as d left join lateral (
        select p.value from faultline.wear_day as p
        where p.asset_id = d.asset_id and p.counter = d.counter and p.day < d.day
        order by p.day desc limit 1) as before on true
    where d.asset_id = a.asset_id"""
)
"""Rows `day`, `counter`, `value`, `limit`, `used`: the share of the limit used up since the day before, %."""

IN_PERIOD = sql.SQL(
    """select sum(each.used) as used, count(*) as readings from (
        {hours} union all
        select day.used from ({days}) as day
        where starts_with(c.meter, 'wear:') and day.counter = substr(c.meter, 6)
        and day.day >= (p.start_ts at time zone 'UTC')::date
        and day.day < (p.end_ts at time zone 'UTC')::date) as each"""
).format(hours=_HOURS_OF_PERIOD, days=DAYS)
"""One row: what the meter of a contract `c` went on by in a period `p`; null where it was never read."""

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
