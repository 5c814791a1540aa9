"""What the in-process broker promises beyond the contract, and the app's own rules."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from aiokafka.errors import KafkaConnectionError
from faust.exceptions import ImproperlyConfigured
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from fleet.clock import ManualClock
from streams.transports.app import ChunkApp
from streams.transports.chunk_limits import RECORD_OVERHEAD, ChunkLimits, payload, split
from streams.transports.memory_broker import (
    MemoryBroker,
    MemoryRecord,
    UnknownTopic,
    find_broker,
    register_broker,
)
from tests.contract.transport_harness import HangingPositions, InMemory, StoredPositions, Worker, until

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker(ManualClock(NOON), partition_bytes=10 * (RECORD_OVERHEAD + 10))


@pytest.fixture
def name(broker: MemoryBroker) -> str:
    name = uuid4().hex
    register_broker(name, broker)
    return name


async def settle() -> None:
    """Let every task run as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_partition_goes_on_numbering_where_the_database_waits(broker: MemoryBroker) -> None:
    broker.create_topic("telemetry", 2, {1: 500})
    assert await broker.publish("telemetry", b"k", b"v", partition=0) == (0, 0)
    assert await broker.publish("telemetry", b"k", b"v", partition=1) == (1, 500)
    assert broker.log(TP("telemetry", 1)).begin == 500


async def test_the_clock_gives_the_timestamp(broker: MemoryBroker) -> None:
    broker.create_topic("telemetry", 1)
    await broker.publish("telemetry", b"k", b"v")
    (record,) = broker.log(TP("telemetry", 0)).read(0, 10)
    assert record.timestamp == int(NOON.timestamp() * 1000)


async def test_a_publisher_waits_while_what_it_wrote_is_not_committed() -> None:
    harness = InMemory()
    broker = harness.broker = register_broker(
        harness.url.split("//")[1], MemoryBroker(ManualClock(NOON), partition_bytes=5 * (RECORD_OVERHEAD + 2))
    )
    broker.create_topic("telemetry", 1)
    async with Worker(harness, "telemetry", "sink") as worker:
        await worker.assigned(1)
        for _ in range(5):
            await broker.publish("telemetry", b"k", b"v")
        waiting = [asyncio.create_task(broker.publish("telemetry", b"k", b"v")) for _ in range(3)]
        await worker.got(5)
        await settle()
        assert not any(task.done() for task in waiting)  # delivered, but not stored yet
        for ack in worker.acks[:2]:
            ack()
        await worker.commit()
        await until(lambda: waiting[1].done())
        await settle()
        assert [task.result() for task in waiting[:2]] == [(0, 5), (0, 6)]
        assert not waiting[2].done()
        log = broker.log(TP("telemetry", 0))
        assert (log.begin, log.end) == (2, 7)
        waiting[2].cancel()


async def test_what_is_read_again_is_not_dropped() -> None:
    harness = InMemory()
    broker = harness.broker = register_broker(
        harness.url.split("//")[1], MemoryBroker(ManualClock(NOON), partition_bytes=5 * (RECORD_OVERHEAD + 2))
    )
    broker.create_topic("telemetry", 1)
    broker.group("sink").topics.add("telemetry")
    for _ in range(5):
        await broker.publish("telemetry", b"k", b"v")
    tp = TP("telemetry", 0)
    broker.group("sink").committed[tp] = 5
    async with Worker(harness, "telemetry", "sink", positions=StoredPositions({tp: 2})) as worker:
        await worker.assigned(1)
        publishing = [asyncio.create_task(broker.publish("telemetry", b"k", b"v")) for _ in range(3)]
        await settle()
        assert [task.done() for task in publishing] == [True, True, False]
        assert broker.log(tp).begin == 2
        publishing[2].cancel()


async def test_only_who_holds_the_partition_may_commit(broker: MemoryBroker) -> None:
    broker.create_topic("telemetry", 2)
    group = broker.group("sink")
    one, other = SilentMember(), SilentMember()
    group.join(one, frozenset({"telemetry"}))
    group.join(other, frozenset({"telemetry"}))
    await settle()
    assert group.commit(one, dict.fromkeys(one.assigned, 1))
    assert not group.commit(other, dict.fromkeys(one.assigned | other.assigned, 1))
    group.leave(one)
    await settle()
    assert not group.commit(one, dict.fromkeys(one.assigned, 2))
    assert other.assigned == {TP("telemetry", 0), TP("telemetry", 1)}
    assert group.committed == {TP("telemetry", 0): 1}


class SilentMember:
    """A member that only remembers what it was given."""

    def __init__(self) -> None:
        self.assigned: set[TP] = set()

    async def revoke(self, partitions: set[TP]) -> None:
        pass

    async def assign(self, partitions: set[TP], generation: int) -> None:
        self.assigned = partitions


async def test_what_is_committed_stays_until_its_room_is_needed(broker: MemoryBroker) -> None:
    broker.create_topic("telemetry", 1)
    broker.group("sink").topics.add("telemetry")
    for _ in range(10):
        await broker.publish("telemetry", b"", b"0123456789")
    broker.group("sink").committed[TP("telemetry", 0)] = 10
    assert broker.log(TP("telemetry", 0)).begin == 0
    await broker.publish("telemetry", b"", b"0123456789")
    assert broker.log(TP("telemetry", 0)).begin == 1


