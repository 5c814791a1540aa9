"""One contract, two transports: delivery, acknowledgement and commit, whichever broker is behind it."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from uuid import uuid4

import pytest
from faust.types import TP

from streams.record import Chunk
from streams.transports.chunk_limits import RECORD_OVERHEAD, ChunkLimits
from streams.transports.chunk_stream import Ack
from tests.contract.transport_harness import (
    BROKERS,
    ONE_BY_ONE,
    Broker,
    Worker,
    ack_at_once,
    open_broker,
    publish,
    until,
)


@pytest.fixture(params=BROKERS)
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[Broker]:
    async with open_broker(request) as made:
        yield made


@pytest.fixture
def group() -> str:
    return f"g-{uuid4().hex}"


# Delivery


async def test_every_record_arrives_once_and_in_order(broker: Broker, group: str) -> None:
    topic = await broker.create_topic(3)
    sent: dict[int, list[tuple[int, bytes, bytes]]] = defaultdict(list)
    limits = ChunkLimits(chunk_records=7)
    async with Worker(
        broker, topic, group, on_chunk=ack_at_once, limits=limits, commit_interval_s=0.1
    ) as worker:
        for number in range(200):
            key, value = b"asset-%d" % (number % 20), b"%d" % number
            partition, offset = await broker.publish(topic, key, value)
            sent[partition].append((offset, key, value))
        await until(lambda: sum(len(chunk.records) for chunk in worker.chunks) >= 200)
        got: dict[int, list[tuple[int, bytes | None, bytes | None]]] = defaultdict(list)
        for chunk in worker.chunks:
            assert chunk.topic == topic
            assert 1 <= len(chunk.records) <= 7
            got[chunk.partition] += [(record.offset, record.key, record.value) for record in chunk.records]
        assert got == sent

        async def all_committed() -> bool:  # by the interval, nobody asked
            return all([await broker.committed(group, TP(topic, p)) == len(sent[p]) for p in sent])

        await until(all_committed)


async def test_keys_go_where_kafka_puts_them(broker: Broker) -> None:
    topic = await broker.create_topic(12)
    where = {key: (await broker.publish(topic, key, b""))[0] for key in (b"21", b"foobar", b"abc")}
    # murmur2 of Kafka's own UtilsTest, made positive, modulo 12
    golden = {b"21": -973932308, b"foobar": -790332482, b"abc": 479470107}
    assert where == {key: (murmur & 0x7FFFFFFF) % 12 for key, murmur in golden.items()}


async def test_records_come_untouched(broker: Broker, group: str) -> None:
    topic = await broker.create_topic(1)
    headers = [("content-type", b"application/x"), ("twice", b"1"), ("twice", b"2")]
    await broker.publish(topic, b"asset", b"\x00\xff", headers)
    await broker.publish(topic, b"asset", None)
    await broker.publish(topic, None, b"no key")
    async with Worker(broker, topic, group) as worker:
        await worker.got(3)
    first, tombstone, keyless = (chunk.records[0] for chunk in worker.chunks)
    assert (first.key, first.value, list(first.headers)) == (b"asset", b"\x00\xff", headers)
    assert first.timestamp > 1_500_000_000_000
    assert (tombstone.key, tombstone.value) == (b"asset", None)
    assert (keyless.key, keyless.value) == (None, b"no key")


# Committing


async def test_only_the_contiguous_acknowledged_prefix_is_committed(broker: Broker, group: str) -> None:
    topic = await broker.create_topic(1)
    await publish(broker, topic, 5)
    committed = []
    async with Worker(broker, topic, group) as worker:
        await worker.got(5)
        for number in (1, 2, 0, 4, 3):
            worker.acks[number]()
            await worker.commit()
            committed.append(await broker.committed(group, TP(topic, 0)))
    assert committed == [None, None, 3, 3, 5]


async def test_an_agents_exception_ends_the_worker_and_commits_nothing_behind_it(
    broker: Broker, group: str
) -> None:
    topic = await broker.create_topic(1)
    await publish(broker, topic, 6)

    def fail_at_two(chunk: Chunk, ack: Ack) -> None:
        if chunk.end_offset == 3:
            raise ArithmeticError("chunk 2")
        ack()

    async with Worker(broker, topic, group, on_chunk=fail_at_two, commit_interval_s=0.05) as worker:
        assert isinstance(await worker.crash(), ArithmeticError)
    assert worker.offsets() == [0, 1, 2]
    assert await broker.committed(group, TP(topic, 0)) == 2  # the last commit, when stopping


async def test_a_chunk_that_is_never_acknowledged_holds_the_commit(broker: Broker, group: str) -> None:
    topic = await broker.create_topic(1)
    await publish(broker, topic, 6)

    def lose_the_second(chunk: Chunk, ack: Ack) -> None:
        if chunk.end_offset != 2:
            ack()

    async with Worker(broker, topic, group, on_chunk=lose_the_second, commit_interval_s=0.05) as worker:
        await worker.got(6)
        await worker.commit()
    assert await broker.committed(group, TP(topic, 0)) == 1


async def test_a_refused_commit_is_not_booked(broker: Broker, group: str) -> None:
    topic = await broker.create_topic(1)
    await publish(broker, topic, 3)

    async def refuse(offsets: Mapping[TP, int]) -> bool:
        return False

    async with Worker(broker, topic, group, on_chunk=ack_at_once) as worker:
        await worker.got(3)
        accept, worker.app.consumer._commit = worker.app.consumer._commit, refuse
        assert not await worker.commit()
        assert await broker.committed(group, TP(topic, 0)) is None
        worker.app.consumer._commit = accept
        assert await worker.commit()
        assert await broker.committed(group, TP(topic, 0)) == 3


async def test_what_was_not_committed_comes_again_after_a_crash(broker: Broker, group: str) -> None:
    topic = await broker.create_topic(1)
    await publish(broker, topic, 6)
    async with Worker(broker, topic, group) as worker:
        await worker.got(6)
        worker.acks[0]()
        await worker.commit()
        worker.acks[1]()
        await worker.die()
    async with Worker(broker, topic, group) as worker:
        await worker.got(5)
        assert worker.offsets() == [1, 2, 3, 4, 5]


# Back-pressure


async def test_unacknowledged_bytes_are_bounded_over_all_partitions(broker: Broker, group: str) -> None:
    topic = await broker.create_topic(3)
    for p in range(3):
        await publish(broker, topic, 10, p, size=100)
    one = 100 + len(b"key") + RECORD_OVERHEAD
    limits = ChunkLimits(chunk_records=1, unacked_bytes=4 * one)
    out: list[int] = []
    async with Worker(
        broker,
        topic,
        group,
        limits=limits,
        on_chunk=lambda c, a: out.append(worker.app.consumer.unacked_bytes),
    ) as worker:
        for number in range(30):
            await worker.got(number + 1)
            assert len(worker.chunks) <= number + 4
            worker.acks[number]()
    assert one < max(out) <= 4 * one


async def test_a_partition_that_stands_still_does_not_hold_up_the_others(broker: Broker, group: str) -> None:
    topic = await broker.create_topic(2)
    for p in range(2):
        await publish(broker, topic, 20, p)
    limits = ChunkLimits(chunk_records=1, unacked_bytes=4 * (RECORD_OVERHEAD + len(b"key" + b"x")))

    def never_the_first(chunk: Chunk, ack: Ack) -> None:
        if chunk.partition != 0:
            ack()

    async with Worker(broker, topic, group, limits=limits, on_chunk=never_the_first) as worker:
        await until(lambda: len(worker.offsets(1)) == 20 and len(worker.offsets(0)) > 0)
        assert len(worker.offsets(0)) <= 3


async def test_a_chunk_larger_than_the_bound_is_let_through_alone(broker: Broker, group: str) -> None:
    topic = await broker.create_topic(1)
    await publish(broker, topic, 3, size=5000)
    limits = ChunkLimits(chunk_bytes=100, chunk_records=10, unacked_bytes=1000)
    async with Worker(broker, topic, group, limits=limits) as worker:
        for number in range(3):
            await worker.got(number + 1)
            assert worker.offsets() == list(range(number + 1))
            worker.acks[number]()


async def test_revoked_chunks_give_their_bytes_back(broker: Broker, group: str) -> None:
    topic = await broker.create_topic(2)
    for p in range(2):
        await publish(broker, topic, 3, p)
    limits = ChunkLimits(chunk_records=1, unacked_bytes=1)  # one chunk out at a time
    async with Worker(broker, topic, group, limits=limits) as stuck:
        await stuck.got(1)
        async with Worker(broker, topic, group, limits=ONE_BY_ONE) as other:
            await other.got(3)
            await stuck.got(2)  # its remaining partition's first chunk: there is room again
