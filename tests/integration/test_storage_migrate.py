"""Migrations: each once, in order, whole or not at all, whoever runs them and whatever the server gains."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from storage.bootstrap import OWNER, READER, bootstrap
from storage.capability import Capability, detect
from storage.errors import MigrationError
from storage.migrate import Applied, migrate, read_files, shipped, status
from storage.server.database import Database, find_database, kept_passwords
from storage.server.launcher import PostgresServer

SHIPPED = [Applied(file.version, file.name) for file in read_files(shipped())]


class Empty:
    """A database that nobody has migrated."""

    def __init__(self, server: Database, name: str) -> None:
        self.server = server
        self.name = name
        self.owner = make_conninfo(server.dsn(OWNER), dbname=name)
        self.superuser = make_conninfo(server.admin_dsn, dbname=name)

    def bootstrap(self) -> None:
        bootstrap(self.server.admin_dsn, self.name, kept_passwords(self.server.passfile))

    def ask(self, query: str, dsn: str | None = None) -> list[tuple[object, ...]]:
        with psycopg.connect(dsn or self.owner, autocommit=True) as conn:
            return conn.execute(query.encode()).fetchall()


def empty(server: PostgresServer) -> Iterator[Empty]:
    found = Empty(find_database(server), f"empty_{uuid4().hex[:12]}")
    found.bootstrap()
    yield found
    with psycopg.connect(server.admin_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(found.name)))


@pytest.fixture
def plain(embedded_postgres: PostgresServer) -> Iterator[Empty]:
    yield from empty(embedded_postgres)


@pytest.fixture
def timescale(postgres: PostgresServer) -> Iterator[Empty]:
    yield from empty(postgres)


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name[1:]}.sql").write_text(text)
    return folder


def test_the_shipped_files_apply_once(plain: Empty) -> None:
    assert {state.applied_at for state in status(plain.owner)} == {None}
    assert migrate(plain.owner) == SHIPPED
    assert migrate(plain.owner) == []
    reader = make_conninfo(plain.server.dsn(READER), dbname=plain.name)
    states = status(reader)
    assert [Applied(state.version, state.name) for state in states] == SHIPPED
    assert all(state.applied_at for state in states)
    assert {state.name: state.waiting for state in states if state.waiting} == {
        "telemetry": (Capability.APACHE,)
    }


def test_two_at_once_share_the_work(plain: Empty) -> None:
    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(migrate, [plain.owner] * 2))
    assert sorted(done, key=len) == [[], SHIPPED]


def test_a_changed_file_is_refused(plain: Empty, tmp_path: Path) -> None:
    folder = write(tmp_path, _0001_a="create table a ();")
    migrate(plain.owner, folder)
    write(folder, _0001_a="create table a (b int);", _0002_b="create table b ();")
    with pytest.raises(MigrationError, match=r"0001_a\.sql has changed since it was applied: restore it"):
        migrate(plain.owner, folder)
    assert plain.ask("select to_regclass('b')") == [(None,)]


def test_a_failing_file_leaves_nothing_of_itself_and_all_before_it(plain: Empty, tmp_path: Path) -> None:
    folder = write(tmp_path, _0001_a="create table a ();", _0002_b="create table b (); select 1 / 0;")
    with pytest.raises(MigrationError, match=r"0002_b\.sql: division by zero"):
        migrate(plain.owner, folder)
    assert plain.ask("select to_regclass('a')::text, to_regclass('b')::text") == [("a", None)]
    write(folder, _0002_b="create table b ();")
    assert migrate(plain.owner, folder) == [Applied(2, "b")]


def test_a_file_that_no_transaction_can_hold(plain: Empty, tmp_path: Path) -> None:
    concurrently = "-- no-transaction\ncreate index concurrently if not exists a_b on a (b);"
    folder = write(tmp_path, _0001_a="create table a (b int);", _0002_i=concurrently)
    assert migrate(plain.owner, folder) == [Applied(1, "a"), Applied(2, "i")]
    assert plain.ask("select to_regclass('a_b')::text") == [("a_b",)]


def test_two_files_with_one_number_are_refused(plain: Empty, tmp_path: Path) -> None:
    folder = write(tmp_path, _0001_a="select 1;", _0001_b="select 1;")
    with pytest.raises(MigrationError, match=r"0001_b\.sql: another file has this number"):
        migrate(plain.owner, folder)


def test_a_newer_schema_does_not_stop_older_code(plain: Empty, tmp_path: Path) -> None:
    folder = write(tmp_path, _0001_a="create table a ();", _0002_b="create table b ();")
    migrate(plain.owner, folder)
    (folder / "0002_b.sql").unlink()
    assert migrate(plain.owner, folder) == []


@pytest.mark.timescale
def test_with_timescaledb_nothing_waits(timescale: Empty) -> None:
    assert migrate(timescale.owner) == SHIPPED
    assert all(not state.waiting for state in status(timescale.owner))
    hypertables = "select hypertable_name::text from timescaledb_information.hypertables order by 1"
    assert timescale.ask(hypertables) == [("rollup_minute",), ("telemetry",)]


@pytest.mark.timescale
def test_a_section_is_applied_when_the_server_gains_the_capability(timescale: Empty) -> None:
    with psycopg.connect(timescale.superuser, autocommit=True) as conn:  # as if made on a plain server
        conn.execute("drop extension timescaledb")
    with psycopg.connect(timescale.owner, autocommit=True) as conn:
        assert detect(conn) is Capability.PLAIN
        assert migrate(timescale.owner) == SHIPPED
        conn.execute("insert into telemetry (ts, bad, asset_id, v0) values ('2026-03-01Z', 0, 1, 1.5)")
    assert migrate(timescale.owner) == []
    timescale.bootstrap()
    assert migrate(timescale.owner) == [Applied(2, "telemetry", gained=Capability.APACHE)]
    assert migrate(timescale.owner) == []
    assert all(not state.waiting for state in status(timescale.owner))
    assert timescale.ask("select asset_id, v0 from telemetry") == [(1, 1.5)]
    assert timescale.ask("select count(*) from show_chunks('telemetry')") == [(1,)]
