"""The roles that an access logs in with. They own nothing and read the views of one schema.

The access has a role without login that may read; its logins are members of it. While a password is changed
there are two of them, so that nobody is locked out: the new one is given out, then the old one goes. Grafana
has logins apart from those that people have, so that neither ends with the other's.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

import psycopg
from psycopg import Connection, sql
from psycopg.rows import TupleRow

from storage.access.grants import Access, Kind

CONNECTIONS = 20
"""Of one login; a dashboard's pool has five."""

SETTINGS = {
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "30s",
    "default_transaction_read_only": "on",
    "timezone": "UTC",
    "jit": "off",
}

_LOCK = 0x726F6C65  # "role": two grants on one database at once are an error in PostgreSQL


class Use(StrEnum):
    """Who logs in, as the login's name says; `PEOPLE` have hexadecimal digits there alone."""

    PEOPLE = ""
    GRAFANA = "g"


@dataclass(frozen=True, slots=True)
class Login:
    """A role and its password, which nothing keeps: the server has a SCRAM verifier of it alone."""

    role: str
    password: str


@contextmanager
def administrator(dsn: str) -> Iterator[Connection[TupleRow]]:
    """A connection that may make roles: a superuser's."""
    with psycopg.connect(dsn, autocommit=True, application_name="faultline-access") as conn:
        yield conn


def make_reader(admin: Connection[TupleRow], access: Access) -> None:
    """The role without login that reads the access's views; may be repeated."""
    if not admin.execute("select 1 from pg_roles where rolname = %s", (access.access_id,)).fetchone():
        admin.execute(
            sql.SQL(
                "create role {} nologin nosuperuser nobypassrls nocreatedb nocreaterole noreplication"
            ).format(sql.Identifier(access.access_id))
        )
    if access.kind == Kind.OPERATIONS:  # what others' statements are and wait for
        admin.execute(sql.SQL("grant pg_read_all_stats to {}").format(sql.Identifier(access.access_id)))


def new_login(admin: Connection[TupleRow], access: Access, use: Use = Use.PEOPLE) -> Login:
    """One more login of the access, with a password of 192 random bits."""
    login = Login(f"{access.access_id}_{use}{secrets.token_hex(4)}", secrets.token_urlsafe(24))
    with admin.transaction():
        admin.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        _make(admin, access, login)
    return login


def _make(admin: Connection[TupleRow], access: Access, login: Login) -> None:
    verifier = admin.pgconn.encrypt_password(login.password.encode(), login.role.encode(), b"scram-sha-256")
    names = {"role": sql.Identifier(login.role), "reader": sql.Identifier(access.access_id)}
    admin.execute(
        sql.SQL(
            "create role {role} login nosuperuser nobypassrls nocreatedb nocreaterole noreplication "
            "connection limit {limit} in role {reader} password {verifier}"
        ).format(limit=sql.Literal(CONNECTIONS), verifier=sql.Literal(verifier.decode()), **names)
    )
    database = sql.Identifier(admin.info.dbname)
    admin.execute(sql.SQL("grant connect on database {} to {reader}").format(database, **names))
    for name, value in (SETTINGS | {"search_path": access.access_id}).items():
        admin.execute(
            sql.SQL("alter role {role} in database {} set {} = {}").format(
                database, sql.Identifier(name), sql.Literal(value), **names
            )
        )


def logins(admin: Connection[TupleRow], access: Access, use: Use | None = None) -> list[str]:
    """The access's logins, the oldest first; of one use, or all."""
    query = """
        select member.rolname::text from pg_auth_members as m join pg_roles as member on member.oid = m.member
        join pg_roles as reader on reader.oid = m.roleid
        where reader.rolname = %s order by member.oid
    """
    found = admin.execute(query, (access.access_id,)).fetchall()
    ours = [role for (role,) in found if role.startswith(f"{access.access_id}_")]
    return [role for role in ours if use is None or _use(access, role) is use]


def _use(access: Access, role: str) -> Use:
    return Use.GRAFANA if role.startswith(f"{access.access_id}_{Use.GRAFANA}") else Use.PEOPLE


def open_login(admin: Connection[TupleRow], role: str) -> None:
    """Let a login log in again."""
    admin.execute(sql.SQL("alter role {} login").format(sql.Identifier(role)))


def shut_login(admin: Connection[TupleRow], role: str) -> None:
    """Let a login log in no more, and end what it is doing."""
    admin.execute(sql.SQL("alter role {} nologin").format(sql.Identifier(role)))
    admin.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = %s", (role,))


def drop_login(admin: Connection[TupleRow], role: str) -> None:
    """Take a login away."""
    shut_login(admin, role)
    admin.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))


def drop_reader(admin: Connection[TupleRow], access: Access) -> None:
    """Take the role away that read the access's views; its schema and logins must be gone."""
    name = sql.Identifier(access.access_id)
    if admin.execute("select 1 from pg_roles where rolname = %s", (access.access_id,)).fetchone():
        with admin.transaction():
            admin.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
            admin.execute(sql.SQL("drop owned by {}").format(name))  # its right to connect
            admin.execute(sql.SQL("drop role {}").format(name))
