"""One partition's way from chunk to commit.

PostgreSQL is the truth for progress: a task claims its partition there, starts reading where the claim
says, and a chunk is acknowledged only after its transaction has committed.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import structlog

from storage.chunk_result import ChunkResult
from storage.sink import Claim, Sink
from streams import metrics
from streams.dead_letter_limit import DeadLetterLimit
from streams.record import Chunk
from streams.retry import OutageRetry
from streams.transports.positions import Start

REBUILT_S = 5.0
"""About the wall time of reading again that is kept: a worker that is killed again and again gets on."""

log = structlog.get_logger()


class Engine(Protocol):
    """What an agent computes from one partition's chunks, with its state in memory."""

    async def process(self, chunk: Chunk, again: bool) -> ChunkResult:
        """The outputs of the chunk's first records, up to the result's `next_offset`: at least one record.

        `again`: it is stored already and read to rebuild the state alone. An outage is raised before any
        state has changed, so that the call can be repeated.
        """
        ...

    def state(self) -> bytes:
        """The state after the last record processed."""
        ...

    def load(self, state: bytes) -> None:
        """Go on from a saved state; raises `ValueError` if it does not fit this version."""
        ...


EngineFactory = Callable[[str], Engine]
"""Makes the engine of one partition of the given topic."""


class PartitionTask:
    """One claimed partition. `snapshot_s`: about the wall time between snapshots, which a restart repeats."""

    def __init__(
        self,
        sink: Sink,
        claim: Claim,
        engine: Engine,
        limit: DeadLetterLimit,
        snapshot_s: float,
    ) -> None:
        self._sink = sink
        self._claim = claim
        self._engine = engine
        self._limit = limit
        self.retry = OutageRetry(sink.consumer)
        self._snapshot_s = snapshot_s * _pace(claim.partition)
        self._next_snapshot = time.monotonic() + self._snapshot_s if claim.snapshot else 0.0
        self._rebuilt_s = min(REBUILT_S * _pace(claim.partition), self._snapshot_s)
        self._next_rebuilt = time.monotonic() + self._rebuilt_s
        self._kept = claim.snapshot.next_offset if claim.snapshot else 0
        self._unread = False  # whether the log is to be read from its beginning
        self._settled = False  # whether the engine's state is that after everything stored
        self.stored = claim.next_offset or 0
        """Everything below this offset is in the database."""
        self.delay_s: float | None = None
        """Seconds from the log to the database, of the first record of the chunk stored last."""

    def start(self) -> Start | None:
        """Where to read from: the snapshot's offset, so that what follows it is computed again.

        Without a usable snapshot that is None, the beginning of the log: slower, and with the same result if
        the log still has all of it.
        """
        snapshot = self._claim.snapshot
        if snapshot is None:
            self._unread = True
            return None
        try:
            self._engine.load(snapshot.state)
        except ValueError as error:
            log.warning("snapshot not usable, computing the state again", reason=str(error))
            self._unread = True
            return None
        return Start(snapshot.next_offset, self.stored)

    async def handle(self, chunk: Chunk) -> None:
        """Compute and commit a chunk, in as many transactions as the engine cuts it into; waits out outages.

        Raises `Fenced`, or `TooManyDeadLetters` once those that were too many are kept.
        """
        self._check_no_gap(chunk)
        self._settled = False
        below, rest = chunk.split(self.stored)
        while below:
            result = await self._process(below, again=True)
            await self._keep_on_the_way(result.next_offset)
            _, below = below.split(result.next_offset)
        while rest:
            result = await self._store(rest)
            _, rest = rest.split(result.next_offset)
        self._settled = chunk.end_offset >= self.stored

    def _check_no_gap(self, chunk: Chunk) -> None:
        """Reading from the log's beginning, the first chunk must not begin beyond what is stored."""
        first, place = chunk.records[0].offset, f"{chunk.topic} {chunk.partition}"
        if self._unread and self._claim.next_offset is not None and first > self.stored:
            raise RuntimeError(
                f"{place}: all below {self.stored} is stored, but the log begins at {first}: records expired "
                f"unread. Go on without them: faultline db position {place} {first}"
            )
        self._unread = False

    async def keep_snapshot(self) -> None:
        """Store the state if it has moved on since the last snapshot: when nothing comes, or at the end."""
        if self._settled and self._kept < self.stored:
            await self._sink.keep(self._claim, self.stored, self._engine.state())
            self._kept = self.stored

    async def _keep_on_the_way(self, offset: int) -> None:
        """While the state is being rebuilt: save how far that is."""
        if time.monotonic() >= self._next_rebuilt:
            state = self._engine.state()
            await self.retry.until_done(lambda: self._sink.keep(self._claim, offset, state))
            self._kept, self._next_rebuilt = offset, time.monotonic() + self._rebuilt_s

    async def _process(self, chunk: Chunk, again: bool) -> ChunkResult:
        return await self.retry.until_done(lambda: self._engine.process(chunk, again))

    async def _store(self, chunk: Chunk) -> ChunkResult:
        started = time.perf_counter()
        result = await self._process(chunk, again=False)
        computed = time.perf_counter()
        await self._commit(result)
        self.delay_s = max(time.time() - chunk.records[0].timestamp / 1000, 0.0)
        self._count(result, computed - started, time.perf_counter() - computed)
        self._limit.observe(_dead(chunk, result))
        return result

    async def _commit(self, result: ChunkResult) -> None:
        if time.monotonic() >= self._next_snapshot or result.snapshot is not None:
            result = replace(result, snapshot=result.snapshot or self._engine.state())
            self._next_snapshot = time.monotonic() + self._snapshot_s
            self._kept = result.next_offset
        await self.retry.until_done(lambda: self._sink.write(self._claim, result))
        self._claim = replace(self._claim, next_offset=result.next_offset)
        self.stored = result.next_offset

    def _count(self, result: ChunkResult, compute_s: float, commit_s: float) -> None:
        agent = self._sink.consumer
        for fate in ("stored", "duplicate", "dead", "tombstone"):
            metrics.RECORDS.labels(agent, fate).inc(getattr(result.tally, fate))
        metrics.SAMPLES.labels(agent).inc(sum(block.values.size for block in result.telemetry))
        metrics.CHUNK_SECONDS.labels(agent, "compute").observe(compute_s)
        metrics.CHUNK_SECONDS.labels(agent, "commit").observe(commit_s)


def _pace(partition: int) -> float:
    """Between .75 and 1.25, spread by the golden ratio: all partitions' snapshots at once need much room."""
    return 0.75 + 0.5 * (partition * 0.618034 % 1.0)


def _dead(chunk: Chunk, result: ChunkResult) -> list[bool]:
    """Of each record that the result speaks of, whether it became a dead letter."""
    dead = {letter.offset for letter in result.dead_letters}
    return [record.offset in dead for record in chunk.records if record.offset < result.next_offset]
