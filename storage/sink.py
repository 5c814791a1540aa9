"""One chunk, one transaction: what it became, how far the partition is, and who may write it."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import psycopg
import structlog

from storage import crash_point
from storage.append import Append, Place, appends
from storage.binary_copy import pg_array
from storage.chunk_result import ChunkResult
from storage.errors import Fenced, OffsetMismatch
from storage.pool import Connection, Pool
from storage.snapshot import Snapshot, load, save
from storage.upsert import Statement, statements

FrameKey = tuple[int, int, int]
"""(asset id, boot id, sequence), the last two as signed 64-bit numbers."""

log = structlog.get_logger()

_CLAIM = """
insert into sink_offset as known (consumer, topic, partition, epoch) values (%s, %s, %s, 1)
on conflict (consumer, topic, partition) do update set epoch = known.epoch + 1
returning epoch, next_offset
"""

_LOCK = """
select epoch, next_offset from sink_offset where consumer = %s and topic = %s and partition = %s for update
"""

_ADVANCE = """
update sink_offset set next_offset = %s
where consumer = %s and topic = %s and partition = %s and epoch = %s and next_offset is not distinct from %s
"""

_END_BLOCKERS = "select pg_terminate_backend(pid) from unnest(pg_blocking_pids(%s)) as pid"

_KNOWN_FRAMES = """
select asset_id, boot_id, seq, digest, "offset"
from frame join unnest(%b::int[], %b::bigint[], %b::bigint[]) as asked (asset_id, boot_id, seq)
     using (asset_id, boot_id, seq)
"""

# Hops from boot id to boot id through the index: an asset has millions of frames and few boots.
_HIGH_WATER = """
with recursive source (asset_id, boot_id) as (
    select asset_id, (select min(boot_id) from frame where frame.asset_id = asked.asset_id)
    from unnest(%b::int[]) as asked (asset_id)
    union all
    select asset_id, (select min(boot_id) from frame
                      where frame.asset_id = source.asset_id and frame.boot_id > source.boot_id)
    from source where boot_id is not null
)
select asset_id, boot_id,
       (select max(seq) from frame where frame.asset_id = source.asset_id and frame.boot_id = source.boot_id)
