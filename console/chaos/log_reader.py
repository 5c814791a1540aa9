"""A consumer without a group, to look at a log from outside."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer


@asynccontextmanager
async def reader(bootstrap: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A started consumer that commits nothing; partitions are assigned by hand."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    await asyncio.sleep(0)  # aiokafka 0.14 cannot be stopped before its own task has run once
    try:
        yield consumer
    finally:
        await consumer.stop()
