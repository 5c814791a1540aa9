"""Who looks with SQL of their own sees their part of the fleet, whatever they type."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from fleet.asset import FleetError
from storage.access.grants import Kind, Scope, refresh
from storage.access.keeper import Keeper
from storage.access.logins import Login
from storage.access.platform_views import platform_views
from storage.bootstrap import OWNER
from storage.errors import StorageError
from storage.server.database import Database
from storage.upgrade import upgrade
from tests.integration.access_harness import CANARY, FLEET, keeper, logged_in, names_of, seed
from tests.integration.attacks import ATTACKS
from tests.integration.storage_harness import ask, contents


@pytest.fixture
def seeded(any_database: Database) -> Iterator[Database]:
    """Two customers with data; roles are the whole server's, so those made for them are gone afterwards."""
    yield from seeded_and_cleared(any_database)


@pytest.fixture
def hypertables(database: Database) -> Iterator[Database]:
    """The same on TimescaleDB alone."""
    yield from seeded_and_cleared(database)


def seeded_and_cleared(database: Database) -> Iterator[Database]:
    seed(database)
    yield database
    for name in [access.name for access, _ in keeper(database).known()]:
        keeper(database).remove(name)


@pytest.fixture
def access(seeded: Database) -> Keeper:
    return keeper(seeded)


@pytest.fixture
def acme(access: Keeper) -> Login:
    return given(access, "acme")


def given(access: Keeper, name: str, kind: Kind = Kind.CUSTOMER, *scopes: Scope) -> Login:
    own = [] if kind is Kind.OPERATIONS else [Scope(name)]
    login = access.give(name, kind, scopes or own)
    assert login is not None
    return login


def rows(database: Database, login: Login, query: str) -> list[tuple[Any, ...]]:
    with logged_in(database, login) as conn:
        return conn.execute(query.encode()).fetchall()


def test_a_customer_sees_all_of_its_own_and_nothing_else(
    seeded: Database, access: Keeper, acme: Login
) -> None:
    bolt = given(access, "bolt")
    for login, mine in ((acme, "acme"), (bolt, "bolt")):
        with logged_in(seeded, login) as conn:
            for name in names_of(conn):
                found = conn.execute(sql.SQL("select * from {}").format(sql.Identifier(name))).fetchall()
                assert found, f"{name} is empty for {mine}"
                assert ("bolt" in str(found) or "8642.5" in str(found)) <= (mine == "bolt"), name
                if name != "channel":
                    assert conn.execute(
                        sql.SQL("select distinct tenant from {}").format(sql.Identifier(name))
                    ).fetchall() == [(mine,)], name


def test_columns_are_channels_and_what_is_not_to_be_trusted_is_missing(seeded: Database, acme: Login) -> None:
    query = """
        select asset, current, trips, score_, suspect from telemetry_lift
        where asset = 'l1' and ts between '2026-03-01 00:06Z' and '2026-03-01 00:08Z' order by ts
    """
    assert rows(seeded, acme, query) == [
        ("l1", 6, 106, 3, 0),
        ("l1", None, 107, 3, 1),
        ("l1", 8, 108, 3, 0),
    ]
    assert rows(seeded, acme, "select asset, max(force) from telemetry_hot_press group by 1") == [("p1", 119)]
    query = (
        'select current, "current:min", "current:max", rows from hour_lift where asset = \'l2\' order by ts'
    )
    assert rows(seeded, acme, query) == [(29.5, 0, 59, 60), (89.5, 60, 119, 60)]


def test_usage_is_what_counters_went_on_by(seeded: Database, acme: Login) -> None:
    query = "select ts::time::text, channel, used from usage_hour where asset = 'l1' order by ts"
    assert rows(seeded, acme, query) == [("00:00:00", "trips", 59), ("01:00:00", "trips", 60)]


def test_staff_sees_what_is_granted_and_no_more(seeded: Database, access: Keeper) -> None:
    anna = given(access, "anna", Kind.TECHNICIAN, Scope("acme", "yard"))
    seen = "select tenant || '/' || asset from asset order by 1"
    assert rows(seeded, anna, seen) == [("acme/l2",), ("acme/p1",)]
    assert rows(seeded, anna, "select * from dead_letter") == []
    assert access.give("anna", Kind.TECHNICIAN, [Scope(None, None, "lift")]) is None
    assert rows(seeded, anna, seen) == [("acme/l1",), ("acme/l2",), ("acme/p1",), ("bolt/bolt-lift",)]
    access.take("anna", Scope("acme", "yard"))
    assert rows(seeded, anna, seen) == [("acme/l1",), ("acme/l2",), ("bolt/bolt-lift",)]
    with logged_in(seeded, anna) as conn:
        assert "telemetry_lift" in names_of(conn)
        assert "telemetry_hot_press" not in names_of(conn)
    maker = given(access, "plant", Kind.MAKER, Scope())
    assert len(rows(seeded, maker, seen)) == len(FLEET.assets)
    assert len(rows(seeded, maker, "select * from dead_letter")) == 2