async def test_a_topic_that_nobody_reads_keeps_its_newest_records(broker: MemoryBroker) -> None:
    broker.create_topic("events", 1)
    for number in range(30):
        await broker.publish("events", b"", b"%010d" % number)
    log = broker.log(TP("events", 0))
    assert [record.offset for record in log.read(0, 100)] == list(range(20, 30))


async def test_a_record_larger_than_the_partition_is_taken_alone(broker: MemoryBroker) -> None:
    broker.create_topic("events", 1)
    await broker.publish("events", b"", b"x" * 10_000)
    await broker.publish("events", b"", b"x" * 10_000)
    assert len(broker.log(TP("events", 0)).read(0, 100)) == 1


async def test_names_that_do_not_exist_are_refused_clearly(broker: MemoryBroker, name: str) -> None:
    assert find_broker(name) is broker
    with pytest.raises(LookupError, match="call register_broker first"):
        find_broker("nobody")
    with pytest.raises(UnknownTopic, match="create it first"):
        await broker.publish("nothing", b"k", b"v")
    broker.create_topic("telemetry", 1)
    with pytest.raises(UnknownTopic, match="no partition 1"):
        await broker.publish("telemetry", b"k", b"v", partition=1)
    with pytest.raises(ValueError, match="exists"):
        broker.create_topic("telemetry", 1)


async def test_a_topic_created_later_is_read_too() -> None:
    harness = InMemory()
    async with Worker(harness, "late", "sink") as worker:
        await until(lambda: harness.broker.group("sink").generation == 1)
        harness.broker.create_topic("late", 1)
        await harness.broker.publish("late", b"k", b"v")
        await worker.got(1)


async def test_an_app_publishes_through_faust_too() -> None:
    harness = InMemory()
    topic = await harness.create_topic(1)
    async with Worker(harness, topic, "sink") as worker:
        await worker.assigned(1)
        channel = worker.app.chunk_topic(topic)
        sent = await (await channel.send(key=b"k", value=b"v", headers={"content-type": b"x"}))
        assert (sent.topic, sent.partition, sent.offset) == (topic, 0, 0)
        await worker.got(1)
        (record,) = worker.chunks[0].records
        assert (record.key, record.value, list(record.headers)) == (b"k", b"v", [("content-type", b"x")])


# The app


async def test_tables_are_refused() -> None:
    app = ChunkApp("sink", InMemory().url)
    with pytest.raises(ImproperlyConfigured, match="snapshots"):
        app.Table("state")


async def test_the_environment_overrides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_ENABLED", "1")
    monkeypatch.setenv("STREAM_WAIT_EMPTY", "1")
    app = ChunkApp("sink", InMemory().url)
    assert not app.conf.web_enabled
    assert not app.conf.stream_wait_empty


async def test_a_broker_that_cannot_be_reached_is_said_at_once() -> None:
    with pytest.raises(KafkaConnectionError):
        await ChunkApp("sink", "faultline+kafka://127.0.0.1:1").serve()


async def test_a_claim_may_take_longer_than_fausts_patience() -> None:
    harness = InMemory()
    topic = await harness.create_topic(1)
    slow = HangingPositions()
    async with Worker(harness, topic, "sink", positions=slow) as worker:
        worker.app.conf.broker_request_timeout = 0.01
        await until(lambda: bool(slow.claims))
        await asyncio.sleep(0.1)
        slow.answer.set()
        await harness.broker.publish(topic, b"k", b"v")
        await worker.got(1)


async def test_cancelling_stops_the_app() -> None:
    harness = InMemory()
    topic = await harness.create_topic(1)
    positions = StoredPositions()
    worker = Worker(harness, topic, "sink", positions=positions)
    serving = asyncio.create_task(worker.app.serve())
    await until(lambda: bool(positions.claims))
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert positions.releases == positions.claims


# Cutting

RECORDS = st.lists(
    st.builds(
        MemoryRecord,
        offset=st.integers(),
        timestamp=st.just(0),
        key=st.none() | st.binary(max_size=5),
        value=st.none() | st.binary(max_size=30),
        headers=st.lists(st.tuples(st.text(max_size=3), st.binary(max_size=10)), max_size=2),
    ),
    max_size=20,
)


@given(RECORDS, st.integers(1, 60), st.integers(1, 6))
def test_cutting_keeps_every_record_and_both_bounds(
    records: Sequence[MemoryRecord], most_bytes: int, most_records: int
) -> None:
    parts = list(split(records, ChunkLimits(chunk_bytes=most_bytes, chunk_records=most_records)))
    assert [record for part, _ in parts for record in part] == list(records)
    for part, size in parts:
        content = sum(payload(record) for record in part)
        assert 1 <= len(part) <= most_records
        assert len(part) == 1 or content <= most_bytes
        assert size == content + RECORD_OVERHEAD * len(part)
