"""A broker inside the process: topics, partitions and consumer groups for the embedded platform and tests.

It keeps Kafka's contract as far as the transport relies on it: order within a partition, Kafka's own
partitioner, committed offsets per group, all partitions revoked and assigned anew when a member comes or
goes, commits refused to whoever does not hold the partition. What is committed by every group may be dropped
when room is needed, and a publisher waits while there is none: memory is bounded. A process that ends takes
its records along, so a restart begins each partition at the offset that the database waits for.

Everything runs in one event loop; nothing here may be called from another thread.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from weakref import WeakValueDictionary

from aiokafka.partitioner import DefaultPartitioner
from faust.types import TP

from fleet.clock import Clock, microseconds
from streams.pulse import Pulse
from streams.transports.chunk_limits import weight
from streams.transports.memory_group import Group

Headers = Sequence[tuple[str, bytes]]


class UnknownTopic(LookupError):
    """There is no such topic: create it first (`MemoryBroker.create_topic`)."""


@dataclass(frozen=True, slots=True)
class MemoryRecord:
    """A record as the broker keeps it; fits :class:`streams.record.Record`."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class PartitionLog:
    """The records of one partition from `begin` to `end` (exclusive), at most `limit` bytes of them."""

    def __init__(self, base: int, limit: int) -> None:
        self.begin = self.end = base
        self.writing = asyncio.Lock()
        self._limit = limit
        self._bytes = 0
        self._records: deque[MemoryRecord] = deque()

    def append(self, record: MemoryRecord) -> None:
        """Add a record whose offset is `end`."""
        self._records.append(record)
        self._bytes += weight(record)
        self.end += 1

    def read(self, offset: int, most: int) -> list[MemoryRecord]:
        """At most `most` records from `offset` on, or from the beginning if that is later."""
        first = max(offset - self.begin, 0)
        return list(islice(self._records, first, first + most))

    def make_room(self, size: int, floor: int) -> bool:
        """Drop records below `floor` as far as needed for `size` bytes more; whether they fit now."""
        while self._records and self._bytes + size > self._limit and self.begin < floor:
            self.drop_first()
        return not self._records or self._bytes + size <= self._limit

    def drop_first(self) -> None:
        """Forget the oldest record."""
        self._bytes -= weight(self._records.popleft())
        self.begin += 1


class MemoryBroker:
    """Topics and groups. `partition_bytes` bounds what one partition keeps; the clock gives timestamps.

    A topic that no group reads keeps its newest records within that bound.
    """

    def __init__(self, clock: Clock, partition_bytes: int = 16 << 20) -> None:
        self._clock = clock
        self._partition_bytes = partition_bytes
        self._logs: dict[str, list[PartitionLog]] = {}
        self._groups: dict[str, Group] = {}
        self._partition_of = DefaultPartitioner()
        self.news = Pulse()
        self.room = Pulse()

    def create_topic(self, name: str, partitions: int, base_offsets: Mapping[int, int] | None = None) -> None:
        """Create a topic; partition p numbers its records from `base_offsets[p]` on (0 if not given).

        Raises `ValueError` if it exists.
        """
        if name in self._logs:
            raise ValueError(f"topic {name} exists")
        bases = base_offsets or {}
        self._logs[name] = [PartitionLog(bases.get(p, 0), self._partition_bytes) for p in range(partitions)]
        for group in self._groups.values():
            group.on_new_topic(name)

    async def publish(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        partition: int | None = None,
    ) -> tuple[int, int]:
        """Append a record and return (partition, offset).

        Waits while the partition is full of records that a group has yet to commit. Raises `UnknownTopic`.
        """
        partition = self.partition_for(topic, key) if partition is None else partition
        log = self.log(TP(topic, partition))
        async with log.writing:
            timestamp = microseconds(self._clock.now()) // 1000
            record = MemoryRecord(log.end, timestamp, key, value, tuple(headers))
            while not log.make_room(weight(record), self._floor(TP(topic, partition))):
                await self.room.wait()
            log.append(record)
        self.news.beat()
        return partition, record.offset

    def _floor(self, tp: TP) -> int:
        """The offset below which no group needs the log any more."""
        log = self.log(tp)
        readers = [group for group in self._groups.values() if tp.topic in group.topics]
        return min((group.committed.get(tp, log.begin) for group in readers), default=log.end)

    def partition_for(self, topic: str, key: bytes | None) -> int:
        """The partition that Kafka's default partitioner gives a key (any, without one)."""
        partitions = list(range(self.partitions(topic)))
        chosen: int = self._partition_of(key, partitions, partitions)
        return chosen

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has; raises `UnknownTopic`."""
        if topic not in self._logs:
            raise UnknownTopic(f"{topic}: no such topic here, create it first")
        return len(self._logs[topic])

    def partitions_of(self, topics: Iterable[str]) -> list[TP]:
        """All partitions of those of the topics that exist, in order."""
        known = sorted(name for name in topics if name in self._logs)
        return [TP(name, p) for name in known for p in range(len(self._logs[name]))]

    def log(self, tp: TP) -> PartitionLog:
        """The log of a partition; raises `UnknownTopic`."""
        if tp.partition >= self.partitions(tp.topic):
            raise UnknownTopic(f"{tp.topic} has no partition {tp.partition}")
        log: PartitionLog = self._logs[tp.topic][tp.partition]
        return log

    def group(self, name: str) -> Group:
        """The consumer group of that name, new if need be."""
        if name not in self._groups:
            self._groups[name] = Group(self.partitions_of, self.room.beat)
        return self._groups[name]


_brokers: WeakValueDictionary[str, MemoryBroker] = WeakValueDictionary()


def register_broker(name: str, broker: MemoryBroker) -> MemoryBroker:
    """Let `faultline+memory://name` mean this broker for as long as someone holds it."""
    _brokers[name.lower()] = broker
    return broker


def find_broker(name: str) -> MemoryBroker:
    """The broker registered under that name; raises `LookupError`."""
    try:
        return _brokers[name.lower()]
    except KeyError:
        raise LookupError(f"no broker named {name!r} in this process: call register_broker first") from None
