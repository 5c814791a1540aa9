"""Records that could not be used: what they were, why, and whether they were sent again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import TupleRow

from fleet.dead_letter import Reason
from storage.pool import Pool

_COLUMNS = """
id, consumer, topic, partition, "offset", reason, detail, key, value, size, header_names, header_values,
recorded_at, created_at, replayed_at
"""


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """A dead letter as it is kept; `value` is the first 64 KiB of `size` bytes."""

    id: int
    consumer: str
    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    key: bytes | None
    value: bytes
    size: int
    headers: Sequence[tuple[str, bytes]]
    recorded_at: datetime
    created_at: datetime
    replayed_at: datetime | None

    @property
    def whole(self) -> bool:
        """Whether all of the record's bytes are kept, so that it can be sent again."""
        return len(self.value) == self.size


async def letters(
    pool: Pool,
    reason: Reason | None = None,
    topic: str | None = None,
    since: datetime | None = None,
    before_id: int | None = None,
    limit: int = 100,
) -> list[KeptLetter]:
    """Dead letters, newest first, at most `limit`; the next page is `before_id` the last one's id."""
    wanted = {"reason": reason, "topic": topic, "since": since, "before": before_id, "limit": limit}
    async with pool.connection() as conn:
        cursor = await conn.execute(
            f"select {_COLUMNS} from dead_letter "  # noqa: S608 - a constant of this module
            "where (%(reason)s::text is null or reason = %(reason)s) "
            "and (%(topic)s::text is null or topic = %(topic)s) "
            "and (%(since)s::timestamptz is null or created_at >= %(since)s) "
            "and (%(before)s::bigint is null or id < %(before)s) "
            "order by id desc limit %(limit)s",
            wanted,
        )
        return [_letter(row) for row in await cursor.fetchall()]


async def one_letter(pool: Pool, letter_id: int) -> KeptLetter | None:
    """The dead letter with that number."""
    async with pool.connection() as conn:
        cursor = await conn.execute(f"select {_COLUMNS} from dead_letter where id = %s", (letter_id,))  # noqa: S608
        row = await cursor.fetchone()
    return _letter(row) if row else None


async def unsent_ids(
    pool: Pool, reason: Reason | None = None, topic: str | None = None, ids: Sequence[int] = ()
) -> list[int]:
    """Numbers of dead letters that were not sent again yet, oldest first; `ids`: only of these, if any."""
    wanted = {"reason": reason, "topic": topic, "ids": list(ids)}
    async with pool.connection() as conn:
        cursor = await conn.execute(
            "select id from dead_letter where replayed_at is null "
            "and (%(reason)s::text is null or reason = %(reason)s) "
            "and (%(topic)s::text is null or topic = %(topic)s) "
            "and (cardinality(%(ids)s::bigint[]) = 0 or id = any (%(ids)s)) order by id",
            wanted,
        )
        return [row[0] for row in await cursor.fetchall()]


async def unsent_letters(pool: Pool, ids: Sequence[int]) -> list[KeptLetter]:
    """Those of these dead letters that were not sent again yet, oldest first."""
    async with pool.connection() as conn:
        cursor = await conn.execute(
            f"select {_COLUMNS} from dead_letter where id = any (%s) and replayed_at is null order by id",  # noqa: S608
            (list(ids),),
        )
        return [_letter(row) for row in await cursor.fetchall()]


async def mark_replayed(pool: Pool, ids: Sequence[int]) -> int:
    """Note that these were sent again, now; returns how many had not been before."""
    async with pool.connection() as conn:
        marked = await conn.execute(
            "update dead_letter set replayed_at = now() where id = any (%s) and replayed_at is null",
            (list(ids),),
        )
    return marked.rowcount


def _letter(row: TupleRow) -> KeptLetter:
    headers = tuple(zip(row[10], row[11], strict=True))
    fields = (*row[:10], headers, *row[12:])
    return KeptLetter(*fields)
