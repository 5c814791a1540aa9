"""The views of one access, as SQL: what it sees of each table, under names that a person understands.

Each is a security barrier over the base tables: conditions that its reader writes see no row of others, not
even in an error message, while those on text, numbers and instants still reach the indexes. Row-level
security would not do: TimescaleDB's chunks do not have the policies of their table (timescaledb issue 7830).
"""

from collections.abc import Iterator, Sequence

from psycopg import sql

from fleet.asset import EquipmentType
from fleet.sql_names import column, stem
from storage.usage import DAYS, HOURS, IN_PERIOD, METERS

PLACE = sql.SQL("a.tenant, a.site, a.name as asset, a.asset_id")
"""Which machine a row is about; its number is for dashboards, as names are unique in a tenant only."""

# What an access sees is found first and leads into the indexes of what is large. With `access` beside `asset`
# and not below `exists`, PostgreSQL would join the rows of all machines before it asks whose they are.
_SEEN = """(select asset.* from faultline.asset where exists (
    select from faultline.access_scope as scope join faultline.access using (access_id)
    where scope.access_id = {access} and access.suspended_at is null
    and (scope.tenant is null or scope.tenant = asset.tenant)
    and (scope.site is null or scope.site = asset.site)
    and (scope.equipment_type is null or scope.equipment_type = asset.equipment_type))) as a"""


def seen(access_id: str) -> sql.Composed:
    """The machines that an access sees, as `a`; none while it is suspended."""
    return sql.SQL(_SEEN).format(access=sql.Literal(access_id))


def machine_views(access_id: str, types: Sequence[EquipmentType]) -> Iterator[tuple[str, sql.Composed]]:
    """Name of each view of the schema named `access_id`, and what it selects."""
    machines = seen(access_id)
    parts = {
        "seen": machines,
        "place": PLACE,
        "access": sql.Literal(access_id),
        "meters": METERS,
        "hours": HOURS,
        "days": DAYS,
        "in_period": IN_PERIOD,
        "mine": _MINE,
        "covered": _COVERED.format(seen=machines, mine=_MINE),
    }
    for name, statement in _FIXED.items():
        yield name, sql.SQL(statement).format(**parts)
    for kind in types:
        yield f"telemetry_{stem(kind.name)}", _telemetry(kind, machines)
        yield f"minute_{stem(kind.name)}", _rollup(kind, "rollup_minute", machines)
        yield f"hour_{stem(kind.name)}", _rollup(kind, "rollup_hour", machines)


def _telemetry(kind: EquipmentType, machines: sql.Composed) -> sql.Composed:
    """Raw rows of one type, a column for each channel; null is missing or not to be trusted."""
    values = [
        sql.SQL("case when coalesce(t.bad, 0) & {} = 0 then t.{} end as {}").format(
            sql.Literal(_bit(k)), sql.Identifier(f"v{k}"), sql.Identifier(column(channel.name))
        )
        for k, channel in enumerate(kind.channels)
    ]
    return sql.SQL(
        "select t.ts, {place}, t.score, "
        "bit_count(coalesce(t.bad, 0)::bit(64)) as suspect, {values} "
        "from faultline.telemetry as t join {seen} using (asset_id) where a.equipment_type = {kind}"
    ).format(place=PLACE, values=sql.SQL(", ").join(values), seen=machines, kind=sql.Literal(kind.name))


def _bit(k: int) -> int:
    """Bit k of a signed 64-bit number."""
    return 1 << k if k < 63 else -(1 << 63)


def _rollup(kind: EquipmentType, table: str, machines: sql.Composed) -> sql.Composed:
    """Mean, least and highest of each channel's trusted values by minute or hour."""
    arrays = (("vmean", ""), ("vmin", "min"), ("vmax", "max"))
    values = [
        sql.SQL("r.{}[{}] as {}").format(
            sql.Identifier(array), sql.Literal(k + 1), sql.Identifier(column(channel.name, suffix))
        )
        for array, suffix in arrays
        for k, channel in enumerate(kind.channels)
    ]
    return sql.SQL(
        "select r.ts, {place}, r.n as rows, r.bad as suspect, r.score_max, "
        "{values} from {table} as r join {seen} using (asset_id) where a.equipment_type = {kind}"
    ).format(
        place=PLACE,
        values=sql.SQL(", ").join(values),
        table=sql.Identifier("faultline", table),
        seen=machines,
        kind=sql.Literal(kind.name),
    )


