"""A small run in one process, with a log in memory: quick enough to plant many faults in it.

The product's own tasks, engines and sink do the work; a mutant takes the place of one of them. A crash is an
exception after which everything is made anew from what the database holds.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiokafka.partitioner import DefaultPartitioner

from console.chaos.item import Item
from console.chaos.ledger import Entry, Outcome, entry
from console.chaos.load import Load, items
from console.chaos.observe import observe
from console.chaos.observed import Observed, Place
from fleet.clock import microseconds
from storage.bootstrap import OWNER, WRITER
from storage.pool import Pool, open_pool
from storage.registry import load_registry, register
from storage.server.database import Database
from storage.sink import Sink
from streams.dead_letter_limit import DeadLetterLimit
from streams.partition_task import Engine, PartitionTask
from streams.record import Chunk
from streams.registry_cache import RegistryCache
from streams.score_engine import engine_for
from streams.transports.memory_broker import MemoryRecord
from streams.wire.limits import Limits
from tests.integration.storage_harness import ask

PARTITIONS = 2
CHUNK = 150
NOW = datetime.now(UTC)


def small_load(seed: int = 3) -> Load:
    """Enough for four machines to learn what is normal, go wrong and tell their health."""
    start = NOW - timedelta(hours=16)
    shares = {"poison": 0.02, "duplicate": 0.02, "late": 0.02}
    return Load("t", seed, 2600, microseconds(start), tenants=2, assets=2, **shares)  # type: ignore[arg-type]


class Crash(Exception):
    """The process is gone."""


@dataclass
class Log:
    """What was sent, by partition, and the ledger of it."""

    load: Load
    records: dict[Place, list[MemoryRecord]] = field(default_factory=lambda: defaultdict(list))
    entries: list[Entry] = field(default_factory=list)

    @classmethod
    def of(cls, load: Load) -> "Log":
        log, partition_of, places = cls(load), DefaultPartitioner(), list(range(PARTITIONS))
        for item in items(load):
            log.append(item, partition_of(item.key, places, places))
        return log

    def append(self, item: Item, partition: int) -> None:
        place = item.topic, partition
        offset = len(self.records[place])
        record = MemoryRecord(offset, microseconds(NOW) // 1000, item.key, item.value, item.headers)
        self.records[place].append(record)
        self.entries.append(entry(item, Outcome.ACKNOWLEDGED, partition, offset))

    def ends(self) -> dict[Place, tuple[int, int]]:
        return {place: (0, len(records)) for place, records in self.records.items()}


@dataclass(frozen=True)
class Mutant:
    """What is put in the place of the product's parts, and before which chunk the process dies."""

    sink: Callable[[Pool], Sink] = lambda pool: Sink(pool, "score")
    engine: Callable[[Engine], Engine] = lambda engine: engine
    task: type[PartitionTask] = PartitionTask
    dies_before: int | None = None


async def process(database: Database, log: Log, mutant: Mutant) -> None:
    """Store the whole log; the outbox is taken for sent."""
    async with open_pool(database.dsn(WRITER)) as pool:
        await register(pool, log.load.fleet())
        for (topic, partition), records in log.records.items():
            worker = _Worker(pool, topic, partition, records, mutant)
            while not await worker.lives_to_the_end():
                pass
        async with pool.connection() as conn:
            await conn.execute("update outbox set sent_at = now()")


class _Worker:
    def __init__(
        self, pool: Pool, topic: str, partition: int, records: Sequence[MemoryRecord], mutant: Mutant
    ) -> None:
        self._pool, self._topic, self._partition = pool, topic, partition
        self._records, self._mutant = records, mutant
        self._dies_before = mutant.dies_before

    async def lives_to_the_end(self) -> bool:
        task, at = await self._start()
        number = 0
        while at < len(self._records):
            if number == self._dies_before:
                self._dies_before = None
                return False
            part = self._records[at : at + CHUNK]
            try:
                await task.handle(Chunk(self._topic, self._partition, part))
            except Crash:
                return False
            at, number = at + len(part), number + 1
        await task.keep_snapshot()
        return True

    async def _start(self) -> tuple[PartitionTask, int]:
        sink = self._mutant.sink(self._pool)
        registry = RegistryCache(lambda: load_registry(self._pool))
        await registry.refresh()
        engine = self._mutant.engine(engine_for(self._topic, registry, sink, Limits()))
        claim = await sink.claim(self._topic, self._partition)
        limit = DeadLetterLimit(1.0, 10**9)
        task = self._mutant.task(sink, claim, engine, limit, snapshot_s=0.0)
        start = task.start()
        return task, start.read_from if start else 0


def look(database: Database, log: Log) -> Observed:
    """What is there now."""
    return observe(database.dsn(OWNER), log.load, log.ends(), _keys(database))


def _keys(database: Database) -> set[str]:
    """The messages that were sent: all of them."""
    return {key for (key,) in ask(database, "select message_key from outbox where sent_at is not null")}


def run(database: Database, log: Log, mutant: Mutant) -> None:
    asyncio.run(process(database, log, mutant))
