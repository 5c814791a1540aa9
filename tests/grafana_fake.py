"""Grafana's HTTP API as far as we use it, with its semantics, over a real socket.

After Grafana 9.4's source (pkg/api, pkg/services/dashboards) and a running 9.4.0: versions and 412, names of
which the ASCII alone counts, a save with `overwrite` that takes another's place, permissions replaced as a
whole, tokens that end and are bound to an organisation, secrets that nobody reads, searches by the page. From
11.3 on two may have one name (grafana/grafana#90687). After a running 12.2: PostgreSQL's plug-in has another
name, and rules say what is not set. What it does not know answers 404, as routes by numeric id do in 13.
"""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from dashboards.source import TYPE, TYPE_SINCE
from fleet.clock import ManualClock

ADMIN, OTHER_ADMIN, PASSWORD = "admin", "other", "admins pässword"
Json = dict[str, Any]
Answer = tuple[int, Any]

OK = 200
MISSING: Answer = (404, {"message": "Not found"})

MOST_HITS = 5000
"""Of one search."""


@dataclass
class Organization:
    """What one holds."""

    name: str
    sources: dict[str, Json] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    source_versions: dict[str, int] = field(default_factory=dict)
    folders: dict[str, Json] = field(default_factory=dict)
    permissions: dict[str, list[Json]] = field(default_factory=dict)
    boards: dict[str, Json] = field(default_factory=dict)
    folder_of: dict[str, str] = field(default_factory=dict)
    preferences: Json = field(default_factory=lambda: {"theme": "", "homeDashboardUID": "", "language": ""})
    rules: list[Json] = field(default_factory=list)
    accounts: dict[int, str] = field(default_factory=dict)
    members: set[str] = field(default_factory=lambda: {ADMIN})
    """Who of the server's administrators may change it: who made it, and who joined."""

    def state(self) -> Json:
        """All of it that a run should leave the same, without what Grafana counts."""
        plain = {
            uid: {k: v for k, v in board.items() if k not in {"id", "version"}}
            for uid, board in self.boards.items()
        }
        folders = {uid: each["title"] for uid, each in self.folders.items()}
        return {
            "sources": self.sources,
            "folders": folders,
            "permissions": self.permissions,
            "boards": plain,
            "folder_of": self.folder_of,
            "preferences": self.preferences,
            "accounts": self.accounts,
        }


