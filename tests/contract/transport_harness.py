"""What the transports' contract suite runs on: a broker behind one face, and a worker to put on it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from types import TracebackType
from typing import Any, Protocol
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from faust.types import TP

from fleet.clock import SystemClock
from streams.record import Chunk
from streams.transports.app import ChunkApp
from streams.transports.chunk_limits import ChunkLimits
from streams.transports.chunk_stream import Ack, chunks
from streams.transports.memory_broker import MemoryBroker, register_broker
from streams.transports.positions import Positions, Start

ONE_BY_ONE = ChunkLimits(chunk_records=1)
"""Every record a chunk of its own, so that a test decides about each."""

PATIENCE_S = 60.0


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait for what must happen; a timeout is a failure, not a measurement."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            holds = condition()
            if holds if isinstance(holds, bool) else await holds:
                return
            await asyncio.sleep(0.005)


class Broker(Protocol):
    """A broker as the suite needs it."""

    url: str

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def create_topic(self, partitions: int) -> str:
        """A fresh topic; returns its name."""
        ...

    async def publish(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int | None = None,
    ) -> tuple[int, int]: ...

    async def committed(self, group: str, tp: TP) -> int | None: ...

    async def expire(self, tp: TP, before: int) -> None:
        """Drop a partition's records below an offset, read or not."""
        ...


class InMemory:
    """The in-process broker."""

    def __init__(self) -> None:
        name = uuid4().hex
        self.url = f"faultline+memory://{name}"
        self.broker = register_broker(name, MemoryBroker(SystemClock()))
        self.publish = self.broker.publish

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def create_topic(self, partitions: int) -> str:
        topic = f"t-{uuid4().hex}"
        self.broker.create_topic(topic, partitions)
        return topic

    async def committed(self, group: str, tp: TP) -> int | None:
        return self.broker.group(group).committed.get(tp)

    async def expire(self, tp: TP, before: int) -> None:
        log = self.broker.log(tp)
        while log.begin < before:
            log.drop_first()


class RealKafka:
    """Apache Kafka."""

    def __init__(self, bootstrap: str) -> None:
        self.url = f"faultline+kafka://{bootstrap}"
        self._admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        self._producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
        self._topics: list[str] = []

    async def start(self) -> None:
        await self._admin.start()
        await self._producer.start()

    async def stop(self) -> None:
        await self._producer.stop()
        if self._topics:
            await self._admin.delete_topics(self._topics)
        await self._admin.close()

    async def create_topic(self, partitions: int) -> str:
        topic = f"t-{uuid4().hex}"
        await self._admin.create_topics([NewTopic(topic, partitions, 1)])
        self._topics.append(topic)
        return topic

    async def publish(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int | None = None,
    ) -> tuple[int, int]:
        sent = await self._producer.send_and_wait(topic, value, key, partition, headers=list(headers))
        return sent.partition, sent.offset

    async def committed(self, group: str, tp: TP) -> int | None:
        offsets: Mapping[Any, Any] = await self._admin.list_consumer_group_offsets(group)
        known = offsets.get(TopicPartition(*tp))
        return None if known is None or known.offset < 0 else known.offset

    async def expire(self, tp: TP, before: int) -> None:
        await self._admin.delete_records({TopicPartition(*tp): RecordsToDelete(before)})


