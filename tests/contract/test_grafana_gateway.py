"""What provisioning may rely on of a Grafana; the fake keeps 9.4's semantics."""

from collections.abc import Iterator

import pytest

from dashboards.provision.client import Client
from dashboards.provision.errors import (
    GrafanaConflict,
    GrafanaError,
    GrafanaMissing,
    GrafanaRefuses,
    GrafanaUnavailable,
)
from dashboards.provision.gateway import Room, Server
from dashboards.provision.port import Kind
from tests.grafana_fake import ADMIN, PASSWORD, FakeGrafana, Json, serving

SOURCE: Json = {
    "name": "Faultline",
    "type": "postgres",
    "access": "proxy",
    "url": "db:5432",
    "user": "a1_1",
    "database": "faultline",
    "isDefault": True,
    "jsonData": {"sslmode": "verify-full"},
}
FOLDER: Json = {"title": "Faultline"}
BOARD: Json = {
    "folder": "faultline-en",
    "dashboard": {"title": "FL · Fleet", "tags": ["faultline"], "panels": []},
}


@pytest.fixture
def grafana() -> FakeGrafana:
    return FakeGrafana()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def url(grafana: FakeGrafana) -> Iterator[str]:
    with serving(grafana) as found:
        yield found


@pytest.fixture
def server(url: str, pauses: list[float]) -> Server:
    return Server(url, ADMIN, PASSWORD, pauses.append)


@pytest.fixture
def room(server: Server) -> Iterator[Room]:
    with server.enter(server.create("acme")) as entered:
        yield entered


def test_an_organisation_is_made_found_and_taken_away(server: Server) -> None:
    assert server.find("acme & söhne/süd") is None
    number = server.create("acme & söhne/süd")
    assert server.find("acme & söhne/süd") == number
    with pytest.raises(GrafanaConflict, match="name taken"):
        server.create("acme & söhne/süd")
    server.delete(number)
    assert server.find("acme & söhne/süd") is None


def test_what_is_written_in_one_organisation_is_in_no_other(server: Server, grafana: FakeGrafana) -> None:
    one, other = server.create("acme"), server.create("bolt")
    with server.enter(one) as room:
        room.write(Kind.FOLDER, "faultline-en", FOLDER)
        assert room.read(Kind.FOLDER, "faultline-en") == FOLDER
    with server.enter(other) as room:
        assert room.read(Kind.FOLDER, "faultline-en") is None
    assert grafana.named("Main Org.").folders == {}


def test_a_run_leaves_no_account_behind_and_takes_away_what_a_dead_one_left(
    server: Server, grafana: FakeGrafana
) -> None:
    number = server.create("acme")
    grafana.organizations[number].accounts[77] = f"faultline-provisioning-{number}"
    with server.enter(number):
        assert 77 not in grafana.organizations[number].accounts
        assert len(grafana.organizations[number].accounts) == 1
    assert grafana.organizations[number].accounts == {}


def test_a_token_is_good_for_its_own_organisation_alone(server: Server, url: str) -> None:
    number = server.create("acme")
    with server.enter(number) as room:
        with pytest.raises(GrafanaRefuses):
            room._api.GET("/orgs")
        api = room._api
    with pytest.raises(GrafanaRefuses):
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


def test_what_is_read_stays_the_same_when_nobody_changes_it(room: Room) -> None:
    room.write(Kind.FOLDER, "faultline-en", FOLDER)
    room.write(Kind.DASHBOARD, "faultline-fl-en", BOARD)
    first = room.read(Kind.DASHBOARD, "faultline-fl-en")
    room.write(Kind.DASHBOARD, "faultline-fl-en", BOARD)
    assert room.read(Kind.DASHBOARD, "faultline-fl-en") == first


def test_a_password_is_kept_when_none_is_said(room: Room, grafana: FakeGrafana) -> None:
    room.write(Kind.DATA_SOURCE, "faultline", SOURCE, "hush")
    room.write(Kind.DATA_SOURCE, "faultline", SOURCE | {"url": "db:5433"})
    assert grafana.named("acme").passwords == {"faultline": "hush"}
    assert "hush" not in str(room.read(Kind.DATA_SOURCE, "faultline"))


