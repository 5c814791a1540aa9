"""Makes the roles and the database, once, with a superuser's rights; migrations then need only the owner."""

from collections.abc import Mapping

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

from storage.errors import StorageError

OWNER = "faultline_owner"
"""Owns the database and its schema; runs migrations and nothing else."""
WRITER = "faultline_writer"
"""What workers and the API run as: writes what a chunk becomes, owns nothing."""
READER = "faultline_reader"
"""Reads the fleet's data; sees no keys, no model and no state."""

ROLES = (OWNER, WRITER, READER)

_READER_CONNECTIONS = 30  # dashboards never take the writers' connections

_SETTINGS = {
    OWNER: {"lock_timeout": "30s"},
    WRITER: {"statement_timeout": "60s", "idle_in_transaction_session_timeout": "60s"},
    READER: {
        "statement_timeout": "30s",
        "idle_in_transaction_session_timeout": "30s",
        "default_transaction_read_only": "on",
    },
}

_LOCK = 0x6661756C74  # "fault": two bootstraps of one cluster wait for each other

# The origin is TimescaleDB's own, so both give the same buckets for every width below a month.
_TIME_BUCKET = """
create or replace function ext.time_bucket(bucket_width interval, ts timestamptz) returns timestamptz
language sql immutable parallel safe
as $$ select date_bin(bucket_width, ts, timestamptz '2000-01-03 00:00:00+00') $$
"""

# What everybody may call by default and no reader needs: a lock of this kind would hold up our own, and large
# objects are a place to write to.
_SHUT = """
do $$ declare f regprocedure; begin
    for f in select oid::regprocedure from pg_proc where pronamespace = 'pg_catalog'::regnamespace
        and (proname ~ '^(pg_(try_)?advisory_|lo_)' or proname in ('loread', 'lowrite')) loop
        execute format('revoke execute on function %s from public', f);
        execute format('grant execute on function %s to faultline_owner, faultline_writer', f);
    end loop;
end $$
"""


def bootstrap(admin_dsn: str, database: str, passwords: Mapping[str, str]) -> None:
    """Make, or bring up to date, the three roles and the database; may be repeated at any time.

    `admin_dsn` is a superuser's; `passwords` has one for each of `ROLES` and reaches the server only as
    SCRAM verifiers. TimescaleDB is installed where the server preloads it, else a `time_bucket` of our
    own stands in. Raises `StorageError` for a missing password.
    """
    if missing := [role for role in ROLES if not passwords.get(role)]:
        raise StorageError(f"no password given for {', '.join(missing)}: give one for each role")
    with psycopg.connect(admin_dsn, autocommit=True) as admin:
        admin.execute("select pg_advisory_lock(%s)", (_LOCK,))
        for role in ROLES:
            _make_role(admin, role, passwords[role])
        _make_database(admin, database)
        with psycopg.connect(make_conninfo(admin_dsn, dbname=database), autocommit=True) as inside:
            _make_schemas(inside)
            inside.execute(_SHUT)
            _provide_time_bucket(inside)


def _make_role(admin: Connection[TupleRow], role: str, password: str) -> None:
    verifier = admin.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    known = admin.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone()
    statement = sql.SQL(
        "{verb} role {role} login nosuperuser nobypassrls nocreatedb nocreaterole noreplication "
        "connection limit {limit} password {verifier}"
    )
    admin.execute(
        statement.format(
            verb=sql.SQL("alter" if known else "create"),
            role=sql.Identifier(role),
            limit=sql.Literal(_READER_CONNECTIONS if role == READER else -1),
            verifier=sql.Literal(verifier),
        )
    )


def _make_database(admin: Connection[TupleRow], database: str) -> None:
    names = {"db": sql.Identifier(database), "owner": sql.Identifier(OWNER), "writer": sql.Identifier(WRITER)}
    if not admin.execute("select 1 from pg_database where datname = %s", (database,)).fetchone():
        admin.execute(sql.SQL("create database {db} encoding 'UTF8' template template0").format(**names))
    admin.execute(sql.SQL("alter database {db} owner to {owner}").format(**names))
    admin.execute(sql.SQL("revoke all on database {db} from public").format(**names))
    admin.execute(sql.SQL("grant connect, temporary on database {db} to {writer}").format(**names))
    admin.execute(
        sql.SQL("grant connect on database {db} to {}").format(sql.Identifier(READER), db=names["db"])
    )
    for role in ROLES:
        _set_defaults(admin, database, role)


def _set_defaults(admin: Connection[TupleRow], database: str, role: str) -> None:
    common = {"search_path": "faultline, ext", "timezone": "UTC", "jit": "off"}
    for name, value in (common | _SETTINGS[role]).items():
        admin.execute(
            sql.SQL("alter role {} in database {} set {} = {}").format(
                sql.Identifier(role),
                sql.Identifier(database),
                sql.Identifier(name),
                sql.SQL(", ").join(sql.Literal(part) for part in value.split(", ")),
            )
        )


def _make_schemas(conn: Connection[TupleRow]) -> None:
    roles = sql.SQL(", ").join(map(sql.Identifier, ROLES))
    conn.execute("revoke all on schema public from public")
    conn.execute("create schema if not exists ext")
    conn.execute(sql.SQL("grant usage on schema ext to {}").format(roles))


def _provide_time_bucket(conn: Connection[TupleRow]) -> None:
    row = conn.execute("select current_setting('shared_preload_libraries')").fetchone()
    preloaded = row is not None and "timescaledb" in row[0]
    installed = conn.execute("select 1 from pg_extension where extname = 'timescaledb'").fetchone()
    if preloaded and not installed:  # the stand-in would be in the extension's way
        conn.execute("drop function if exists ext.time_bucket(interval, timestamptz)")
        conn.execute("create extension timescaledb schema ext")
    elif not installed:
        conn.execute(_TIME_BUCKET)
