"""The port over Grafana's HTTP API, 9.4 to 13: by uid alone, as numeric ids lose their routes (13).

Organisations and service accounts have no uid; their numbers are asked for anew each time.
"""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any
from urllib.parse import quote

from dashboards.board import TAG
from dashboards.provision.client import Client, Sleep
from dashboards.provision.errors import (
    GrafanaConflict,
    GrafanaError,
    GrafanaMissing,
    GrafanaRefuses,
    GrafanaUnavailable,
)
from dashboards.provision.port import Json, Kind
from dashboards.source import TYPE, TYPE_SINCE

OLDEST, NEWEST = (9, 4), (13, 99)

MAIN = 1
"""Grafana's first organisation, from which the administrator acts: nobody may delete the one they are in."""

TOKEN_S = 3600
"""A run's token is deleted when it ends, and good for so long if it dies."""

PAGE = 1000
"""Hits of one search; Grafana gives at most 5 000."""

_COUNTED = frozenset({"id", "version", "iteration", "uid"})
"""What Grafana counts for itself in a dashboard, and what names it."""

_COUNTED_OF_RULES = frozenset({"id", "uid", "orgID", "updated", "provenance"})

_UNSET = (None, False, "0s")
"""What later versions say of a rule that says nothing itself: an upgrade of Grafana is nobody's change."""

_RULES = "/v1/provisioning/alert-rules/"

_SOURCE = ("name", "type", "access", "url", "user", "database", "isDefault", "jsonData")


class Server:
    """A Grafana as its administrator, whose rights serve organisations and service accounts alone."""

    def __init__(self, url: str, user: str, password: str, sleep: Sleep = time.sleep) -> None:
        self._url, self._sleep = url, sleep
        self._auth = user, password
        self._admin = Client(url, self._auth, MAIN, sleep)

    def __repr__(self) -> str:
        return f"Server({self._url})"

    def check(self) -> str:
        """Its version. Raises `GrafanaError` for one that is not known to work, or if we may not in."""
        version = str((self._admin.api.GET("/health") or {}).get("version", ""))
        numbers = version.split("-")[0].split("+")[0].split(".")
        if not OLDEST <= tuple(int(each) if each.isdigit() else 0 for each in numbers[:2]) <= NEWEST:
            raise GrafanaError(f"{self._url} is Grafana {version or '?'}: 9.4 to 13 are known to work")
        try:
            self._admin.organizations.list_organization()
        except GrafanaRefuses as error:
            raise GrafanaRefuses(
                f"{error}: FAULTLINE_GRAFANA_ADMIN must be a server administrator of {self._url}, with the "
                "password in FAULTLINE_GRAFANA_ADMIN_PASSWORD"
            ) from None
        return version

    def find(self, name: str) -> int | None:
        """Number of the organisation of that name."""
        try:
            return int(self._admin.organization.find_organization(quote(name, safe=""))["id"])
        except GrafanaMissing:
            return None

    def name(self, organization: int) -> str | None:
        """What an organisation is called now; None if there is none of that number."""
        try:
            return str(self._admin.api.GET(f"/orgs/{organization}")["name"])
        except GrafanaMissing:
            return None

    def create(self, name: str) -> int:
        """A new organisation's number. Raises `GrafanaConflict` if there is one of that name."""
        return int(self._admin.organization.create_organization({"name": name})["orgId"])

    def delete(self, organization: int) -> None:
        """Take an organisation away with all that is in it."""
        self._admin.organizations.delete_organization(organization)

    @contextmanager
    def enter(self, organization: int) -> Iterator["Room"]:
        """Work in an organisation as a service account of this run's, which goes with the context."""
        admin = Client(self._url, self._auth, organization, self._sleep).api
        name = f"{TAG}-provisioning-{organization}"
        for left in self._accounts(admin, organization, name):
            if left["name"] == name:
                admin.DELETE(f"/serviceaccounts/{left['id']}")
        account = admin.POST("/serviceaccounts", {"name": name, "role": "Admin"})["id"]
        try:
            token = {"name": name, "secondsToLive": TOKEN_S}
            key = admin.POST(f"/serviceaccounts/{account}/tokens", token)["key"]
            yield Room(Client(self._url, key, sleep=self._sleep).api)
        finally:
            with suppress(GrafanaUnavailable):
                admin.DELETE(f"/serviceaccounts/{account}")

    def _accounts(self, admin: Any, organization: int, name: str) -> list[dict[str, Any]]:
        """Service accounts with that in their name. An organisation that another administrator has made is
        joined first: accounts are its members' to make."""
        asked = "/serviceaccounts/search", {"query": name, "perpage": PAGE}
        try:
            found = admin.GET(*asked)
        except GrafanaRefuses:
            member = {"loginOrEmail": self._auth[0], "role": "Admin"}
            self._admin.organizations.organization_user_add(organization, member)
            found = admin.GET(*asked)
        return list(found["serviceAccounts"])


