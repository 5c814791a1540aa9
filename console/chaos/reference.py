"""The log straight through the product's tasks, without Faust: afresh, or on from where the workers stopped.

What the agents compute must not depend on broker, framework or restarts.
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
from streams.forecast_engine import ForecastEngine
from streams.forecasters import Forecasters
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
                task = await _task(sink, registry, topic, partition)
                records = await _read(bootstrap, TopicPartition(topic, partition), 0, end)
                await _process(task, topic, partition, records, chunk)
        partitions = 1 + max(partition for _, partition in ends)
        sink = Sink(pool, "forecast")
        for (topic, partition), messages in (await _messages(pool, partitions)).items():
            await _process(await _task(sink, registry, topic, partition), topic, partition, messages, chunk)


async def take_over(bootstrap: str, database: Database) -> None:
    """Own every partition once more, as its next worker would, and save the state that one would have.

    Workers save it when they let go of a partition. One that was killed could not, and the run may end before
    another has the partition: nothing is lost by that, but there is no state yet to compare.
    """
    async with open_pool(database.dsn(WRITER)) as pool:
        registry = RegistryCache(lambda: load_registry(pool))
        await registry.refresh()
        for sink in (Sink(pool, "score"), Sink(pool, "forecast")):
            for (topic, partition), stored in (await sink.stored_offsets()).items():
                task = await _task(sink, registry, topic, partition)
                start = task.start()
                at = TopicPartition(topic, partition)
                records = await _read(bootstrap, at, start.read_from if start else 0, stored)
                await _process(task, topic, partition, records, CHUNK)


async def _read(bootstrap: str, partition: TopicPartition, start: int, end: int) -> list[Any]:
    """A partition's records from one offset up to another."""
    found: list[Any] = []
    async with reader(bootstrap) as consumer:
        consumer.assign([partition])
        consumer.seek(partition, start)
        while await consumer.position(partition) < end:
            found += (await consumer.getmany(timeout_ms=1000)).get(partition, ())
    return [record for record in found if record.offset < end]


async def _task(sink: Sink, registry: RegistryCache, topic: str, partition: int) -> PartitionTask:
    engine: Engine = (
        engine_for(topic, registry, sink, Limits())
        if sink.consumer == "score"
        else ForecastEngine(tenant_of(topic), registry, Forecasters(RobustTrend()))
    )
    claim = await sink.claim(topic, partition)
    return PartitionTask(sink, claim, engine, DeadLetterLimit(1.0, 10**9), snapshot_s=3600.0)


async def _process(
    task: PartitionTask, topic: str, partition: int, records: Sequence[Any], chunk: int
) -> None:
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
