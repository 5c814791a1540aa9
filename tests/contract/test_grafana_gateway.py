"""What provisioning may rely on of a Grafana, of the fake and of a real one.

A real one is asked too where FAULTLINE_GRAFANA_URL and FAULTLINE_GRAFANA_ADMIN_PASSWORD name it. It gets
organisations and an administrator of the tests' own, and is left without them.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from dashboards.board import Audience
from dashboards.provision.apply import Drift, apply
from dashboards.provision.client import Client
from dashboards.provision.desired import desired
from dashboards.provision.errors import GrafanaConflict, GrafanaError, GrafanaMissing, GrafanaRefuses
from dashboards.provision.gateway import Room, Server
from dashboards.provision.plan import CLEAN, plan
from dashboards.provision.port import Kind
from dashboards.source import connection
from dashboards.text import Language
from fleet.catalog import packs
from tests.grafana_fake import ADMIN, OTHER_ADMIN, PASSWORD, FakeGrafana, Json, serving
from tests.grafana_memory import Fuse, MemoryRecord

REAL = os.environ.get("FAULTLINE_GRAFANA_URL")

SOURCE: Json = {
    "name": "Faultline",
    "type": "postgres",
    "access": "proxy",
    "url": "127.0.0.1:9",
    "user": "a1_1",
    "database": "faultline",
    "isDefault": True,
    "jsonData": {"sslmode": "verify-full"},
}
FOLDER: Json = {"title": "Faultline"}


def board(title: str, folder: str = "faultline-en", **more: object) -> Json:
    return {"folder": folder, "dashboard": {"title": title, "tags": ["faultline"], "panels": [], **more}}


BOARD = board("FL · Fleet")


@dataclass
class Place:
    """A Grafana, one organisation of it, and what its administrator can do there by hand."""

    server: Server
    other_admin: Server
    name: str
    number: int
    by_hand: Any
    fake: FakeGrafana | None

    @property
    def names_are_one(self) -> bool:
        """Whether names of the same ASCII are one in a folder: until 11.3."""
        major, minor, *_ = self.server.check().split(".")
        return (int(major), int(minor)) < (11, 3)


@pytest.fixture(params=["9.4.7", "13.0.1", *(["real"] if REAL else [])])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "real":
        name = os.environ.get("FAULTLINE_GRAFANA_ADMIN", "admin")
        admin = name, os.environ["FAULTLINE_GRAFANA_ADMIN_PASSWORD"]
        with _real_admin(str(REAL), admin) as other, _organization(str(REAL), admin, other, None) as made:
            yield made
        return
    fake = FakeGrafana(request.param)
    with serving(fake) as url, _organization(url, (ADMIN, PASSWORD), (OTHER_ADMIN, PASSWORD), fake) as made:
        yield made


@contextmanager
def _organization(
    url: str, admin: tuple[str, str], other: tuple[str, str], fake: FakeGrafana | None
) -> Iterator[Place]:
    server, name = Server(url, *admin), f"test {uuid4()}"
    number = server.create(name)
    try:
        yield Place(server, Server(url, *other), name, number, Client(url, admin, number).api, fake)
    finally:
        with suppress(GrafanaMissing):
            server.delete(number)


@contextmanager
def _real_admin(url: str, admin: tuple[str, str]) -> Iterator[tuple[str, str]]:
    api, name, password = Client(url, admin).api, f"test-{uuid4()}", str(uuid4())
    number = api.POST("/admin/users", {"name": name, "login": name, "password": password})["id"]
    try:
        api.PUT(f"/admin/users/{number}/permissions", {"isGrafanaAdmin": True})
        yield name, password
    finally:
        api.DELETE(f"/admin/users/{number}")


@pytest.fixture
def room(place: Place) -> Iterator[Room]:
    with place.server.enter(place.number) as entered:
        yield entered


def accounts(place: Place) -> list[str]:
    found = place.by_hand.GET("/serviceaccounts/search", {"query": "", "perpage": 100})
    return [each["name"] for each in found["serviceAccounts"]]


def save_by_hand(place: Place, uid: str, title: str) -> str:
    """As a person does who insists; the uid under which Grafana kept it."""
    made = {"title": title, "uid": uid, "panels": []}
    asked = {"dashboard": made, "folderUid": "faultline-en", "overwrite": True}
    return str(place.by_hand.POST("/dashboards/db", asked)["uid"])


def title_of(place: Place, uid: str) -> str:
    return str(place.by_hand.GET(f"/dashboards/uid/{uid}")["dashboard"]["title"])


def test_an_organisation_is_made_found_and_taken_away(place: Place) -> None:
    name = f"acme & söhne/süd {uuid4()}"
    assert place.server.find(name) is None
    number = place.server.create(name)
    assert place.server.find(name) == number
    assert place.server.name(number) == name
    with pytest.raises(GrafanaConflict, match="name taken"):
        place.server.create(name)
    place.server.delete(number)
    assert place.server.find(name) is None
    assert place.server.name(number) is None


def test_an_organisation_is_taken_away_that_its_administrator_looks_at(place: Place) -> None:
    place.by_hand.POST(f"/user/using/{place.number}")
    try:
        place.server.delete(place.number)
        assert place.server.find(place.name) is None
    finally:
        place.by_hand.POST("/user/using/1")


def test_what_is_written_in_one_organisation_is_in_no_other(place: Place, room: Room) -> None:
    room.write(Kind.FOLDER, "faultline-en", FOLDER)
    assert room.read(Kind.FOLDER, "faultline-en") == FOLDER
    number = place.server.create(f"test {uuid4()}")
    with place.server.enter(number) as other:
        assert other.read(Kind.FOLDER, "faultline-en") is None
        other.write(Kind.FOLDER, "faultline-en", FOLDER)
    place.server.delete(number)
    assert room.read(Kind.FOLDER, "faultline-en") == FOLDER


def test_a_run_leaves_no_account_behind_and_takes_away_what_a_dead_one_left(place: Place) -> None:
    ours, theirs = f"faultline-provisioning-{place.number}", f"theirs {uuid4()}"
    for name in (ours, theirs):
        place.by_hand.POST("/serviceaccounts", {"name": name, "role": "Admin"})
    with place.server.enter(place.number):
        assert sorted(accounts(place)) == [ours, theirs]
    assert accounts(place) == [theirs]


def test_an_organisation_that_another_administrator_made_is_entered(place: Place) -> None:
    with place.other_admin.enter(place.number) as room:
        room.write(Kind.FOLDER, "faultline-en", FOLDER)
        assert room.read(Kind.FOLDER, "faultline-en") == FOLDER


def test_a_token_is_good_for_its_own_organisation_and_run_alone(place: Place) -> None:
    with place.server.enter(place.number) as room:
        with pytest.raises(GrafanaRefuses):
            room._api.GET("/orgs")
        api = room._api
        api._sleep = lambda _seconds: None
    with pytest.raises(GrafanaError):
        api.GET("/folders/faultline-en")


def test_each_thing_is_made_read_changed_and_deleted(room: Room) -> None:
    specs: list[tuple[Kind, str, Json, Json]] = [
        (Kind.DATA_SOURCE, "faultline", SOURCE, SOURCE | {"user": "a1_2"}),
        (Kind.FOLDER, "faultline-en", FOLDER, {"title": "Other"}),
    ]
    for kind, uid, first, second in specs:
        assert room.read(kind, uid) is None
        room.write(kind, uid, first)
        assert room.read(kind, uid) == first
        room.write(kind, uid, second)
        assert room.read(kind, uid) == second
    room.write(Kind.DASHBOARD, "faultline-fl-en", BOARD)
    found = room.read(Kind.DASHBOARD, "faultline-fl-en")
    assert found is not None
    assert found["folder"] == BOARD["folder"]
    assert BOARD["dashboard"].items() <= found["dashboard"].items()
    for kind, uid in (
        (Kind.DASHBOARD, "faultline-fl-en"),
        (Kind.FOLDER, "faultline-en"),
        (Kind.DATA_SOURCE, "faultline"),
    ):
        room.delete(kind, uid)
        room.delete(kind, uid)
        assert room.read(kind, uid) is None


def test_an_alert_rule_is_made_read_changed_and_deleted(room: Room) -> None:
    room.write(Kind.FOLDER, "their-folder", FOLDER)
    assert room.read(Kind.ALERT, "faultline-al") is None
    for wanted in (_rule("A rule"), _rule("A rule") | {"for": "10m"}):
        room.write(Kind.ALERT, "faultline-al", wanted)
        found = room.read(Kind.ALERT, "faultline-al")
        assert found is not None
        assert (found["title"], found["for"]) == (wanted["title"], wanted["for"])
    room.delete(Kind.ALERT, "faultline-al")
    room.delete(Kind.ALERT, "faultline-al")
    assert room.read(Kind.ALERT, "faultline-al") is None


def test_what_is_read_stays_the_same_when_nobody_changes_it(room: Room) -> None:
    room.write(Kind.FOLDER, "faultline-en", FOLDER)
    room.write(Kind.DASHBOARD, "faultline-fl-en", BOARD)
    first = room.read(Kind.DASHBOARD, "faultline-fl-en")
    room.write(Kind.DASHBOARD, "faultline-fl-en", BOARD)
    assert room.read(Kind.DASHBOARD, "faultline-fl-en") == first


def test_a_password_is_kept_when_none_is_said_and_told_to_nobody(place: Place, room: Room) -> None:
    room.write(Kind.DATA_SOURCE, "faultline", SOURCE, "hush")
    room.read(Kind.DATA_SOURCE, "faultline")
    room.write(Kind.DATA_SOURCE, "faultline", SOURCE | {"url": "db:5433"})
    found = place.by_hand.GET("/datasources/uid/faultline")
    assert found["secureJsonFields"] == {"password": True}
    assert "hush" not in str(found) + str(room.read(Kind.DATA_SOURCE, "faultline"))
    if place.fake:
        assert place.fake.named(place.name).passwords == {"faultline": "hush"}


def test_permissions_are_replaced_as_a_whole(place: Place, room: Room) -> None:
    room.write(Kind.FOLDER, "faultline-en", FOLDER)
    wanted = {"items": [{"role": "Viewer", "permission": 1}]}
    assert room.read(Kind.PERMISSIONS, "faultline-en") != wanted
    room.write(Kind.PERMISSIONS, "faultline-en", wanted)
    assert room.read(Kind.PERMISSIONS, "faultline-en") == wanted
    assert room.read(Kind.PERMISSIONS, "faultline-zh") is None


def test_preferences_beside_ours_stay(place: Place, room: Room) -> None:
    place.by_hand.PATCH("/org/preferences", {"theme": "dark"})
    room.write(Kind.FOLDER, "faultline-en", FOLDER)
    room.write(Kind.DASHBOARD, "faultline-fl-en", BOARD)
    for wanted in (
        {"homeDashboardUID": "faultline-fl-en", "language": "zh-Hans"},
        {"homeDashboardUID": "", "language": ""},
    ):
        room.write(Kind.PREFERENCES, "organization", wanted)
        assert room.read(Kind.PREFERENCES, "organization") == wanted
    assert place.by_hand.GET("/org/preferences")["theme"] == "dark"


def test_a_home_must_be_there(room: Room) -> None:
    with pytest.raises(GrafanaMissing, match="Dashboard not found"):
        room.write(Kind.PREFERENCES, "organization", {"homeDashboardUID": "faultline-fl-en", "language": ""})


def test_a_dashboard_changed_since_it_was_read_is_not_written_over(place: Place, room: Room) -> None:
    room.write(Kind.FOLDER, "faultline-en", FOLDER)
    room.write(Kind.DASHBOARD, "faultline-fl-en", BOARD)
    room.read(Kind.DASHBOARD, "faultline-fl-en")
    save_by_hand(place, "faultline-fl-en", "FL · Mine")
    with pytest.raises(GrafanaConflict, match="has been changed"):
        room.write(Kind.DASHBOARD, "faultline-fl-en", BOARD)
    assert title_of(place, "faultline-fl-en") == "FL · Mine"
    room.read(Kind.DASHBOARD, "faultline-fl-en")
    room.write(Kind.DASHBOARD, "faultline-fl-en", BOARD)
    assert title_of(place, "faultline-fl-en") == "FL · Fleet"


def test_a_dashboard_made_since_nothing_was_read_is_not_written_over(place: Place, room: Room) -> None:
    room.write(Kind.FOLDER, "faultline-en", FOLDER)
    assert room.read(Kind.DASHBOARD, "faultline-fl-en") is None
    save_by_hand(place, "faultline-fl-en", "FL · Mine")
    with pytest.raises(GrafanaConflict, match="has been changed"):
        room.write(Kind.DASHBOARD, "faultline-fl-en", BOARD)


def test_a_data_source_changed_since_it_was_read_is_not_written_over(place: Place, room: Room) -> None:
    room.write(Kind.DATA_SOURCE, "faultline", SOURCE)
    room.read(Kind.DATA_SOURCE, "faultline")
    there = place.by_hand.GET("/datasources/uid/faultline")
    place.by_hand.PUT("/datasources/uid/faultline", there | {"url": "mine:5432"})
    with pytest.raises(GrafanaConflict, match="updated by someone else"):
        room.write(Kind.DATA_SOURCE, "faultline", SOURCE)
    assert room.read(Kind.DATA_SOURCE, "faultline") == SOURCE | {"url": "mine:5432"}


def test_a_folder_made_since_nothing_was_read_is_not_written_over(place: Place, room: Room) -> None:
    assert room.read(Kind.FOLDER, "faultline-en") is None
    place.by_hand.POST("/folders", {"title": "Mine", "uid": "faultline-en"})
    with pytest.raises(GrafanaConflict, match="has been changed"):
        room.write(Kind.FOLDER, "faultline-en", FOLDER)


def test_a_folder_changed_since_it_was_read_is_not_written_over(place: Place, room: Room) -> None:
    room.write(Kind.FOLDER, "faultline-en", FOLDER)
    room.read(Kind.FOLDER, "faultline-en")
    place.by_hand.PUT("/folders/faultline-en", {"title": "Mine", "overwrite": True})
    with pytest.raises(GrafanaConflict, match="has been changed"):
        room.write(Kind.FOLDER, "faultline-en", FOLDER)
    assert room.read(Kind.FOLDER, "faultline-en") == {"title": "Mine"}


def test_another_dashboard_of_the_same_name_is_never_replaced(place: Place, room: Room) -> None:
    """With `overwrite`, which we never set, ours would take its place, and its uid."""
    room.write(Kind.FOLDER, "faultline-en", FOLDER)
    save_by_hand(place, "theirs", "FL · fleet!")
    if place.names_are_one:
        with pytest.raises(GrafanaConflict, match="same name"):
            room.write(Kind.DASHBOARD, "faultline-fl-en", BOARD)
        assert title_of(place, "theirs") == "FL · fleet!"
        assert save_by_hand(place, "another", "FL · FLEET") == "theirs"
    else:
        room.write(Kind.DASHBOARD, "faultline-fl-en", BOARD)
        assert title_of(place, "theirs") == "FL · fleet!"


def test_names_of_which_the_ascii_is_one_are_a_conflict_until_11_3(place: Place, room: Room) -> None:
    room.write(Kind.FOLDER, "faultline-en", FOLDER)
    if not place.names_are_one:
        room.write(Kind.FOLDER, "faultline-zh", {"title": "Faultline 中文"})
        return
    with pytest.raises(GrafanaConflict, match="same name"):
        room.write(Kind.FOLDER, "faultline-zh", {"title": "Faultline 中文"})
    with pytest.raises(GrafanaConflict, match="same as folder"):
        room.write(Kind.DASHBOARD, "faultline-x", board("Faultline 设备"))
    room.write(Kind.FOLDER, "faultline-zh", {"title": "中文"})
    room.read(Kind.FOLDER, "faultline-zh")
    with pytest.raises(GrafanaConflict, match="same name"):
        room.write(Kind.FOLDER, "faultline-zh", FOLDER)


def test_a_dashboard_needs_its_folder(room: Room) -> None:
    with pytest.raises(GrafanaError, match="older not found"):
        room.write(Kind.DASHBOARD, "faultline-fl-en", BOARD)


def test_a_name_of_a_data_source_is_taken_once(room: Room) -> None:
    room.write(Kind.DATA_SOURCE, "theirs", SOURCE)
    with pytest.raises(GrafanaConflict, match="same name"):
        room.write(Kind.DATA_SOURCE, "faultline", SOURCE)
    room.write(Kind.DATA_SOURCE, "faultline", SOURCE | {"name": "Ours", "isDefault": False})
    room.read(Kind.DATA_SOURCE, "faultline")
    with pytest.raises(GrafanaError):
        room.write(Kind.DATA_SOURCE, "faultline", SOURCE)


def test_a_folder_with_somebodys_dashboard_is_not_deleted(place: Place, room: Room) -> None:
    room.write(Kind.FOLDER, "faultline-en", FOLDER)
    save_by_hand(place, "theirs", "Mine")
    with pytest.raises(GrafanaConflict, match="'Mine': move them"):
        room.delete(Kind.FOLDER, "faultline-en")
    assert room.read(Kind.FOLDER, "faultline-en") == FOLDER


def test_others_are_all_but_those_that_are_named(place: Place, room: Room) -> None:
    things = (
        (Kind.FOLDER, "faultline-en", FOLDER),
        (Kind.DASHBOARD, "faultline-fl-en", BOARD),
        (Kind.DATA_SOURCE, "faultline", SOURCE),
    )
    for thing in things:
        room.write(*thing)
    ours = {(kind, uid) for kind, uid, _ in things}
    assert room.others(ours) == []
    assert len(room.others(())) == 3
    save_by_hand(place, "their-board", "Their board")
    room.write(Kind.FOLDER, "their-folder", {"title": "Their folder"})
    room.write(Kind.DATA_SOURCE, "faultline-theirs", SOURCE | {"name": "Their source", "isDefault": False})
    place.by_hand.POST("/v1/provisioning/alert-rules", _rule("Their rule"))
    assert sorted(room.others(ours)) == ["Their board", "Their folder", "Their rule", "Their source"]


def _rule(title: str) -> Json:
    asked = {"refId": "A", "datasourceUid": "-100", "model": {"type": "math", "expression": "1 > 2"}}
    return {
        "title": title,
        "folderUID": "their-folder",
        "ruleGroup": "theirs",
        "condition": "A",
        "data": [asked | {"relativeTimeRange": {"from": 600, "to": 0}}],
        "for": "5m",
        "noDataState": "NoData",
        "execErrState": "Error",
    }


def test_a_database_that_grafana_cannot_read_is_said(place: Place, room: Room) -> None:
    if place.fake:
        place.fake.health = lambda _source, _password: "failed to connect to server"
    room.write(Kind.DATA_SOURCE, "faultline", SOURCE, "hush")
    with pytest.raises(GrafanaError, match="cannot read the database") as caught:
        room.check_data_source("faultline")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("place", ["9.4.7"], indirect=True)
def test_an_upgrade_of_grafana_is_nobodys_change(place: Place, room: Room) -> None:
    wanted = desired(Audience.OPERATIONS, Language.EN, [], connection("127.0.0.1", 9, "faultline", "a1_1"))
    record = MemoryRecord(Fuse())
    apply(plan(wanted, record.marks, room), room, record, Drift.REPORT, "hush")
    assert place.fake is not None
    place.fake.version = "12.2.0"
    assert {step.state for step in plan(wanted, record.marks, room)} <= CLEAN


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("audience", [Audience.MAKER, Audience.OPERATIONS])
def test_all_that_is_wanted_is_kept_found_the_same_and_taken_away(
    place: Place, room: Room, audience: Audience, language: Language
) -> None:
    source = connection("127.0.0.1", 9, "faultline", "a1_1")
    types = [packs()[name].equipment_type for name in ("elevator", "crane")]
    wanted, record = desired(audience, language, types, source), MemoryRecord(Fuse())
    apply(plan(wanted, record.marks, room), room, record, Drift.REPORT, "hush")
    after = plan(wanted, record.marks, room)
    assert {step.state for step in after} <= CLEAN
    assert [change for step in after for change in step.differences()] == []
    assert room.others(record.marks) == []
    apply(plan((), record.marks, room), room, record, Drift.REPORT)
    assert record.marks == {}
    assert place.by_hand.GET("/search", {}) == []
    assert place.by_hand.GET("/datasources") == []
    assert place.by_hand.GET("/v1/provisioning/alert-rules") == []
