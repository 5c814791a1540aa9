"""The in-process transport, `faultline+memory://name`: reads the broker registered under that name."""

import asyncio
from collections.abc import Awaitable, Collection, Iterable, Mapping
from typing import Any

from faust.transport import base
from faust.types import TP, RecordMetadata

from streams.transports.chunk_consumer import ChunkConsumer
from streams.transports.memory_broker import Headers, MemoryBroker, MemoryRecord, find_broker
from streams.transports.memory_group import Group


class Consumer(ChunkConsumer, base.Consumer):  # type: ignore[misc]
    """Reads chunks from the in-process broker."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._broker: MemoryBroker = self.transport.broker
        self._group: Group = self._broker.group(self.app.conf.id)
        self._assigned: set[TP] = set()
        self._next: dict[TP, int] = {}

    # The group's side.

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Join the group; the assignment follows."""
        self._group.join(self, frozenset(topics))

    async def revoke(self, partitions: set[TP]) -> None:
        """The group takes all partitions back."""
        self.app.on_rebalance_start()
        await self.wait(self.on_partitions_revoked(partitions))
        self._assigned = set()

    async def assign(self, partitions: set[TP], generation: int) -> None:
        """The group hands out partitions."""
        self._assigned = partitions
        self.app.consumer_generation_id = generation
        await self.wait(self.on_partitions_assigned(set(partitions), generation))

    async def on_stop(self) -> None:
        """Commit a last time, then leave the group."""
        await super().on_stop()
        self._group.leave(self)

    # The log's side.

    async def _getmany(
        self,
        active_partitions: Collection[TP],
        timeout: float,  # noqa: ASYNC109
    ) -> Mapping[TP, list[MemoryRecord]]:
        records = self._read(active_partitions)
        if not records:
            await self._broker.news.wait(timeout)
            records = self._read(active_partitions)
        return records

    def _read(self, partitions: Collection[TP]) -> Mapping[TP, list[MemoryRecord]]:
        most = self._limits.chunk_records
        found = {tp: self._broker.log(tp).read(self._next[tp], most) for tp in sorted(partitions)}
        self._next.update({tp: records[-1].offset + 1 for tp, records in found.items() if records})
        return found if any(found.values()) else {}

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        return self._group.commit(self, offsets)

    async def committed_offsets(self, partitions: Collection[TP]) -> Mapping[TP, int | None]:
        """What the group has committed."""
        return {tp: self._group.committed.get(tp) for tp in partitions}

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Read on from these offsets."""
        for tp, offset in partitions.items():
            await self._seek(tp, offset)

    async def _seek(self, partition: TP, offset: int) -> None:
        self._next[partition] = offset
        self._group.rewind(partition, offset)

    def assignment(self) -> set[TP]:
        """The partitions this member reads."""
        return set(self._assigned)

    async def position(self, tp: TP) -> int | None:
        """The offset to be fetched next."""
        return self._next.get(tp)

    def highwater(self, tp: TP) -> int:
        """The offset that the partition's next record will get."""
        return self._broker.log(tp).end

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """The offset that each partition's next record will get."""
        return {tp: self._broker.log(tp).end for tp in partitions}

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        """The offset of each partition's oldest record."""
        return {tp: self._broker.log(tp).begin for tp in partitions}

    def topic_partitions(self, topic: str) -> int | None:
        """How many partitions the topic has."""
        return self._broker.partitions(topic)

    def key_partition(self, topic: str, key: bytes | None, partition: int | None = None) -> int | None:
        """Where a record with that key goes."""
        return self._broker.partition_for(topic, key) if partition is None else partition

    async def create_topic(self, topic: str, partitions: int, *args: Any, **kwargs: Any) -> None:
        """Refuse: topics are made by whoever knows where their numbering begins."""
        raise NotImplementedError("create topics with MemoryBroker.create_topic")

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)

    def _to_message(self, tp: TP, record: Any) -> Any:
        raise NotImplementedError("records travel in chunks")


class Producer(base.Producer):  # type: ignore[misc]
    """Publishes to the in-process broker."""

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: Headers | Mapping[str, bytes] | None,
        *,
        transactional_id: str | None = None,
    ) -> Awaitable[RecordMetadata]:
        """Publish; the broker's clock gives the timestamp, not the caller."""
        pairs = tuple(headers.items()) if isinstance(headers, Mapping) else tuple(headers or ())
        where, offset = await self.transport.broker.publish(topic, key, value, pairs, partition)
        sent: asyncio.Future[RecordMetadata] = asyncio.get_running_loop().create_future()
        sent.set_result(RecordMetadata(topic, where, TP(topic, where), offset))
        return sent

    async def send_and_wait(self, *args: Any, **kwargs: Any) -> RecordMetadata:
        """Publish and return where the record went."""
        return await (await self.send(*args, **kwargs))

    async def flush(self) -> None:
        """Send what Faust has buffered."""
        await self.buffer.flush()

    async def create_topic(self, topic: str, partitions: int, *args: Any, **kwargs: Any) -> None:
        """Refuse: topics are made by whoever knows where their numbering begins."""
        raise NotImplementedError("create topics with MemoryBroker.create_topic")

    def key_partition(self, topic: str, key: bytes) -> TP:
        """Where a record with that key goes."""
        return TP(topic, self.transport.broker.partition_for(topic, key))

    def supports_headers(self) -> bool:
        """They are kept."""
        return True


class Transport(base.Transport):  # type: ignore[misc]
    """Faust finds it by the URL's scheme, through the entry point."""

    Consumer = Consumer
    Producer = Producer
    driver_version = "memory"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.broker: MemoryBroker = find_broker(self.url[0].host)