class Room:
    """An organisation, entered. Remembers which version it read, so that nobody's change is written over."""

    def __init__(self, api: Any) -> None:
        self._api = api
        self._version: dict[tuple[Kind, str], int] = {}

    def read(self, kind: Kind, uid: str) -> Json | None:
        """What is there in its normal form; None: nothing."""
        self._version.pop((kind, uid), None)
        try:
            return self._read(kind, uid)
        except GrafanaMissing:
            return None

    def write(self, kind: Kind, uid: str, spec: Json, password: str | None = None) -> None:
        """Make it or change it so."""
        match kind:
            case Kind.DATA_SOURCE:
                self._write_source(uid, spec, password)
            case Kind.FOLDER:
                self._write_folder(uid, spec)
            case Kind.PERMISSIONS:
                self._api.POST(f"/folders/{uid}/permissions", {"items": spec["items"]})
            case Kind.DASHBOARD:
                self._write_dashboard(uid, spec)
            case Kind.ALERT:
                self._write_rule(uid, spec)
            case Kind.PREFERENCES:
                self._api.PATCH("/org/preferences", dict(spec))

    def delete(self, kind: Kind, uid: str) -> None:
        """Take it away; nothing happens if it is not there. A folder goes only when it is empty."""
        if kind is Kind.FOLDER and (left := [hit for hit in self._hits() if hit.get("folderUid") == uid]):
            raise GrafanaConflict(
                f"the folder {uid} holds {len(left)} dashboards that are not ours, such as "
                f"{left[0]['title']!r}: move them, then say it again"
            )
        path = {
            Kind.DATA_SOURCE: "/datasources/uid/",
            Kind.FOLDER: "/folders/",
            Kind.DASHBOARD: "/dashboards/uid/",
            Kind.ALERT: _RULES,
        }
        if kind in path:
            with suppress(GrafanaMissing):
                self._api.DELETE(f"{path[kind]}{uid}")

    def check_data_source(self, uid: str) -> None:
        """Raises `GrafanaError` if Grafana cannot read from it."""
        try:
            found = self._api.GET(f"/datasources/uid/{uid}/health")
        except GrafanaError as error:
            raise type(error)(f"Grafana cannot read the database: {error}") from None
        if found["status"] != "OK":
            raise GrafanaError(f"Grafana cannot read the database: {found.get('message', 'no reason given')}")

    def others(self, ours: Collection[tuple[str, str]]) -> list[str]:
        """Titles of what is there beside ours: dashboards, folders, data sources and alert rules."""
        found = {
            Kind.DASHBOARD: self._hits(),
            Kind.FOLDER: self._paged("/folders"),
            Kind.DATA_SOURCE: self._api.GET("/datasources"),
            Kind.ALERT: self._api.GET(_RULES.removesuffix("/")),
        }
        return [
            each.get("title") or each["name"]
            for kind, things in found.items()
            for each in things
            if (kind, each["uid"]) not in ours
        ]

    def _hits(self) -> Iterator[dict[str, Any]]:
        return self._paged("/search", type="dash-db")

    def _paged(self, path: str, **asked: str) -> Iterator[dict[str, Any]]:
        for page in count(1):
            found = self._api.GET(path, {**asked, "limit": PAGE, "page": page})
            yield from found
            if len(found) < PAGE:
                return

    def _read(self, kind: Kind, uid: str) -> Json:
        match kind:
            case Kind.DATA_SOURCE:
                found = self._api.GET(f"/datasources/uid/{uid}")
                self._version[kind, uid] = found["version"]
                kept = {name: found[name] for name in _SOURCE if name in found}
                return kept | ({"type": TYPE} if kept["type"] == TYPE_SINCE else {})
            case Kind.FOLDER:
                found = self._api.GET(f"/folders/{uid}")
                self._version[kind, uid] = found["version"]
                return {"title": found["title"]}
            case Kind.PERMISSIONS:
                return {"items": _items(self._api.GET(f"/folders/{uid}/permissions"))}
            case Kind.DASHBOARD:
                found = self._api.GET(f"/dashboards/uid/{uid}")
                self._version[kind, uid] = found["dashboard"]["version"]
                board = {name: value for name, value in found["dashboard"].items() if name not in _COUNTED}
                return {"folder": found["meta"].get("folderUid", ""), "dashboard": board}
            case Kind.ALERT:
                found = self._rule(uid)
                self._version[kind, uid] = found["id"]
                return {
                    name: value
                    for name, value in found.items()
                    if name not in _COUNTED_OF_RULES and value not in _UNSET
                }
            case Kind.PREFERENCES:
                found = self._api.GET("/org/preferences")
                return {name: found.get(name) or "" for name in ("homeDashboardUID", "language")}

    def _write_source(self, uid: str, spec: Json, password: str | None) -> None:
        secret = {} if password is None else {"secureJsonData": {"password": password}}
        whole = {**spec, "uid": uid, **secret}
        version = self._version.get((Kind.DATA_SOURCE, uid))
        if version is None:
            self._api.POST("/datasources", whole)
        else:
            self._api.PUT(f"/datasources/uid/{uid}", whole | {"version": version})

    def _write_folder(self, uid: str, spec: Json) -> None:
        version = self._version.get((Kind.FOLDER, uid))
        if version is None:
            self._api.POST("/folders", {**spec, "uid": uid})
        else:
            self._api.PUT(f"/folders/{uid}", {**spec, "version": version, "overwrite": False})

    def _rule(self, uid: str) -> dict[str, Any]:
        """From the list of all: asked for one that is not there, 9.4 answers 500."""
        for found in self._api.GET(_RULES.removesuffix("/")):
            if found["uid"] == uid:
                return dict(found)
        raise GrafanaMissing(f"no alert rule {uid}")

    def _write_rule(self, uid: str, spec: Json) -> None:
        """Rules have no versions: between reading and writing the last one wins."""
        if (Kind.ALERT, uid) in self._version:
            self._api.PUT(f"{_RULES}{uid}", {**spec, "uid": uid})
        else:
            self._api.POST(_RULES.removesuffix("/"), {**spec, "uid": uid})

    def _write_dashboard(self, uid: str, spec: Json) -> None:
        """`overwrite` is never set: with it Grafana can put ours in another's place, of the same title."""
        key = Kind.DASHBOARD, uid
        version = self._version.get(key)
        try:
            done = self._save(uid, spec)
        except GrafanaConflict:
            # While its database is locked Grafana tries again, with the version that it has already raised,
            # and takes that for somebody's change (9.4 on SQLite).
            self.read(*key)
            if version is None or self._version.get(key) != version:
                raise
            done = self._save(uid, spec)
        if done.get("uid") != uid:  # another's place, or a 202: it waits for somebody's consent
            raise GrafanaConflict(f"Grafana did not keep {uid} as asked: {done.get('message') or done}")

    def _save(self, uid: str, spec: Json) -> dict[str, Any]:
        board = {**spec["dashboard"], "uid": uid, "version": self._version.get((Kind.DASHBOARD, uid), 0)}
        wanted = {"dashboard": board, "folderUid": spec["folder"], "overwrite": False}
        return dict(self._api.POST("/dashboards/db", wanted | {"message": "faultline grafana apply"}))


def _items(found: list[dict[str, Any]]) -> list[Json]:
    """A folder's own permissions: who by role, team or user, and how much (1 view, 2 edit, 4 all)."""
    own = [each for each in found if not each.get("inherited")]
    named = [
        {name: each[name] for name in ("role", "teamId", "userId") if each.get(name)}
        | {"permission": each["permission"]}
        for each in own
    ]
    return sorted(named, key=str)
