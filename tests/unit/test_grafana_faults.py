"""What the gateway does about a Grafana that is busy, broken, strange or very full."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from dashboards.provision.client import Client
from dashboards.provision.errors import (
    GrafanaConflict,
    GrafanaError,
    GrafanaMissing,
    GrafanaRefuses,
    GrafanaUnavailable,
)
from dashboards.provision.gateway import TOKEN_S, Server
from dashboards.provision.port import Kind
from tests.grafana_fake import ADMIN, PASSWORD, FakeGrafana, Json, serving

FOLDER: Json = {"title": "Faultline"}
BOARD: Json = {"folder": "faultline-en", "dashboard": {"title": "FL · Fleet", "tags": ["faultline"]}}


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


def test_a_server_that_is_not_there_is_said(pauses: list[float]) -> None:
    with pytest.raises(GrafanaUnavailable, match="is Grafana running"):
        Server("http://127.0.0.1:9", ADMIN, PASSWORD, pauses.append).check()
    assert pauses == [0.5, 1.0, 2.0]


def test_a_server_without_a_certificate_that_is_trusted_is_said_at_once(
    url: str, pauses: list[float]
) -> None:
    with pytest.raises(GrafanaUnavailable, match="REQUESTS_CA_BUNDLE"):
        Server(url.replace("http:", "https:"), ADMIN, PASSWORD, pauses.append).check()
    assert pauses == []


def test_a_busy_server_is_asked_again_and_a_broken_one_only_where_that_is_harmless(
    server: Server, grafana: FakeGrafana, pauses: list[float]
) -> None:
    slow, locked = (429, {"message": "slow down"}), (500, {"message": "database is locked"})
    answers = iter([slow, locked, (502, "<html>message</html>")])
    grafana.fail = lambda _verb, _path: next(answers, None)
    assert server.find("acme") is None
    assert pauses == [0.5, 1.0, 2.0]
    broken = iter([(503, None)])
    grafana.fail = lambda _verb, _path: next(broken, None)
    with pytest.raises(GrafanaUnavailable, match="503"):
        server.create("acme")
    again = iter([(429, None)])
    grafana.fail = lambda _verb, _path: next(again, None)
    assert server.create("acme")


@pytest.mark.parametrize(("said", "waited"), [("7", 7.0), ("9999", 30.0), ("tomorrow", 0.5)])
def test_a_busy_server_is_asked_again_when_it_says(
    server: Server, grafana: FakeGrafana, pauses: list[float], said: str, waited: float
) -> None:
    grafana.headers = {"Retry-After": said}
    busy = iter([(429, None)])
    grafana.fail = lambda _verb, _path: next(busy, None)
    assert server.find("acme") is None
    assert pauses == [waited]


def test_a_server_that_stays_broken_is_given_up(server: Server, grafana: FakeGrafana) -> None:
    grafana.fail = lambda _verb, _path: (504, None)
    with pytest.raises(GrafanaUnavailable, match="504"):
        server.find("acme")
    assert len(grafana.log) == 4


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        ((404, {"message": "no such"}), GrafanaMissing, "no such"),
        ((412, {"status": "version-mismatch", "message": "changed"}), GrafanaConflict, "changed"),
        ((400, {"status": "name-match", "message": "as folder"}), GrafanaConflict, "as folder"),
        ((500, "a message in plain text"), GrafanaError, "500"),
        ((400, {"message": "Bad input"}), GrafanaError, "Bad input"),
    ],
)
def test_what_went_wrong_is_told_apart(
    url: str, grafana: FakeGrafana, answer: tuple[int, object], error: type[Exception], said: str
) -> None:
    grafana.fail = lambda _verb, _path: answer
    with pytest.raises(error, match=said):
        Client(url, "token", sleep=lambda _seconds: None).api.GET("/anything")


def test_nobody_is_sent_elsewhere_with_our_credentials(url: str, grafana: FakeGrafana) -> None:
    grafana.headers = {"Location": "/api/health"}
    grafana.fail = lambda _verb, path: None if path == "/health" else (302, None)
    with pytest.raises(GrafanaError, match="set FAULTLINE_GRAFANA_URL"):
        Client(url, "token").api.GET("/anything")
    assert grafana.log == [("GET", "/anything")]


def test_a_save_that_waits_for_somebodys_consent_is_not_done(server: Server, grafana: FakeGrafana) -> None:
    with server.enter(server.create("acme")) as room:
        room.write(Kind.FOLDER, "faultline-en", FOLDER)
        told = {"status": "pending", "message": "changes were broadcast to the gitops listener"}
        grafana.fail = lambda _verb, path: (202, told) if path == "/dashboards/db" else None
        with pytest.raises(GrafanaConflict, match="gitops listener"):
            room.write(Kind.DASHBOARD, "faultline-fl-en", BOARD)


def test_a_change_that_nobody_made_is_no_conflict(server: Server, grafana: FakeGrafana) -> None:
    """Grafana's own second try on a locked SQLite says so."""
    refused = [(412, {"status": "version-mismatch", "message": "changed by someone else"})]
    with server.enter(server.create("acme")) as room:
        room.write(Kind.FOLDER, "faultline-en", FOLDER)
        room.write(Kind.DASHBOARD, "faultline-fl-en", BOARD)
        room.read(Kind.DASHBOARD, "faultline-fl-en")
        grafana.fail = lambda verb, path: refused.pop() if refused and path == "/dashboards/db" else None
        room.write(Kind.DASHBOARD, "faultline-fl-en", BOARD)
        found = room.read(Kind.DASHBOARD, "faultline-fl-en")
    assert found is not None
    assert refused == []


def test_a_token_of_a_run_that_died_ends_by_itself(server: Server, grafana: FakeGrafana) -> None:
    number = server.create("acme")
    entered = server.enter(number)
    api = entered.__enter__()._api
    api.GET("/org/preferences")
    grafana.clock.instant += timedelta(seconds=TOKEN_S)
    with pytest.raises(GrafanaRefuses):
        api.GET("/org/preferences")


def test_what_fills_many_pages_is_seen_whole(server: Server, grafana: FakeGrafana) -> None:
    number = server.create("acme")
    there = grafana.organizations[number]
    for k in range(2001):
        there.boards[f"b{k}"] = {"title": f"board {k}", "version": 1}
        there.folder_of[f"b{k}"] = ""
    for k in range(1000):
        there.folders[f"f{k}"] = {"title": f"folder {k}", "version": 1}
    with server.enter(number) as room:
        assert len(room.others(())) == 3001


def test_the_librarys_resources_use_the_mended_transport(url: str, grafana: FakeGrafana) -> None:
    grafana.fail = lambda _verb, _path: (204, None)
    client = Client(url, (ADMIN, PASSWORD))
    assert client.organizations.delete_organization(7) is None
    with pytest.raises(AttributeError):
        _ = client.api.FETCH


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("http://db:3000", "http://db:3000/api"),
        ("http://db/grafana/", "http://db/grafana/api"),
        ("https://[::1]:3000", "https://[::1]:3000/api"),
    ],
)
def test_where_the_api_is(given: str, asked: str) -> None:
    assert Client(given, "token").api.url == asked