def test_what_is_granted_must_be_there(access: Keeper, acme: Login) -> None:
    for scope, what in (
        (Scope("nobody"), "no tenant 'nobody'"),
        (Scope("acme", "moon"), "no site 'moon'"),
        (Scope("acme", None, "boat"), "no equipment type 'boat'"),
    ):
        with pytest.raises(StorageError, match=what):
            access.give("anna", Kind.TECHNICIAN, [scope])
    with pytest.raises(StorageError, match="'anna' has no access"):
        access.suspend("anna")
    with pytest.raises(StorageError, match="is a customer already"):
        access.give("acme", Kind.MAKER, [Scope()])
    with pytest.raises(StorageError, match="has no grant for bolt: it has acme"):
        access.take("acme", Scope("bolt"))
    with pytest.raises(FleetError, match="access 'An na'"):
        access.give("An na", Kind.MAKER, [Scope()])


def test_a_suspended_customer_is_out_at_once_and_in_again(
    seeded: Database, access: Keeper, acme: Login
) -> None:
    with logged_in(seeded, acme) as conn:
        access.suspend("acme")
        with pytest.raises(psycopg.OperationalError):
            conn.execute("select * from asset")
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"), logged_in(seeded, acme):
        pass
    access.resume("acme")
    assert rows(seeded, acme, "select count(*) from asset") == [(3,)]


def test_a_password_is_changed_without_an_outage(seeded: Database, access: Keeper, acme: Login) -> None:
    new = access.rotate("acme")
    for login in (acme, new):
        assert rows(seeded, login, "select count(*) from asset") == [(3,)]
    assert access.finish("acme") == [acme.role]
    with pytest.raises(psycopg.OperationalError), logged_in(seeded, acme):
        pass
    assert rows(seeded, new, "select count(*) from asset") == [(3,)]


def test_what_is_removed_leaves_nothing_but_the_data(seeded: Database, access: Keeper, acme: Login) -> None:
    access.remove("acme")
    like = acme.role.split("_")[0] + "%"
    assert ask(seeded, f"select from pg_roles where rolname like '{like}'") == []
    assert ask(seeded, f"select from pg_namespace where nspname like '{like}'") == []
    assert ask(seeded, "select from access") == []
    assert ask(seeded, "select count(*) from telemetry") == [(480,)]
    again = given(access, "acme")
    assert rows(seeded, again, "select count(*) from asset") == [(3,)]


def test_what_was_left_half_done_is_mended_by_saying_it_again(seeded: Database, access: Keeper) -> None:
    login = given(access, "acme")
    with psycopg.connect(seeded.superuser_dsn) as conn:
        conn.execute(f"drop schema {login.role.split('_')[0]} cascade".encode())
    assert access.give("acme", Kind.CUSTOMER, [Scope("acme")]) is None
    assert rows(seeded, login, "select count(*) from asset") == [(3,)]


def test_a_new_channel_is_there_after_the_fleet_was_added_again(seeded: Database, acme: Login) -> None:
    with psycopg.connect(seeded.superuser_dsn, options="-c search_path=faultline") as conn:
        conn.execute(
            "insert into channel (equipment_type, name, column_no, unit, low, high, kind, rate_hz, title_en, "
            "title_zh) values ('hot-press', 'oil', 1, '°C', 0, 90, 'measurement', 1, '', '')"
        )
    refresh(seeded.dsn(OWNER))
    assert rows(seeded, acme, "select max(oil) from telemetry_hot_press") == [(219,)]


def test_the_views_of_each_access_are_made_anew_by_themselves(seeded: Database, access: Keeper) -> None:
    """A hundred accesses have more views than a transaction may lock."""
    for name in ("acme", "bolt"):
        given(access, name)
    refresh(seeded.dsn(OWNER))
    made = "select distinct xmin::text from pg_namespace where nspname in (select access_id from access)"
    assert len(ask(seeded, made)) == 2


