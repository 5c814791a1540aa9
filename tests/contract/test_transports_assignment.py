"""One contract, two transports: where reading starts, and what a rebalance or a seek does to it."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import IllegalStateError
from faust.types import TP
from kafka import KafkaProducer

from streams.transports.chunk_consumer import Progress
from streams.transports.chunk_limits import RECORD_OVERHEAD, ChunkLimits
from streams.transports.positions import PositionLost, Start
from tests.contract.transport_harness import (
    BROKERS,
    Broker,
    HangingPositions,
    RealKafka,
    StoredPositions,
    Worker,
    ack_at_once,
    assert_in_order,
    open_broker,
    publish,
    until,
)

ONE_OUT = ChunkLimits(chunk_records=1, unacked_bytes=1)
"""One record a chunk, and one chunk out at a time."""


@pytest.fixture(params=BROKERS)
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[Broker]:
    async with open_broker(request) as made:
        yield made


@pytest.fixture
async def real_kafka(kafka: str) -> AsyncIterator[RealKafka]:
    broker = RealKafka(kafka)
    await broker.start()
    yield broker
    await broker.stop()


@pytest.fixture
def group() -> str:
    return f"g-{uuid4().hex}"


# Where reading starts


@pytest.mark.parametrize("stored", [1, 4])
async def test_reading_starts_at_the_claim_whatever_was_committed(
    broker: Broker, group: str, stored: int
) -> None:
    topic = await broker.create_topic(2)
    await publish(broker, topic, 6)
    await publish(broker, topic, 2, partition=1)
    async with Worker(broker, topic, group) as worker:
        await worker.got(8)
        for ack, chunk in zip(worker.acks, worker.chunks, strict=True):
            if chunk.partition == 1 or chunk.end_offset <= 3:
                ack()
        await worker.commit()
        assert await broker.committed(group, TP(topic, 0)) == 3

    positions = StoredPositions({TP(topic, 0): stored})  # partition 1: nothing stored, so all of it
    async with Worker(broker, topic, group, positions=positions) as worker:
        await worker.got(6 - stored + 2)
        assert worker.offsets() == list(range(stored, 6))
        assert worker.offsets(1) == [0, 1]
        await worker.commit()  # brings the group to what is stored, forwards or backwards
        assert await broker.committed(group, TP(topic, 0)) == stored
        assert await broker.committed(group, TP(topic, 1)) == 0
    assert positions.claims == [{TP(topic, 0), TP(topic, 1)}]
    assert positions.releases == [{TP(topic, 0), TP(topic, 1)}]


@pytest.mark.parametrize(("wanted", "why"), [(2, "expired"), (9, "truncated")])
async def test_a_position_outside_the_log_stops_the_worker(
    broker: Broker, group: str, wanted: int, why: str
) -> None:
    topic = await broker.create_topic(1)
    await publish(broker, topic, 8)
    await broker.expire(TP(topic, 0), 3)
    positions = StoredPositions({TP(topic, 0): wanted})
    async with Worker(broker, topic, group, positions=positions) as worker:
        lost = await worker.crash()
    assert isinstance(lost, PositionLost)
    assert (lost.topic, lost.partition, lost.wanted) == (topic, 0, wanted)
    assert lost.available == range(3, 9)
    assert why in str(lost)
    assert not worker.chunks


@pytest.mark.parametrize("edge", [3, 8])
async def test_both_ends_of_the_log_are_positions_to_go_on_from(
    broker: Broker, group: str, edge: int
) -> None:
    topic = await broker.create_topic(1)
    await publish(broker, topic, 8)
    await broker.expire(TP(topic, 0), 3)
    async with Worker(broker, topic, group, positions=StoredPositions({TP(topic, 0): edge})) as worker:
        await worker.assigned(1)
        await publish(broker, topic, 1)
        await worker.got(9 - edge)
        assert worker.offsets() == list(range(edge, 9))


@pytest.mark.kafka
async def test_the_marks_of_transactions_are_no_backlog(request: pytest.FixtureRequest, group: str) -> None:
    bootstrap: str = request.getfixturevalue("kafka")
    broker = RealKafka(bootstrap)
    await broker.start()
    topic = await broker.create_topic(1)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=group) as producer:
        for _ in range(3):  # a record, then the mark that ends its transaction
            async with producer.transaction():
                await producer.send_and_wait(topic, b"x", partition=0)
    async with Worker(broker, topic, group, on_chunk=ack_at_once) as worker:
        await worker.got(3)
        assert worker.offsets() == [0, 2, 4]
        await until(lambda: caught_up(worker, TP(topic, 0), 6))
        assert await worker.commit()
        assert await broker.committed(group, TP(topic, 0)) == 6
    await broker.stop()


async def caught_up(worker: Worker, tp: TP, end: int) -> bool:
    progress: Mapping[TP, Progress | None] = await worker.app.consumer.progress()
    return progress.get(tp) == (end, end)


class NoUtf8(str):
    """A header name as a faulty or hostile client may write it."""

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b"\xff\xfe"


@pytest.mark.kafka
async def test_an_unreadable_record_stops_its_partition_alone(
    real_kafka: RealKafka, kafka: str, group: str
) -> None:
    topic = await real_kafka.create_topic(2)
    producer = KafkaProducer(bootstrap_servers=kafka, linger_ms=50)
    for number in range(5):
        headers = [(NoUtf8("x"), b"")] if number == 3 else []
        producer.send(topic, b"x", partition=0, headers=headers)
        producer.send(topic, b"x", partition=1)
    await asyncio.to_thread(producer.close)
    positions = StoredPositions()
    async with Worker(real_kafka, topic, group, positions=positions, on_chunk=ack_at_once) as worker:
        await worker.got(8)
        await until(lambda: bool(positions.halted))
        await publish(real_kafka, topic, 3, partition=1)
        await worker.got(11)
        assert worker.offsets(0) == [0, 1, 2]
        assert_in_order(worker.offsets(1), 8)
    assert positions.halted == {TP(topic, 0): "the record at offset 3 has a header whose name is no UTF-8"}


class Behind(StoredPositions):
    """Everything up to a record is stored, and state would like to be rebuilt from further back."""

    async def claim(self, partitions: Collection[TP]) -> Mapping[TP, Start | None]:
        return {tp: Start(read_from=1, needed=4) for tp in partitions}


async def test_stored_records_that_expired_before_state_was_rebuilt_are_no_loss(
    broker: Broker, group: str
) -> None:
    topic = await broker.create_topic(1)
    await publish(broker, topic, 6)
    await broker.expire(TP(topic, 0), 3)
    async with Worker(broker, topic, group, positions=Behind()) as worker:
        await worker.got(3)
        assert worker.offsets() == [3, 4, 5]


async def test_a_revocation_ends_a_claim_under_way(broker: Broker, group: str) -> None:
    topic = await broker.create_topic(1)
    positions = HangingPositions()
    async with Worker(broker, topic, group, positions=positions) as worker:
        await until(lambda: bool(positions.claims))
        await worker.app.consumer.on_partitions_revoked({TP(topic, 0)})
        positions.answer.set()
        await asyncio.sleep(0.1)
        assert positions.answered == []


async def test_progress_counts_what_is_not_acknowledged(broker: Broker, group: str) -> None:
    topic = await broker.create_topic(1)
    await publish(broker, topic, 5)
    async with Worker(broker, topic, group) as worker:
        await worker.got(5)
        progress = (await worker.app.consumer.progress())[TP(topic, 0)]
        assert (progress, progress.lag) == ((0, 5), 5)
        for ack in worker.acks[:2]:
            ack()
        assert (await worker.app.consumer.progress())[TP(topic, 0)].lag == 3


async def test_records_that_expire_before_they_are_read_stop_the_worker(broker: Broker, group: str) -> None:
    topic = await broker.create_topic(1)
    await publish(broker, topic, 10, size=900)
    limits = ChunkLimits(chunk_bytes=1000, chunk_records=1, unacked_bytes=1)  # one out, few ahead
    async with Worker(broker, topic, group, limits=limits) as worker:
        await worker.got(1)
        await broker.expire(TP(topic, 0), 8)
        worker._on_chunk = ack_at_once
        worker.acks[0]()
        lost = await worker.crash()
    assert isinstance(lost, PositionLost)
    assert lost.wanted < 8
    assert lost.available == range(8, 11)
    assert worker.offsets() == list(range(lost.wanted))


# Rebalance and seek


async def test_partitions_move_between_workers_and_nothing_is_lost(broker: Broker, group: str) -> None:
    topic = await broker.create_topic(4)
    partitions = [TP(topic, p) for p in range(4)]
    positions = StoredPositions()
    async with Worker(broker, topic, group) as stays:
        for tp in partitions:
            await publish(broker, topic, 5, tp.partition)
        await stays.got(20)
        late = list(stays.acks)
        async with Worker(broker, topic, group, positions=positions, on_chunk=ack_at_once) as comes:
            await stays.assigned(2)
            await comes.assigned(2)
            for ack in late:
                ack()
            await stays.commit()
            for tp in partitions:  # too late: another reading has begun
                assert not await broker.committed(group, tp)
            for tp in partitions:
                await publish(broker, topic, 5, tp.partition)
            await comes.got(20)
        assert positions.releases[-1] == positions.claims[-1]
        moved = positions.claims[-1]
        stays._on_chunk = ack_at_once
        for ack in stays.acks:
            ack()

        async def all_committed() -> bool:
            await stays.commit()
            return all([await broker.committed(group, tp) == 10 for tp in partitions])

        await until(all_committed)
    for tp in partitions:
        assert_in_order(stays.offsets(tp.partition), 5 if tp in moved else 10)
        assert_in_order(comes.offsets(tp.partition), 10 if tp in moved else 0)


async def test_reading_begins_only_with_the_last_claim(broker: Broker, group: str) -> None:
    topic = await broker.create_topic(2)
    await publish(broker, topic, 3, 0)
    await publish(broker, topic, 3, 1)
    slow = HangingPositions()
    async with Worker(broker, topic, group, positions=slow) as first:
        await until(lambda: len(slow.claims) == 1)  # the database does not answer
        async with Worker(broker, topic, group) as second:
            await until(lambda: len(slow.claims) == 2)  # the group has rebalanced, so it is asked anew
            await second.got(3)
            assert not first.chunks
            slow.answer.set()
            await first.got(3)
        assert slow.claims[0] == {TP(topic, 0), TP(topic, 1)} > slow.claims[1]
        assert slow.answered[0] == slow.claims[1]


@pytest.mark.parametrize("method", ["claim", "release"])
async def test_a_sink_that_fails_ends_the_worker(broker: Broker, group: str, method: str) -> None:
    topic = await broker.create_topic(2)

    async def fail(partitions: Collection[TP]) -> Mapping[TP, int | None]:
        raise ArithmeticError(method)

    positions = StoredPositions()
    setattr(positions, method, fail)
    async with Worker(broker, topic, group, positions=positions) as worker:
        if method == "release":
            await worker.assigned(2)
            async with Worker(broker, topic, group):  # takes a partition away
                crash = await worker.crash()
        else:
            crash = await worker.crash()
    assert str(crash) == method


async def test_after_a_seek_chunks_come_again_and_late_acknowledgements_do_nothing(
    broker: Broker, group: str
) -> None:
    topic = await broker.create_topic(1)
    await publish(broker, topic, 4)
    async with Worker(broker, topic, group) as worker:
        await worker.got(4)
        out = worker.app.consumer.unacked_bytes
        for ack in worker.acks[:2]:
            ack()
        await worker.app.consumer.seek(TP(topic, 0), 1)
        await worker.got(7)
        assert worker.offsets() == [0, 1, 2, 3, 1, 2, 3]
        assert worker.app.consumer.unacked_bytes == out * 3 // 4  # counted once
        for ack in worker.acks[:4]:
            ack()
        await worker.commit()
        assert await broker.committed(group, TP(topic, 0)) == 1
        for ack in worker.acks[4:]:
            ack()
            ack()
        await worker.commit()
        assert await broker.committed(group, TP(topic, 0)) == 4
        assert worker.app.consumer.unacked_bytes == 0


async def test_what_is_revoked_is_forgotten_at_once(broker: Broker, group: str) -> None:
    topic = await broker.create_topic(1)
    await publish(broker, topic, 3)
    async with Worker(broker, topic, group) as worker:
        await worker.got(3)
        await worker.app.consumer.on_partitions_revoked({TP(topic, 0)})
        assert worker.app.consumer.unacked_bytes == 0
        for ack in worker.acks:
            ack()
        assert not await worker.commit()
    assert await broker.committed(group, TP(topic, 0)) is None


async def test_a_seek_wakes_what_waited_for_room(broker: Broker, group: str) -> None:
    topic = await broker.create_topic(1)
    await publish(broker, topic, 3)
    async with Worker(broker, topic, group, limits=ONE_OUT) as worker:
        await worker.got(1)
        await worker.app.consumer.seek(TP(topic, 0), 0)
        await worker.got(2)
        assert worker.offsets() == [0, 0]


async def test_a_busy_agent_does_not_get_chunks_from_before_the_seek(broker: Broker, group: str) -> None:
    topic = await broker.create_topic(1)
    await publish(broker, topic, 4)
    async with Worker(broker, topic, group) as worker:
        worker.free.clear()
        await worker.got(1)
        four = 4 * (RECORD_OVERHEAD + len(b"key" + b"x"))
        await until(lambda: worker.app.consumer.unacked_bytes == four)  # three wait in Faust's buffer
        await worker.app.consumer.seek(TP(topic, 0), 2)
        worker.free.set()
        await worker.got(3)
        assert worker.offsets() == [0, 2, 3]


async def test_while_positions_are_claimed_anew_nothing_is_out(broker: Broker, group: str) -> None:
    topic = await broker.create_topic(1)
    await publish(broker, topic, 3)
    slow = HangingPositions()
    slow.answer.set()
    async with Worker(broker, topic, group, positions=slow) as worker:
        await worker.got(3)
        slow.answer.clear()
        seeking = asyncio.create_task(worker.app.consumer.perform_seek())
        await until(lambda: len(slow.claims) == 2)
        assert worker.app.consumer.unacked_bytes == 0
        slow.answer.set()
        await seeking
        await worker.got(6)
        assert worker.offsets() == [0, 1, 2, 0, 1, 2]


async def test_a_claim_that_a_rebalance_overtook_opens_nothing(broker: Broker, group: str) -> None:
    topic = await broker.create_topic(2)
    slow = HangingPositions()
    slow.answer.set()
    async with Worker(broker, topic, group, positions=slow) as first:
        await first.assigned(2)
        slow.answer.clear()
        seeking = asyncio.create_task(first.app.consumer.perform_seek())
        await until(lambda: len(slow.claims) == 2)
        async with Worker(broker, topic, group):
            await until(lambda: bool(slow.releases))
            slow.answer.set()
            with pytest.raises(IllegalStateError):
                await seeking
            await first.assigned(1)


async def test_a_named_member_that_is_killed_and_comes_back_stops_nobody(
    real_kafka: RealKafka, group: str
) -> None:
    topic = await real_kafka.create_topic(2)
    calm, restarted = StoredPositions(), StoredPositions()
    async with Worker(real_kafka, topic, group, positions=calm, member="a") as peer:
        await peer.assigned(2)
        killed = Worker(real_kafka, topic, group, member="b")
        async with killed:
            await killed.assigned(1)
            await peer.assigned(1)
            before = list(calm.claims), list(calm.releases)
            (its_own,) = killed.app.consumer._readings
            await killed.die()
        async with Worker(real_kafka, topic, group, positions=restarted, member="b") as worker:
            await worker.assigned(1)
            await publish(real_kafka, topic, 1, partition=its_own.partition)
            await worker.got(1)
            assert restarted.claims == [{its_own}]
            assert (calm.claims, calm.releases) == before