def test_permissions_are_replaced_as_a_whole(room: Room) -> None:
    room.write(Kind.FOLDER, "faultline-en", FOLDER)
    wanted = {"items": [{"role": "Viewer", "permission": 1}]}
    assert room.read(Kind.PERMISSIONS, "faultline-en") != wanted
    room.write(Kind.PERMISSIONS, "faultline-en", wanted)
    assert room.read(Kind.PERMISSIONS, "faultline-en") == wanted


def test_preferences_beside_ours_stay(room: Room, grafana: FakeGrafana) -> None:
    grafana.named("acme").preferences["theme"] = "dark"
    room.write(Kind.FOLDER, "faultline-en", FOLDER)
    room.write(Kind.DASHBOARD, "faultline-cu-zh", BOARD)
    wanted = {"homeDashboardUID": "faultline-cu-zh", "language": "zh-Hans"}
    room.write(Kind.PREFERENCES, "organization", wanted)
    assert room.read(Kind.PREFERENCES, "organization") == wanted
    assert grafana.named("acme").preferences["theme"] == "dark"


def test_a_change_made_since_it_was_read_is_not_written_over(room: Room, grafana: FakeGrafana) -> None:
    room.write(Kind.FOLDER, "faultline-en", FOLDER)
    room.write(Kind.DASHBOARD, "faultline-fl-en", BOARD)
    room.read(Kind.DASHBOARD, "faultline-fl-en")
    grafana.named("acme").boards["faultline-fl-en"]["version"] += 1
    with pytest.raises(GrafanaConflict, match="has been changed"):
        room.write(Kind.DASHBOARD, "faultline-fl-en", BOARD)


def test_another_dashboard_of_the_same_title_is_never_replaced(room: Room, grafana: FakeGrafana) -> None:
    room.write(Kind.FOLDER, "faultline-en", FOLDER)
    theirs: Json = {"folder": "faultline-en", "dashboard": {"title": "FL · fleet!", "tags": []}}
    room.write(Kind.DASHBOARD, "theirs", theirs)
    with pytest.raises(GrafanaConflict, match="same name"):
        room.write(Kind.DASHBOARD, "faultline-fl-en", BOARD)
    assert grafana.named("acme").boards["theirs"]["title"] == "FL · fleet!"


def test_names_that_are_one_to_grafana_are_a_conflict(room: Room) -> None:
    room.write(Kind.FOLDER, "faultline-en", FOLDER)
    with pytest.raises(GrafanaConflict, match="same name"):
        room.write(Kind.FOLDER, "faultline-zh", {"title": "Faultline 中文"})
    with pytest.raises(GrafanaConflict, match="same as folder"):
        room.write(Kind.DASHBOARD, "x", {"folder": "faultline-en", "dashboard": {"title": "Faultline 设备"}})


def test_a_folder_with_somebodys_dashboard_is_not_deleted(room: Room, grafana: FakeGrafana) -> None:
    room.write(Kind.FOLDER, "faultline-en", FOLDER)
    room.write(
        Kind.DASHBOARD, "theirs", {"folder": "faultline-en", "dashboard": {"title": "Mine", "tags": []}}
    )
    with pytest.raises(GrafanaConflict, match="'Mine': move them"):
        room.delete(Kind.FOLDER, "faultline-en")
    assert "Mine" in room.others(())
    assert "faultline-en" in grafana.named("acme").folders


def test_others_are_all_but_those_that_are_named(room: Room, grafana: FakeGrafana) -> None:
    room.write(Kind.FOLDER, "faultline-en", FOLDER)
    room.write(Kind.DASHBOARD, "faultline-fl-en", BOARD)
    room.write(Kind.DATA_SOURCE, "faultline", SOURCE)
    ours = {
        (Kind.FOLDER, "faultline-en"),
        (Kind.DASHBOARD, "faultline-fl-en"),
        (Kind.DATA_SOURCE, "faultline"),
    }
    assert room.others(ours) == []
    room.write(Kind.FOLDER, "faultline-theirs", {"title": "Theirs"})
    assert room.others(ours) == ["Theirs"]