class FakeGrafana:
    """`fail` is asked before each request and may give another answer, with `headers`; after `die_after`
    none is answered."""

    def __init__(self, version: str = "9.4.7") -> None:
        self.version = version
        self.organizations = {1: Organization("Main Org.")}
        self.log: list[tuple[str, str]] = []
        self.fail: Callable[[str, str], Answer | None] = lambda _verb, _path: None
        self.headers: dict[str, str] = {}
        self.clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.die_after: int | None = None
        self.health: Callable[[Json, str], str | None] = lambda _source, _password: None
        self._current: dict[str, int] = {}
        self._tokens: dict[str, tuple[int, int, datetime]] = {}
        self._ids = count(2)
        self._lock = Lock()

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Requests that change something, but for service accounts, which come and go with a run."""
        return [(v, p) for v, p in self.log if v != "GET" and not p.startswith("/serviceaccounts")]

    def named(self, name: str) -> Organization:
        """The organisation of that name."""
        return next(each for each in self.organizations.values() if each.name == name)

    def answer(self, verb: str, target: str, headers: Any, body: Any) -> Answer | None:
        """Status and body; None: the connection is cut after what was asked is done."""
        path, query = urlsplit(target).path.removeprefix("/api"), parse_qs(urlsplit(target).query)
        with self._lock:
            if self.die_after is not None and self.die_after <= 0:
                return None
            self.log.append((verb, path))
            if (injected := self.fail(verb, path)) is not None:
                return injected
            found = self._route(verb, path, query, headers, body)
            if self.die_after is not None:
                self.die_after -= 1
                if self.die_after <= 0:
                    return None
            return found

    def _route(self, verb: str, path: str, query: dict[str, list[str]], headers: Any, body: Any) -> Answer:
        if (verb, path) == ("GET", "/health"):
            return OK, {"version": self.version, "database": "ok"}
        number, admin = self._who(headers)
        if number is None:
            return self._stranger(headers)
        if path.startswith("/orgs"):
            return self._orgs(verb, path, body, admin, number) if admin else _FORBIDDEN
        if admin and (chosen := re.fullmatch(r"/user/using/(\d+)", path)):
            self._current[admin] = int(chosen[1])
            return OK, {"message": "Active organization changed"}
        here = self.organizations.get(number)
        if here is None or (admin and admin not in here.members):
            return _FORBIDDEN
        for pattern, handler in _ROUTES:
            if match := re.fullmatch(f"{verb} {pattern}", f"{verb} {path}"):
                handled: Answer | None = handler(self, verb, here, number, body, query, *match.groups())
                if handled is not None:
                    return handled
        return MISSING

    def _who(self, headers: Any) -> tuple[int | None, str]:
        """Organisation, and administrator if it is one who asks."""
        scheme, _, word = headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            name, _, password = b64decode(word).decode().partition(":")
            if name not in {ADMIN, OTHER_ADMIN} or password != PASSWORD:
                return None, ""
            return int(headers.get("X-Grafana-Org-Id", self._current.get(name, 1))), name
        number, _, ends = self._tokens.get(word, (None, 0, self.clock.now()))
        return (number, "") if self.clock.now() < ends else (None, "")

    def _stranger(self, headers: Any) -> Answer:
        """Before 10 a token that was taken away is not said to be wrong, it is an error of the server."""
        _, _, word = headers.get("Authorization", "").partition(" ")
        if word.startswith(_TOKEN) and word not in self._tokens and self._is_9:
            return 500, {"message": "invalid API key"}
        return 401, {"message": "Unauthorized"}

    def _orgs(self, verb: str, path: str, body: Any, admin: str, current: int) -> Answer:
        if (verb, path) == ("GET", "/orgs"):
            return OK, [{"id": k, "name": each.name} for k, each in self.organizations.items()]
        if verb == "GET" and path.startswith("/orgs/name/"):
            name = unquote(path.removeprefix("/orgs/name/"))
            for number, each in self.organizations.items():
                if each.name == name:
                    return OK, {"id": number, "name": name}
            return 404, {"message": "Organization not found"}
        if verb == "GET" and (one := self.organizations.get(int(path.rsplit("/", 1)[1]))):
            return OK, {"id": int(path.rsplit("/", 1)[1]), "name": one.name}
        if (verb, path) == ("POST", "/orgs"):
            if any(each.name == body["name"] for each in self.organizations.values()):
                return 409, {"message": "Organization name taken"}
            number = next(self._ids)
            self.organizations[number] = Organization(body["name"], members={admin})
            return OK, {"orgId": number, "message": "Organization created"}
        if verb == "POST" and (joined := re.fullmatch(r"/orgs/(\d+)/users", path)):
            self.organizations[int(joined[1])].members.add(body["loginOrEmail"])
            return OK, {"message": "User added to organization"}
        if verb == "DELETE" and path == f"/orgs/{current}":
            return 400, {"message": "Can not delete org for current user"}
        if verb == "DELETE" and (gone := self.organizations.pop(int(path.rsplit("/", 1)[1]), None)):
            return OK, {"message": f"Organization {gone.name} deleted"}
        return MISSING

    # What follows is asked of one organisation.

    def _accounts(
        self, verb: str, here: Organization, number: int, body: Any, query: dict[str, list[str]], rest: str
    ) -> Answer | None:
        if rest == "/search":
            asked = query.get("query", [""])[0]
            found = [{"id": k, "name": name} for k, name in here.accounts.items() if asked in name]
            return OK, {"totalCount": len(found), "serviceAccounts": found}
        if verb == "POST" and not rest:
            account = next(self._ids)
            here.accounts[account] = body["name"]
            return 201, {"id": account, "name": body["name"], "role": body["role"]}
        account = int(rest.split("/")[1])
        if account not in here.accounts:
            return MISSING
        if verb == "POST":
            key = f"{_TOKEN}{next(self._ids)}"
            self._tokens[key] = number, account, self.clock.now() + timedelta(seconds=body["secondsToLive"])
            return OK, {"id": 1, "name": body["name"], "key": key}
        del here.accounts[account]
        self._tokens = {key: token for key, token in self._tokens.items() if token[1] != account}
        return OK, {"message": "Service account deleted"}

    def _sources(
        self, verb: str, here: Organization, number: int, body: Any, query: Any, rest: str
    ) -> Answer | None:
        if not rest:
            if verb == "GET":
                return OK, [{"uid": uid, "name": each["name"]} for uid, each in here.sources.items()]
            if body["uid"] in here.sources:
                return 409, {"message": "data source with the same uid already exists"}
            return self._keep_source(here, body["uid"], body)
        uid, _, more = rest.removeprefix("/uid/").partition("/")
        if not rest.startswith("/uid/") or uid not in here.sources:
            return MISSING
        source = here.sources[uid]
        if more == "health":
            wrong = self.health(source, here.passwords.get(uid, ""))
            return (400, {"status": "ERROR", "message": wrong}) if wrong else (OK, {"status": "OK"})
        if verb == "GET":
            shown = {"id": 7, "orgId": number, "typeLogoUrl": "", "readOnly": False}
            shown["version"] = here.source_versions[uid]
            secret = {"password": True} if uid in here.passwords else {}
            return OK, source | shown | {"uid": uid, "secureJsonFields": secret}
        if verb == "PUT":
            if body.get("version", here.source_versions[uid]) < here.source_versions[uid]:
                return 409, {"message": "Datasource has already been updated by someone else"}
            return self._keep_source(here, uid, body)
        del here.sources[uid], here.source_versions[uid]
        return OK, {"message": "Data source deleted"}

    def _keep_source(self, here: Organization, uid: str, body: Json) -> Answer:
        """A secret that is not said stays as it was; one name is one data source's."""
        if any(each["name"] == body["name"] for other, each in here.sources.items() if other != uid):
            return 409, {"message": "data source with the same name already exists"}
        if secret := body.get("secureJsonData", {}).get("password"):
            here.passwords[uid] = secret
        here.sources[uid] = {k: v for k, v in body.items() if k not in {"uid", "version", "secureJsonData"}}
        if body["type"] == TYPE and not self._is_9:
            here.sources[uid]["type"] = TYPE_SINCE
        here.source_versions[uid] = body.get("version", 0) + 1
        return OK, {"id": 7, "message": "Datasource saved"}

    def _folders(
        self, verb: str, here: Organization, number: int, body: Any, query: Any, rest: str
    ) -> Answer | None:
        if not rest:
            if verb == "GET":
                found = [{"uid": uid, "title": each["title"]} for uid, each in here.folders.items()]
                return OK, _page(found, query)
            if body["uid"] in here.folders:
                return _FOLDER_CHANGED
            if self._title_taken(here, body["title"]):
                return 409, {"message": _SAME_NAME}
            here.folders[body["uid"]] = {"title": body["title"], "version": 1}
            here.permissions[body["uid"]] = [
                {"role": "Editor", "permission": 2},
                {"role": "Viewer", "permission": 1},
            ]
            return OK, {"uid": body["uid"], **here.folders[body["uid"]]}
        uid, _, more = rest.removeprefix("/").partition("/")
        if uid not in here.folders:
            return 404, {"message": "folder not found"}
        if more == "permissions":
            if verb == "POST":
                here.permissions[uid] = body["items"]
                return OK, {"message": "Folder permissions updated"}
            shown = {"inherited": False, "folderId": 3}
            return OK, [each | shown for each in here.permissions[uid]]
        if verb == "GET":
            return OK, {"uid": uid, "id": 3, **here.folders[uid]}
        if verb == "PUT":
            if body.get("version") != here.folders[uid]["version"] and not body["overwrite"]:
                return _FOLDER_CHANGED
            if self._title_taken(here, body["title"], uid):
                return 409, {"message": _SAME_NAME}
            here.folders[uid] = {"title": body["title"], "version": here.folders[uid]["version"] + 1}
            return OK, {"uid": uid, **here.folders[uid]}
        del here.folders[uid], here.permissions[uid]
        for board in [b for b, f in here.folder_of.items() if f == uid]:
            del here.boards[board], here.folder_of[board]
        return OK, ""

    def _title_taken(self, here: Organization, title: str, besides: str = "") -> bool:
        """Folders share their names with the dashboards that are in none."""
        folders = (each["title"] for uid, each in here.folders.items() if uid != besides)
        loose = (board["title"] for uid, board in here.boards.items() if not here.folder_of[uid])
        return self._names_are_one and slug(title) in map(slug, [*folders, *loose])

    @property
    def _is_9(self) -> bool:
        return self.version.startswith("9.")

    @property
    def _names_are_one(self) -> bool:
        first, second = self.version.split(".")[:2]
        return (int(first), int(second)) < (11, 3)

    def _boards(
        self, verb: str, here: Organization, number: int, body: Any, query: Any, rest: str
    ) -> Answer | None:
        if (verb, rest) == ("POST", "/db"):
            return self._save(here, body)
        uid = rest.removeprefix("/uid/")
        if not rest.startswith("/uid/") or uid not in here.boards:
            return 404, {"message": "Dashboard not found"}
        if verb == "GET":
            return OK, {"dashboard": here.boards[uid], "meta": {"folderUid": here.folder_of[uid]}}
        del here.boards[uid], here.folder_of[uid]
        return OK, {"title": uid, "message": "Dashboard deleted"}

    def _save(self, here: Organization, body: Json) -> Answer:
        wanted, folder = body["dashboard"], body.get("folderUid", "")
        if folder and folder not in here.folders:
            return 400, {"message": "folder not found"}
        uid = wanted["uid"]
        before = here.boards.get(uid)
        if before and before["version"] != wanted.get("version") and not body["overwrite"]:
            said = "The dashboard has been changed by someone else"
            return 412, {"status": "version-mismatch", "message": said}
        name = slug(wanted["title"])
        if self._names_are_one and name in (slug(each["title"]) for each in here.folders.values()):
            return 400, {"status": "name-match", "message": "Dashboard name cannot be the same as folder"}
        twins = self._twins(here, uid, folder, name)
        if twins and not body["overwrite"]:
            said = "A dashboard with the same name in the folder already exists"
            return 412, {"status": "name-exists", "message": said}
        if twins:
            uid = twins[0]
        old = here.boards.get(uid, {"id": next(self._ids), "version": 0})
        counted = {"id": old["id"], "uid": uid, "version": old["version"] + 1}
        here.boards[uid] = {"fiscalYearStartMonth": 0} | wanted | counted
        here.folder_of[uid] = folder
        return OK, {"status": "success", "slug": name, **counted}

    def _twins(self, here: Organization, uid: str, folder: str, name: str) -> list[str]:
        """Other dashboards of that name in the folder."""
        beside = [other for other in here.boards if other != uid and here.folder_of[other] == folder]
        named = [other for other in beside if slug(here.boards[other]["title"]) == name]
        return named if self._names_are_one else []

    def _search(self, verb: str, here: Organization, number: int, body: Any, query: Any) -> Answer:
        if int(query.get("limit", ["0"])[0]) > MOST_HITS:
            return 422, {"message": "Limit is above maximum allowed (5000), use page parameter"}
        hits = [
            {"uid": uid, "title": b["title"], "tags": b.get("tags", []), "folderUid": here.folder_of[uid]}
            for uid, b in here.boards.items()
        ]
        return OK, _page(hits, query)

    def _rules(self, verb: str, here: Organization, number: int, body: Any, query: Any, rest: str) -> Answer:
        if not rest:
            if verb == "GET":
                return OK, [({} if self._is_9 else _UNSET_OF_RULES) | rule for rule in here.rules]
            counted = {"id": next(self._ids), "uid": f"rule-{next(self._ids)}", "orgID": number}
            here.rules.append({**counted, **body})
            return 201, here.rules[-1]
        found = next((rule for rule in here.rules if rule["uid"] == rest.removeprefix("/")), None)
        if verb == "DELETE":
            here.rules[:] = [rule for rule in here.rules if rule is not found]
            return 204, None
        if found is None:
            return 500, {"message": "could not find alert rule"}
        if verb == "PUT":
            found |= body
        return OK, found

    def _preferences(self, verb: str, here: Organization, number: int, body: Any, query: Any) -> Answer:
        if verb == "PATCH":
            home = body.get("homeDashboardUID")
            if home and home not in here.boards:
                return 404, {"message": "Dashboard not found"}
            here.preferences |= body
            return OK, {"message": "Preferences updated"}
        return OK, here.preferences


