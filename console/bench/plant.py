"""A plant to ingest: a database, a tenant with equal machines, and the worker processes on its topic."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg

from console.bench.filling import PARTITIONS, KeyedValue, fill
from console.bench.servers import Servers
from console.bench.trial import BenchError
from fleet.asset import Asset, Channel, EquipmentType, Fleet, Site, Tenant
from storage.bootstrap import WRITER
from storage.pool import open_pool
from storage.registry import register
from storage.server.database import Database
from streams.kafka_access import KafkaAccess
from streams.topics import connect, create_topics, telemetry_topic, topics_of

POLL_S = 0.05
PATIENCE_S = 900.0
"""Without a record stored for so long something is broken."""

SETTLED_S = 5.0
"""Without a claim for so long the workers have shared out the partitions."""

SESSION_TIMEOUT_S = "90"
"""A worker may be paused while a topic is filled."""

_OFFSETS = "select partition, coalesce(next_offset, 0) from sink_offset where consumer = 'score'"
_CLAIMS = "select partition, epoch from sink_offset where consumer = 'score'"
_FATES = """
select coalesce(sum(stored), 0)::bigint, coalesce(sum(duplicate + dead), 0)::bigint
from partition_tally where consumer = 'score'
"""


@dataclass(frozen=True, slots=True)
class Drain:
    """Records that were stored in `seconds`, from the first commit seen to the last."""

    records: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Plant:
    """`assets` are the names of the machines, which have the channels c00, c01, ..."""

    servers: Servers
    database: Database
    tenant: str
    assets: tuple[str, ...]

    @property
    def topic(self) -> str:
        """Where the telemetry goes."""
        return telemetry_topic(self.tenant)

    def fill(self, records: Iterable[KeyedValue]) -> None:
        """Put the records into the topic."""
        fill(self.servers.kafka, self.topic, records)

    def members(self) -> int:
        """Workers in the plant's consumer group."""
        with closing(connect(KafkaAccess(self.servers.kafka))) as admin:
            return len(admin.describe_groups([self.tenant])[self.tenant]["members"])

    def ask(self, question: str) -> list[tuple[int, ...]]:
        """Rows of numbers, as the product's own role."""
        with psycopg.connect(self.database.dsn(WRITER)) as conn:
            return conn.execute(question.encode()).fetchall()

    def check_all_stored(self, records: int) -> None:
        """Raise `BenchError` unless so many records are stored, none twice and none dead."""
        if (fates := self.ask(_FATES)[0]) != (records, 0):
            raise BenchError(f"of {records} records (stored, duplicate or dead) are {fates}")


@contextmanager
def plant(servers: Servers, assets: int, channels: int) -> Iterator[Plant]:
    """A plant of its own; its database is gone at the end."""
    tenant, names = f"t{uuid4().hex[:8]}", tuple(f"m{number:05}" for number in range(assets))
    with servers.database() as database:
        asyncio.run(_register(database, fleet_of(tenant, names, channels)))
        create_topics(KafkaAccess(servers.kafka), topics_of([tenant]), PARTITIONS)
        yield Plant(servers, database, tenant, names)


def fleet_of(tenant: str, names: Iterable[str], channels: int) -> Fleet:
    """Equal machines of one tenant, with the channels c00, c01, ... of unit 1."""
    kind = EquipmentType(f"bench-{channels}", tuple(Channel(f"c{k:02}", "1") for k in range(channels)))
    assets = tuple(Asset(0, tenant, "hall", name, kind.name) for name in names)
    return Fleet((Tenant(tenant),), (Site(tenant, "hall"),), assets, (kind,))


async def _register(database: Database, fleet: Fleet) -> None:
    async with open_pool(database.dsn(WRITER)) as pool:
        await register(pool, fleet)


class Worker:
    """A `faultline worker` on a plant."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, database: Database) -> None:
        self._process = process
        self._log = log
        self._conn = psycopg.connect(database.dsn(WRITER), autocommit=True)

    def ready(self, settled_s: float = 0.0) -> None:
        """Return once every partition is claimed and for so long none has changed hands."""
        claims, since = self._claims(), time.perf_counter()
        while len(claims) < PARTITIONS or time.perf_counter() - since < settled_s:
            time.sleep(POLL_S)
            if (now := self._claims()) != claims:
                claims, since = now, time.perf_counter()

    def _claims(self) -> dict[int, int]:
        """Partition to how often it was claimed."""
        self._check()
        return dict(self._conn.execute(_CLAIMS).fetchall())

    def pause(self) -> None:
        """Let it stand still; the group waits for it as long as its session lasts."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def drained(self, records: int) -> Drain:
        """Wait until so many records are stored in all. Raises `BenchError` if that does not come."""
        first = last = begin = self.stored()
        asked = started = ended = time.perf_counter()
        while last < records:
            time.sleep(POLL_S)
            if (now := self.stored()) > last:
                last, ended = now, time.perf_counter()
                if first == begin:  # the clock starts with the first commit seen
                    first, started = now, ended
            elif time.perf_counter() - ended > PATIENCE_S:
                raise BenchError(f"{last} of {records} records stored, and no more for {PATIENCE_S:.0f} s")
        if last == first:  # all of it within one look
            return Drain(last - begin, max(ended - asked, POLL_S))
        return Drain(last - first, ended - started)

    def offsets(self) -> dict[int, int]:
        """Partition to the offset below which everything is stored."""
        self._check()
        return dict(self._conn.execute(_OFFSETS).fetchall())

    def stored(self) -> int:
        """Records stored so far."""
        return sum(self.offsets().values())

    def _check(self) -> None:
        if self._process.poll() is not None:
            said = self._log.read_text()[-2000:]
            raise BenchError(f"the worker ended with {self._process.returncode}:\n{said}")

    def cpu_s(self) -> float:
        """User and system CPU seconds so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_bytes(self) -> int:
        """Resident memory."""
        pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def end(self) -> None:
        """Let it go; raises nothing."""
        self._process.kill()
        self._process.wait()
        self._conn.close()


@contextmanager
def worker(site: Plant) -> Iterator[Worker]:
    """A worker process, killed at the end."""
    with tempfile.TemporaryDirectory(prefix="faultline-bench-worker-") as name:
        folder = Path(name)
        mine = {key: value for key, value in os.environ.items() if not key.startswith("FAULTLINE_")}
        settings = {
            "FAULTLINE_KAFKA": site.servers.kafka,
            "FAULTLINE_DATABASE": site.database.dsn(WRITER),
            "FAULTLINE_DATA_DIR": name,
            "FAULTLINE_GROUP": site.tenant,
            "FAULTLINE_LOG_LEVEL": "warning",
            "FAULTLINE_SESSION_TIMEOUT_S": SESSION_TIMEOUT_S,
        }
        command = [str(Path(sys.executable).with_name("faultline")), "worker"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - our own argument list
                command,
                cwd=folder,  # where no settings file is
                env=mine | settings,
                stdout=log,
                stderr=log,
            )
        running = Worker(process, folder / "log", site.database)
        try:
            yield running
        finally:
            running.end()
