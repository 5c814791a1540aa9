"""The log is not what it was: its topic was deleted and made anew."""

import asyncio
from collections.abc import Sequence
from random import Random

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from console.chaos.item import Item
from console.chaos.load import machines
from console.chaos.rig import Rig
from console.chaos.scenario import Scenario
from storage.bootstrap import WRITER
from storage.pool import open_pool
from storage.position import set_position
from storage.sink import Sink
from streams.kafka_access import KafkaAccess
from streams.topics import create_topics

ALARMED_WITHIN_S = 60.0
FRAMES = 30


async def recreated(rig: Rig, _: Random) -> None:
    """Workers must stop with an alarm and touch nothing, until a person moves the positions."""
    await rig.until_share_stored(1.0)
    await rig.until_settled(120.0)
    machine = machines(rig.load)[0]
    topic = machine.next().topic
    before = await _positions(rig)
    await _make_anew(rig, topic)
    machine.seq = rig.load.records  # numbers that were never used
    await _send(rig, [machine.next() for _ in range(FRAMES)])
    await _until_alarm(rig)
    assert await _positions(rig) == before, "a worker went on by itself, in another log"
    async with open_pool(rig.database.dsn(WRITER)) as pool:
        for partition in range(rig.partitions):
            await set_position(pool, "score", topic, partition, 0)
    await rig.until_settled(120.0)


async def _positions(rig: Rig) -> dict[tuple[str, int], int]:
    async with open_pool(rig.database.dsn(WRITER)) as pool:
        return await Sink(pool, "score").stored_offsets()


async def _make_anew(rig: Rig, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=rig.bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([topic])
        await asyncio.sleep(2)
    finally:
        await admin.close()
    await asyncio.to_thread(create_topics, KafkaAccess(rig.bootstrap), [topic], rig.partitions)


async def _send(rig: Rig, frames: Sequence[Item]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=rig.bootstrap) as producer:
        for item in frames:
            await producer.send_and_wait(item.topic, item.value, item.key, headers=list(item.headers))


async def _until_alarm(rig: Rig) -> None:
    async with asyncio.timeout(ALARMED_WITHIN_S):
        while not any("PositionLost" in str(line) for one in rig.workers for line in one.records()):  # noqa: ASYNC110
            await asyncio.sleep(0.5)


SCENARIOS = [
    Scenario(
        "topic_recreated",
        "the topic is deleted and made anew: an alarm, and nothing is touched",
        recreated,
        workers=1,
        records=3000,
        checked=False,
        short=True,
    ),
]
