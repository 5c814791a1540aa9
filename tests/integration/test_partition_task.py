"""A partition's state is rebuilt from its snapshot, and how far that is survives the process."""

from dataclasses import replace

import pytest

from storage.chunk_result import ChunkResult, Tally
from storage.pool import Pool
from storage.sink import Sink
from streams import partition_task
from streams.dead_letter_limit import DeadLetterLimit
from streams.partition_task import PartitionTask
from streams.record import Chunk
from streams.transports.memory_broker import MemoryRecord
from streams.transports.positions import Start

TOPIC = "telemetry.acme"


class Killed(BaseException):
    """The process ends here."""


class Counting:
    """An engine whose state says what it has seen; it takes a record at a time and dies at one of them."""

    def __init__(self, dies_at: int | None = None) -> None:
        self.seen = b""
        self.dies_at = dies_at

    async def process(self, chunk: Chunk, again: bool) -> ChunkResult:
        record = chunk.records[0]
        if record.offset == self.dies_at:
            raise Killed
        self.seen += b"%d " % record.offset
        return ChunkResult(TOPIC, 0, record.offset, record.offset + 1, Tally(1))

    def state(self) -> bytes:
        return self.seen

    def load(self, state: bytes) -> None:
        self.seen = state


def chunk(first: int, end: int) -> Chunk:
    return Chunk(TOPIC, 0, [MemoryRecord(offset, 0, b"k", b"v", ()) for offset in range(first, end)])


async def claimed(sink: Sink, engine: Counting) -> PartitionTask:
    claim = await sink.claim(TOPIC, 0)
    return PartitionTask(sink, claim, engine, DeadLetterLimit(1.0, 100), snapshot_s=3600.0)


async def test_a_rebuild_that_is_killed_goes_on_where_it_was(
    plain_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = Sink(plain_pool, "score")
    task = await claimed(sink, Counting())
    task.start()
    await task.handle(chunk(0, 8))  # the first record's transaction keeps a snapshot, the others none

    monkeypatch.setattr(partition_task, "REBUILT_S", 0.0)
    again = await claimed(sink, Counting(dies_at=5))
    assert again.start() == Start(1, 8)
    with pytest.raises(Killed):
        await again.handle(chunk(1, 8))

    engine = Counting()
    last = await claimed(sink, engine)
    assert last.start() == Start(5, 8)
    await last.handle(chunk(5, 9))
    assert engine.seen == b"0 1 2 3 4 5 6 7 8 "
    assert last.stored == 9


class Insisting(Counting):
    """Cannot compute its state after the fourth record again."""

    async def process(self, chunk: Chunk, again: bool) -> ChunkResult:
        result = await super().process(chunk, again)
        return replace(result, snapshot=self.seen) if result.first_offset == 3 else result


async def test_a_state_that_cannot_be_computed_again_is_stored_with_its_chunk(plain_pool: Pool) -> None:
    sink = Sink(plain_pool, "score")
    task = await claimed(sink, Insisting())
    task.start()
    await task.handle(chunk(0, 6))
    engine = Insisting()
    again = await claimed(sink, engine)
    assert again.start() == Start(4, 6)
    assert engine.seen == b"0 1 2 3 "