def test_a_database_that_grafana_cannot_read_is_said(room: Room, grafana: FakeGrafana) -> None:
    room.write(Kind.DATA_SOURCE, "faultline", SOURCE)
    room.check_data_source("faultline")
    grafana.health = lambda _source, _password: "password authentication failed"
    with pytest.raises(GrafanaError, match="password authentication failed"):
        room.check_data_source("faultline")


@pytest.mark.parametrize("version", ["9.4.7", "10.4.0", "11.3.0+security-01", "12.1.0-pre", "13.0.1"])
def test_versions_that_are_known_to_work(server: Server, grafana: FakeGrafana, version: str) -> None:
    grafana.version = version
    assert server.check() == version


@pytest.mark.parametrize("version", ["9.3.16", "8.5.0", "14.0.0", ""])
def test_other_versions_are_refused(server: Server, grafana: FakeGrafana, version: str) -> None:
    grafana.version = version
    with pytest.raises(GrafanaError, match=r"9\.4 to 13 are known to work"):
        server.check()


def test_a_wrong_password_is_said_and_not_shown(url: str) -> None:
    server = Server(url, ADMIN, "wrong-pass")
    with pytest.raises(GrafanaRefuses, match="FAULTLINE_GRAFANA_ADMIN_PASSWORD") as caught:
        server.check()
    assert "wrong-pass" not in str(caught.value) + repr(server) + repr(server._admin.api)


def test_a_server_that_is_not_there_is_said() -> None:
    pauses: list[float] = []
    with pytest.raises(GrafanaUnavailable, match="is Grafana running"):
        Server("http://127.0.0.1:9", ADMIN, PASSWORD, pauses.append).check()
    assert pauses == [0.5, 1.0, 2.0]


def test_a_busy_server_is_asked_again_and_a_broken_one_only_where_that_is_harmless(
    server: Server, grafana: FakeGrafana, pauses: list[float]
) -> None:
    busy = iter([(429, {"message": "slow down"}), (503, None), (502, "<html>message</html>")])
    grafana.fail = lambda _verb, _path: next(busy, None)
    assert server.find("acme") is None
    assert pauses == [0.5, 1.0, 2.0]
    broken = iter([(503, None)])
    grafana.fail = lambda _verb, _path: next(broken, None)
    with pytest.raises(GrafanaUnavailable, match="503"):
        server.create("acme")
    again = iter([(429, None)])
    grafana.fail = lambda _verb, _path: next(again, None)
    assert server.create("acme")


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        ((302, None), GrafanaError, "set FAULTLINE_GRAFANA_URL"),
        ((404, {"message": "no such"}), GrafanaMissing, "no such"),
        ((412, {"status": "version-mismatch", "message": "changed"}), GrafanaConflict, "changed"),
        ((500, "a message in plain text"), GrafanaError, "500"),
        ((400, {"message": "Bad input"}), GrafanaError, "Bad input"),
    ],
)
def test_what_went_wrong_is_told_apart(
    url: str, grafana: FakeGrafana, answer: tuple[int, object], error: type[Exception], said: str
) -> None:
    grafana.fail = lambda _verb, _path: answer
    with pytest.raises(error, match=said):
        Client(url, "token").api.GET("/anything")


def test_the_librarys_resources_use_the_mended_transport(url: str, grafana: FakeGrafana) -> None:
    grafana.fail = lambda _verb, _path: (204, None)
    client = Client(url, (ADMIN, PASSWORD))
    assert client.organizations.delete_organization(7) is None
    with pytest.raises(AttributeError):
        _ = client.api.FETCH


def test_a_grafana_below_a_path_is_found(url: str, grafana: FakeGrafana) -> None:
    assert Client(f"{url}/grafana/", "token").api.url == f"{url}/grafana/api"
    assert Client(url, "token").api.url == f"{url}/api"
