"""Each alert is raised by what it is for, and by nothing else."""

import asyncio
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from dashboards.alerts.rules import rules
from storage.access.grants import Kind
from storage.bootstrap import WRITER
from storage.pool import open_pool
from storage.registry import register
from storage.server.database import Database
from tests.integration.access_harness import FLEET, keeper, logged_in

HEALTHY = """
delete from dead_letter; delete from platform_minute; delete from partition_state; delete from asset_latest;
insert into asset_latest (asset_id, ts, score) select asset_id, now(), 1 from asset;
insert into partition_state select consumer, 'telemetry.acme', n, 100, 0, 1, null
    from unnest(array['score', 'forecast']) as consumer, generate_series(0, 3) as n;
insert into platform_minute select now() - n * interval '1 minute', 'score', 10000 - n, 0, 1, 1e9
    from generate_series(0, 60) as n;
update model set created_at = now();
"""
MODEL = """
insert into model (equipment_type, forecaster, version, state, lineage) values ('lift', 'x', 1, '', '{}');
insert into model_role (equipment_type, role, forecaster, version, reason)
    values ('lift', 'champion', 'x', 1, '');
"""
BROKEN = {
    "no-ingest": "update platform_minute set records = 10000 where ts > now() - interval '20 minutes'",
    "no-scores": "update asset_latest set ts = now() - interval '2 hours'",
    "silent": "update partition_state set seen_at = now() - interval '10 minutes'",
    "behind": "update partition_state set lag = 9, delay_s = 900 where partition = 1",
    "still": "update partition_state set lag = 9, moved_at = now() - interval '1 hour' where partition = 1",
    "dead-letters": """insert into dead_letter (consumer, topic, partition, "offset", reason, detail, value,
        size, header_names, header_values, recorded_at)
        select 'score', 'telemetry.acme', 0, n, 'bad_json', '', '', 4, '{}', '{}', now()
        from generate_series(1, 101) as n""",
    "model-age": "update model set created_at = now() - interval '1 year'",
    "disk": "update platform_minute set database_bytes = 90e9",
}
EVERY = rules(disk_gb=100)


@pytest.fixture
def ops(plain_database: Database) -> Iterator[psycopg.Connection[Any]]:
    async def make_known() -> None:
        async with open_pool(plain_database.dsn(WRITER)) as pool:
            await register(pool, FLEET)

    asyncio.run(make_known())
    login = keeper(plain_database).give("ops", Kind.OPERATIONS, [])
    assert login is not None
    with logged_in(plain_database, login) as conn:
        yield conn
    keeper(plain_database).remove("ops")


def raised(conn: psycopg.Connection[Any]) -> set[str]:
    found = set()
    for rule in EVERY:
        cursor = conn.execute(rule.sql.encode())
        assert cursor.description is not None
        *names, value = cursor.description
        assert value.name == "value"
        rows = cursor.fetchall()
        assert all(isinstance(each, str) for row in rows for each in row[:-1]), [name.name for name in names]
        if any(row[-1] > rule.above for row in rows):
            found.add(rule.key)
    return found


def test_each_alert_is_raised_by_what_it_is_for(
    plain_database: Database, ops: psycopg.Connection[Any]
) -> None:
    assert set(BROKEN) == {rule.key for rule in EVERY}
    with psycopg.connect(
        plain_database.superuser_dsn, autocommit=True, options="-c search_path=faultline"
    ) as conn:
        conn.execute(MODEL.encode())
        for key, what in BROKEN.items():
            conn.execute(HEALTHY.encode())
            assert raised(ops) == set()
            conn.execute(what.encode())
            assert raised(ops) == {key}


def test_a_platform_that_never_worked_is_noticed(ops: psycopg.Connection[Any]) -> None:
    assert {"no-ingest", "no-scores", "silent"} <= raised(ops)
