"""Partitions are let go whatever their tasks are at."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from faust.types import TP

from storage.chunk_result import ChunkResult
from storage.pool import Pool
from storage.sink import Sink
from streams import task_manager
from streams.dead_letter_limit import DeadLetterLimit
from streams.record import Chunk
from streams.retry import OutageRetry
from streams.task_manager import Ack, TaskManager
from streams.transports.memory_broker import MemoryRecord

PLACE = TP("telemetry.acme", 0)


class Deaf:
    """An engine that does not hear that it should end."""

    def __init__(self) -> None:
        self.busy, self.free = asyncio.Event(), asyncio.Event()

    async def process(self, chunk: Chunk, again: bool) -> ChunkResult:
        self.busy.set()
        while not self.free.is_set():
            try:
                await self.free.wait()
            except asyncio.CancelledError:
                continue
        raise RuntimeError("it is free")

    def state(self) -> bytes:
        return b""

    def load(self, state: bytes) -> None:
        pass


async def test_a_task_that_does_not_end_holds_nobody_up(
    plain_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_manager, "END_WITHIN_S", 0.2)
    engine = Deaf()
    sink, limit = Sink(plain_pool, "score"), DeadLetterLimit(1.0, 100)
    manager = TaskManager(sink, lambda _: engine, lambda: limit, OutageRetry("claim"), 30.0)
    await manager.claim([PLACE])

    async def one_chunk() -> AsyncIterator[tuple[Chunk, Ack]]:
        yield Chunk(PLACE.topic, PLACE.partition, [MemoryRecord(0, 0, b"k", b"v", ())]), lambda: None

    await manager.consume(one_chunk())
    await engine.busy.wait()
    async with asyncio.timeout(10):
        await manager.release([PLACE])
        assert await manager.claim([PLACE]) == {PLACE: None}
    engine.free.set()
    await asyncio.sleep(0.05)
    assert str(manager.failed.exception()) == "it is free"  # nothing of what it does is lost sight of
    await manager.release([PLACE])