class Worker:
    """One worker process, as far as the transport is concerned: an app with one agent.

    By default the agent keeps what it gets, unacknowledged, for the test to acknowledge.
    """

    def __init__(
        self,
        broker: Broker,
        topic: str,
        group: str,
        *,
        on_chunk: Callable[[Chunk, Ack], None] = lambda chunk, ack: None,
        positions: Positions | None = None,
        limits: ChunkLimits = ONE_BY_ONE,
        commit_interval_s: float = 3600.0,
        member: str | None = None,
    ) -> None:
        self.chunks: list[Chunk] = []
        self.acks: list[Ack] = []
        self._on_chunk = on_chunk
        self.free = asyncio.Event()
        """While this is clear the agent is busy with what it has got."""
        self.free.set()
        self.app = ChunkApp(
            group,
            broker.url,
            positions=positions,
            limits=limits,
            commit_interval_s=commit_interval_s,
            session_timeout_s=10.0,
            heartbeat_interval_s=0.1,
            member=member,
        )
        self.app.agent(self.app.chunk_topic(topic), name="agent")(self._agent)
        self._serving: asyncio.Task[None] | None = None

    async def _agent(self, stream: Any) -> None:
        async for chunk, ack in chunks(stream):
            self.chunks.append(chunk)
            self.acks.append(ack)
            self._on_chunk(chunk, ack)
            await self.free.wait()

    async def __aenter__(self) -> "Worker":
        self._serving = asyncio.create_task(self.app.serve())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.app.stop()
        if self._serving is not None:
            await self._serving

    async def crash(self) -> BaseException:
        """Wait for the app to crash and return why."""
        assert self._serving is not None
        serving, self._serving = self._serving, None
        async with asyncio.timeout(PATIENCE_S):
            (outcome,) = await asyncio.gather(serving, return_exceptions=True)
        assert isinstance(outcome, BaseException)
        return outcome

    async def die(self) -> None:
        """End without a last commit, as a killed process does."""
        self.app.consumer._commit = self._refuse
        await self.app.stop()

    async def _refuse(self, offsets: Mapping[TP, int]) -> bool:
        return False

    async def got(self, count: int) -> None:
        """Wait until so many chunks have been delivered."""
        await until(lambda: self._alive() and len(self.chunks) >= count)

    def _alive(self) -> bool:
        assert self._serving is not None
        assert not self._serving.done(), self._serving.exception()
        return True

    async def assigned(self, count: int) -> None:
        """Wait until the worker reads so many partitions."""
        await until(lambda: self._alive() and len(list(self.app.consumer._readings)) == count)

    async def commit(self) -> bool:
        """Commit now what may be committed."""
        done: bool = await self.app.consumer.commit()
        return done

    def offsets(self, partition: int = 0) -> list[int]:
        """Offsets of the partition's records in the order of their delivery."""
        mine = (chunk for chunk in self.chunks if chunk.partition == partition)
        return [record.offset for chunk in mine for record in chunk.records]


class StoredPositions:
    """Positions as a sink would keep them; remembers what it was asked."""

    def __init__(self, stored: Mapping[TP, int] | None = None) -> None:
        self.stored = dict(stored or {})
        self.claims: list[set[TP]] = []
        self.releases: list[set[TP]] = []
        self.halted: dict[TP, str] = {}

    async def claim(self, partitions: Collection[TP]) -> Mapping[TP, Start | None]:
        self.claims.append(set(partitions))
        return {tp: Start(*[self.stored[tp]] * 2) if tp in self.stored else None for tp in partitions}

    def halt(self, partition: TP, why: str) -> None:
        self.halted[partition] = why

    async def release(self, partitions: Collection[TP]) -> None:
        self.releases.append(set(partitions))


class HangingPositions(StoredPositions):
    """A database that takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = asyncio.Event()
        self.answered: list[set[TP]] = []

    async def claim(self, partitions: Collection[TP]) -> Mapping[TP, Start | None]:
        stored = await super().claim(partitions)
        await self.answer.wait()
        self.answered.append(set(partitions))
        return stored


async def publish(broker: Broker, topic: str, count: int, partition: int = 0, size: int = 1) -> None:
    """Publish so many records of `size` bytes to a partition."""
    for _ in range(count):
        await broker.publish(topic, b"key", b"x" * size, partition=partition)


def ack_at_once(chunk: Chunk, ack: Ack) -> None:
    ack()


def assert_in_order(offsets: list[int], count: int) -> None:
    """All of the first `count` records, in order, whenever the reading began again at the first one."""
    assert set(offsets) >= set(range(count))
    assert all(after in (before + 1, 0) for before, after in pairwise(offsets))


BROKERS = ["memory", pytest.param("kafka", marks=pytest.mark.kafka)]


@asynccontextmanager
async def open_broker(request: pytest.FixtureRequest) -> AsyncIterator[Broker]:
    """The broker that the fixture's parameter names."""
    made: Broker = InMemory() if request.param == "memory" else RealKafka(request.getfixturevalue("kafka"))
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
