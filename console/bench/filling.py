"""Records into a topic, as fast as one core can: whole batches, each built for its partition."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner

from streams.kafka_access import KafkaAccess
from streams.topics import create_topics

PARTITIONS = 6
"""As many as the platform gives a new topic."""

BATCH_BYTES = 256 << 10

KeyedValue = tuple[bytes, bytes]


class Filler:
    """Sends to one topic, each key to the partition that Kafka's default partitioner gives it."""

    def __init__(self, producer: AIOKafkaProducer, topic: str) -> None:
        self._producer = producer
        self._topic = topic

    async def send(self, records: Iterable[KeyedValue]) -> dict[int, int]:
        """Send the records and wait until the broker has them; returns partition to its new end offset."""
        batches: dict[int, Any] = {}
        sent, now = [], int(time.time() * 1000)
        for key, value in records:
            partition = partition_of(key)
            batch = batches.get(partition) or self._producer.create_batch()
            if batch.append(timestamp=now, key=key, value=value) is None:
                sent.append(await self._submit(partition, batch))
                batch = self._producer.create_batch()
                batch.append(timestamp=now, key=key, value=value)
            batches[partition] = batch
        sent += [await self._submit(partition, batch) for partition, batch in batches.items()]
        return dict(sorted(await asyncio.gather(*sent)))  # of a partition's batches the last one counts

    async def _submit(self, partition: int, batch: Any) -> asyncio.Task[tuple[int, int]]:
        landing = await self._producer.send_batch(batch, self._topic, partition=partition)

        async def landed() -> tuple[int, int]:
            return partition, (await landing).offset + batch.record_count()

        return asyncio.create_task(landed())


@cache
def partition_of(key: bytes) -> int:
    """The partition of a key, as Kafka's default partitioner has it."""
    every = list(range(PARTITIONS))
    chosen: int = DefaultPartitioner()(key, every, every)
    return chosen


@asynccontextmanager
async def filler(bootstrap: str, topic: str) -> AsyncIterator[Filler]:
    """A filler of the topic, which is made if need be."""
    await asyncio.to_thread(create_topics, KafkaAccess(bootstrap), [topic], PARTITIONS)
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, max_batch_size=BATCH_BYTES
    )
    await producer.start()
    try:
        yield Filler(producer, topic)
    finally:
        await producer.stop()


def fill(bootstrap: str, topic: str, records: Iterable[KeyedValue]) -> None:
    """Put the records into the topic."""

    async def run() -> None:
        async with filler(bootstrap, topic) as open_filler:
            await open_filler.send(records)

    asyncio.run(run())
