"""The servers that are measured: a real Kafka and a real TimescaleDB, new ones in a temporary folder."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

from deploy.local.kafka import KafkaBroker
from deploy.local.kafka_jars import fetch_jars
from deploy.local.timescaledb import build_timescaledb
from storage.server.database import Database, prepare_database
from storage.server.launcher import PostgresServer, Progress

SHARED_BUFFERS = "1GB"
"""Enough for the recent rows of a benchmark, as a production server would have."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Bootstrap servers of a Kafka, and a PostgreSQL with TimescaleDB."""

    kafka: str
    postgres: PostgresServer

    @contextmanager
    def database(self) -> Iterator[Database]:
        """A new migrated database, dropped at the end."""
        database = prepare_database(self.postgres, f"bench_{uuid4().hex[:12]}")
        try:
            yield database
        finally:
            with psycopg.connect(self.postgres.admin_dsn, autocommit=True) as admin:
                drop = sql.SQL("drop database {} with (force)").format(sql.Identifier(database.name))
                admin.execute(drop)

    def settle(self) -> None:
        """Write what PostgreSQL still holds in memory, so that a run does not pay for the one before."""
        with psycopg.connect(self.postgres.admin_dsn, autocommit=True) as admin:
            admin.execute("checkpoint")


@contextmanager
def servers(progress: Progress) -> Iterator[Servers]:
    """Both servers, gone at the end with all their data."""
    jars, installation = fetch_jars(progress=progress), build_timescaledb(progress=progress)
    with tempfile.TemporaryDirectory(prefix="faultline-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # for the account that the database runs under
        broker = KafkaBroker(folder / "kafka", progress=progress)
        postgres = PostgresServer(installation, folder, shared_buffers=SHARED_BUFFERS, progress=progress)
        try:
            broker.start(jars)
            with postgres:
                yield Servers(broker.bootstrap, postgres)
        finally:
            broker.stop()
            postgres.remove()
