"""The undisturbed run: the same log, straight through the product's tasks into a database of its own.

No broker, no Faust, no restart: what the agents compute must not depend on any of them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.partitioner import DefaultPartitioner

from console.chaos.load import Load
from console.chaos.log_reader import reader
from console.chaos.observed import Place
from forecasting.robust_trend import RobustTrend
from storage.bootstrap import WRITER
from storage.outbox import Outbox
from storage.pool import Pool, open_pool
from storage.registry import load_registry, register
from storage.server.database import Database
from storage.sink import Sink
from streams.dead_letter_limit import DeadLetterLimit
from streams.forecast_engine import ForecastEngine, Forecasters
from streams.partition_task import Engine, PartitionTask
from streams.record import Chunk
from streams.registry_cache import RegistryCache
from streams.score_engine import engine_for
from streams.topics import TELEMETRY, tenant_of
from streams.transports.memory_broker import MemoryRecord
from streams.wire.limits import Limits

CHUNK = 1000
BATCH = 10_000


async def run_undisturbed(
    bootstrap: str, ends: Mapping[Place, tuple[int, int]], load: Load, database: Database, chunk: int = CHUNK
) -> None:
    """Fill the database as it must look in the end, `chunk` records at a time."""
    async with open_pool(database.dsn(WRITER)) as pool:
        await register(pool, load.fleet())
        registry = RegistryCache(lambda: load_registry(pool))
        await registry.refresh()
        sink = Sink(pool, "score")
        for (topic, partition), (_, end) in sorted(ends.items()):
            if topic.startswith(TELEMETRY) and end:
                records = await _read(bootstrap, TopicPartition(topic, partition), end)
                engine = engine_for(topic, registry, sink, Limits())
                await _process(sink, engine, topic, partition, records, chunk)
        partitions = 1 + max(partition for _, partition in ends)
        sink = Sink(pool, "forecast")
        for (topic, partition), messages in (await _messages(pool, partitions)).items():
            forecaster = ForecastEngine(tenant_of(topic), registry, Forecasters(RobustTrend()))
            await _process(sink, forecaster, topic, partition, messages, chunk)


async def _read(bootstrap: str, partition: TopicPartition, end: int) -> list[Any]:
    """All records of a partition, which begins at 0."""
    found: list[Any] = []
    async with reader(bootstrap) as consumer:
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        while len(found) < end:
            found += (await consumer.getmany(timeout_ms=1000)).get(partition, ())
    return found


async def _process(
    sink: Sink, engine: Engine, topic: str, partition: int, records: Sequence[Any], chunk: int
) -> None:
    claim = await sink.claim(topic, partition)
    task = PartitionTask(sink, claim, engine, DeadLetterLimit(1.0, 10**9), snapshot_s=3600.0)
    for start in range(0, len(records), chunk):
        await task.handle(Chunk(topic, partition, records[start : start + chunk]))
    await task.keep_snapshot()


async def _messages(pool: Pool, partitions: int) -> dict[Place, list[MemoryRecord]]:
    """What the outbox holds, as the log would have it; marked as sent."""
    found: dict[Place, list[MemoryRecord]] = defaultdict(list)
    partition_of, places = DefaultPartitioner(), list(range(partitions))
    more = True
    while more:
        async with Outbox(pool).lease(BATCH) as messages:
            for one in messages:
                log = found[one.topic, partition_of(one.key, places, places)]
                log.append(MemoryRecord(len(log), 0, one.key, one.value, one.headers))
            more = bool(messages)
    return found
