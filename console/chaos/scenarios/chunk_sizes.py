"""The same input, cut into chunks of 1, 7 and 1000 records."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any

from aiokafka import TopicPartition

from console.chaos.log_reader import reader
from console.chaos.observe import observe_findings
from console.chaos.rig import Rig
from console.chaos.scenario import Scenario
from storage.bootstrap import WRITER
from storage.pool import Pool, open_pool
from storage.registry import load_registry, register
from storage.server_database import prepare_database
from storage.sink import Sink
from streams.dead_letter_limit import DeadLetterLimit
from streams.partition_task import PartitionTask
from streams.record import Chunk
from streams.registry_cache import RegistryCache
from streams.score_engine import engine_for
from streams.topics import TELEMETRY
from streams.wire.limits import Limits

SIZES = (1, 7, 1000)


async def cut(rig: Rig, random: Random) -> None:
    """What each size makes of the log must be equal to the bit."""
    await rig.until_share_stored(1.0)
    await rig.until_settled(120.0)
    found = {}
    for size in SIZES:
        database = await asyncio.to_thread(
            prepare_database, rig.servers.postgres, f"{rig.database.name}_{size}"
        )
        async with open_pool(database.dsn(WRITER)) as pool:
            await register(pool, rig.load.fleet())
            for (topic, partition), (_, end) in (await rig.ends()).items():
                if topic.startswith(TELEMETRY) and end:
                    records = await _records(rig.bootstrap, TopicPartition(topic, partition), end)
                    await _process(pool, topic, partition, records, size)
        found[size] = await asyncio.to_thread(observe_findings, database.superuser_dsn, rig.load)
    assert found[1].episodes, "there is nothing to compare"
    for size in SIZES[1:]:
        assert found[size] == found[1], f"chunks of {size} records make something else than single ones"


async def _records(bootstrap: str, partition: TopicPartition, end: int) -> list[Any]:
    found: list[Any] = []
    async with reader(bootstrap) as consumer:
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        while len(found) < end:
            found += (await consumer.getmany(timeout_ms=1000)).get(partition, ())
    return found


async def _process(pool: Pool, topic: str, partition: int, records: Sequence[Any], size: int) -> None:
    sink, registry = Sink(pool, "score"), RegistryCache(lambda: load_registry(pool))
    await registry.refresh()
    engine = engine_for(topic, registry, sink, Limits())
    claim = await sink.claim(topic, partition)
    task = PartitionTask(sink, claim, engine, DeadLetterLimit(1.0, 10**9), snapshot_s=3600.0)
    for start in range(0, len(records), size):
        await task.handle(Chunk(topic, partition, records[start : start + size]))
    await task.keep_snapshot()


SCENARIOS = [
    Scenario(
        "chunk_sizes",
        "the same log in chunks of 1, 7 and 1000 records",
        cut,
        workers=1,
        assets=2,
        records=4400,
    )
]
