"""A Grafana in memory, behind the port, with what Grafana really does; and a record of what is ours.

Every request and every note may be the last one of a process: `Fuse` burns down with them.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from dashboards.provision.errors import GrafanaConflict, GrafanaError
from dashboards.provision.port import Json, Kind

DEFAULT_PERMISSIONS: Json = {
    "items": [{"role": "Editor", "permission": 2}, {"role": "Viewer", "permission": 1}],
}
"""Of a folder that was just made."""

NO_PREFERENCES: Json = {"homeDashboardUID": "", "language": ""}


class Crash(BaseException):
    """The process is no more."""


@dataclass
class Fuse:
    """Ends the process at the given step, before it is done or after; None: never."""

    at: int | None = None
    after: bool = False
    steps: int = 0

    @contextmanager
    def step(self) -> Iterator[None]:
        """One request or note."""
        self.steps += 1
        if self.steps == self.at and not self.after:
            raise Crash
        yield
        if self.steps == self.at:
            raise Crash


@dataclass
class Thing:
    """What Grafana keeps under a kind and uid."""

    spec: dict[str, Any]
    version: int = 1


@dataclass
class Org:
    """One organisation's content."""

    name: str
    things: dict[tuple[Kind, str], Thing] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)

    def save(self, kind: Kind, uid: str, spec: Json) -> None:
        """As a person does it in the browser."""
        before = self.things.get((kind, uid))
        self.things[kind, uid] = Thing(dict(deepcopy(spec)), before.version + 1 if before else 1)

    def content(self) -> dict[tuple[str, str], Any]:
        """All that is there, without versions."""
        return {(str(kind), uid): thing.spec for (kind, uid), thing in sorted(self.things.items())}


class MemoryGrafana:
    """The server. `writes` are the requests that changed something; a busy one has `refuse` set."""

    def __init__(self, fuse: Fuse | None = None) -> None:
        self.fuse = fuse or Fuse()
        self.orgs: dict[int, Org] = {1: Org("Main Org.")}
        self.writes: list[str] = []
        self.refuse: frozenset[str] = frozenset()
        """Organisations that answer every request with an error."""

    def find(self, name: str) -> int | None:
        with self.fuse.step():
            return next((number for number, org in self.orgs.items() if org.name == name), None)

    def name(self, organization: int) -> str | None:
        with self.fuse.step():
            found = self.orgs.get(organization)
            return found.name if found else None

    def create(self, name: str) -> int:
        with self.fuse.step():
            if any(org.name == name for org in self.orgs.values()):
                raise GrafanaConflict(f"there is an organisation {name!r}")
            number = max(self.orgs) + 1
            self.orgs[number] = Org(name, {(Kind.PREFERENCES, "organization"): Thing(dict(NO_PREFERENCES))})
            self.writes.append(f"organisation {name}")
            return number

    def delete(self, organization: int) -> None:
        with self.fuse.step():
            self.writes.append(f"organisation {self.orgs.pop(organization).name} away")

    @contextmanager
    def enter(self, organization: int) -> Iterator["MemoryRoom"]:
        yield MemoryRoom(self, self.orgs[organization])


