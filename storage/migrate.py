"""Brings the schema forward: numbered files, each applied once, none ever changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import pairwise

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from storage import crash_point
from storage.bootstrap import OWNER
from storage.capability import Capability, detect
from storage.errors import MigrationError
from storage.migration_file import MigrationFile, Section, parse

_LOCK = 0x6D696772  # "migr": two migrators of one database wait for each other

_JOURNAL = """
create schema if not exists faultline;
create table if not exists faultline.migration (
    version int primary key,
    name text not null,
    sha256 text not null,
    applied_at timestamptz not null default now()
);
create table if not exists faultline.migration_section (
    version int not null references faultline.migration,
    section int not null,
    requires text not null,
    applied_at timestamptz,
    primary key (version, section)
);
comment on column faultline.migration_section.applied_at is 'null: waits for the capability'
"""


@dataclass(frozen=True, slots=True)
class Applied:
    """What one run did: a whole file, or a section of an earlier one that the server can run by now."""

    version: int
    name: str
    gained: Capability | None = None


@dataclass(frozen=True, slots=True)
class FileStatus:
    """Where a file stands; `waiting` are the capabilities that sections of it still wait for."""

    version: int
    name: str
    applied_at: datetime | None
    waiting: tuple[Capability, ...] = ()


def shipped() -> Traversable:
    """The folder of migrations inside the package."""
    return files("storage") / "migrations"


def read_files(folder: Traversable) -> list[MigrationFile]:
    """The folder's migrations in order; raises `MigrationError` for a bad file or a number used twice."""
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    found = [parse(name, (folder / name).read_text(encoding="utf-8")) for name in names]
    for before, after in pairwise(found):
        if before.version == after.version:
            raise MigrationError(f"{after.version:04}_{after.name}.sql: another file has this number")
    return found


def migrate(owner_dsn: str, folder: Traversable | None = None) -> list[Applied]:
    """Apply what is not applied yet; returns what that was. Safe to repeat, interrupt and run twice at once.

    Raises `MigrationError` if an applied file has changed or a file fails; what came before it stays.
    """
    with _session(owner_dsn) as conn:
        with conn.transaction():  # the owner's limit on waiting is for the files' statements, not for this
            conn.execute("set local lock_timeout = 0")
            conn.execute("select pg_advisory_lock(%s)", (_LOCK,))
            try:
                conn.execute(_JOURNAL)
            except psycopg.errors.InsufficientPrivilege as error:
                raise MigrationError(
                    f"{conn.info.user} may not change the schema: give the conninfo of {OWNER}"
                ) from error
        capability = detect(conn)
        known = _journal(conn)
        done: list[Applied] = []
        for file in read_files(folder or shipped()):
            if file.version not in known:
                _apply_file(conn, file, capability)
                done.append(Applied(file.version, file.name))
            else:
                _check_unchanged(file, known[file.version][0])
                done += _apply_waiting(conn, file, capability)
        return done


def status(dsn: str, folder: Traversable | None = None) -> list[FileStatus]:
    """Each shipped file and where it stands in this database."""
    with _session(dsn) as conn:
        exists = conn.execute("select to_regclass('faultline.migration') is not null").fetchone()
        known = _journal(conn) if exists and exists[0] else {}
        return [
            FileStatus(
                file.version,
                file.name,
                known[file.version][1] if file.version in known else None,
                tuple(requires for _, requires in _waiting(conn, file.version)) if known else (),
            )
            for file in read_files(folder or shipped())
        ]


@contextmanager
def _session(dsn: str) -> Iterator[Connection[TupleRow]]:
    with psycopg.connect(dsn, autocommit=True, application_name="faultline-migrate") as conn:
        conn.execute("set search_path = faultline, ext")
        yield conn


def _journal(conn: Connection[TupleRow]) -> dict[int, tuple[str, datetime]]:
    rows = conn.execute("select version, sha256, applied_at from faultline.migration").fetchall()
    return {version: (sha256, applied_at) for version, sha256, applied_at in rows}


def _waiting(conn: Connection[TupleRow], version: int) -> list[tuple[int, Capability]]:
    rows = conn.execute(
        "select section, requires from faultline.migration_section "
        "where version = %s and applied_at is null order by section",
        (version,),
    ).fetchall()
    return [(section, Capability[requires.upper()]) for section, requires in rows]


def _check_unchanged(file: MigrationFile, sha256: str) -> None:
    if file.sha256 != sha256:
        raise MigrationError(
            f"{file.version:04}_{file.name}.sql has changed since it was applied: "
            "restore it and put the change into a new file"
        )


def _apply_file(conn: Connection[TupleRow], file: MigrationFile, capability: Capability) -> None:
    if not file.transactional:
        _run_sections(conn, file, capability)
        with conn.transaction():
            _record(conn, file, capability)
        return
    with conn.transaction():
        _run_sections(conn, file, capability)
        crash_point.reached("during_migration")
        _record(conn, file, capability)


def _run_sections(conn: Connection[TupleRow], file: MigrationFile, capability: Capability) -> None:
    for section in file.sections:
        _run(conn, file, section, capability)


def _run(conn: Connection[TupleRow], file: MigrationFile, section: Section, capability: Capability) -> None:
    if statements := section.sql_for(capability):
        try:
            conn.execute(statements.encode())
        except psycopg.DatabaseError as error:
            raise MigrationError(f"{file.version:04}_{file.name}.sql: {error}") from error


def _record(conn: Connection[TupleRow], file: MigrationFile, capability: Capability) -> None:
    conn.execute(
        "insert into faultline.migration (version, name, sha256) values (%s, %s, %s)",
        (file.version, file.name, file.sha256),
    )
    for number, section in enumerate(file.sections):
        if section.requires > Capability.PLAIN:
            conn.execute(
                "insert into faultline.migration_section (version, section, requires, applied_at) "
                "values (%s, %s, %s, case when %s then now() end)",
                (file.version, number, section.requires.name.lower(), capability >= section.requires),
            )


def _apply_waiting(conn: Connection[TupleRow], file: MigrationFile, capability: Capability) -> list[Applied]:
    ready = [(number, needs) for number, needs in _waiting(conn, file.version) if needs <= capability]
    for number, _ in ready:
        if file.transactional:
            with conn.transaction():
                _gain(conn, file, number, capability)
        else:
            _gain(conn, file, number, capability)
    return [Applied(file.version, file.name, needs) for _, needs in ready]


def _gain(conn: Connection[TupleRow], file: MigrationFile, number: int, capability: Capability) -> None:
    _run(conn, file, file.sections[number], capability)
    conn.execute(
        "update faultline.migration_section set applied_at = now() where version = %s and section = %s",
        (file.version, number),
    )
