"""Sends what transactions left in the outbox, at least once and in order, then marks it sent."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog
from aiokafka.errors import KafkaError
from faust.types import TP

from storage import crash_point
from storage.chunk_result import OutboxMessage
from storage.outbox import Outbox
from streams import metrics
from streams.errors import PartitionStopped
from streams.publisher import Publisher
from streams.retry import OUTAGE

log = structlog.get_logger()

BATCH = 500
IDLE_PAUSE_S = 0.25

Durable = Callable[[TP, int], Awaitable[None]]
"""Returns once the record at an offset can no longer be lost; raises `PartitionStopped`."""


class Relay:
    """Moves the outbox to the broker. One at a time over all processes, so that order is kept."""

    def __init__(self, outbox: Outbox, publisher: Publisher, durable: Durable) -> None:
        self._outbox = outbox
        self._publisher = publisher
        self._durable = durable

    async def run(self) -> None:
        """Send until cancelled; outages are waited out."""
        while True:
            try:
                sent = await self.send_batch()
            except (*OUTAGE, KafkaError, PartitionStopped) as error:
                log.warning("outbox waits", error=repr(error))
                sent = 0
            if not sent:
                await asyncio.sleep(IDLE_PAUSE_S)

    async def send_batch(self) -> int:
        """Send the oldest unsent messages; returns how many. A crash before the mark sends them again."""
        async with self._outbox.lease(BATCH) as messages:
            await self._send_all(messages)
            if messages:
                crash_point.reached("after_outbox_send")
        metrics.OUTBOX_SENT.inc(len(messages))
        return len(messages)

    async def _send_all(self, messages: Sequence[OutboxMessage]) -> None:
        """Send in order; returns once the fate of each is known, raises the first one's error.

        What is still on its way when an earlier one fails would overtake it: the next try begins with the
        earlier one, and whoever reads the topic would meet it after later ones.
        """
        landing: list[Awaitable[None]] = []
        try:
            for message in messages:
                landing.append(await self._send(message))  # noqa: PERF401 - those that left, if one cannot
        except KafkaError:
            await asyncio.gather(*landing, return_exceptions=True)
            raise
        for fate in await asyncio.gather(*landing, return_exceptions=True):
            if fate is not None:
                raise fate

    async def _send(self, message: OutboxMessage) -> Awaitable[None]:
        place = await self._publisher.send(message.topic, message.key, message.value, message.headers)

        async def landed() -> None:
            partition, offset = await place
            await self._durable(TP(message.topic, partition), offset)

        return landed()
