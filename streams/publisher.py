"""How gateways put a record into the log: one port, two brokers."""

from collections.abc import Awaitable, Sequence
from typing import Protocol

from aiokafka import AIOKafkaProducer

from streams.kafka_access import KafkaAccess
from streams.transports.memory_broker import MemoryBroker

Headers = Sequence[tuple[str, bytes]]


class Publisher(Protocol):
    """Sends records in the order of the calls."""

    async def send(
        self, topic: str, key: bytes, value: bytes, headers: Headers
    ) -> Awaitable[tuple[int, int]]:
        """Returns when the record has its place in the queue; await the result for (partition, offset)."""
        ...

    async def close(self) -> None:
        """Send what is left and let go."""
        ...


class KafkaPublisher:
    """Over aiokafka, acknowledged by all in-sync replicas, idempotent."""

    def __init__(self, access: KafkaAccess) -> None:
        self._producer = AIOKafkaProducer(
            **access.options,
            acks="all",
            enable_idempotence=True,
            linger_ms=5,
            request_timeout_ms=30_000,
        )

    async def start(self) -> None:
        """Connect; raises `aiokafka.errors.KafkaConnectionError`."""
        await self._producer.start()

    async def send(
        self, topic: str, key: bytes, value: bytes, headers: Headers
    ) -> Awaitable[tuple[int, int]]:
        """The result is known once all in-sync replicas have the record."""
        sent = await self._producer.send(topic, value, key=key, headers=list(headers))

        async def landed() -> tuple[int, int]:
            metadata = await sent
            return metadata.partition, metadata.offset

        return landed()

    async def close(self) -> None:
        """Send what is left and disconnect."""
        await self._producer.stop()


class MemoryPublisher:
    """Into the in-process broker."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    async def send(
        self, topic: str, key: bytes, value: bytes, headers: Headers
    ) -> Awaitable[tuple[int, int]]:
        """Waits while the broker has no room; the record is as durable as this process."""
        place = await self._broker.publish(topic, key, value, headers)

        async def landed() -> tuple[int, int]:
            return place

        return landed()

    async def close(self) -> None:
        """Nothing to let go of."""
