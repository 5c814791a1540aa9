"""Events that machines reported themselves, kept as episodes of kind `event`."""

from collections.abc import Sequence

from psycopg.types.json import Json

from fleet.clock import from_microseconds
from storage.chunk_result import EpisodeRow
from storage.pool import Pool

EVENT = "event"

# What is there stays, so that a message that comes again opens nothing that was closed. An event without an
# end that is heard of only after a repair ended with that.
_STORE = """
insert into episode (episode_id, asset_id, kind, detector, onset_ts, end_ts, peak_ts, peak_score, evidence)
select %(id)s, %(asset)s, %(kind)s, %(detector)s, %(onset)s,
       coalesce(%(end)s::timestamptz,
                (select min(ts) from maintenance where asset_id = %(asset)s and ts >= %(onset)s)),
       %(onset)s, 0, %(evidence)s
on conflict (episode_id) do nothing
"""


async def store_events(pool: Pool, rows: Sequence[EpisodeRow]) -> None:
    """Keep events that are not kept yet; one without an end is on until the machine's next repair."""
    async with pool.connection() as conn, conn.cursor() as cursor:
        await cursor.executemany(_STORE, [_parameters(row) for row in rows])


def _parameters(row: EpisodeRow) -> dict[str, object]:
    return {
        "id": row.episode_id,
        "asset": row.asset_id,
        "kind": row.kind,
        "detector": row.detector,
        "onset": from_microseconds(row.onset_us),
        "end": None if row.end_us is None else from_microseconds(row.end_us),
        "evidence": Json(row.evidence),
    }
