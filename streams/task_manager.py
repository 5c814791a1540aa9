"""All claimed partitions of one agent, side by side.

One partition's computing overlaps another's writing; within a partition everything is in order. What a
task cannot handle ends the process: the supervisor's restart reads on from what the database holds.
"""

import asyncio
import time
from collections.abc import AsyncIterable, Callable, Collection, Mapping
from contextlib import suppress

import structlog
from faust.types import TP

from storage import crash_point
from storage.errors import StorageError
from storage.progress import PartitionProgress
from storage.sink import Sink
from streams import metrics
from streams.dead_letter_limit import DeadLetterLimit, TooManyDeadLetters
from streams.errors import PartitionStopped
from streams.partition_task import EngineFactory, PartitionTask
from streams.pulse import Pulse
from streams.record import Chunk
from streams.retry import OUTAGE, OutageRetry
from streams.transports.positions import Start

log = structlog.get_logger()

Ack = Callable[[], None]

END_WITHIN_S = KEEP_WITHIN_S = 5.0

MOST_RECORDS = 20_000
"""Records of waiting chunks that are taken together; their bytes the transport bounds."""


class TaskManager:
    """Claims partitions for an agent and runs each one's chunks in a task of its own."""

    def __init__(
        self,
        sink: Sink,
        make_engine: EngineFactory,
        make_limit: Callable[[], DeadLetterLimit],
        claiming: OutageRetry,
        snapshot_s: float,
    ) -> None:
        self._sink = sink
        self._make_engine = make_engine
        self._make_limit = make_limit
        self._snapshot_s = snapshot_s
        self.consumer = sink.consumer
        self._claiming = claiming
        self._tasks: dict[TP, PartitionTask] = {}
        self._queues: dict[TP, asyncio.Queue[tuple[Chunk, Ack]]] = {}
        self._running: dict[TP, asyncio.Task[None]] = {}
        self._progress = Pulse()
        self.halted: dict[TP, str] = {}
        """Partitions that stand still on purpose, and why."""
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Gets the exception that must end the process."""

    async def claim(self, partitions: Collection[TP]) -> Mapping[TP, Start | None]:
        """Take the partitions over from whoever had them; returns where to read each one from."""
        await self.release(partitions)
        starts = {tp: await self._open(tp) for tp in sorted(partitions)}
        self._progress.beat()  # what was stored just before may never be read again
        return starts

    async def _open(self, tp: TP) -> Start | None:
        claim = await self._claiming.until_done(lambda: self._sink.claim(tp.topic, tp.partition))
        engine, limit = self._make_engine(tp.topic), self._make_limit()
        task = PartitionTask(self._sink, claim, engine, limit, self._snapshot_s)
        start = task.start()
        self._tasks[tp], self._queues[tp] = task, asyncio.Queue()
        self._running[tp] = asyncio.create_task(self._work(tp, task, self._queues[tp]))
        self._running[tp].add_done_callback(self._on_done)
        return start

    async def release(self, partitions: Collection[TP]) -> None:
        """Let go of the partitions; a transaction under way is rolled back or fenced.

        So nobody has to wait long for it: the whole group stands still meanwhile.
        """
        running = [self._running.pop(tp) for tp in partitions if tp in self._running]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=END_WITHIN_S)
        await asyncio.gather(*(_keep_if_possible(self._tasks[tp]) for tp in partitions if tp in self._tasks))
        for tp in partitions:
            self._tasks.pop(tp, None)
            self._queues.pop(tp, None)
            self.halted.pop(tp, None)
            metrics.forget_partition(self.consumer, tp.topic, tp.partition)

    async def consume(self, chunks: AsyncIterable[tuple[Chunk, Ack]]) -> None:
        """Hand each chunk to its partition's task: the whole body of a Faust agent."""
        async for chunk, ack in chunks:
            queue = self._queues.get(TP(chunk.topic, chunk.partition))
            if queue is not None:  # else the partition was lost after the fetch: its next owner reads it
                queue.put_nowait((chunk, ack))

    async def _work(self, tp: TP, task: PartitionTask, queue: asyncio.Queue[tuple[Chunk, Ack]]) -> None:
        while True:
            try:
                async with asyncio.timeout(self._snapshot_s or None):
                    chunk, acks = await _all_waiting(queue)
            except TimeoutError:  # nothing comes: the log may expire beyond an old snapshot
                await _keep_if_possible(task)
                continue
            try:
                await task.handle(chunk)
            except TooManyDeadLetters as error:
                await self._stand_still(tp, str(error))
            for ack in acks:
                ack()
            crash_point.reached("after_ack")
            self._progress.beat()

    def halt(self, tp: TP, why: str) -> None:
        """Note that a partition stands still on purpose."""
        self.halted[tp] = why
        metrics.HALTED.labels(self.consumer, tp.topic, tp.partition).set(1)
        log.error(
            "partition stopped: see `faultline deadletters list`, mend the cause, restart the worker",
            agent=self.consumer,
            topic=tp.topic,
            partition=tp.partition,
            why=why,
        )
        self._progress.beat()

    async def _stand_still(self, tp: TP, why: str) -> None:
        while True:
            self.halt(tp, why)
            await asyncio.sleep(60)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) and not self.failed.done():
            self.failed.set_exception(error)

    async def wait_stored(self, tp: TP, offset: int) -> None:
        """Return once the record at `offset` is in the database; raises `PartitionStopped`."""
        while not self._has_stored(tp, offset):
            if tp in self.halted:
                raise PartitionStopped(tp.topic, tp.partition, self.halted[tp])
            await self._progress.wait()

    def _has_stored(self, tp: TP, offset: int) -> bool:
        return tp in self._tasks and self._tasks[tp].stored > offset

    def progress(self, lags: Mapping[TP, int]) -> list[PartitionProgress]:
        """How each of its partitions is whose lag is known."""
        return [
            PartitionProgress(
                self.consumer,
                tp.topic,
                tp.partition,
                task.stored,
                lags[tp],
                task.delay_s,
                self.halted.get(tp),
            )
            for tp, task in sorted(self._tasks.items())
            if tp in lags
        ]

    def refused_at(self, tp: TP) -> float:
        """When the database last refused something of the partition, on the monotonic clock."""
        task = self._tasks.get(tp)
        return max(self._claiming.last_refusal, task.retry.last_refusal if task else float("-inf"))

    def is_refused(self, within_s: float) -> bool:
        """Whether the database refused anything so lately."""
        latest = max((self.refused_at(tp) for tp in self._tasks), default=self._claiming.last_refusal)
        return time.monotonic() - latest < within_s


async def _keep_if_possible(task: PartitionTask) -> None:
    """Save the partition's next owner some work; without it the result is the same."""
    with suppress(*OUTAGE, StorageError, TimeoutError):
        async with asyncio.timeout(KEEP_WITHIN_S):
            await task.keep_snapshot()


async def _all_waiting(queue: asyncio.Queue[tuple[Chunk, Ack]]) -> tuple[Chunk, list[Ack]]:
    """The next chunk, with those that came while the one before was written: one transaction for all."""
    chunk, ack = await queue.get()
    records, acks = list(chunk.records), [ack]
    while not queue.empty() and len(records) < MOST_RECORDS:
        more, ack = queue.get_nowait()
        records += more.records
        acks.append(ack)
    return Chunk(chunk.topic, chunk.partition, records), acks
