"""The servers, workers and proxies of a fault run, on loopback and in one folder."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from aiokafka import TopicPartition
from psycopg.conninfo import make_conninfo

from console.chaos.load import Load
from console.chaos.log_reader import reader
from console.chaos.observed import Place
from console.chaos.proxy import Proxy
from console.chaos.small_disk import small_disk
from console.chaos.worker import SupervisedWorker
from deploy.local.kafka import KafkaBroker
from deploy.local.kafka_jars import fetch_jars
from deploy.local.ports import free_ports
from deploy.local.timescaledb import build_timescaledb
from storage.bootstrap import OWNER, WRITER
from storage.outbox import unsent
from storage.pool import open_pool
from storage.queries import ingest_totals
from storage.registry import register
from storage.server.database import Database, prepare_database
from storage.server.launcher import PostgresServer
from storage.sink import Sink
from streams.health_message import decode
from streams.kafka_access import KafkaAccess
from streams.topics import create_topics, topics_of

SESSION_TIMEOUT_S = 6
"""Short, so that the partitions of a dead or frozen worker without a name go to others soon."""


@dataclass
class Servers:
    """A broker and a database server that faults may kill; both keep their ports.

    `disk` is the small one that the database is on, None where there can be none.
    """

    folder: Path
    disk: Path | None
    jars: Path
    kafka: KafkaBroker
    postgres: PostgresServer

    async def start_kafka(self) -> None:
        """Start the broker again; returns when it answers."""
        await asyncio.to_thread(self.kafka.start, self.jars)

    async def start_postgres(self) -> None:
        """Start the server again; returns when it answers."""
        await asyncio.to_thread(self.postgres.start)


@asynccontextmanager
async def servers(folder: Path) -> AsyncIterator[Servers]:
    """Real servers, gone afterwards with all their data."""
    jars, installation = await asyncio.to_thread(fetch_jars), await asyncio.to_thread(build_timescaledb)
    with small_disk(folder) as disk:
        made = Servers(
            folder,
            disk,
            jars,
            KafkaBroker(folder / "kafka", proxy_port=free_ports(1)[0]),
            PostgresServer(installation, disk or folder, shared_buffers="512MB"),
        )
        try:
            await made.start_kafka()
            await made.start_postgres()
            yield made
        finally:
            await asyncio.to_thread(made.kafka.stop)
            await asyncio.to_thread(made.postgres.remove)


@dataclass
class Rig:
    """One run: a fresh database and fresh topics on the servers, workers, and proxies before both servers."""

    servers: Servers
    load: Load
    partitions: int
    database: Database
    folder: Path
    to_postgres: Proxy
    named: bool
    environment: dict[str, str] = field(default_factory=dict)
    workers: list[SupervisedWorker] = field(default_factory=list)
    notes: dict[str, float] = field(default_factory=dict)
    """What a scenario measured by itself, by name with unit."""

    @property
    def bootstrap(self) -> str:
        """The broker."""
        return self.servers.kafka.bootstrap

    def add_worker(self, *crash_points: str) -> SupervisedWorker:
        """One more worker, at work from now on; its first lives end at these points."""
        log = self.folder / f"worker{len(self.workers)}.log"
        unnamed = {"FAULTLINE_SESSION_TIMEOUT_S": str(SESSION_TIMEOUT_S)}
        group = {"FAULTLINE_WORKER_NAME": log.stem} if self.named else unnamed
        made = SupervisedWorker(self.environment | group, log, crash_points)
        self.workers.append(made)
        made.start()
        return made

    async def ends(self, topics: list[str] | None = None) -> dict[Place, tuple[int, int]]:
        """First and next offset of every partition."""
        names = topics or topics_of(self.load.tenant_names())
        places = [TopicPartition(name, part) for name in names for part in range(self.partitions)]
        async with reader(self.bootstrap) as consumer:
            begins = await consumer.beginning_offsets(places)
            ends = await consumer.end_offsets(places)
        return {(tp.topic, tp.partition): (begins[tp], ends[tp]) for tp in places}

    async def until_stored(self, ends: Mapping[Place, tuple[int, int]], within_s: float) -> None:
        """Return once everything up to there is in the database; raises `TimeoutError`."""
        async with asyncio.timeout(within_s), open_pool(self.database.dsn(WRITER), max_size=2) as pool:
            while True:
                stored: dict[Place, int] = {}
                for consumer in ("score", "forecast"):
                    with suppress(OSError):
                        stored |= await Sink(pool, consumer).stored_offsets()
                if all(stored.get(place, begin) >= end for place, (begin, end) in ends.items()):
                    return
                await asyncio.sleep(0.2)

    async def until_share_stored(self, share: float, within_s: float = 120.0) -> None:
        """Return once that share of the load's records is in the database; raises `TimeoutError`."""
        wanted = int(share * self.load.records)
        async with asyncio.timeout(within_s), open_pool(self.database.dsn(WRITER), max_size=2) as pool:
            while True:
                totals = await ingest_totals(pool)
                if totals.stored + totals.duplicate + totals.dead >= wanted:
                    return
                await asyncio.sleep(0.1)

    async def until_settled(self, within_s: float) -> None:
        """Return once nothing is left to store, to send or to forecast; raises `TimeoutError`."""
        async with asyncio.timeout(within_s), open_pool(self.database.dsn(WRITER), max_size=2) as pool:
            while True:
                ends = await self.ends()
                await self.until_stored(ends, within_s)
                if not await unsent(pool) and ends == await self.ends():
                    return
                await asyncio.sleep(0.2)

    async def told(self) -> set[str]:
        """The keys of all messages in the health topics."""
        found = set()
        places = {place: end for place, end in (await self.ends()).items() if place[0].startswith("health.")}
        async with reader(self.bootstrap) as consumer:
            for (topic, partition), (begin, end) in places.items():
                if end > begin:
                    tp = TopicPartition(topic, partition)
                    consumer.assign([tp])
                    consumer.seek(tp, begin)
                    while await consumer.position(tp) < end:
                        for record in (await consumer.getmany(timeout_ms=1000)).get(tp, ()):
                            found.add(decode(record.value).message_key)
        return found

    async def stop_workers(self) -> None:
        """Let every worker end in order."""
        await asyncio.gather(*(worker.stop() for worker in self.workers))


