"""The local stack: one real Kafka and one real TimescaleDB on loopback, kept in one folder."""

import logging
import shutil
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import LocalError, NotThere
from deploy.local.kafka import KafkaBroker
from deploy.local.kafka_jars import fetch_jars, kafka_version
from deploy.local.timescaledb import (
    POSTGRES_MAJOR,
    build_timescaledb,
    built_timescaledb,
    timescaledb_version,
)
from storage.file_lock import locked
from storage.server.database import find_database, prepare_database
from storage.server.launcher import Installation, PostgresServer, Progress

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StackStatus:
    """What runs. `databases` holds a conninfo for each role, `pids` the number of each running server.

    No password is in it: every conninfo names the file that holds it.
    """

    running: bool
    bootstrap_servers: str | None
    databases: Mapping[str, str]
    versions: Mapping[str, str]
    pids: Mapping[str, int]


class Stack:
    """Kafka and PostgreSQL with TimescaleDB, their data, ports, passwords and logs below `folder`.

    Both servers outlive the process that starts them. Each records itself before it runs, so that `down`
    finds what an interrupted `up` left, and ends nothing else. `cache` keeps downloads and builds.
    """

    def __init__(self, folder: Path, *, cache: Path | None = None, progress: Progress = log.info) -> None:
        self.folder = folder
        self._cache = cache
        self._progress = progress
        self._kafka = KafkaBroker(folder / "kafka", progress=progress)

    def up(self, *, install: bool = False) -> StackStatus:
        """Start what does not run yet and migrate the database; returns when both servers answer.

        `install` lets root install missing system programs. Raises `LocalError` or `StorageError`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder / "lock"):
            jars = fetch_jars(self._cache, install=install, progress=self._progress)
            build_timescaledb(self._cache, install=install, progress=self._progress)
            self._kafka.start(jars)
            self._progress("starting PostgreSQL")
            postgres = self._postgres()
            postgres.start()
            try:
                self._progress("migrating the database")
                prepare_database(postgres)
            finally:
                postgres.release()
        return self.status()

    def down(self) -> None:
        """End both servers if they run; their data stays for the next `up`.

        Raises `LocalError` or `ServerError` for a server that goes on.
        """
        if not self.folder.exists():
            return
        with locked(self.folder / "lock"):
            self._progress("stopping Kafka")
            self._kafka.stop()
            self._progress("stopping PostgreSQL")
            if not self._postgres().stop():
                raise LocalError(
                    f"PostgreSQL in {self.folder} is used by another process; end that one first"
                )

    def remove(self) -> None:
        """End both servers and delete all their data."""
        self.down()
        self._postgres().remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def status(self) -> StackStatus:
        """What runs now; asks the operating system, not a note of what ran once."""
        postgres = self._postgres()
        found = {"kafka": self._kafka.pid(), "postgres": postgres.pid()}
        pids = {name: pid for name, pid in found.items() if pid is not None}
        return StackStatus(
            running=len(pids) == len(found) and postgres.running(),
            bootstrap_servers=self._kafka.bootstrap if "kafka" in pids else None,
            databases=find_database(postgres).dsns() if "postgres" in pids else {},
            versions=self._versions(),
            pids=pids,
        )

    def logs(self, server: str, lines: int = 50) -> list[str]:
        """The last lines of the log of `kafka` or `postgres`; raises `NotThere`."""
        file = {"kafka": self._kafka.log_file, "postgres": self._postgres().log_file}[server]
        if not file.exists():
            raise NotThere(f"{server} has never run in {self.folder}: start it with: faultline stack up")
        with file.open(errors="replace") as text:
            return [line.rstrip("\n") for line in deque(text, lines)]

    def _postgres(self) -> PostgresServer:
        # Without the build a running server can still be found and stopped, by the wheel's own programs.
        installation = built_timescaledb(self._cache) or Installation.wheel(POSTGRES_MAJOR)
        return PostgresServer(installation, self.folder, shared_buffers="256MB", progress=self._progress)

    def _versions(self) -> dict[str, str]:
        built = built_timescaledb(self._cache)
        if built is None:
            return {"kafka": kafka_version()}
        return {
            "kafka": kafka_version(),
            "postgresql": built.version,
            "timescaledb": timescaledb_version(built),
        }
