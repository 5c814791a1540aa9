"""What workers tell of their partitions, for those who run the platform."""

from dataclasses import replace
from datetime import datetime

from storage.pool import Pool
from storage.progress import PartitionProgress, record_progress

PLACE = PartitionProgress("score", "telemetry.acme", 0, next_offset=5, lag=3, delay_s=0.5, halted=None)


async def moved_at(pool: Pool) -> datetime:
    async with pool.connection() as conn:
        ((at,),) = await (await conn.execute("select moved_at from partition_state")).fetchall()
        assert isinstance(at, datetime)
        return at


async def test_a_partition_stands_still_while_records_wait_and_nothing_is_stored(plain_pool: Pool) -> None:
    await record_progress(plain_pool, [PLACE])
    first = await moved_at(plain_pool)
    await record_progress(plain_pool, [replace(PLACE, lag=9)])
    assert await moved_at(plain_pool) == first
    await record_progress(plain_pool, [replace(PLACE, next_offset=6)])
    stored = await moved_at(plain_pool)
    assert stored > first
    await record_progress(plain_pool, [replace(PLACE, next_offset=6, lag=0)])
    assert await moved_at(plain_pool) > stored


async def test_a_minute_has_one_row_of_all_partitions_together(plain_pool: Pool) -> None:
    await record_progress(plain_pool, [PLACE, replace(PLACE, partition=1, next_offset=7, delay_s=None)])
    for _ in range(3):
        await record_progress(plain_pool, [])
    async with plain_pool.connection() as conn:
        said = "select consumer, records, lag, delay_s, database_bytes > 0 from platform_minute order by ts"
        rows = await (await conn.execute(said)).fetchall()
    assert rows[0] == ("score", 12, 6, 0.5, True)
    assert len(rows) <= 2  # the minute may have turned
