"""Sends what transactions left in the outbox, at least once and in order, then marks it sent."""

import asyncio

import structlog

from storage.outbox import Outbox
from streams import metrics
from streams.patience import OUTAGE
from streams.publisher import Publisher

log = structlog.get_logger()

BATCH = 500
IDLE_PAUSE_S = 0.25


class Relay:
    """Moves the outbox to the broker. One at a time over all processes, so that order is kept."""

    def __init__(self, outbox: Outbox, publisher: Publisher) -> None:
        self._outbox = outbox
        self._publisher = publisher

    async def run(self) -> None:
        """Send until cancelled; outages are waited out."""
        while True:
            try:
                sent = await self.send_batch()
            except OUTAGE as error:
                log.warning("outbox waits", error=type(error).__name__)
                sent = 0
            if not sent:
                await asyncio.sleep(IDLE_PAUSE_S)

    async def send_batch(self) -> int:
        """Send the oldest unsent messages; returns how many. A crash before the mark sends them again."""
        async with self._outbox.lease(BATCH) as messages:
            landing = [
                await self._publisher.send(message.topic, message.key, message.value, message.headers)
                for message in messages
            ]
            await asyncio.gather(*landing)
        metrics.OUTBOX_SENT.inc(len(messages))
        return len(messages)
