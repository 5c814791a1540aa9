"""What both transports' consumers share: chunk delivery, the commit rule, positions, back-pressure.

Written against Faust 0.15.3, whose `Consumer` it overrides; every override says what it replaces.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from aiokafka.errors import IllegalStateError
from faust.transport.consumer import Consumer, ensure_TP
from faust.types import TP, ConsumerMessage

from storage import crash_point
from streams.record import Chunk, Record
from streams.transports.chunk_limits import ChunkLimits, split
from streams.transports.commit_rule import Delivery, Reading, Readings
from streams.transports.positions import PositionLost, Positions, Start

FETCH_WAIT_S = 0.25
"""How long a fetch waits for records, so also how long a seek may have to wait for a fetch."""

FAREWELL_S = 5.0
"""A broker that does not answer holds up each step of the stop no longer than this."""


class Progress(NamedTuple):
    """How far a partition is: everything below `acked_to` is dealt with, the log ends at `end`."""

    acked_to: int
    end: int

    @property
    def lag(self) -> int:
        """Offsets still to deal with."""
        return max(self.end - self.acked_to, 0)


class ChunkMessage(ConsumerMessage):  # type: ignore[misc]
    """A Faust message whose value is a whole chunk and whose offset is its last record's."""

    __slots__ = ("delivery",)

    def __init__(self, tp: TP, chunk: Chunk, delivery: Delivery, generation_id: int) -> None:
        last = chunk.records[-1]
        super().__init__(
            topic=chunk.topic,
            partition=chunk.partition,
            offset=last.offset,
            timestamp=last.timestamp / 1000,
            timestamp_type=0,
            headers=None,
            key=None,
            value=chunk,
            checksum=None,
            tp=tp,
            generation_id=generation_id,
        )
        self.delivery = delivery