def test_a_migration_makes_the_views_anew(seeded: Database, acme: Login) -> None:
    with psycopg.connect(seeded.superuser_dsn, options="-c search_path=faultline") as conn:
        conn.execute(f"drop view {acme.role.split('_')[0]}.health".encode())
        conn.execute("delete from migration where name = 'nothing_bad'")  # which may be applied twice
    assert [one.name for one in upgrade(seeded.dsn(OWNER))] == ["nothing_bad"]
    assert rows(seeded, acme, "select count(*) from health") == [(3,)]


def test_only_the_rows_of_an_accesss_machines_are_looked_at(seeded: Database, acme: Login) -> None:
    """Whose machines they are is asked before their rows are fetched, however many others there are."""
    with psycopg.connect(seeded.superuser_dsn, options="-c search_path=faultline,ext") as conn:
        conn.execute(
            "insert into asset (tenant, site, name, equipment_type, title) "
            "select 'bolt', 'bolt-hall', 'b' || n, 'lift', '' from generate_series(1, 300) as n"
        )
        conn.execute(
            "insert into health select timestamptz '2026-03-02Z' + n * interval '1 hour', asset_id, 1, '{}' "
            "from asset, generate_series(0, 99) as n on conflict do nothing"
        )
        conn.execute("analyze")
    with logged_in(seeded, acme) as conn:
        for other in ("seqscan", "hashjoin", "mergejoin"):  # of few rows all are read sooner
            conn.execute(f"set enable_{other} = off".encode())
        ((plan,),) = conn.execute("explain (analyze, format json) select count(*) from health").fetchall()
    assert max(found(plan[0]["Plan"])) < 1000


def found(plan: dict[str, Any]) -> Iterator[float]:
    """Rows that each step of a plan gives, all its loops together."""
    yield plan["Actual Rows"] * plan["Actual Loops"]
    for step in plan.get("Plans", []):
        yield from found(step)


# What a reader can reach: all of it, compared with what it should.


REACHABLE = """
select distinct table_schema || '.' || table_name || ' ' || privilege_type
from information_schema.table_privileges
where table_schema not in ('pg_catalog', 'information_schema', 'timescaledb_information',
    'timescaledb_experimental', '_timescaledb_catalog', '_timescaledb_config', '_timescaledb_cache')
and table_name !~ '^(bgw_|hypertable_chunk_local_size|compressed_chunk_stats)'
order by 1
"""
COLUMNS = """
select distinct c.relnamespace::regnamespace || '.' || c.relname from pg_class as c
where c.relnamespace::regnamespace::text
    !~ '^(pg_|information_schema|timescaledb_|_timescaledb_(catalog|config|cache))'
and c.relname !~ '^(bgw_|hypertable_chunk_local_size|compressed_chunk_stats)'  -- of TimescaleDB, open to all
and c.relkind in ('r', 'v', 'm', 'p', 'f', 'S')
and has_schema_privilege(c.relnamespace, 'usage') and has_table_privilege(c.oid, 'select')
"""
FUNCTIONS = """
select p.pronamespace::regnamespace || '.' || p.proname from pg_proc as p
where p.pronamespace::regnamespace::text
    !~ '^(pg_catalog|information_schema|_?timescaledb_)'
and has_schema_privilege(p.pronamespace, 'usage') and has_function_privilege(p.oid, 'execute')
"""


def test_a_reader_reaches_its_views_and_nothing_else(seeded: Database, acme: Login) -> None:
    schema = acme.role.split("_")[0]
    with logged_in(seeded, acme) as conn:
        views = names_of(conn)
        assert {name for (name,) in conn.execute(COLUMNS).fetchall()} == {
            f"{schema}.{name}" for name in views
        }
        assert {right for (right,) in conn.execute(REACHABLE).fetchall()} == {
            f"{schema}.{name} SELECT" for name in views
        }
        assert conn.execute(FUNCTIONS).fetchall() == [(f"{schema}.time_bucket",)]
        rights = """
            select has_database_privilege(current_database(), 'temporary'),
            has_schema_privilege('ext', 'usage'), has_schema_privilege('faultline', 'usage'),
            has_schema_privilege(current_schema(), 'create'),
            exists (select from pg_roles where rolname = current_user and (rolsuper or rolbypassrls
            or rolcreaterole or rolcreatedb or rolreplication))
        """
        assert conn.execute(rights).fetchall() == [(False,) * 5]


