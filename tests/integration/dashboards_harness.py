"""Two customers with a machine of every shipped type and of another, and a week of all that boards show."""

import asyncio

import psycopg

from fleet.asset import Asset, Channel, EquipmentType, Fleet, Site, Tenant
from fleet.catalog import packs
from storage.bootstrap import WRITER
from storage.pool import open_pool
from storage.registry import register
from storage.server.database import Database

PRESS = EquipmentType("hot-press", (Channel("force", "kN"), Channel("strokes", "1", kind="counter")))
"""A type without a pack."""

TYPES = (*(pack.equipment_type for pack in packs().values()), PRESS)

FLEET = Fleet(
    (Tenant("acme"), Tenant("bolt"), Tenant("void")),
    (
        Site("acme", "hall", "", "UTC", 31.2, 121.5),
        Site("bolt", "bolt-hall", "", "UTC", 52, 13),
        Site("void", "none"),
    ),
    tuple(
        Asset(0, tenant, site, f"{name}-{kind.name}", kind.name)
        for tenant, site, name in (
            ("acme", "hall", "a"),
            ("bolt", "bolt-hall", "bolt"),
            ("void", "none", "v"),
        )
        for kind in TYPES
    ),
    TYPES,
)
"""The third has machines and no data."""

CHANNELS = max(len(kind.channels) for kind in TYPES)

_VALUES = ", ".join(f"v{k}" for k in range(CHANNELS))
_READINGS = ", ".join(["case when tenant = 'bolt' then 8642.5 else 1 end"] * CHANNELS)
_ARRAY = f"array[{_READINGS}]::real[]"

SEED = f"""
create temporary view one as select * from asset where tenant <> 'void';
insert into telemetry (ts, asset_id, score, bad, {_VALUES})
    select now() - n * interval '1 minute', asset_id, case when tenant = 'bolt' then 8642.5 else .5 end, null,
        {_READINGS} from one, generate_series(0, 240) as n;
insert into rollup_minute
    select date_bin('1 minute', now(), '2000-01-03Z') - n * interval '1 minute', asset_id, 1, 0, .5, {_ARRAY},
        {_ARRAY}, {_ARRAY}, array_fill(1, array[{CHANNELS}]) from one, generate_series(0, 3000) as n;
insert into rollup_hour
    select date_bin('1 hour', now(), '2000-01-03Z') - n * interval '1 hour', asset_id, 60, 0, .5, {_ARRAY},
        {_ARRAY}, {_ARRAY}, array_fill(60, array[{CHANNELS}]) from one, generate_series(0, 400) as n;
insert into asset_latest (asset_id, ts, score, bad, values, health, health_ts)
    select asset_id, now() - interval '1 minute', .5, null, {_ARRAY}, 70, now() from one;
insert into health
    select now() - n * interval '1 hour' - interval '30 seconds', asset_id, 70, '{{}}'
    from one, generate_series(0, 100) as n;
insert into episode
    select gen_random_uuid(), asset_id, kind, 't2-knn-5', now() - begun, now() - ended, now() - begun, 5,
        jsonb_build_object('code', tenant, 'title_en', tenant, 'title_zh', tenant, 'check_en', tenant,
        'check_zh', tenant, 'evidence', jsonb_build_array(jsonb_build_object('channel', 'speed', 'unit', 'A',
        'share', 1, 'actual', 9, 'expected', 5, 'sentence_en', tenant, 'sentence_zh', tenant)))
    from one, (values ('machine', interval '2 hours', null), ('machine', '3 minutes', interval '1 minute'),
        ('limit', '1 day', interval '1 hour'), ('sensor', '3 hours', null)) as spell (kind, begun, ended);
insert into segment_feature
    select asset_id, 'fingerprint', feature, now() - n * interval '1 minute', 9 - n,
        case when n < 5 then 4 end, 'µm'
    from one, unnest(array['test_x_reversal', 'test_y_reversal']) as feature, generate_series(1, 9) as n;
insert into forecast
    select asset_id, 'condition', now() - n * interval '1 minute', 'robust_trend', 'estimate', 240, 480, 960,
        tenant from one, generate_series(1, 9) as n;
insert into wear_counter select asset_id, tenant || '-rope', now(), 1, 8, 10, '1' from one;
insert into maintenance (asset_id, ts, kind, note)
    select asset_id, now() - interval '200 seconds', 'restored', tenant from one;
insert into wear_day
    select asset_id, tenant || '-rope', current_date - n, 9 - n, 10 from one, generate_series(0, 8) as n;
insert into usage_day
    select asset_id, current_date - n, meter.name, unit, case when tenant = 'bolt' then 8642.5 else 24 end, 24
    from one join (select equipment_type, name, unit from channel where kind = 'counter'
        union select 'wind-turbine', 'active_power', 'kWh') as meter using (equipment_type),
    generate_series(0, 40) as n;
insert into contract (tenant, name, meter, unit, allowance, every, begin_ts, asset)
    select tenant, tenant || n, meter, unit, case when tenant = 'bolt' then 8642.5 else 1000 end, 'month',
        date_trunc('day', now(), 'UTC') - interval '40 days', case when unit = '%' then name end
    from one, (values (1, 'trips', '1'), (2, 'active_power', 'kWh'), (3, 'wear:acme-rope', '%'))
        as what (n, meter, unit)
    where equipment_type = 'elevator';
insert into partition_state
    select consumer, 'telemetry.acme', n, 100, n, .5, case when n = 3 then 'why' end,
        now() - interval '10 minutes'
    from unnest(array['score', 'forecast']) as consumer, generate_series(0, 3) as n;
insert into platform_minute
    select now() - n * interval '1 minute', consumer, 10000 - n, n, .5, 1e9
    from unnest(array['score', 'forecast']) as consumer, generate_series(0, 100) as n;
insert into dead_letter (consumer, topic, partition, "offset", reason, detail, value, size, header_names,
    header_values, recorded_at)
    select 'score', 'telemetry.acme', 0, n, 'bad_json', '8642.5', '8642.5', 4, '{{}}', '{{}}', now()
    from generate_series(1, 3) as n;
insert into model (equipment_type, forecaster, version, state, lineage)
    select equipment_type, 'conformal_life', 1, '', '{{}}' from asset limit 1;
insert into model_role (equipment_type, role, forecaster, version, reason)
    select equipment_type, 'champion', forecaster, version, 'first' from model;
insert into access (access_id, name, kind) values ('a0123456789abcde', 'anna', 'technician');
insert into grafana_organization values ('a0123456789abcde', 7);
insert into grafana_object values ('a0123456789abcde', 'dashboard', 'x', 'a', 'a');
"""


def fill(database: Database) -> None:
    """Register the fleet and give machines a row of everything, some of it in the last five minutes."""

    async def make_known() -> None:
        async with open_pool(database.dsn(WRITER)) as pool:
            await register(pool, FLEET)

    asyncio.run(make_known())
    with psycopg.connect(database.superuser_dsn, options="-c search_path=faultline,ext") as conn:
        conn.execute(SEED.encode())