class ChunkConsumer(Consumer):  # type: ignore[misc]
    """Goes before a driver's consumer in the class line; `app` is a :class:`ChunkApp`.

    Fetches and seeks exclude each other, so no fetch straddles a seek. Acknowledgements come from the
    event loop's thread.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._positions: Positions | None = self.app.positions
        self._limits: ChunkLimits = self.app.limits
        self._readings = Readings()
        self._fetching = asyncio.Lock()
        self._room = asyncio.Event()
        self._revocations = 0
        self._claiming: asyncio.Future[Mapping[TP, Start | None]] | None = None
        self._unreadable: set[TP] = set()

    async def committed_offsets(self, partitions: Collection[TP]) -> Mapping[TP, int | None]:
        """What the group has committed, as the broker knows it."""
        raise NotImplementedError

    @property
    def unacked_bytes(self) -> int:
        """Bytes of the chunks that agents have not acknowledged yet."""
        return self._readings.unacked_bytes

    async def progress(self) -> Mapping[TP, Progress | None]:
        """How far each assigned partition is; None for one whose reading has not begun yet."""
        readings = {tp: self._readings.reading(tp) for tp in self.assignment()}
        ends = await self.highwaters(*(tp for tp, reading in readings.items() if reading))
        return {tp: Progress(r.acked_to, ends[tp]) if r else None for tp, r in readings.items()}

    # Delivery.

    async def _drain_messages(self, fetcher: Any) -> None:
        """Hand chunks to the conductor until stopped (Faust's own drops what a late seek made it forget)."""
        try:
            while not (self.should_stop or fetcher.should_stop):
                async for _, message in self.getmany(FETCH_WAIT_S):
                    await self.callback(message)
        except (*self.consumer_stopped_errors, asyncio.CancelledError):
            if not self.app.should_stop:
                raise

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ChunkMessage]]:  # noqa: ASYNC109
        """One message per partition and chunk, in offset order; waits while too many bytes are out.

        Raises `PositionLost`.
        """
        await self._wait_for_room(0)
        fetched = await self._fetch(timeout)
        if fetched:
            crash_point.reached("after_poll")
        for tp, reading, records in fetched:
            await self._check_continuity(tp, reading, records[0].offset)
            for part, size in split(records, self._limits):
                await self._wait_for_room(size, reading)
                if reading.closed or self.should_stop:
                    break
                delivery = reading.deliver(part[-1].offset + 1, size)
                chunk = Chunk(tp.topic, tp.partition, part)
                yield tp, ChunkMessage(tp, chunk, delivery, self.app.consumer_generation_id)

    async def _fetch(self, timeout: float) -> list[tuple[TP, Reading, Sequence[Record]]]:  # noqa: ASYNC109
        # Only partitions below their share: one that stands still must not use up what the others need.
        async with self._fetching:
            below = self._readings.below_share(self._limits.unacked_bytes)
            active = self._get_active_partitions() - self._unreadable
            readings = {tp: below[tp] for tp in active if tp in below}
            if readings:
                fetched = await self._getmany(set(readings), timeout)
                silent = readings.keys() - fetched.keys() - self._unreadable
                await self._pass_over({tp: readings[tp] for tp in silent})
                return [(ensure_TP(tp), readings[tp], records) for tp, records in fetched.items() if records]
        self._room.clear()
        await self.wait(self._room, timeout=timeout)
        return []

    async def _pass_over(self, silent: Mapping[TP, Reading]) -> None:
        """A log may end in marks of transactions, which no fetch brings: they are no backlog."""
        for tp, reading in silent.items():
            if self.highwater(tp) > reading.position:
                with suppress(IllegalStateError):  # revoked meanwhile
                    reading.pass_over(await self.position(tp))

    async def _wait_for_room(self, size: int, reading: Reading | None = None) -> None:
        while not self.should_stop:
            if not self.flow_active:
                await self.wait(self.can_resume_flow)
            elif (reading and reading.closed) or self._readings.has_room(size, self._limits.unacked_bytes):
                return
            else:
                self._room.clear()
                await self.wait(self._room)

    async def _check_continuity(self, tp: TP, reading: Reading, first: int) -> None:
        """A hole is compaction unless the log now begins behind it; going back is another log."""
        if first == reading.position or reading.closed:
            return
        begins = await self.earliest_offsets(tp)
        if first < reading.position or begins[tp] > reading.position:
            ends = await self.highwaters(tp)
            raise PositionLost(tp, reading.position, begins[tp], ends[tp])

    # Acknowledging and committing.

    def ack(self, message: ChunkMessage) -> bool:
        """Note a chunk as stored (replaces Faust's lists of offsets)."""
        message.acked = True
        self._unacked_messages.discard(message)
        news = message.delivery.ack()
        self._room.set()
        return news

    def _filter_tps_with_pending_acks(self, topics: Collection[Any] | None = None) -> Iterator[TP]:
        return (tp for tp in self._readings if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        reading = self._readings.reading(tp)
        return reading.committable() if reading else None

    def _should_commit(self, tp: TP, offset: int) -> bool:
        return True  # backwards too: a group that is ahead of the database is brought back

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Nothing: a hole in the offsets is no acknowledgement."""

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:
        """Commit, and book it only if the broker accepts (Faust books a refused commit as done)."""
        readings = {tp: self._readings.reading(tp) for tp in offsets}
        accepted: bool = await self._commit(offsets)
        if accepted:
            for tp, reading in readings.items():
                if reading:
                    reading.book(offsets[tp])
            self.app.monitor.on_tp_commit(offsets)
        return accepted

    # Where to read.

    async def perform_seek(self) -> None:
        """Start reading every assigned partition where it was claimed.

        Raises `PositionLost`; `IllegalStateError` if partitions were revoked meanwhile, on which Faust waits
        for the next assignment.
        """
        async with self._fetching:
            self._close(list(self._readings))
            revocations = self._revocations
            starts = await self.seek_to_committed()
            if revocations != self._revocations:
                raise IllegalStateError("partitions were revoked while they were being claimed")
            for tp, start in starts.items():
                self._readings.open(tp, start, committed=None if self._positions else start)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Claim the assigned partitions and move to where each must be read from."""
        starts = await self._available(await self._claim(self.assignment()))
        await self.seek_wait(starts)
        return starts

    async def _claim(self, partitions: Collection[TP]) -> Mapping[TP, Start | None]:
        if self._positions is None:
            offsets = await self.committed_offsets(partitions)
            return {tp: None if offset is None else Start(offset, offset) for tp, offset in offsets.items()}
        self._claiming = asyncio.ensure_future(self._positions.claim(partitions))
        try:
            return await self._claiming
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            raise IllegalStateError("partitions were revoked while they were being claimed") from None

    async def _available(self, claimed: Mapping[TP, Start | None]) -> Mapping[TP, int]:
        begins = await self.earliest_offsets(*claimed)
        ends = await self.highwaters(*claimed)
        for tp, start in claimed.items():
            if start is None:
                continue
            if not begins[tp] <= start.needed <= ends[tp]:
                raise PositionLost(tp, start.needed, begins[tp], ends[tp])
            if start.read_from < begins[tp]:
                lost = begins[tp] - start.read_from
                self.log.warning("%s: %d stored records expired: state goes on without them", tp, lost)
        return {tp: max(begins[tp], start.read_from if start else 0) for tp, start in claimed.items()}

    async def seek(self, partition: TP, offset: int) -> None:
        """Read the partition from `offset` on; chunks that are out are forgotten."""
        async with self._fetching:
            self._close([partition])
            await self.seek_wait({partition: offset})
            self._readings.open(partition, offset)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Forget the chunks that are out, clear Faust's buffers, then let the partitions go."""
        self._revocations += 1
        self._unreadable -= revoked
        if self._claiming is not None and self._claiming.cancel():  # nobody may claim what is another's
            await asyncio.wait({self._claiming})
        self._close(revoked)
        await super().on_partitions_revoked(revoked)
        try:
            await self._release(revoked)
        except Exception as error:
            await self.crash(error)  # the driver would only log it
            raise

    def _give_up(self, tp: TP, why: str) -> None:
        """Fetch no more from a partition whose next record cannot be read."""
        self._unreadable.add(tp)
        if self._positions is not None:
            self._positions.halt(tp, why)
        else:
            self.log.error("%s: %s", tp, why)

    def _close(self, partitions: Iterable[TP]) -> None:
        self._readings.close(*partitions)
        self._room.set()

    async def _release(self, partitions: Collection[TP]) -> None:
        if self._positions is not None and partitions:
            await self._positions.release(partitions)

    # Ending.

    async def on_stop(self) -> None:
        """Commit a last time, then let all partitions go (Faust's waits for ever on a silent broker)."""
        held = list(self._readings)
        try:
            async with asyncio.timeout(FAREWELL_S):
                await self.force_commit()
        except TimeoutError:
            self.log.warning("stopping without a last commit: the broker does not answer")
        self._close(held)
        await self._release(held)

    def close(self) -> None:
        """Nothing: the driver closes when it stops (Faust's would close it from the wrong event loop)."""

    async def verify_all_partitions_active(self) -> None:
        """Nothing: Faust's livelock check reads driver state that a rebalance takes away under it."""
