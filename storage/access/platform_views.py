"""The views of those who run the platform, as SQL: how it works, for all tenants; nothing measured."""

from psycopg import sql

_ALLOWED = """select * from ({body}) as shown where exists (
    select from faultline.access where access_id = {access} and suspended_at is null)"""


def platform_views(access_id: str) -> dict[str, sql.Composed]:
    """What each view of the schema named `access_id` selects, by the view's name; nothing while suspended."""
    return {
        name: sql.SQL(_ALLOWED).format(body=sql.SQL(body), access=sql.Literal(access_id))
        for name, body in _BODIES.items()
    }


_BODIES = {
    "platform_minute": """
        select ts, consumer, records, lag, delay_s, database_bytes from faultline.platform_minute""",
    "worker_position": """
        select consumer, topic, partition, next_offset, lag, delay_s, halted, moved_at, seen_at
        from faultline.partition_state""",
    "freshness": """
        select a.tenant, a.site, count(*) as machines, max(l.ts) as newest,
               count(*) filter (where l.ts > now() - interval '15 minutes') as reporting
        from faultline.asset as a left join faultline.asset_latest as l using (asset_id)
        group by a.tenant, a.site""",
    "scored": "select max(ts) as newest from faultline.asset_latest where score is not null",
    # their bytes and details stay with the tenant
    "dead_letter": """
        select created_at as ts, consumer, topic, reason, size, replayed_at from faultline.dead_letter""",
    "model_in_use": """
        select r.equipment_type, r.tenant, r.role, r.forecaster, r.version, m.created_at as fitted_at, r.since
        from (select distinct on (equipment_type, scope, role) * from faultline.model_role
              order by equipment_type, scope, role, model_use_id desc) as r
        join faultline.model as m using (equipment_type, forecaster, version)""",
    "table_size": """
        select t.relname::text as name, pg_total_relation_size(t.oid) + coalesce((
                   select sum(pg_total_relation_size(i.inhrelid)) from pg_inherits as i
                   where i.inhparent = t.oid), 0)::bigint as bytes
        from pg_class as t where t.relnamespace = 'faultline'::regnamespace and t.relkind in ('r', 'p')""",
    "running_query": """
        select pid, usename::text as role, application_name as program, query_start as since,
               coalesce(wait_event_type, '') as waits_for, left(query, 500) as query
        from pg_stat_activity where state = 'active' and pid <> pg_backend_pid()
        and datname = current_database()""",
    "provisioned": """
        select a.name, a.kind, o.number as organization, count(g.uid) as things,
               count(g.uid) filter (where g.live_sha256 is null) as unsure, max(g.pushed_at) as pushed_at
        from faultline.grafana_organization as o join faultline.access as a using (access_id)
        left join faultline.grafana_object as g using (access_id) group by a.name, a.kind, o.number""",
}
