"""Two customers whose every row says whose it is, and accesses to a part of them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from fleet.asset import Asset, Channel, EquipmentType, Fleet, Site, Tenant
from storage.access.keeper import Keeper
from storage.access.logins import Login
from storage.bootstrap import OWNER, WRITER
from storage.pool import open_pool
from storage.registry import register
from storage.server.database import Database

CANARY = "bolt"
"""Stands in every text of the other customer; its numbers are all 8642.5."""

LIFT = EquipmentType(
    "lift",
    (
        Channel("current", "A"),
        Channel("trips", "1", 0, kind="counter"),
        Channel("score", "1"),
    ),
)
PRESS = EquipmentType("hot-press", (Channel("force", "kN"),))

FLEET = Fleet(
    (Tenant("acme"), Tenant("bolt")),
    (Site("acme", "hall"), Site("acme", "yard"), Site("bolt", "bolt-hall")),
    (
        Asset(0, "acme", "hall", "l1", "lift"),
        Asset(0, "acme", "yard", "l2", "lift"),
        Asset(0, "acme", "yard", "p1", "hot-press"),
        Asset(0, "bolt", "bolt-hall", "bolt-lift", "lift"),
    ),
    (LIFT, PRESS),
)

SEED = """
insert into telemetry (ts, asset_id, score, bad, v0, v1, v2)
    select timestamptz '2026-03-01Z' + n * interval '1 minute', asset_id,
           case when tenant = 'bolt' then 8642.5 else n / 100.0 end, case when n = 7 then 1 end,
           case when tenant = 'bolt' then 8642.5 else n end,
           case when tenant = 'bolt' then 8642.5 else 100 + n end,
           case when tenant = 'bolt' then 8642.5 else 3 end
    from asset, generate_series(0, 119) as n;
insert into rollup_minute select time_bucket('1 minute', ts), asset_id, 1, 0, max(score),
    array[min(v0), min(v1), min(v2)], array[max(v0), max(v1), max(v2)], array[avg(v0), avg(v1), avg(v2)],
    array[1, 1, 1] from telemetry group by 1, 2;
insert into rollup_hour select time_bucket('1 hour', ts), asset_id, 60, 0, max(score),
    array[min(v0), min(v1), min(v2)], array[max(v0), max(v1), max(v2)], array[avg(v0), avg(v1), avg(v2)],
    array[60, 60, 60] from telemetry group by 1, 2;
insert into asset_latest (asset_id, ts, score, bad, values, health, health_ts)
    select asset_id, '2026-03-01 01:59Z', .5, 2, array[119, 219, 3], 97, '2026-03-01 01:00Z' from asset;
insert into health select '2026-03-01 01:00Z', asset_id, 97, jsonb_build_object(tenant, 1) from asset;
insert into episode select gen_random_uuid(), asset_id, 'machine', 't2-knn-5', '2026-03-01 01:00Z', null,
    '2026-03-01 01:10Z', 5, jsonb_build_object('code', tenant || '-fault', 'title_en', tenant,
    'title_zh', tenant, 'check_en', tenant, 'check_zh', tenant, 'evidence', jsonb_build_array(
    jsonb_build_object('channel', 'current', 'unit', 'A', 'share', 1, 'actual', 9, 'expected', 5,
    'sentence_en', tenant, 'sentence_zh', tenant))) from asset;
insert into forecast select asset_id, 'condition', '2026-03-01 01:00Z', 'robust_trend', 'estimate', 10, 20,
    40, tenant from asset;
insert into wear_counter select asset_id, tenant || '-rope', '2026-03-01 01:00Z', 1, 8, 10, '1' from asset;
insert into maintenance (asset_id, ts, kind, note)
    select asset_id, '2026-03-01 00:30Z', 'restored', tenant from asset;
insert into usage_day select asset_id, '2026-03-01', tenant || '-trips', '1', 119, 2 from asset;
insert into segment_feature
    select asset_id, 'run', tenant || '-load', '2026-03-01 01:00Z', 3, 2, '%' from asset;
insert into wear_day select asset_id, tenant || '-rope', '2026-03-01', 1, 10 from asset;
insert into contract (tenant, name, meter, unit, allowance, every, begin_ts, title_en, title_zh)
    select name, name || '-trips', 'trips', '1', case when name = 'bolt' then 8642.5 else 100 end, 'month',
        '2026-03-01Z', name, name from tenant;
insert into dead_letter (consumer, topic, partition, "offset", reason, detail, value, size, header_names,
    header_values, recorded_at)
    select 'score', 'telemetry.' || name, 0, 1, 'bad_json', name, name::bytea, 4, '{}', '{}', '2026-03-01Z'
    from tenant;
"""


def seed(database: Database) -> None:
    """Make both customers known and give each a row in every table that a view shows."""

    async def fill() -> None:
        async with open_pool(database.dsn(WRITER)) as pool:
            await register(pool, FLEET)

    asyncio.run(fill())
    with psycopg.connect(database.superuser_dsn, options="-c search_path=faultline,ext") as conn:
        conn.execute(SEED)


def keeper(database: Database) -> Keeper:
    return Keeper(database.superuser_dsn, database.dsn(OWNER))


def conninfo(database: Database, login: Login) -> str:
    """How the login gets in."""
    return make_conninfo(
        database.superuser_dsn, user=login.role, password=login.password, passfile="/dev/null"
    )


@contextmanager
def logged_in(database: Database, login: Login) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(conninfo(database, login), autocommit=True) as conn:
        yield conn


def names_of(conn: psycopg.Connection[Any]) -> list[str]:
    """The views in the login's own schema."""
    query = "select viewname::text from pg_views where schemaname = current_schema() order by 1"
    return [name for (name,) in conn.execute(query).fetchall()]
