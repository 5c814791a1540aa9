"""What a viewer may type into a real Grafana, whose API takes any SQL from anybody who sees a dashboard.

Runs where FAULTLINE_GRAFANA_URL names one of 9.4 or later on this machine, with its administrator's password
in FAULTLINE_GRAFANA_ADMIN_PASSWORD. (Grafana's documentation, data source management: "a user with the Viewer
role can issue any possible query to a data source".)
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from psycopg.conninfo import conninfo_to_dict

from dashboards.provision.gateway import Server
from dashboards.provision.port import Kind
from dashboards.source import TYPE, UID, connection
from storage.access import grants
from storage.access.logins import Login
from storage.server.database import Database
from tests.integration.access_harness import CANARY, conninfo, keeper, seed
from tests.integration.attacks import ATTACKS
from tests.integration.storage_harness import contents

URL = os.environ.get("FAULTLINE_GRAFANA_URL", "")
ADMIN = (
    os.environ.get("FAULTLINE_GRAFANA_ADMIN", "admin"),
    os.environ.get("FAULTLINE_GRAFANA_ADMIN_PASSWORD", ""),
)
TIMEOUT_S = 60

pytestmark = pytest.mark.skipif(not URL, reason="no Grafana: FAULTLINE_GRAFANA_URL is not set")


@pytest.fixture
def seeded(database: Database) -> Iterator[Database]:
    seed(database)
    yield database
    for access, _ in keeper(database).known():
        keeper(database).remove(access.name)


@contextmanager
def viewing(login: Login, database: Database) -> Iterator[requests.Session]:
    """A viewer of a new organisation whose data source is the login's, signed in."""
    name, password = f"attacked-{secrets.token_hex(4)}", secrets.token_urlsafe()
    server = Server(URL, *ADMIN)
    organization = server.create(name)
    at = {key: str(value) for key, value in conninfo_to_dict(conninfo(database, login)).items()}
    source = connection(at["host"], int(at["port"]), at["dbname"], at["user"])
    with server.enter(organization) as room:
        room.write(Kind.DATA_SOURCE, UID, source, login.password)
    user = asked(
        "POST", "/admin/users", {"login": name, "name": name, "password": password, "OrgId": organization}
    )["id"]
    try:
        asked("PATCH", f"/orgs/{organization}/users/{user}", {"role": "Viewer"})
        with requests.Session() as session:
            session.auth = name, password
            yield session
    finally:
        asked("DELETE", f"/admin/users/{user}", {})
        server.delete(organization)


def asked(method: str, path: str, body: dict[str, Any]) -> Any:
    """Grafana's answer to its administrator."""
    answer = requests.request(method, f"{URL}/api{path}", json=body, auth=ADMIN, timeout=TIMEOUT_S)
    answer.raise_for_status()
    return answer.json()


def shown(viewer: requests.Session, statement: str) -> str:
    """All that Grafana tells the viewer of a statement, as rows or as an error."""
    query = {"refId": "A", "datasource": {"type": TYPE, "uid": UID}, "format": "table", "rawSql": statement}
    body = {"queries": [query], "from": "now-5y", "to": "now"}
    return str(viewer.post(f"{URL}/api/ds/query", json=body, timeout=TIMEOUT_S).text)


def test_no_statement_of_a_viewer_shows_or_changes_what_is_anothers(seeded: Database) -> None:
    login = keeper(seeded).give("acme", grants.Kind.CUSTOMER, [grants.Scope("acme")])
    assert login is not None
    with viewing(login, seeded) as viewer:
        assert '"l1"' in shown(viewer, "select asset from asset")
        before = contents(seeded)
        leaks = {}
        for attack in ATTACKS:
            told = shown(viewer, attack)
            if CANARY in told or "8642.5" in told:
                leaks[attack] = told
        assert len(ATTACKS) > 400
        assert leaks == {}
        assert contents(seeded) == before
        assert '"l1"' in shown(viewer, "select asset from asset")