def test_operations_reach_the_platforms_views_and_nothing_that_was_measured(
    seeded: Database, access: Keeper
) -> None:
    ops = given(access, "ops", Kind.OPERATIONS)
    schema = ops.role.split("_")[0]
    with logged_in(seeded, ops) as conn:
        views = names_of(conn)
        assert views == sorted(platform_views(schema))
        assert {name for (name,) in conn.execute(COLUMNS).fetchall()} == {
            f"{schema}.{name}" for name in views
        }
        assert {right for (right,) in conn.execute(REACHABLE).fetchall()} == {
            f"{schema}.{name} SELECT" for name in views
        }
        for name in views:
            found = conn.execute(sql.SQL("select * from {}").format(sql.Identifier(name))).fetchall()
            assert "8642.5" not in str(found), name
        assert {tenant for (tenant,) in conn.execute("select tenant from freshness").fetchall()} == {
            "acme",
            "bolt",
        }


def test_a_customer_sees_nothing_of_the_platform(seeded: Database, access: Keeper, acme: Login) -> None:
    ops = given(access, "ops", Kind.OPERATIONS)
    with logged_in(seeded, acme) as conn:
        assert not {"worker_position", "platform_minute", "running_query"} & set(names_of(conn))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(f"select * from {ops.role.split('_')[0]}.freshness".encode())
        member = "select pg_has_role(current_user, 'pg_read_all_stats', 'member')"
        assert conn.execute(member.encode()).fetchall() == [(False,)]


def test_catalogs_name_no_customer(seeded: Database, access: Keeper, acme: Login) -> None:
    given(access, "bolt")
    with logged_in(seeded, acme) as conn:
        for catalog in ("pg_roles", "pg_namespace", "pg_views", "pg_class", "pg_stat_activity", "pg_proc"):
            found = str(conn.execute(f"select * from {catalog}".encode()).fetchall())
            assert CANARY not in found, catalog


def told(conn: psycopg.Connection[Any], statement: str) -> str:
    """All that a statement shows: rows of each result, notices, or the whole error."""
    shown = list[str]()
    conn.add_notice_handler(lambda notice: shown.append(str(notice.message_primary)))
    try:
        if statement.startswith("copy") and statement.endswith("stdout"):
            with conn.cursor().copy(statement.encode()) as copy:
                shown += [bytes(part).decode() for part in copy]
        else:
            cursor = conn.execute(statement.encode())
            while True:
                shown.append(str(cursor.fetchall()) if cursor.description else "")
                if not cursor.nextset():
                    break
    except psycopg.Error as error:
        diag = error.diag
        shown.append(f"{error} {diag.message_detail} {diag.message_hint} {diag.context}")
    return " ".join(shown)


def test_no_attack_shows_or_changes_what_is_anothers(seeded: Database, acme: Login) -> None:
    assert len(ATTACKS) > 400
    before = contents(seeded)
    leaks = {}
    for attack in ATTACKS:
        with logged_in(seeded, acme) as conn:
            shown = told(conn, attack)
            if CANARY in shown or "8642.5" in shown:
                leaks[attack] = shown
    assert leaks == {}
    assert contents(seeded) == before
    assert ask(seeded, "select count(*) from pg_largeobject_metadata") == [(0,)]


def test_no_chunk_is_read_beside_the_views(hypertables: Database) -> None:
    with logged_in(hypertables, given(keeper(hypertables), "acme")) as conn:
        chunks = conn.execute(
            "select schemaname, tablename from pg_tables where tablename like '_hyper_%_chunk'"
        ).fetchall()
        assert chunks
        for name in chunks:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(sql.SQL("select * from {}").format(sql.Identifier(*name)))


def test_a_day_of_one_machine_is_found_by_its_index_in_one_chunk(hypertables: Database) -> None:
    """Conditions on machine and time go below the barrier."""
    with psycopg.connect(hypertables.superuser_dsn, options="-c search_path=faultline,ext") as conn:
        conn.execute(
            "insert into telemetry (ts, asset_id, v0) "
            "select timestamptz '2026-03-02Z' + n * interval '1 hour', asset_id, 1 "
            "from asset, generate_series(0, 239) as n"
        )
    plan = "\n".join(
        line
        for (line,) in rows(
            hypertables,
            given(keeper(hypertables), "acme"),
            "explain select avg(current) from telemetry_lift "
            "where asset = 'l1' and ts between '2026-03-05 00:00Z' and '2026-03-05 23:00Z'",
        )
    )
    assert len(set(re.findall(r"_hyper_\d+_\d+_chunk(?=\s)", plan))) == 1, plan
    assert re.search(r"Index Cond: \(\(asset_id = \w+\.asset_id\) AND \(ts >=", plan), plan