# Who sees a part of a contract's machines does not see it: what they used would look like all of it.
_COVERED = sql.SQL("""exists (select from {seen} where {mine}) and not exists (
    select from faultline.asset as a where {mine} and a.asset_id not in (select a.asset_id from {seen}))""")

_MINE = sql.SQL("""a.tenant = c.tenant
    and (c.site is null or c.site = a.site) and (c.asset is null or c.asset = a.name)""")
"""Whether the machine `a` is one of the contract `c`."""

_FIXED = {
    "asset": """
        select {place}, a.title, a.equipment_type, e.title_en as type_en,
               e.title_zh as type_zh, s.title as site_title, s.timezone
        from {seen} join faultline.equipment_type as e on e.name = a.equipment_type
        join faultline.site as s on s.tenant = a.tenant and s.name = a.site""",
    "site": """
        select s.tenant, s.name as site, s.title, s.timezone, s.latitude, s.longitude
        from faultline.site as s where (s.tenant, s.name) in (select a.tenant, a.site from {seen})""",
    "channel": """
        select c.equipment_type, c.name as channel, c.unit, nullif(c.low, '-infinity') as low,
               nullif(c.high, 'infinity') as high, c.kind, c.title_en, c.title_zh, m.unit as meter_unit
        from faultline.channel as c left join ({meters}) as m using (equipment_type, name)
        where c.equipment_type in (select a.equipment_type from {seen})""",
    # a health or forecast from before a repair says nothing of the machine now
    "latest": """
        select l.ts, {place}, a.equipment_type, l.score,
               bit_count(coalesce(l.bad, 0)::bit(64)) as suspect,
               case when done.ts is null or l.health_ts > done.ts then l.health end as health,
               case when done.ts is null or l.health_ts > done.ts then l.health_ts end as health_ts
        from {seen} left join faultline.asset_latest as l using (asset_id)
        left join (select asset_id, max(ts) as ts from faultline.maintenance group by 1) as done
            using (asset_id)""",
    "latest_value": """
        select l.ts, {place}, c.name as channel, c.unit,
               case when coalesce(l.bad, 0) & (1::bigint << c.column_no) = 0
                    then l.values[c.column_no + 1] end as value
        from faultline.asset_latest as l join {seen} using (asset_id)
        join faultline.channel as c using (equipment_type)""",
    "score": """
        select t.ts, {place}, t.score
        from faultline.telemetry as t join {seen} using (asset_id) where t.score is not null""",
    "score_hour": """
        select r.ts, {place}, r.score_max
        from faultline.rollup_hour as r join {seen} using (asset_id) where r.score_max is not null""",
    # hours in which a machine told anything
    "seen_hour": """
        select r.ts, {place}, r.n as rows
        from faultline.rollup_hour as r join {seen} using (asset_id)""",
    "episode": """
        select e.episode_id::text, {place}, e.kind, e.detector, e.onset_ts,
               e.end_ts, e.peak_ts, e.peak_score, e.evidence ->> 'code' as code,
               e.evidence ->> 'title_en' as title_en, e.evidence ->> 'title_zh' as title_zh,
               e.evidence ->> 'check_en' as check_en, e.evidence ->> 'check_zh' as check_zh
        from faultline.episode as e join {seen} using (asset_id)""",
    "contribution": """
        select e.episode_id::text, {place}, e.onset_ts, e.peak_ts,
               c.channel, c.unit, c.share, c.actual, c.expected, c.sentence_en, c.sentence_zh
        from faultline.episode as e join {seen} using (asset_id),
        jsonb_to_recordset(e.evidence -> 'evidence') as c (channel text, unit text, share float8,
            actual float8, expected float8, sentence_en text, sentence_zh text)""",
    "health": """
        select h.ts, {place}, h.health, h.lowered_by
        from faultline.health as h join {seen} using (asset_id)""",
    "segment_feature": """
        select f.ts, {place}, f.segment, f.feature, f.value, f.expected, f.unit
        from faultline.segment_feature as f join {seen} using (asset_id)""",
    "forecast": """
        select f.ts, {place}, f.target, f.forecaster, f.verdict, f.p10_h, f.p50_h,
               f.p90_h, f.basis, f.target = 'condition' and exists (
                   select from faultline.maintenance as done
                   where done.asset_id = f.asset_id and done.ts >= f.ts) as before_repair
        from faultline.forecast as f join {seen} using (asset_id)""",
    # the newest forecast of each machine, unless it was repaired since
    "remaining_life": """
        select f.ts, {place}, f.forecaster, f.verdict, f.p10_h, f.p50_h, f.p90_h, f.basis
        from {seen} cross join lateral (
            select * from faultline.forecast as said where said.asset_id = a.asset_id
            and said.target = 'condition' order by said.ts desc limit 1) as f
        where not exists (
            select from faultline.maintenance as done
            where done.asset_id = f.asset_id and done.ts >= f.ts)""",
    "wear": """
        select w.ts, {place}, w.counter, w.value, w.warning, w."limit", w.unit, a.equipment_type
        from faultline.wear_counter as w join {seen} using (asset_id)""",
    "maintenance": """
        select m.ts, {place}, m.kind, m.note
        from faultline.maintenance as m join {seen} using (asset_id)""",
    "wear_day": """
        select d.day, {place}, d.counter, d.value, d."limit", d.used
        from {seen} cross join lateral ({days}) as d""",
    "usage_hour": """
        select u.ts, {place}, u.channel, u.unit, u.used
        from {seen} cross join lateral ({hours}) as u""",
    "usage_day": """
        select u.day, {place}, u.channel, u.unit, u.used, u.readings
        from {seen} join faultline.usage_day as u using (asset_id)
        where u.day < (now() at time zone 'UTC')::date""",
    "contract": """
        select c.tenant || '/' || c.name as contract, c.tenant, c.site, c.asset, c.meter, c.unit, c.allowance,
               c.every, c.begin_ts, c.end_ts, c.title_en, c.title_zh
        from faultline.contract as c where {covered}""",
    "contract_use": """
        select p.start_ts, p.end_ts, {place}, c.tenant || '/' || c.name as contract, c.title_en, c.title_zh,
               coalesce(c.asset, c.site) as covers, c.meter, c.unit, p.allowed, u.used, u.readings,
               u.used * (extract(epoch from p.end_ts - p.start_ts)
                   / nullif(extract(epoch from least(now(), p.end_ts) - p.start_ts), 0)) as projected
        from faultline.contract as c
        join {seen} on {mine}
        cross join lateral (
            select greatest(first, c.begin_ts) as start_ts, least(next, c.end_ts) as end_ts,
                   c.allowance * (extract(epoch from least(next, c.end_ts) - greatest(first, c.begin_ts))
                       / extract(epoch from next - first)) as allowed
            from generate_series(date_trunc(c.every, c.begin_ts, 'UTC'), least(now(), c.end_ts),
                ('1 ' || c.every)::interval, 'UTC') as first,
                date_add(first, ('1 ' || c.every)::interval, 'UTC') as next) as p
        cross join lateral ({in_period}) as u
        where p.start_ts < p.end_ts and {covered}""",
    # records belong to a customer, not to a machine: who sees a part of the machines sees none
    "dead_letter": """
        select d.created_at as ts, s.tenant, d.reason, d.detail, d.size, d.recorded_at, d.replayed_at
        from faultline.dead_letter as d
        join (select distinct on (t.name) t.name as tenant from faultline.access_scope as sc
              join faultline.access as ac using (access_id)
              join faultline.tenant as t on sc.tenant is null or sc.tenant = t.name
              where sc.access_id = {access} and ac.suspended_at is null
              and sc.site is null and sc.equipment_type is null) as s
        on d.topic = 'telemetry.' || s.tenant""",
}
