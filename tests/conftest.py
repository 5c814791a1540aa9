"""Real servers for the tests: started when a test first asks for one, gone when the session ends."""

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from deploy.local.errors import LocalError
from deploy.local.kafka import KafkaBroker
from deploy.local.kafka_jars import fetch_jars
from deploy.local.timescaledb import build_timescaledb
from storage.bootstrap import bootstrap
from storage.file_lock import ALONE_AT_ONCE, locked
from storage.server import home as server_home
from storage.server.database import Database, find_database, kept_passwords, prepare_database
from storage.server.launcher import Installation, PostgresServer

T = TypeVar("T")

REQUIRE_ALL = os.environ.get("FAULTLINE_REQUIRE_ALL") == "1"
FOLDERS = "faultline-tests-"
TEMPLATE = "migrated"
NEEDS = {"kafka": "a real Kafka", "timescale": "a real TimescaleDB"}
MARKS = {"kafka_jars": "kafka", "timescaledb": "timescale"}

settings.register_profile("faultline", deadline=None, max_examples=50)
settings.load_profile("faultline")


def pytest_configure(config: pytest.Config) -> None:
    """kafka-python reads its schemas with a function that Python 3.11 calls deprecated and 3.13 does not."""
    config.addinivalue_line("filterwarnings", "ignore:(open|read)_text is deprecated:DeprecationWarning")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server by the fixtures it asks for, so that `-m "not kafka"` can be relied on."""
    for item in items:
        for fixture, mark in MARKS.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(mark)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that this machine could not run, with the reason and its cure."""
    reasons = [str(report.longrepr[2]) for report in terminalreporter.getreports("skipped")]
    for what in NEEDS.values():
        if mine := [reason for reason in reasons if what in reason]:
            cure = mine[0].split(f"{what}: ", 1)[-1]
            line = f"Not run on this machine: {len(mine)} tests that need {what}: {cure}"
            terminalreporter.write_line(line, yellow=True)


@pytest.fixture(scope="session", autouse=True)
def _nothing_stays_in_var() -> Iterator[None]:
    """Root's servers live elsewhere when their data folder is closed to their account: here, in tests."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o711)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server_home, "ELSEWHERE", folder)
        yield
    shutil.rmtree(folder)


@pytest.fixture
def data_root() -> Iterator[Path]:
    """An empty data folder that the servers' account can reach, gone afterwards with what runs there."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o711)
    yield folder
    _clean(folder)


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """The session's servers live here. What an earlier session left when it was killed is ended first."""
    for left in Path(tempfile.gettempdir()).glob(f"{FOLDERS}*"):
        with suppress(BlockingIOError, FileNotFoundError):  # the tests beside us clean up too
            if left.stat().st_uid == os.geteuid():
                with locked(left / "alive", ALONE_AT_ONCE):
                    _clean(left)
    new = Path(tempfile.mkdtemp())
    new.chmod(0o711)  # for the account that the databases run under
    with locked(new / "alive"):
        folder = new.rename(new.with_name(FOLDERS + new.name))
        try:
            yield folder
        finally:
            _clean(folder)


def _clean(folder: Path) -> None:
    KafkaBroker(folder / "kafka").stop()
    for major in (16, 18):
        PostgresServer(Installation.wheel(major), folder).remove()
    shutil.rmtree(folder)


def _or_not_here(what: str, get: Callable[[], T]) -> T:
    """What a server needs, unless this machine cannot have it: then its tests are skipped, and named."""
    try:
        return get()
    except LocalError as error:
        reason = f"needs {NEEDS[what]}: {error}"
    if REQUIRE_ALL:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def kafka_jars() -> Path:
    """Kafka's jars, for tests that start and kill brokers of their own."""
    return _or_not_here("kafka", fetch_jars)


@pytest.fixture(scope="session")
def kafka(server_folder: Path, kafka_jars: Path) -> str:
    """Bootstrap servers of a real broker; topics must be created, and live as long as the session."""
    broker = KafkaBroker(server_folder / "kafka")
    broker.start(kafka_jars)
    return broker.bootstrap


@pytest.fixture(scope="session")
def timescaledb() -> Installation:
    """PostgreSQL 16 with TimescaleDB, for tests that start and kill servers of their own."""
    return _or_not_here("timescale", build_timescaledb)


@pytest.fixture(scope="session")
def postgres(server_folder: Path, timescaledb: Installation) -> Iterator[PostgresServer]:
    """A running PostgreSQL 16 with TimescaleDB."""
    with PostgresServer(timescaledb, server_folder) as server:
        yield server


@pytest.fixture(scope="session")
def embedded_postgres(server_folder: Path) -> Iterator[PostgresServer]:
    """A running PostgreSQL 18 as the embedded platform has it: plain."""
    with PostgresServer(Installation.embedded(), server_folder) as server:
        yield server


@pytest.fixture(scope="session")
def timescale_template(postgres: PostgresServer) -> PostgresServer:
    """The server, with a migrated database to copy."""
    return _with_template(postgres)


@pytest.fixture(scope="session")
def plain_template(embedded_postgres: PostgresServer) -> PostgresServer:
    """The server, with a migrated database to copy."""
    return _with_template(embedded_postgres)


@pytest.fixture
def database(timescale_template: PostgresServer) -> Iterator[Database]:
    """A fresh migrated database with TimescaleDB; `.dsn(role)` for the roles of `storage.bootstrap`."""
    yield from _copy(timescale_template)


@pytest.fixture
def plain_database(plain_template: PostgresServer) -> Iterator[Database]:
    """A fresh migrated database on plain PostgreSQL."""
    yield from _copy(plain_template)


@pytest.fixture
def free_port() -> int:
    """A port of loopback on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _with_template(server: PostgresServer) -> PostgresServer:
    prepare_database(server, TEMPLATE)
    with psycopg.connect(server.admin_dsn, autocommit=True) as admin:
        # TimescaleDB's scheduler connects to every database, and one in use cannot be copied.
        admin.execute(sql.SQL("alter database {} allow_connections false").format(sql.Identifier(TEMPLATE)))
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (TEMPLATE,)
        )
    return server


def _copy(server: PostgresServer) -> Iterator[Database]:
    database = find_database(server, f"test_{uuid4().hex[:12]}")
    names = {"name": sql.Identifier(database.name), "template": sql.Identifier(TEMPLATE)}
    with psycopg.connect(server.admin_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {name} template {template}").format(**names))
        bootstrap(server.admin_dsn, database.name, kept_passwords(database.passfile))
        yield database
        admin.execute(sql.SQL("drop database {name} with (force)").format(**names))
