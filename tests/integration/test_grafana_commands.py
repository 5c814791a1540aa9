"""Grafana brought to what the dashboards say, on the command line, with a real PostgreSQL behind it."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from typer.testing import CliRunner, Result

from console.cli import build
from storage.access.grants import Kind, Scope
from storage.bootstrap import OWNER, WRITER
from storage.provisioning import alone, provisioned
from storage.server.database import Database
from tests.grafana_fake import ADMIN, PASSWORD, FakeGrafana, Json, Organization, serving
from tests.integration.access_harness import keeper, seed

Run = Callable[..., Result]

BOARD = "faultline-cu-en"


@pytest.fixture
def grafana(plain_database: Database) -> FakeGrafana:
    """One that looks into the database to say how a data source is."""
    made = FakeGrafana()

    def health(source: Json, password: str) -> str | None:
        try:
            logged_in(plain_database, source["user"], password)
        except psycopg.OperationalError as error:
            return str(error).splitlines()[0]
        return None

    made.health = health
    return made


def logged_in(database: Database, role: str, password: str) -> list[str]:
    """The machines that a login sees."""
    place = make_conninfo(database.superuser_dsn, user=role, password=password, passfile="/dev/null")
    with psycopg.connect(place) as conn:
        return [name for (name,) in conn.execute("select asset from asset order by 1").fetchall()]


@pytest.fixture
def run(
    plain_database: Database, grafana: FakeGrafana, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Run]:
    seed(plain_database)
    keeper(plain_database).give("acme", Kind.CUSTOMER, [Scope("acme")])
    keeper(plain_database).give("bolt", Kind.CUSTOMER, [Scope("bolt")])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAULTLINE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("FAULTLINE_DATABASE", plain_database.dsn(WRITER))
    monkeypatch.setenv("FAULTLINE_DATABASE_OWNER", plain_database.dsn(OWNER))
    monkeypatch.setenv("FAULTLINE_DATABASE_ADMIN", plain_database.superuser_dsn)
    monkeypatch.setenv("FAULTLINE_GRAFANA_ADMIN", ADMIN)
    monkeypatch.setenv("FAULTLINE_GRAFANA_ADMIN_PASSWORD", PASSWORD)
    with serving(grafana) as url:
        monkeypatch.setenv("FAULTLINE_GRAFANA_URL", url)
        yield lambda *words: CliRunner().invoke(build(["grafana", "tenants"]), words)
    with psycopg.connect(plain_database.superuser_dsn) as conn:
        conn.execute("delete from faultline.grafana_organization")
    for access, _ in keeper(plain_database).known():
        keeper(plain_database).remove(access.name)


def logins(database: Database, name: str) -> list[str]:
    return next(roles for access, roles in keeper(database).known() if access.name == name)


def sees(database: Database, there: Organization) -> list[str]:
    return logged_in(database, there.sources["faultline"]["user"], there.passwords["faultline"])


def plain(text: str) -> str:
    """Without the folds of a narrow screen."""
    return re.sub(r"\s+", " ", text)


def test_each_tenant_has_an_organisation_that_sees_its_machines_alone(
    run: Run, grafana: FakeGrafana, plain_database: Database
) -> None:
    assert run("grafana", "plan").exit_code == 2
    assert [each.name for each in grafana.organizations.values()] == ["Main Org."]
    done = run("grafana", "apply")
    assert done.exit_code == 0, done.output
    assert sees(plain_database, grafana.named("acme")) == ["l1", "l2", "p1"]
    assert sees(plain_database, grafana.named("bolt")) == ["bolt-lift"]
    assert not [each.accounts for each in grafana.organizations.values() if each.accounts]
    for name in ("acme", "bolt"):
        assert grafana.named(name).passwords["faultline"] not in done.output
    assert run("grafana", "plan").exit_code == 0
    grafana.log.clear()
    before = [logins(plain_database, name) for name in ("acme", "bolt")]
    assert run("grafana", "apply").exit_code == 0
    assert not grafana.writes
    assert before == [logins(plain_database, name) for name in ("acme", "bolt")]


def test_one_tenant_that_fails_does_not_stop_the_others(run: Run, grafana: FakeGrafana) -> None:
    grafana.organizations[7] = Organization("acme")
    done = run("grafana", "apply")
    assert done.exit_code == 1
    assert "that we did not make" in plain(done.stderr)
    assert BOARD in grafana.named("bolt").boards
    assert not grafana.named("acme").boards


def test_what_somebody_changed_is_told_until_somebody_decides(run: Run, grafana: FakeGrafana) -> None:
    run("grafana", "apply")
    board = grafana.named("acme").boards[BOARD]
    board["title"], board["version"] = "CU · mine", board["version"] + 1
    planned = run("grafana", "plan", "--json")
    assert planned.exit_code == 2
    told = {outcome["name"]: outcome["steps"] for outcome in json.loads(planned.stdout)}
    assert told["bolt"] == []
    (step,) = told["acme"]
    assert (step["state"], step["uid"]) == ("drifted", BOARD)
    assert step["differences"] == ['/dashboard/title: "CU · mine" → "CU · My machines"']
    assert run("grafana", "apply", "acme").exit_code == 2
    assert "1 overwritten" in run("grafana", "apply", "acme", "--drift", "overwrite").stdout
    assert grafana.named("acme").boards[BOARD]["title"] == "CU · My machines"
    (done,) = json.loads(run("grafana", "undo", "acme", "--json").stdout)
    assert done["notes"] == [f"1 put back: dashboard {BOARD}"]
    assert grafana.named("acme").boards[BOARD]["title"] == "CU · mine"


def test_a_login_of_grafanas_own_is_renewed_and_no_other_ends(
    run: Run, grafana: FakeGrafana, plain_database: Database
) -> None:
    (people,) = logins(plain_database, "acme")
    run("grafana", "apply", "acme")
    there = grafana.named("acme")
    first = there.sources["faultline"]["user"]
    assert set(logins(plain_database, "acme")) == {people, first}
    assert run("grafana", "apply", "acme", "--rotate").exit_code == 0
    second = there.sources["faultline"]["user"]
    assert set(logins(plain_database, "acme")) == {people, second} != {people, first}
    assert sees(plain_database, there) == ["l1", "l2", "p1"]


def test_a_login_that_nobody_uses_ends(run: Run, grafana: FakeGrafana, plain_database: Database) -> None:
    people = logins(plain_database, "acme")
    run("grafana", "apply", "acme")
    there = grafana.named("acme")
    there.sources["faultline"]["user"] = "somebody"
    assert run("grafana", "apply", "acme").exit_code == 1
    assert there.sources["faultline"]["user"] == "somebody"
    assert logins(plain_database, "acme") == people
    assert run("grafana", "apply", "acme", "--drift", "overwrite").exit_code == 0
    assert sees(plain_database, there) == ["l1", "l2", "p1"]
    assert len(logins(plain_database, "acme")) == 2


def test_peoples_logins_are_renewed_without_grafanas(
    run: Run, grafana: FakeGrafana, plain_database: Database
) -> None:
    (old,) = logins(plain_database, "acme")
    run("grafana", "apply", "acme")
    assert run("tenants", "rotate", "acme").exit_code == 0
    assert run("tenants", "rotate", "acme", "--finish").exit_code == 0
    assert old not in logins(plain_database, "acme")
    assert sees(plain_database, grafana.named("acme")) == ["l1", "l2", "p1"]
    assert len(logins(plain_database, "acme")) == 2
    assert run("grafana", "plan", "acme").exit_code == 0


def test_a_run_that_ends_anywhere_is_made_good_by_the_next(
    run: Run, grafana: FakeGrafana, plain_database: Database
) -> None:
    requests, done = 1, False
    while not done:
        grafana.die_after = requests
        done = run("grafana", "apply", "acme").exit_code == 0
        grafana.die_after = None
        requests += 7
        if not done:
            assert run("grafana", "apply", "acme").exit_code == 0
            there = grafana.named("acme")
            assert len(there.boards) == 8
            assert sees(plain_database, there) == ["l1", "l2", "p1"]
            assert len(logins(plain_database, "acme")) == 2
            assert run("grafana", "remove", "acme", "--yes").exit_code == 0
    assert requests > 20


def test_few_deletions_in_each_of_many_stop_the_run_before_the_first(
    run: Run, grafana: FakeGrafana, plain_database: Database
) -> None:
    for name in ("acme-2", "acme-3"):
        keeper(plain_database).give(name, Kind.CUSTOMER, [Scope("acme")])
    run("grafana", "apply")
    for access, _ in keeper(plain_database).known():
        there = grafana.named(access.name)
        with provisioned(plain_database.dsn(OWNER), access.access_id) as record:
            for number in range(3):
                uid = f"faultline-old-{number}"
                there.boards[uid] = {"uid": uid, "title": uid, "id": 90 + number, "version": 1}
                there.folder_of[uid] = ""
                record.claim("dashboard", uid, None)
    refused = run("grafana", "apply")
    assert "12 of " in str(refused.exception)
    assert "--allow-deletes 12" in str(refused.exception)
    assert all("faultline-old-2" in each.boards for each in grafana.organizations.values() if each.boards)
    assert run("grafana", "apply", "--allow-deletes", "12").exit_code == 0
    assert not [each for each in grafana.organizations.values() if "faultline-old-2" in each.boards]


def test_remove_takes_ours_and_leaves_what_is_not(
    run: Run, grafana: FakeGrafana, plain_database: Database
) -> None:
    run("grafana", "apply")
    theirs: Json = {"uid": "own", "title": "Own", "tags": ["faultline"], "id": 9, "version": 1}
    grafana.named("bolt").boards["own"], grafana.named("bolt").folder_of["own"] = theirs, ""
    refused = run("tenants", "remove", "acme", "--yes")
    assert isinstance(refused.exception, Exception)
    assert "faultline grafana remove acme" in str(refused.exception)
    done = run("grafana", "remove", "acme", "bolt", "--yes")
    assert done.exit_code == 0, done.output
    assert "not ours: Own" in plain(done.stdout)
    assert [each.name for each in grafana.organizations.values()] == ["Main Org.", "bolt"]
    assert set(grafana.named("bolt").boards) == {"own"}
    assert not grafana.named("bolt").sources
    assert len(logins(plain_database, "acme")) == len(logins(plain_database, "bolt")) == 1
    assert run("tenants", "remove", "acme", "--yes").exit_code == 0


def test_an_organisation_that_was_renamed_stays_ours(run: Run, grafana: FakeGrafana) -> None:
    run("grafana", "apply", "acme")
    grafana.named("acme").name = "Acme Lifts Ltd."
    assert run("grafana", "plan", "acme").exit_code == 0
    assert run("grafana", "remove", "acme", "--yes").exit_code == 0
    assert [each.name for each in grafana.organizations.values()] == ["Main Org."]


def test_an_organisation_that_was_deleted_is_made_again(run: Run, grafana: FakeGrafana) -> None:
    run("grafana", "apply", "acme")
    (number,) = (k for k, each in grafana.organizations.items() if each.name == "acme")
    del grafana.organizations[number]
    assert run("grafana", "plan", "acme").exit_code == 2
    assert run("grafana", "apply", "acme").exit_code == 0
    assert len(grafana.named("acme").boards) == 8
    assert run("grafana", "plan", "acme").exit_code == 0


def test_one_run_at_a_time(run: Run, grafana: FakeGrafana, plain_database: Database) -> None:
    with alone(plain_database.dsn(OWNER)):
        refused = run("grafana", "apply")
    assert "another `faultline grafana` is at work" in str(refused.exception)
    assert not grafana.writes


@pytest.mark.parametrize(
    ("variable", "cure"),
    [
        ("FAULTLINE_GRAFANA_URL", "FAULTLINE_GRAFANA_URL"),
        ("FAULTLINE_GRAFANA_ADMIN_PASSWORD", "FAULTLINE_GRAFANA_ADMIN_PASSWORD"),
        ("FAULTLINE_DATABASE_OWNER", "FAULTLINE_DATABASE_OWNER"),
    ],
)
def test_what_is_not_set_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, cure: str
) -> None:
    monkeypatch.delenv(variable)
    assert cure in str(run("grafana", "plan").exception)


def test_a_name_without_access_is_said_with_the_cure(run: Run) -> None:
    assert "faultline tenants list" in str(run("grafana", "apply", "nobody").exception)