_ROUTES: tuple[tuple[str, Any], ...] = (
    (r"/serviceaccounts(/.*)?", lambda g, *a: g._accounts(*a[:-1], a[-1] or "")),
    (r"/datasources(/.*)?", lambda g, *a: g._sources(*a[:-1], a[-1] or "")),
    (r"/folders(/.*)?", lambda g, *a: g._folders(*a[:-1], a[-1] or "")),
    (r"/dashboards(/.*)", lambda g, *a: g._boards(*a)),
    (r"/search", lambda g, *a: g._search(*a)),
    (r"/v1/provisioning/alert-rules(/.*)?", lambda g, *a: g._rules(*a[:-1], a[-1] or "")),
    (r"/org/preferences", lambda g, *a: g._preferences(*a)),
)

_FORBIDDEN: Answer = (403, {"message": "You'll need additional permissions to perform this action"})

_TOKEN = "glsa_"

_UNSET_OF_RULES: Json = {
    "isPaused": False,
    "keep_firing_for": "0s",
    "notification_settings": None,
    "record": None,
    "provenance": "api",
}

_FOLDER_CHANGED: Answer = (
    412,
    {"status": "version-mismatch", "message": "the folder has been changed by someone else"},
)

_SAME_NAME = "a folder or dashboard in the general folder with the same name already exists"


def slug(title: str) -> str:
    """What of a title counts in Grafana: its ASCII letters and digits, or all of it if it has none."""
    return "-".join(re.findall(r"[a-z0-9]+", title.lower())) or title


def _page(found: list[Json], query: dict[str, list[str]]) -> list[Json]:
    limit, page = (int(query.get(name, [usual])[0]) for name, usual in (("limit", "1000"), ("page", "1")))
    return found[limit * (page - 1) : limit * page]


@contextmanager
def serving(grafana: FakeGrafana) -> Iterator[str]:
    """Its URL, for as long as the context."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _do(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            found = grafana.answer(self.command, self.path, self.headers, body)
            if found is None:
                self.close_connection = True
                return
            status, answer = found
            data = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            for name, value in grafana.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _do  # noqa: N815

        def log_message(self, *_args: object) -> None:
            """Tests read `log` instead."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
