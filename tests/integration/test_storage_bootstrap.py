"""Roles and databases: made once, brought up to date, and held to what they need."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from storage.bootstrap import OWNER, READER, ROLES, WRITER, bootstrap
from storage.errors import StorageError
from storage.server.database import Database, kept_passwords
from tests.integration.storage_harness import ask
from tests.integration.storage_wire import wire


@pytest.fixture
def new_name(plain_database: Database) -> Iterator[str]:
    name = f"new-{uuid4().hex[:12]}"  # a name that needs quotes
    yield name
    with psycopg.connect(plain_database.admin_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


async def test_passwords_never_travel_and_open_the_database(plain_database: Database, new_name: str) -> None:
    passwords = kept_passwords(plain_database.passfile)
    async with wire(plain_database.admin_dsn) as relay:
        await asyncio.to_thread(bootstrap, relay.dsn(plain_database.admin_dsn), new_name, passwords)
        said = bytes(relay.sent)
    assert b"create role" in said or b"alter role" in said
    for role in ROLES:
        assert passwords[role].encode() not in said
        dsn = make_conninfo(
            plain_database.admin_dsn,
            dbname=new_name,
            user=role,
            password=passwords[role],
            passfile="/dev/null",
        )
        with psycopg.connect(dsn) as conn:
            assert conn.execute("select current_user").fetchone() == (role,)


def test_every_role_needs_a_password(plain_database: Database) -> None:
    with pytest.raises(StorageError, match=f"no password given for {WRITER}, {READER}"):
        bootstrap(plain_database.admin_dsn, "never", {OWNER: "x", READER: ""})


def test_no_role_may_do_what_a_superuser_may(plain_database: Database) -> None:
    query = """
        select bool_or(rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)
        from pg_roles where rolname like 'faultline%'
    """
    assert ask(plain_database, query) == [(False,)]
    memberships = "select from pg_auth_members where member::regrole::text like 'faultline%'"
    assert ask(plain_database, memberships) == []


FORBIDDEN = (
    "create table faultline.mine ()",
    "create table ext.mine ()",
    "create table public.mine ()",
    "create schema mine",
    "delete from telemetry",
    "update telemetry set v0 = 1",
    "truncate telemetry",
    "drop table telemetry",
    "update channel set unit = 'K'",
    "update channel set column_no = 5",
    "update asset set tenant = 'other'",
    "delete from asset",
    "update migration set sha256 = ''",
    "update model set state = ''",
    "alter role faultline_owner superuser",
    "set role faultline_owner",
)
SECRET = tuple(f"select * from {table}" for table in ("api_key", "outbox", "snapshot", "rollup_due", "model"))


def allowed(database: Database, role: str, statements: tuple[str, ...]) -> list[str]:
    """Those statements that the role's rights do not stop (being read-only by default is no right)."""
    found = []
    writable = make_conninfo(database.dsn(role), options="-c default_transaction_read_only=off")
    with psycopg.connect(writable, autocommit=True) as conn:
        for statement in statements:
            try:
                conn.execute(statement.encode())
            except psycopg.errors.InsufficientPrivilege:
                continue
            found.append(statement)
    return found


def test_writer_and_reader_cannot_do_what_they_should_not(any_database: Database) -> None:
    assert allowed(any_database, WRITER, FORBIDDEN) == []
    assert allowed(any_database, READER, FORBIDDEN + SECRET) == []


def test_the_reader_writes_nothing(plain_database: Database) -> None:
    tables = ask(
        plain_database,
        "select table_name::text from information_schema.table_privileges "
        "where grantee = 'faultline_reader' and privilege_type <> 'SELECT'",
        READER,
    )
    assert tables == []


def test_names_are_found_without_a_schema_and_time_is_utc(any_database: Database) -> None:
    for role in ROLES:
        query = "select time_bucket('1 hour', timestamptz '2026-03-01 12:34+00'), current_setting('timezone')"
        assert ask(any_database, query, role) == [(datetime(2026, 3, 1, 12, tzinfo=UTC), "UTC")]


def test_buckets_have_the_same_edges_everywhere(any_database: Database) -> None:
    query = """
        select from generate_series(timestamptz '1999-12-25Z', '2027-01-01Z', '37 hours 11 minutes') as t,
                    unnest('{1 minute, 5 minutes, 1 hour, 6 hours, 1 day, 7 days}'::interval[]) as width
        where time_bucket(width, t) <> date_bin(width, t, timestamptz '2000-01-03Z')
    """
    assert ask(any_database, query) == []
