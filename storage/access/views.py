"""The views of one access, as SQL: what it sees of each table, under names that a person understands.

Each is a security barrier over the base tables: conditions that its reader writes see no row of others, not
even in an error message, while those on text, numbers and instants still reach the indexes. Row-level
security would not do: TimescaleDB's chunks do not have the policies of their table (timescaledb issue 7830).
"""

from collections.abc import Iterator, Sequence

from psycopg import sql

from fleet.asset import EquipmentType
from fleet.sql_names import column, stem

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
    for name, statement in _FIXED.items():
        yield name, sql.SQL(statement).format(seen=machines, place=PLACE, access=sql.Literal(access_id))
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
               nullif(c.high, 'infinity') as high, c.kind, c.title_en, c.title_zh
        from faultline.channel as c
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
        select w.ts, {place}, w.counter, w.value, w.warning, w."limit", w.unit
        from faultline.wear_counter as w join {seen} using (asset_id)""",
    "maintenance": """
        select m.ts, {place}, m.kind, m.note
        from faultline.maintenance as m join {seen} using (asset_id)""",
    # what a counter went on by in an hour; less than before is a counter that was replaced
    "usage_hour": """
        select h.ts, {place}, c.name as channel, c.unit,
               h.vmax[c.column_no + 1] - case
                   when before.reading <= h.vmax[c.column_no + 1] then before.reading
                   else h.vmin[c.column_no + 1] end as used
        from faultline.rollup_hour as h join {seen} using (asset_id)
        join faultline.channel as c on c.equipment_type = a.equipment_type and c.kind = 'counter'
        left join lateral (
            select p.vmax[c.column_no + 1] as reading from faultline.rollup_hour as p
            where p.asset_id = h.asset_id and p.ts < h.ts order by p.ts desc limit 1) as before on true
        where h.vmax[c.column_no + 1] is not null""",
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
