"""How each partition is going, told by its worker, for those who run the platform."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from storage.pool import Pool

_STATE = """
insert into partition_state as known (consumer, topic, partition, next_offset, lag, delay_s, halted)
select * from unnest(%s::text[], %s::text[], %s::int[], %s::bigint[], %s::bigint[], %s::float8[], %s::text[])
order by 1, 2, 3
on conflict (consumer, topic, partition) do update set
    next_offset = excluded.next_offset, lag = excluded.lag, delay_s = excluded.delay_s,
    halted = excluded.halted, seen_at = excluded.seen_at,
    moved_at = case when excluded.next_offset <> known.next_offset or excluded.lag = 0
                    then excluded.moved_at else known.moved_at end
"""

# Whichever worker comes first in a minute writes it. What nobody has told of for long is gone.
_MINUTE = """
insert into platform_minute (ts, consumer, records, lag, delay_s, database_bytes)
select date_trunc('minute', now()), consumer, sum(next_offset), sum(lag), max(delay_s),
       pg_database_size(current_database())
from partition_state where seen_at > now() - interval '5 minutes' group by consumer
on conflict (ts, consumer) do nothing
"""


@dataclass(frozen=True, slots=True)
class PartitionProgress:
    """Everything below `next_offset` is stored; `lag` records wait.

    delay_s: seconds from the log to the database, of what was stored last; None: nothing was yet.
    halted: why it stands still on purpose; None: it does not.
    """

    consumer: str
    topic: str
    partition: int
    next_offset: int
    lag: int
    delay_s: float | None
    halted: str | None


async def record_progress(pool: Pool, partitions: Sequence[PartitionProgress]) -> None:
    """Keep how these partitions are, and once a minute how all are together."""
    columns = [list(column) for column in zip(*map(astuple, partitions), strict=True)]
    async with pool.connection() as conn:
        if columns:
            await conn.execute(_STATE, columns)
        await conn.execute(_MINUTE)
