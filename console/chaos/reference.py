"""The undisturbed run: the same log through the embedded platform, into a database of its own."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from aiokafka import TopicPartition

from console.chaos.load import Load
from console.chaos.log_reader import reader
from console.chaos.observed import Place
from console.databases import Databases
from console.platform import platform
from console.serving import beside
from console.settings import Settings, load_settings
from storage.bootstrap import OWNER, WRITER
from storage.pool import open_pool
from storage.registry import register
from storage.server_database import Database
from streams.topics import TELEMETRY
from streams.transports.memory_broker import MemoryBroker, find_broker


async def run_undisturbed(
    bootstrap: str, ends: Mapping[Place, tuple[int, int]], load: Load, database: Database, folder: Path
) -> None:
    """Fill the database as it must look in the end."""
    settings = settings_for(database, folder, partitions=1 + max(partition for _, partition in ends))
    found = Databases(database.dsn(WRITER), database.dsn(OWNER))
    async with open_pool(found.writer) as pool:
        await register(pool, load.fleet())
    async with platform(settings, found) as running:

        async def fed() -> None:
            broker = find_broker("embedded")
            for (topic, partition), (begin, end) in sorted(ends.items()):
                if topic.startswith(TELEMETRY) and end > begin:
                    await _copy(bootstrap, TopicPartition(topic, partition), end, broker)
            await running.drained()

        await beside(running.run(), fed())


def settings_for(database: Database, folder: Path, partitions: int) -> Settings:
    """Settings of an embedded platform on that database, with limits that no load trips."""
    return load_settings(
        kafka=None,
        database=database.dsn(WRITER),
        data_dir=folder,
        partitions=partitions,
        dead_letter_share=1.0,
        dead_letter_run=10**9,
    )


async def _copy(bootstrap: str, partition: TopicPartition, end: int, broker: MemoryBroker) -> None:
    """A partition's records, at the same offsets."""
    async with reader(bootstrap) as consumer:
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        position = 0
        while position < end:
            for record in (await consumer.getmany(timeout_ms=1000)).get(partition, ()):
                place = (partition.topic, record.key, record.value, record.headers, partition.partition)
                _, offset = await broker.publish(*place)
                position = offset + 1
            await asyncio.sleep(0)
