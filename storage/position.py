"""Moving a partition's position by hand, after records were lost or a log was made anew."""

from storage.pool import Pool


async def set_position(pool: Pool, consumer: str, topic: str, partition: int, offset: int) -> bool:
    """Let the consumer go on at `offset`, with the state it has; False if it never read that partition.

    Whoever works on the partition now is fenced off and starts again from there.
    """
    place = consumer, topic, partition
    async with pool.connection() as conn, conn.transaction():
        moved = await conn.execute(
            "update sink_offset set epoch = epoch + 1, next_offset = %s "
            "where consumer = %s and topic = %s and partition = %s",
            (offset, *place),
        )
        await conn.execute(
            "update snapshot set next_offset = %s where consumer = %s and topic = %s and partition = %s",
            (offset, *place),
        )
    return moved.rowcount == 1
