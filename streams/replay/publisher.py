"""Where replayed frames go: one port, and Kafka behind it."""

import asyncio
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from faust.types import TP
from kafka import KafkaProducer
from kafka.errors import KafkaError

from streams.kafka_access import KafkaAccess
from streams.publisher import Headers
from streams.publisher import Publisher as AsyncPublisher
from streams.relay import Durable

T = TypeVar("T")

UNDER_WAY = 500
"""Records handed to an event loop that need not have their place yet; they keep their order."""

LOOK_EVERY_S = 0.5
ENDED = "the platform has ended"


class Publisher(Protocol):
    """Takes records in order; what a return of `flush` has covered is in the log."""

    def publish(self, topic: str, key: bytes, value: bytes, headers: Headers) -> None:
        """Hand over a record; raises `PublishError` if this or an earlier one was refused for good."""
        ...

    def flush(self) -> None:
        """Wait until all records are in the log; raises `PublishError` if one was refused for good."""
        ...


class PublishError(Exception):
    """The broker did not take a record; send the file again with --resume once the cause is mended."""


class KafkaPublisher:
    """Over kafka-python, acknowledged by all in-sync replicas, idempotent."""

    def __init__(self, access: KafkaAccess, **settings: Any) -> None:
        try:
            self._producer = KafkaProducer(
                client_id="faultline-replay",
                acks="all",
                enable_idempotence=True,
                linger_ms=20,
                batch_size=256 << 10,
                **{**access.options, "bootstrap_timeout_ms": 10_000, **settings},
            )
        except KafkaError as error:
            raise PublishError(f"no Kafka at {access.servers}: {error}: {access.doubts}") from error
        self._refused: BaseException | None = None

    def publish(self, topic: str, key: bytes, value: bytes, headers: Headers) -> None:
        """Hand over a record; waits while the producer's memory is full."""
        self._check()
        try:
            self._producer.send(topic, value, key=key, headers=list(headers)).add_errback(self._refuse)
        except KafkaError as error:
            raise PublishError(f"topic {topic}: {error}") from error

    def flush(self) -> None:
        """Wait for the acknowledgement of everything handed over."""
        try:
            self._producer.flush()
        except KafkaError as error:
            raise PublishError(str(error)) from error
        self._check()

    def close(self) -> None:
        """Send what is left and disconnect."""
        self._producer.close()

    def _refuse(self, error: BaseException) -> None:
        self._refused = self._refused or error

    def _check(self) -> None:
        if self._refused is not None:
            raise PublishError(f"a record was refused: {self._refused}") from self._refused


class BridgePublisher:
    """From a thread into an event loop's publisher, as the embedded platform's in-memory broker has one."""

    def __init__(self, publisher: AsyncPublisher, durable: Durable, loop: asyncio.AbstractEventLoop) -> None:
        self._publisher = publisher
        self._durable = durable
        self._loop = loop
        self._under_way: deque[tuple[str, Future[tuple[int, int]]]] = deque()
        self._latest: dict[TP, int] = {}
        self._closed = False

    def publish(self, topic: str, key: bytes, value: bytes, headers: Headers) -> None:
        """Hand over a record; waits while many are under way, or the broker has no room.

        Raises `PublishError` once closed.
        """
        if self._closed:
            raise PublishError(ENDED)
        sending = asyncio.run_coroutine_threadsafe(self._send(topic, key, value, headers), self._loop)
        self._under_way.append((topic, sending))
        self._wait_for_all_but(UNDER_WAY)

    def flush(self) -> None:
        """Wait until all are safe from the end of the process; raises `PartitionStopped`."""
        self._wait_for_all_but(0)
        latest, self._latest = self._latest, {}
        self._result(asyncio.run_coroutine_threadsafe(self._all_durable(latest), self._loop))

    def close(self) -> None:
        """Take nothing more: the loop's side has ended, and a thread that waits for it would for ever."""
        self._closed = True

    def _wait_for_all_but(self, count: int) -> None:
        while len(self._under_way) > count:
            topic, sending = self._under_way.popleft()
            partition, offset = self._result(sending)
            self._latest[TP(topic, partition)] = offset

    def _result(self, future: Future[T]) -> T:
        while not self._closed:
            with suppress(TimeoutError):
                return future.result(LOOK_EVERY_S)
            if future.done():
                return future.result()
        future.cancel()
        raise PublishError(ENDED)

    async def _send(self, topic: str, key: bytes, value: bytes, headers: Headers) -> tuple[int, int]:
        return await (await self._publisher.send(topic, key, value, headers))

    async def _all_durable(self, latest: dict[TP, int]) -> None:
        await asyncio.gather(*(self._durable(tp, offset) for tp, offset in latest.items()))