class MemoryRoom:
    """An organisation, entered by one run, which remembers the versions that it read."""

    def __init__(self, server: MemoryGrafana, org: Org) -> None:
        self._server, self._org = server, org
        self._read: dict[tuple[Kind, str], int] = {}

    def read(self, kind: Kind, uid: str) -> Json | None:
        with self._request():
            self._read.pop((kind, uid), None)
            found = self._org.things.get((kind, uid))
            if found is None:
                return None
            self._read[kind, uid] = found.version
            return deepcopy(found.spec)

    def write(self, kind: Kind, uid: str, spec: Json, password: str | None = None) -> None:
        with self._request():
            stored = self._org.things.get((kind, uid))
            if kind is Kind.DASHBOARD:
                self._check_dashboard(uid, spec)
            if kind is Kind.FOLDER:
                self._check_title(kind, uid, spec["title"])
            if kind is Kind.DATA_SOURCE:
                self._check_name(uid, spec["name"])
                if password is not None:
                    self._org.passwords[uid] = password
            if kind is Kind.PERMISSIONS and stored is None:
                raise GrafanaError(f"no folder {uid}")
            versioned = kind in {Kind.DATA_SOURCE, Kind.DASHBOARD, Kind.FOLDER}
            if versioned and self._read.get((kind, uid), 0) != (stored.version if stored else 0):
                raise GrafanaConflict(f"{kind} {uid}: the dashboard has been changed by someone else")
            self._org.save(kind, uid, _with_defaults(kind, spec))
            self._read[kind, uid] = self._org.things[kind, uid].version
            if kind is Kind.FOLDER and stored is None:
                self._org.save(Kind.PERMISSIONS, uid, DEFAULT_PERMISSIONS)
            self._server.writes.append(f"{self._org.name}: {kind} {uid}")

    def delete(self, kind: Kind, uid: str) -> None:
        with self._request():
            if kind is Kind.FOLDER and any(
                thing.spec["folder"] == uid
                for (of, _), thing in self._org.things.items()
                if of is Kind.DASHBOARD
            ):
                raise GrafanaConflict(f"the folder {uid} holds dashboards that are not ours")
            if kind in {Kind.PERMISSIONS, Kind.PREFERENCES} or (kind, uid) not in self._org.things:
                return
            del self._org.things[kind, uid]
            if kind is Kind.FOLDER:
                del self._org.things[Kind.PERMISSIONS, uid]
            self._server.writes.append(f"{self._org.name}: {kind} {uid} away")

    def check_data_source(self, uid: str) -> None:
        with self._request():
            if uid not in self._org.passwords:
                raise GrafanaError("Grafana cannot read the database: no password")

    def others(self, ours: Collection[tuple[str, str]]) -> list[str]:
        with self._request():
            return [
                str(thing.spec.get("name") or thing.spec.get("title") or thing.spec["dashboard"]["title"])
                for (kind, uid), thing in self._org.things.items()
                if kind not in {Kind.PERMISSIONS, Kind.PREFERENCES} and (kind, uid) not in ours
            ]

    @contextmanager
    def _request(self) -> Iterator[None]:
        if self._org.name in self._server.refuse:
            raise GrafanaError("Grafana answered 500: try again")
        with self._server.fuse.step():
            yield

    def _check_dashboard(self, uid: str, spec: Json) -> None:
        if (Kind.FOLDER, spec["folder"]) not in self._org.things:
            raise GrafanaError(f"no folder {spec['folder']}")
        beside = (
            thing.spec["dashboard"]["title"]
            for (kind, other), thing in self._org.things.items()
            if kind is Kind.DASHBOARD and other != uid and thing.spec["folder"] == spec["folder"]
        )
        if _slug(spec["dashboard"]["title"]) in map(_slug, beside):
            raise GrafanaConflict(f"a dashboard of the name of {uid} is in the folder")

    def _check_title(self, kind: Kind, uid: str, title: str) -> None:
        for (other_kind, other), thing in self._org.things.items():
            if other_kind is kind and other != uid and _slug(thing.spec["title"]) == _slug(title):
                raise GrafanaConflict(f"there is a folder {title!r}")

    def _check_name(self, uid: str, name: str) -> None:
        for (kind, other), thing in self._org.things.items():
            if kind is Kind.DATA_SOURCE and other != uid and thing.spec["name"] == name:
                raise GrafanaConflict(f"there is a data source {name!r}")


def _with_defaults(kind: Kind, spec: Json) -> Json:
    """What Grafana makes of it: it adds what was left out."""
    if kind is not Kind.DASHBOARD:
        return spec
    return {**spec, "dashboard": {"fiscalYearStartMonth": 0, "liveNow": False, **spec["dashboard"]}}


def _slug(title: str) -> str:
    """Of its ASCII alone, as Grafana makes it; all of it if it has none."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or title


@dataclass
class MemoryRecord:
    """What is ours and what was there before, as the database keeps it."""

    fuse: Fuse
    marks: dict[tuple[str, str], tuple[str, str | None]] = field(default_factory=dict)
    log: list[tuple[str, str, Json | None]] = field(default_factory=list)

    def claim(self, kind: str, uid: str, before: Mapping[str, Any] | None) -> None:
        with self.fuse.step():
            _, then = self.marks.get((kind, uid), ("", None))
            self.marks[kind, uid] = "", then
            self.log.append((str(kind), uid, before))

    def keep(self, kind: str, uid: str, mark: tuple[str, str | None]) -> None:
        with self.fuse.step():
            self.marks[kind, uid] = mark

    def forget(self, kind: str, uid: str) -> None:
        with self.fuse.step():
            self.marks.pop((kind, uid), None)
