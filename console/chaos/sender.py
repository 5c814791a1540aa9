"""Sends a load to Kafka and writes the ledger."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError

from console.chaos.item import Item
from console.chaos.ledger import Entry, LedgerFile, Outcome, entry

BATCH = 500
PATIENCE_MS = 600_000
"""How long a record waits for a broker that is away."""


async def send(
    bootstrap: str, items: Iterable[Item], ledger: Path, rate: float, tell: Callable[[int], None]
) -> None:
    """Send in order, at most `rate` records a second; `tell` hears how many have an outcome."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        request_timeout_ms=PATIENCE_MS,
        retry_backoff_ms=200,
    )
    await producer.start()
    began, sent = time.monotonic(), 0
    try:
        with LedgerFile(ledger) as file:
            for batch in _batches(items):
                file.write(await asyncio.gather(*[await _send(producer, item) for item in batch]))
                sent += len(batch)
                tell(sent)
                await asyncio.sleep(max(0.0, began + sent / rate - time.monotonic()))
    finally:
        with suppress(KafkaError):
            await producer.stop()


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    each = iter(items)
    while batch := list(islice(each, BATCH)):
        yield batch


async def _send(producer: AIOKafkaProducer, item: Item) -> "asyncio.Task[Entry]":
    sent = await producer.send(item.topic, item.value, item.key, headers=list(item.headers))
    return asyncio.create_task(_outcome(item, sent))


async def _outcome(item: Item, sent: "asyncio.Future[object]") -> Entry:
    try:
        place = await sent
    except KafkaTimeoutError:
        return entry(item, Outcome.UNKNOWN)
    except KafkaError:
        return entry(item, Outcome.FAILED)
    return entry(item, Outcome.ACKNOWLEDGED, place.partition, place.offset)  # type: ignore[attr-defined]
