"""Which part of the fleet an access sees, and the schema of views that shows it."""

import secrets
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import psycopg
from psycopg import Connection, sql
from psycopg.rows import TupleRow, class_row

from fleet.asset import Channel, EquipmentType, check_name
from storage.access.platform_views import platform_views
from storage.access.views import machine_views, seen
from storage.errors import StorageError


class Kind(StrEnum):
    """Whose an access is."""

    CUSTOMER = "customer"
    TECHNICIAN = "technician"
    MAKER = "maker"
    OPERATIONS = "operations"
    """Those who run the platform: they see how it works, and no machine."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Machines of a tenant, of one site of it or of one equipment type; None is all."""

    tenant: str | None = None
    site: str | None = None
    equipment_type: str | None = None

    def __str__(self) -> str:
        place = "/".join(filter(None, (self.tenant or "all tenants", self.site)))
        return f"{place}, {self.equipment_type}" if self.equipment_type else place


@dataclass(frozen=True, slots=True)
class Access:
    """Who may look with SQL of their own. `access_id` names the schema and the role that may read it."""

    access_id: str
    name: str
    kind: str
    created_at: datetime
    suspended_at: datetime | None
    language: str = "en"
    scopes: tuple[Scope, ...] = ()


_KNOWN = "select access_id, name, kind, created_at, suspended_at, language from access order by kind, name"

_SCOPES = "select access_id, tenant, site, equipment_type from access_scope order by 1, 2, 3, 4"

_TYPES = """
select c.equipment_type, c.name, c.unit, c.low, c.high, c.kind, c.rate_hz, c.title_en, c.title_zh
from faultline.channel as c where c.equipment_type in (select a.equipment_type from {seen})
order by c.equipment_type, c.column_no
"""

# What Grafana calls to group by time, with TimescaleDB's origin: its own schema is not for readers.
_TIME_BUCKET = """
create function {schema}.time_bucket(bucket_width interval, ts timestamptz) returns timestamptz
language sql immutable parallel safe
as $$ select date_bin(bucket_width, ts, timestamptz '2000-01-03 00:00:00+00') $$
"""


@contextmanager
def session(dsn: str) -> Iterator[Connection[TupleRow]]:
    """A connection of the owner's, which commits when it ends well."""
    with psycopg.connect(dsn, application_name="faultline-access") as conn:
        conn.execute("set local search_path = faultline, ext")
        yield conn


def known(conn: Connection[TupleRow]) -> list[Access]:
    """Every access with what it sees, by kind and name."""
    scopes = defaultdict[str, list[Scope]](list)
    for access_id, *scope in conn.execute(_SCOPES).fetchall():
        scopes[access_id].append(Scope(*scope))
    with conn.cursor(row_factory=class_row(Access)) as cursor:
        rows = cursor.execute(_KNOWN).fetchall()
    return [replace(access, scopes=tuple(scopes[access.access_id])) for access in rows]


def find(conn: Connection[TupleRow], name: str) -> Access:
    """The access of that name; raises `StorageError`."""
    found = [access for access in known(conn) if access.name == name]
    if not found:
        raise StorageError(f"{name!r} has no access: `faultline tenants list` shows who has one")
    return found[0]


def give(conn: Connection[TupleRow], name: str, kind: Kind, scopes: Sequence[Scope]) -> Access:
    """Let `name` see these parts of the fleet, beside those that it sees already.

    Makes the access if there is none. Raises `StorageError` for a tenant, site or type that is not known, and
    for a name that has an access of another kind, `FleetError` for a bad name.
    """
    check_name("access", name)
    access_id = f"a{secrets.token_hex(8)[1:]}"
    conn.execute(
        "insert into access (access_id, name, kind) values (%s, %s, %s) on conflict (name) do nothing",
        (access_id, name, kind),
    )
    access = find(conn, name)
    if access.kind != kind:
        raise StorageError(f"{name!r} is a {access.kind} already: choose another name for a {kind}")
    for scope in scopes:
        _check(conn, scope)
        conn.execute(
            "insert into access_scope values (%s, %s, %s, %s) on conflict do nothing",
            (access.access_id, scope.tenant, scope.site, scope.equipment_type),
        )
    return find(conn, name)


def speak(conn: Connection[TupleRow], name: str, language: str) -> None:
    """Let Grafana greet `name` in this language, `en` or `zh`. Raises `StorageError`."""
    access = find(conn, name)
    conn.execute("update access set language = %s where access_id = %s", (language, access.access_id))


