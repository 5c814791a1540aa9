"""Who changes the schema: `db migrate` and what runs long, never a command that only looks."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner, Result

from console.cli import build, command_names
from console.platform import foundation
from console.settings import load_settings
from storage.bootstrap import OWNER, WRITER, bootstrap
from storage.migrate import read_files, shipped, status
from storage.server.database import Database, find_database, kept_passwords
from storage.server.launcher import PostgresServer

Run = Callable[..., Result]


@pytest.fixture
def bare(embedded_postgres: PostgresServer) -> Iterator[Database]:
    """A database with its roles, that nobody has migrated."""
    found = find_database(embedded_postgres, f"bare_{uuid4().hex[:12]}")
    bootstrap(found.admin_dsn, found.name, kept_passwords(found.passfile))
    yield found
    with psycopg.connect(found.admin_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(found.name)))


@pytest.fixture
def run(bare: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAULTLINE_DATABASE", bare.dsn(WRITER))
    monkeypatch.setenv("FAULTLINE_DATABASE_OWNER", bare.dsn(OWNER))
    monkeypatch.setenv("FAULTLINE_DATA_DIR", str(tmp_path))
    return lambda *words: CliRunner().invoke(build(command_names()), words)


def applied(database: Database) -> list[bool]:
    return [one.applied_at is not None for one in status(database.dsn(OWNER))]


FILES = len(read_files(shipped()))


@pytest.mark.parametrize(
    "words",
    [("db", "status"), ("check",), ("assets", "list"), ("deadletters", "list"), ("assets", "revoke", "0")],
)
def test_a_command_that_looks_leaves_the_schema_alone(
    bare: Database, run: Run, words: tuple[str, ...]
) -> None:
    done = run(*words)
    told = " ".join(f"{done.output} {done.stderr} {done.exception}".split())
    assert "faultline db migrate" in told
    assert applied(bare) == [False] * FILES


def test_migrate_says_what_it_applied_and_needs_the_owner_alone(
    bare: Database, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FAULTLINE_DATABASE")
    assert len(json.loads(run("db", "migrate", "--json").stdout)) == FILES
    assert run("db", "migrate").stdout == "up to date\n"
    assert all(one["applied_at"] for one in json.loads(run("db", "status", "--json").stdout))
    assert applied(bare) == [True] * FILES


def test_whoever_is_not_the_owner_is_told_so(
    bare: Database, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAULTLINE_DATABASE_OWNER", bare.dsn(WRITER))
    done = run("db", "migrate")
    assert f"give the conninfo of {OWNER}" in str(done.exception)


def test_without_the_owner_nothing_can_be_migrated_but_its_state_can_be_seen(
    bare: Database, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FAULTLINE_DATABASE_OWNER")
    assert "set database_owner" in run("db", "migrate").stderr
    assert len(json.loads(run("db", "status", "--json").stdout)) == FILES
    assert applied(bare) == [False] * FILES


def test_what_runs_long_migrates_when_it_has_the_owner(bare: Database, tmp_path: Path) -> None:
    settings = load_settings(database=bare.dsn(WRITER), database_owner=bare.dsn(OWNER), data_dir=tmp_path)
    with foundation(settings):
        assert applied(bare) == [True] * FILES
