"""Access to the database, given and taken on the command line."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from console.cli import build
from storage.bootstrap import OWNER, WRITER
from storage.server.database import Database
from tests.integration.access_harness import keeper, seed

Run = Callable[..., Result]


@pytest.fixture
def run(plain_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    seed(plain_database)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAULTLINE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("FAULTLINE_DATABASE", plain_database.dsn(WRITER))
    monkeypatch.setenv("FAULTLINE_DATABASE_OWNER", plain_database.dsn(OWNER))
    monkeypatch.setenv("FAULTLINE_DATABASE_ADMIN", plain_database.superuser_dsn)
    yield lambda *words: CliRunner().invoke(build(["tenants"]), ["tenants", *words])
    for access, _ in keeper(plain_database).known():
        keeper(plain_database).remove(access.name)


def machines(conninfo: str) -> list[str]:
    with psycopg.connect(conninfo.strip()) as conn:
        return [name for (name,) in conn.execute("select asset from asset order by 1").fetchall()]


def test_what_is_printed_opens_the_views_and_names_no_password(run: Run, tmp_path: Path) -> None:
    done = run("add", "acme")
    assert done.exit_code == 0, done.output
    passfile = tmp_path / "data" / "access" / "acme.pgpass"
    assert passfile.stat().st_mode & 0o777 == 0o600
    assert passfile.read_text().strip().rsplit(":", 1)[1] not in done.output
    assert machines(done.stdout) == ["l1", "l2", "p1"]
    again = run("add", "acme")
    assert "its login is as it was" in again.stdout

    new = run("rotate", "acme", "--passfile", "new.pgpass")
    assert machines(new.stdout) == machines(done.stdout)
    assert run("rotate", "acme", "--finish").exit_code == 0
    assert machines(new.stdout) == ["l1", "l2", "p1"]
    with pytest.raises(psycopg.OperationalError):
        machines(done.stdout)


def test_logins_may_be_given_to_many_at_once(run: Run, plain_database: Database) -> None:
    names = [f"guest-{number}" for number in range(4)]
    for name in names:
        assert run("grant", name, "--tenant", "acme").exit_code == 0
    with ThreadPoolExecutor(4) as pool:
        given = list(pool.map(keeper(plain_database).rotate, names * 4))
    assert len({login.role for login in given}) == 16


def test_staff_is_granted_and_revoked(run: Run) -> None:
    anna = run("grant", "anna", "--tenant", "acme", "--site", "yard")
    assert machines(anna.stdout) == ["l2", "p1"]
    assert run("grant", "anna", "--type", "lift").exit_code == 0
    assert machines(anna.stdout) == ["bolt-lift", "l1", "l2", "p1"]
    assert "anna sees all tenants, lift" in run("revoke", "anna", "--tenant", "acme", "--site", "yard").stdout
    (listed,) = json.loads(run("list", "--json").stdout)
    assert listed["access"]["kind"] == "technician"
    assert listed["access"]["scopes"] == [{"tenant": None, "site": None, "equipment_type": "lift"}]
    assert run("suspend", "anna").exit_code == 0
    with pytest.raises(psycopg.OperationalError):
        machines(anna.stdout)
    assert run("resume", "anna").exit_code == 0
    assert machines(anna.stdout) == ["bolt-lift", "l1", "l2"]
    assert run("remove", "anna", "--yes").exit_code == 0
    assert json.loads(run("list", "--json").stdout) == []


def test_who_runs_the_platform_sees_how_it_works(run: Run) -> None:
    ops = run("grant", "ops", "--kind", "operations")
    with psycopg.connect(ops.stdout.strip()) as conn:
        assert conn.execute("select sum(machines)::int from freshness").fetchone() == (4,)
    assert "ops sees the platform" in run("grant", "ops", "--kind", "operations").stdout
    assert "the platform" in run("list").stdout


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (("grant", "ops", "--kind", "operations", "--all"), "operations see no machine: leave --tenant"),
        (("grant", "anna"), "say what: --tenant"),
        (("grant", "anna", "--site", "yard"), "say --tenant too"),
        (("grant", "anna", "--all", "--tenant", "acme"), "give one of them"),
    ],
)
def test_a_grant_says_what(run: Run, words: tuple[str, ...], cure: str) -> None:
    done = run(*words)
    assert done.exit_code == 2
    assert cure in done.stderr


def test_without_an_administrator_nothing_is_made(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAULTLINE_DATABASE_ADMIN")
    done = run("add", "acme")
    assert "database_admin is not set" in str(done.exception)