def take(conn: Connection[TupleRow], name: str, scope: Scope) -> Access:
    """Let `name` no longer see by this grant; what other grants show stays. Raises `StorageError`."""
    access = find(conn, name)
    done = conn.execute(
        "delete from access_scope where access_id = %s "
        "and (tenant, site, equipment_type) is not distinct from (%s::text, %s::text, %s::text)",
        (access.access_id, scope.tenant, scope.site, scope.equipment_type),
    )
    if not done.rowcount:
        raise StorageError(
            f"{name!r} has no grant for {scope}: it has {'; '.join(map(str, access.scopes)) or 'none'}"
        )
    return find(conn, name)


def suspend(conn: Connection[TupleRow], access: Access, suspended: bool) -> None:
    """Show nothing through the views from now on, or all again."""
    conn.execute(
        "update access set suspended_at = case when %s then coalesce(suspended_at, now()) end "
        "where access_id = %s",
        (suspended, access.access_id),
    )


def check_not_shown(conn: Connection[TupleRow], access: Access) -> None:
    """Raises `StorageError` while Grafana has an organisation for the access."""
    query = "select 1 from grafana_organization where access_id = %s"
    if conn.execute(query, (access.access_id,)).fetchone():
        raise StorageError(
            f"{access.name!r} has an organisation in Grafana: "
            f"`faultline grafana remove {access.name}` first takes that away"
        )


def hide(conn: Connection[TupleRow], access: Access) -> None:
    """Take the views away."""
    conn.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(access.access_id)))


def forget(conn: Connection[TupleRow], access: Access) -> None:
    """Take the access and its grants off the record."""
    conn.execute("delete from access where access_id = %s", (access.access_id,))


def show(conn: Connection[TupleRow], access: Access) -> None:
    """Make the views of an access anew, as its machines' types are now; its role must be there.

    Takes a moment's lock on the views that were there: whoever reads them waits for it.
    """
    names = {"schema": sql.Identifier(access.access_id)}
    hide(conn, access)
    conn.execute(sql.SQL("create schema {schema}").format(**names))
    conn.execute(sql.SQL(_TIME_BUCKET).format(**names))
    for name, body in _views(conn, access).items():
        view = sql.Identifier(access.access_id, name)
        conn.execute(sql.SQL("create view {} with (security_barrier) as {}").format(view, body))
    conn.execute(sql.SQL("grant usage on schema {schema} to {schema}").format(**names))
    conn.execute(sql.SQL("grant select on all tables in schema {schema} to {schema}").format(**names))


def _views(conn: Connection[TupleRow], access: Access) -> dict[str, sql.Composed]:
    if access.kind == Kind.OPERATIONS:
        return platform_views(access.access_id)
    return dict(machine_views(access.access_id, types(conn, access.access_id)))


def refresh(owner_dsn: str) -> None:
    """Make the views of every access anew: its machines may have other types or channels by now.

    Each access in a transaction of its own: the locks of all their views would be more than a server has.
    """
    with session(owner_dsn) as conn:
        accesses = known(conn)
    for access in accesses:
        with session(owner_dsn) as conn:
            show(conn, access)


def types(conn: Connection[TupleRow], access_id: str) -> list[EquipmentType]:
    """Equipment types of the machines that the access sees."""
    channels = defaultdict[str, list[Channel]](list)
    for kind, *channel in conn.execute(sql.SQL(_TYPES).format(seen=seen(access_id))).fetchall():
        channels[kind].append(Channel(*channel))
    return [EquipmentType(name, tuple(found)) for name, found in channels.items()]


def _check(conn: Connection[TupleRow], scope: Scope) -> None:
    asked = (
        ("tenant", scope.tenant, "select 1 from tenant where name = %s", (scope.tenant,)),
        (
            "site",
            scope.site,
            "select 1 from site where tenant = %s and name = %s",
            (scope.tenant, scope.site),
        ),
        (
            "equipment type",
            scope.equipment_type,
            "select 1 from equipment_type where name = %s",
            (scope.equipment_type,),
        ),
    )
    for what, name, query, values in asked:
        if name is not None and not conn.execute(query.encode(), values).fetchone():
            raise StorageError(f"no {what} {name!r}: `faultline assets list` shows what is known")
