"""Wires a Grafana, the accesses to the database and the record of what is ours, an access at a time."""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass

import psycopg
from psycopg.conninfo import conninfo_to_dict

from dashboards.board import Audience
from dashboards.provision.apply import Drift, apply, check_deletions
from dashboards.provision.desired import Item, desired
from dashboards.provision.errors import GrafanaConflict, GrafanaError
from dashboards.provision.plan import CLEAN, State, Step, orphans, plan
from dashboards.provision.port import Grafana, Json, Kind, Organization
from dashboards.provision.undo import undo
from dashboards.source import UID, connection
from dashboards.text import Language
from storage.access.grants import Access
from storage.access.keeper import Keeper
from storage.access.logins import Login, Use
from storage.errors import StorageError
from storage.provisioning import Provisioned, provisioned

SIDE_BY_SIDE = 4
"""Organisations at a time: Grafana answers some twenty requests a second."""

NEW_LOGIN = "(a new login)"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one access. `steps` as planned, before they were done; `notes` are for people."""

    name: str
    steps: Sequence[Step] = ()
    notes: Sequence[str] = ()
    error: str | None = None

    @property
    def clean(self) -> bool:
        """Nothing is, or was, to be done."""
        return all(step.state in CLEAN for step in self.steps)

    def left(self, drift: Drift) -> list[Step]:
        """Steps that `apply` leaves to people."""
        by_people = {State.FOREIGN} | ({State.DRIFTED} if drift is Drift.REPORT else set())
        return [step for step in self.steps if step.state in by_people]


@dataclass(frozen=True, slots=True)
class Rules:
    """What `apply` may do: about drift, how many deletions in all, whether logins are renewed."""

    drift: Drift = Drift.REPORT
    deletions: int | None = None
    rotate: bool = False


@dataclass(frozen=True, slots=True)
class Provisioner:
    """`reader` is the conninfo of the database as Grafana is to find it, whoever it names."""

    server: Grafana
    keeper: Keeper
    reader: str

    def plan(self, access: Access) -> Outcome:
        """What `apply` would do. Raises `GrafanaError`, `StorageError`."""
        with self._record(access) as record:
            number = self._number(access, record)
            if number is None:
                return Outcome(access.name, plan(self._wanted(access, NEW_LOGIN), {}, _Nothing()))
            with self.server.enter(number) as room:
                role = _role(self.keeper.grafana_logins(access), room) or NEW_LOGIN
                return Outcome(access.name, plan(self._wanted(access, role), record.marks(), room))

    def check(self, accesses: Sequence[Access], rules: Rules) -> None:
        """Raises `GrafanaError` if a run over all of these would take away more than it may, or is usual.

        What each has little of can be much together: an organisation alone does not notice.
        """
        going = things = 0
        for access in accesses:
            with self._record(access) as record:
                marks = record.marks()
            going += len(orphans(self._wanted(access, NEW_LOGIN), marks))
            things += len(marks)
        check_deletions(going, things, rules.deletions)

    def apply(self, access: Access, rules: Rules) -> Outcome:
        """Make Grafana so. Raises `GrafanaError`, `StorageError`; said again, it goes on from there."""
        with self._record(access) as record, self.server.enter(self._made(access, record)) as room:
            good = self.keeper.grafana_logins(access)
            before = _role(good, room)
            login = None
            if rules.rotate or before is None:
                login = self.keeper.rotate(access.name, Use.GRAFANA)
                good.append(login.role)
            try:
                steps = self._apply(access, record, room, rules, login, before)
            finally:
                if login is not None or len(good) > 1:
                    self.keeper.finish_grafana(access, _role(good, room))
            record.tidy()
            room.check_data_source(UID)
            return Outcome(access.name, steps)

    def _apply(
        self,
        access: Access,
        record: Provisioned,
        room: Organization,
        rules: Rules,
        login: Login | None,
        before: str | None,
    ) -> list[Step]:
        role, password = (login.role, login.password) if login else (before or "", None)
        steps = plan(self._wanted(access, role), record.marks(), room)
        going = [step for step in steps if step.wanted is None and step.state is not State.GONE]
        check_deletions(len(going), len(steps), rules.deletions)
        apply(steps, room, record, rules.drift, password)
        return steps

    def undo(self, access: Access) -> Outcome:
        """Take back what the last run changed. Raises `GrafanaError`, `StorageError`."""
        with self._record(access) as record:
            number = self._number(access, record)
            if number is None or not (log := record.last_run()):
                return Outcome(access.name, notes=["nothing to take back"])
            with self.server.enter(number) as room:
                done = undo(log, room, record)
            return Outcome(access.name, notes=[f"{len(done)} put back: {', '.join(done[:5])}"])

    def remove(self, access: Access) -> Outcome:
        """Take ours away, and the organisation if nothing else is in it. Raises as `apply` does."""
        with self._record(access) as record:
            number = self._number(access, record)
            if number is None:
                self._forget(access, record)
                return Outcome(access.name, notes=["Grafana has nothing of it"])
            with self.server.enter(number) as room:
                others = room.others(record.marks())
                if others:
                    steps = plan((), record.marks(), room)
                    apply(steps, room, record, Drift.OVERWRITE)
                    room.write(Kind.PREFERENCES, "organization", {"homeDashboardUID": "", "language": ""})
            if not others:
                self.server.delete(number)
            self._forget(access, record)
        if not others:
            return Outcome(access.name, notes=["its organisation is gone, with all that is ours"])
        kept = f"its organisation stays, with what is not ours: {', '.join(others[:5])}"
        return Outcome(access.name, steps, [kept])

    def _record(self, access: Access) -> AbstractContextManager[Provisioned]:
        return provisioned(self.keeper.owner_dsn, access.access_id)

    def _number(self, access: Access, record: Provisioned) -> int | None:
        """The organisation's number if it is there and ours, whatever it is called by now.

        Raises `GrafanaConflict` if one of the name is another's.
        """
        ours = record.organization()
        if ours is not None and ours[0] is not None and self.server.name(ours[0]) is not None:
            return ours[0]
        number = self.server.find(access.name)
        if number is not None and (ours is None or ours[0] is not None):
            raise GrafanaConflict(
                f"Grafana has an organisation {access.name!r} that we did not make: rename it in Grafana, "
                "then say this again"
            )
        return number

    def _made(self, access: Access, record: Provisioned) -> int:
        number = self._number(access, record)
        if number is None:
            record.claim_organization()
            number = self.server.create(access.name)
        record.keep_organization(number)
        return number

    def _wanted(self, access: Access, role: str) -> tuple[Item, ...]:
        place = conninfo_to_dict(self.reader)
        host, port = str(place.get("host", "127.0.0.1")), int(place.get("port") or 5432)
        source = connection(host, port, str(place.get("dbname", "")), role)
        types = self.keeper.equipment_types(access)
        return desired(Audience(access.kind), Language(access.language), types, source)

    def _forget(self, access: Access, record: Provisioned) -> None:
        """Its logins end first: while they do not, the organisation is on record and can be removed again."""
        self.keeper.finish_grafana(access, None)
        record.forget_organization()


def _role(good: Collection[str], room: Organization) -> str | None:
    """The login that the data source has, if it is one of those that are good."""
    user = (room.read(Kind.DATA_SOURCE, UID) or {}).get("user")
    return user if user in good else None


class _Nothing:
    """An organisation that is not there yet."""

    def read(self, kind: Kind, uid: str) -> Json | None:
        return None

    def write(self, kind: Kind, uid: str, spec: Json, password: str | None = None) -> None:
        raise NotImplementedError

    def delete(self, kind: Kind, uid: str) -> None:
        raise NotImplementedError

    def check_data_source(self, uid: str) -> None:
        raise NotImplementedError

    def others(self, ours: Collection[tuple[str, str]]) -> list[str]:
        return []


def chosen(keeper: Keeper, names: Sequence[str]) -> list[Access]:
    """The accesses of these names, or all that are not suspended. Raises `StorageError`."""
    known = {access.name: access for access, _ in keeper.known()}
    for name in names:
        if name not in known:
            raise StorageError(f"{name!r} has no access: `faultline tenants list` shows who has one")
        if known[name].suspended_at is not None:
            raise StorageError(f"{name!r} is suspended: `faultline tenants resume {name}` first")
    return [a for a in known.values() if (a.name in names if names else a.suspended_at is None)]


def each(accesses: Sequence[Access], work: Callable[[Access], Outcome]) -> Iterator[Outcome]:
    """What comes of each, in their order; one that fails does not stop the others."""

    def one(access: Access) -> Outcome:
        try:
            return work(access)
        except (GrafanaError, StorageError, psycopg.Error) as error:
            return Outcome(access.name, error=str(error).strip())

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        yield from pool.map(one, accesses)
