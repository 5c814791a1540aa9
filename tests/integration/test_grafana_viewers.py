"""A viewer of one customer who sends a real Grafana any SQL: nothing of another customer comes back.

Asked of the Grafana that FAULTLINE_GRAFANA_URL and FAULTLINE_GRAFANA_ADMIN_PASSWORD name, which is left as it
was. What the role itself can reach is tested without one (`test_access.py`).
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from console.provisioning import Provisioner, Rules, chosen
from dashboards.provision.gateway import Server
from dashboards.source import TYPE, UID
from storage.access.grants import Access, Kind, Scope
from storage.server.database import Database
from tests.integration.access_harness import CANARY, keeper, seed
from tests.integration.attacks import ATTACKS
from tests.integration.storage_harness import contents

URL = os.environ.get("FAULTLINE_GRAFANA_URL", "")
ADMIN = (
    os.environ.get("FAULTLINE_GRAFANA_ADMIN", "admin"),
    os.environ.get("FAULTLINE_GRAFANA_ADMIN_PASSWORD", ""),
)
THEIRS = (CANARY, "8642.5")
OURS = ("access", "grafana_organization", "grafana_object", "grafana_change")

pytestmark = pytest.mark.skipif(not URL, reason="no Grafana is named by FAULTLINE_GRAFANA_URL")


@pytest.fixture
def provisioned(plain_database: Database) -> Iterator[tuple[Database, int, Access]]:
    """A customer with an organisation in Grafana, beside another who has data only; both gone afterwards."""
    seed(plain_database)
    name = f"acme-{secrets.token_hex(4)}"
    keeper(plain_database).give(name, Kind.CUSTOMER, [Scope("acme")])
    keeper(plain_database).give("bolt", Kind.CUSTOMER, [Scope("bolt")])
    (access,) = chosen(keeper(plain_database), [name])
    server = Server(URL, *ADMIN)
    provisioner = Provisioner(server, keeper(plain_database), plain_database.superuser_dsn)
    provisioner.apply(access, Rules())
    number = server.find(name)
    assert number is not None
    yield plain_database, number, access
    provisioner.remove(access)
    for each in (name, "bolt"):
        keeper(plain_database).remove(each)


@contextmanager
def viewer(organization: int) -> Iterator[requests.Session]:
    """Somebody who has logged in and may only view."""
    login, password = f"viewer-{secrets.token_hex(4)}", secrets.token_urlsafe(12)
    asked = {"name": login, "login": login, "password": password, "OrgId": organization}
    made = requests.post(f"{URL}/api/admin/users", json=asked, auth=ADMIN, timeout=30).json()
    here = f"{URL}/api/orgs/{organization}/users/{made['id']}"
    assert requests.patch(here, json={"role": "Viewer"}, auth=ADMIN, timeout=30).ok
    with requests.Session() as session:
        assert session.post(f"{URL}/login", json={"user": login, "password": password}, timeout=30).ok
        yield session
    requests.delete(f"{URL}/api/admin/users/{made['id']}", auth=ADMIN, timeout=30)


def asked(session: requests.Session, statement: str) -> str:
    """All that Grafana says to a statement."""
    source = {"uid": UID, "type": TYPE}
    query = {"refId": "A", "datasource": source, "rawSql": statement, "format": "table"}
    body = {"from": "0", "to": "now", "queries": [query | {"intervalMs": 60_000, "maxDataPoints": 500}]}
    answer: str = session.post(f"{URL}/api/ds/query", json=body, timeout=60).text
    return answer


def test_a_viewer_sees_nothing_of_another_customer_whatever_they_send(
    provisioned: tuple[Database, int, Access],
) -> None:
    database, number, _ = provisioned
    before = contents(database, OURS)
    with viewer(number) as session:
        assert '"l1"' in asked(session, "select asset from asset order by 1")
        said = {statement: asked(session, statement) for statement in ATTACKS}
    assert len(said) >= 200
    assert {s: text for s, text in said.items() if any(theirs in text for theirs in THEIRS)} == {}
    assert contents(database, OURS) == before


def test_a_viewer_may_neither_change_a_dashboard_nor_make_one(
    provisioned: tuple[Database, int, Access],
) -> None:
    _, number, _ = provisioned
    with viewer(number) as session:
        board = session.get(f"{URL}/api/dashboards/uid/faultline-cu-en", timeout=30).json()
        for changed in (board["dashboard"] | {"title": "Mine"}, {"title": "New", "panels": []}):
            wanted = {"dashboard": changed, "folderUid": "faultline-en", "overwrite": True}
            assert session.post(f"{URL}/api/dashboards/db", json=wanted, timeout=30).status_code == 403
        assert "secureJsonData" not in session.get(f"{URL}/api/datasources/uid/{UID}", timeout=30).json()
        assert session.delete(f"{URL}/api/datasources/uid/{UID}", timeout=30).status_code == 403