from source where boot_id is not null
"""

_STORED_OFFSETS = """
select topic, partition, next_offset from sink_offset where consumer = %s and next_offset is not null
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to write a partition until somebody claims it anew.

    Everything below `next_offset` is stored, as far as the claimant knows; None: nothing is.
    """

    topic: str
    partition: int
    epoch: int
    next_offset: int | None
    snapshot: Snapshot | None


@dataclass(frozen=True, slots=True)
class Written:
    """What a transaction did: new telemetry `rows`; `repeated` if an earlier attempt had stored it all."""

    rows: int
    repeated: bool = False


class Sink:
    """Writes what one consumer's chunks become, exactly once.

    The guarantee rests on one row per partition in `sink_offset`, locked by every transaction: it holds
    the next offset and the epoch of the newest claim. An unreachable database is a
    `psycopg.OperationalError`; every method may then be called again with the same arguments.
    """

    def __init__(self, pool: Pool, consumer: str, takeover_s: float = 10.0) -> None:
        self.consumer = consumer
        self._pool = pool
        self._takeover_s = takeover_s

    def _place(self, topic: str, partition: int) -> Place:
        return self.consumer, topic, partition

    async def claim(self, topic: str, partition: int) -> Claim:
        """Take the partition over: from now on nobody who claimed it before can write.

        A transaction of the previous owner is waited for; after `takeover_s` seconds its connection is
        ended, as a frozen process would hold the partition for ever.
        """
        place = self._place(topic, partition)
        async with self._pool.connection() as conn:
            epoch, next_offset = await self._raise_epoch(conn, place)
            return Claim(topic, partition, epoch, next_offset, await load(conn, place))

    async def _raise_epoch(self, conn: Connection, place: Place) -> tuple[int, int | None]:
        ending = asyncio.create_task(self._end_blockers(conn.info.backend_pid))
        try:
            row = await (await conn.execute(_CLAIM, place)).fetchone()
        finally:
            ending.cancel()
            await asyncio.gather(ending, return_exceptions=True)
        assert row is not None
        return row[0], row[1]

    async def _end_blockers(self, blocked_pid: int) -> None:
        await asyncio.sleep(self._takeover_s)
        log.warning("ending a transaction that holds a partition", consumer=self.consumer)
        async with self._pool.connection() as conn:
            await conn.execute(_END_BLOCKERS, (blocked_pid,))

    async def write(self, claim: Claim, result: ChunkResult) -> Written:
        """Store a chunk and advance the partition, in one transaction; or nothing at all.

        If an earlier attempt with an unknown outcome did commit, nothing is written again. Rows whose key
        is stored already are left out: what was first stays. Raises `Fenced` if the partition was claimed
        anew, `OffsetMismatch` if the chunk begins below what is stored, or the database holds less than the
        claimant knows.
        """
        place = self._place(claim.topic, claim.partition)
        new, changes = appends(place, result), list(statements(place, result))
        async with self._pool.connection() as conn:
            try:
                written = await _store(conn, place, claim, result, new, changes, staged=False)
            except psycopg.errors.UniqueViolation:
                written = await _store(conn, place, claim, result, new, changes, staged=True)
        crash_point.reached("after_commit")
        return written

    async def known_frames(self, keys: Sequence[FrameKey]) -> dict[FrameKey, tuple[int, int]]:
        """(digest, offset) of those frames that the ledger has."""
        if not keys:
            return {}
        asset_id, boot_id, seq = np.array(keys, np.int64).T
        params = pg_array(asset_id.astype(np.int32)), pg_array(boot_id), pg_array(seq)
        async with self._pool.connection() as conn:
            rows = await (await conn.execute(_KNOWN_FRAMES, params)).fetchall()
        return {(asset, boot, number): (digest, offset) for asset, boot, number, digest, offset in rows}

    async def high_water(self, asset_ids: Sequence[int]) -> dict[tuple[int, int], int]:
        """(asset id, boot id) to the highest sequence in the ledger, as signed 64-bit numbers."""
        async with self._pool.connection() as conn:
            cursor = await conn.execute(_HIGH_WATER, (pg_array(np.array(asset_ids, np.int32)),))
            return {(asset_id, boot_id): seq for asset_id, boot_id, seq in await cursor.fetchall()}

    async def keep(self, claim: Claim, next_offset: int, state: bytes) -> None:
        """Store a snapshot of the state after everything below `next_offset`.

        Raises `Fenced`, or `OffsetMismatch` as `write` does.
        """
        place = self._place(claim.topic, claim.partition)
        async with self._pool.connection() as conn, conn.transaction():
            _check_not_gone_back(place, claim, await _lock(conn, place, claim.epoch))
            await save(conn, place, Snapshot(next_offset, state))
            crash_point.reached("during_snapshot")

    async def stored_offsets(self) -> dict[tuple[str, int], int]:
        """(topic, partition) to the offset below which everything is stored, for all partitions known."""
        async with self._pool.connection() as conn:
            cursor = await conn.execute(_STORED_OFFSETS, (self.consumer,))
            return {(topic, partition): offset for topic, partition, offset in await cursor.fetchall()}


async def _store(
    conn: Connection,
    place: Place,
    claim: Claim,
    result: ChunkResult,
    new: Sequence[Append],
    changes: Sequence[Statement],
    *,
    staged: bool,
) -> Written:
    async with conn.transaction():
        stored = await _lock(conn, place, claim.epoch)
        if stored == result.next_offset:
            return Written(0, repeated=True)
        _check_not_gone_back(place, claim, stored)
        if stored is not None and result.first_offset < stored:
            raise OffsetMismatch(
                f"{place}: the chunk begins at {result.first_offset}, but all below {stored} is stored: "
                f"read on from {stored}"
            )
        added = Counter[str]()
        for append in new:
            added[append.table] += await append.copy(conn, staged)
        await _change(conn, changes, (result.next_offset, *place, claim.epoch, stored))
        if result.snapshot is not None:
            await save(conn, place, Snapshot(result.next_offset, result.snapshot))
            crash_point.reached("during_snapshot")
        crash_point.reached("before_commit")
    return Written(added["telemetry"])


async def _lock(conn: Connection, place: Place, epoch: int) -> int | None:
    """The stored offset, with the partition's row locked; raises `Fenced`."""
    row = await (await conn.execute(_LOCK, place)).fetchone()
    if row is None or row[0] != epoch:
        raise Fenced(f"{place}: claimed anew after epoch {epoch}: let the partition go")
    stored: int | None = row[1]
    return stored


def _check_not_gone_back(place: Place, claim: Claim, stored: int | None) -> None:
    if claim.next_offset is not None and (stored is None or stored < claim.next_offset):
        raise OffsetMismatch(
            f"{place}: the database knows of everything below {stored}, but {claim.next_offset} was stored: "
            "it was restored from an older copy; what is missing must be read again"
        )


async def _change(conn: Connection, changes: Sequence[Statement], advance: tuple[object, ...]) -> None:
    async with conn.pipeline():
        for statement, params in changes:
            await conn.execute(statement, params)
        advanced = await conn.execute(_ADVANCE, advance)
    if advanced.rowcount != 1:
        raise Fenced("the partition's row changed under its lock: let the partition go")
