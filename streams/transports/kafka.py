"""The Kafka transport, `faultline+kafka://host:port`: Faust's aiokafka driver, delivering chunks."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import Any, TypeVar

from aiokafka import OffsetAndMetadata, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.transports.chunk_consumer import FAREWELL_S, ChunkConsumer

T = TypeVar("T")

SINGLY, SINGLY_WAIT_MS = 500, 5_000
"""Records read one by one beside an unreadable one, and how long each is waited for: longer than the 1.5 s
that a fetch may stand at the broker for other partitions, because behind it ours is asked for only then."""


class ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Where aiokafka runs."""

    async def on_thread_stop(self) -> None:
        """Leave the group and close, as far as the broker lets us; else the session runs out.

        In a task of its own because aiokafka 0.14, when the broker is gone, lets the cancellation of its own
        fetches escape from `stop`, on which Faust's thread would end without telling anyone.
        """
        leaving = asyncio.create_task(super().on_thread_stop())
        await asyncio.wait({leaving}, timeout=FAREWELL_S)
        if leaving.done() and not leaving.cancelled() and (error := leaving.exception()):
            self.log.warning("left the broker without farewell: %r", error)

    async def stop(self) -> None:
        """Stop; a thread that never ran, because there was no broker, only has its loop closed."""
        await super().stop()
        if not self._thread_started.is_set():
            self.thread_loop.close()


class Consumer(ChunkConsumer, driver.Consumer):  # type: ignore[misc]
    """Reads chunks; aiokafka itself runs in the driver's own thread, so heartbeats survive busy agents."""

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _getmany(
        self,
        active_partitions: Collection[TP],
        timeout: float,  # noqa: ASYNC109
    ) -> Mapping[TP, Any]:
        consumer = self._thread._ensure_consumer()
        partitions = [TopicPartition(*tp) for tp in active_partitions]

        async def poll() -> Mapping[TP, Any]:
            if not self.flow_active:  # a rebalance began while this call was queued
                return {}
            records: Mapping[TP, Any] = await consumer.getmany(*partitions, timeout_ms=int(timeout * 1000))
            return records

        try:
            return await self._in_thread(poll)
        except UnicodeDecodeError:
            return await self._one_by_one(partitions)

    async def _one_by_one(self, partitions: Collection[TopicPartition]) -> Mapping[TP, Any]:
        """aiokafka fails on a header whose name is no UTF-8: read up to it, give up its partition alone."""
        consumer, found = self._thread._ensure_consumer(), dict[TP, Any]()
        for tp in (TP(*partition) for partition in partitions):
            reading = self._readings.reading(tp)
            if reading is None:
                continue
            await self.seek_wait({tp: reading.position})  # what was fetched is of no use any more
            waiting = self.highwater(tp) - reading.position
            records, readable = await self._in_thread(
                partial(_read_singly, consumer, TopicPartition(*tp), min(waiting, SINGLY))
            )
            if records:
                found[tp] = records
            if not readable:
                offset = records[-1].offset + 1 if records else reading.position
                self._give_up(tp, f"the record at offset {offset} has a header whose name is no UTF-8")
        return found

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        consumer = self._thread._ensure_consumer()
        wanted = {TopicPartition(*tp): OffsetAndMetadata(offset, "") for tp, offset in offsets.items()}

        async def commit() -> bool:
            try:
                await consumer.commit(wanted)
            except (CommitFailedError, IllegalStateError):
                return False  # the group has rebalanced: the partitions' next owner will commit
            return True

        return await self._in_thread(commit)

    def highwater(self, tp: TP) -> int:
        """The offset after the newest record as of the last fetch; 0 before the first one, or if revoked."""
        consumer = self._thread._ensure_consumer()
        return (consumer.highwater(tp) or 0) if tp in consumer.assignment() else 0

    async def committed_offsets(self, partitions: Collection[TP]) -> Mapping[TP, int | None]:
        """What the group has committed, as the broker knows it."""
        consumer = self._thread._ensure_consumer()

        async def ask() -> Mapping[TP, int | None]:
            offsets = await asyncio.gather(*(consumer.committed(TopicPartition(*tp)) for tp in partitions))
            return dict(zip(partitions, offsets, strict=True))

        return await self._in_thread(ask)

    async def _in_thread(self, call: Callable[[], Awaitable[T]]) -> T:
        result: T = await self._thread.call_thread(call)
        return result


async def _read_singly(consumer: Any, partition: TopicPartition, count: int) -> tuple[list[Any], bool]:
    """At most so many of the next records, and whether the one behind them can be read."""
    records: list[Any] = []
    try:
        while len(records) < count:
            fetched = await consumer.getmany(partition, timeout_ms=SINGLY_WAIT_MS, max_records=1)
            if not fetched:
                break
            records += fetched[partition]
    except UnicodeDecodeError:
        return records, False
    return records, True


class Transport(driver.Transport):  # type: ignore[misc]
    """Faust finds it by the URL's scheme, through the entry point."""

    Consumer = Consumer