@asynccontextmanager
async def rig(at: Servers, load: Load, partitions: int, named: bool) -> AsyncIterator[Rig]:
    """A fresh run on the servers: database migrated, fleet registered, topics made; no worker yet.

    Workers are `named` in their group with the default session timeout, or have none and a short one.
    """
    name = f"chaos_{uuid4().hex[:8]}"
    folder = at.folder / name
    folder.mkdir()
    database = await asyncio.to_thread(prepare_database, at.postgres, name)
    topics = topics_of(load.tenant_names())
    await asyncio.to_thread(create_topics, KafkaAccess(at.kafka.bootstrap), topics, partitions)
    async with open_pool(database.dsn(WRITER)) as pool:
        await register(pool, load.fleet())
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(Proxy(at.postgres.port))
        made = Rig(at, load, partitions, database, folder, proxy, named)
        made.environment = _environment(made, partitions)
        stack.push_async_callback(made.stop_workers)
        yield made


def _environment(made: Rig, partitions: int) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("FAULTLINE_")}
    return ours | {
        "FAULTLINE_KAFKA": made.bootstrap,
        "FAULTLINE_DATABASE": make_conninfo(made.database.dsn(WRITER), port=made.to_postgres.port),
        "FAULTLINE_DATABASE_OWNER": made.database.dsn(OWNER),
        "FAULTLINE_DATA_DIR": str(made.folder),
        "FAULTLINE_GROUP": made.folder.name,
        "FAULTLINE_PARTITIONS": str(partitions),
        "FAULTLINE_DEAD_LETTER_SHARE": "1",
        "FAULTLINE_DEAD_LETTER_RUN": "1000000",
        "FAULTLINE_LOG_FORMAT": "json",
    }
