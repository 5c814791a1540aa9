"""Events that machines reported themselves, kept as episodes of kind `event`."""

from collections.abc import Sequence
from datetime import timedelta

from psycopg.types.json import Json

from fleet.clock import from_microseconds
from storage.chunk_result import EpisodeRow
from storage.pool import Pool

EVENT = "event"

QUIET = timedelta(hours=1)
"""A code that comes again within that is the same event, unless people are in danger and it was ended."""

_LOCK = 0x6576656E  # "even": two processes that are told the same event of an asset wait for each other

# A status message has its codes as long as they hold, so most are known: nothing is written then, but for an
# end that has moved by a minute. An event without an end that is heard of after a repair ended with that.
_STORE = """
with known as (
    select episode_id, end_ts from episode
    where asset_id = %(asset)s and kind = %(kind)s and detector = %(detector)s
        and onset_ts <= %(onset)s::timestamptz + %(quiet)s
        and coalesce(end_ts, 'infinity') >= %(onset)s::timestamptz - %(after_end)s
    order by onset_ts desc limit 1
), later as (
    update episode set end_ts = %(onset)s from known where episode.episode_id = known.episode_id
        and known.end_ts < %(onset)s::timestamptz - interval '1 minute'
)
insert into episode (episode_id, asset_id, kind, detector, onset_ts, end_ts, peak_ts, peak_score, evidence)
select %(id)s, %(asset)s, %(kind)s, %(detector)s, %(onset)s,
       coalesce(%(end)s::timestamptz,
                (select min(ts) from maintenance where asset_id = %(asset)s and ts >= %(onset)s)),
       %(onset)s, 0, %(evidence)s
where not exists (select from known)
on conflict (episode_id) do nothing
"""


async def store_events(pool: Pool, rows: Sequence[EpisodeRow]) -> None:
    """Keep events in the order of time; one without an end is on until the machine's next repair.

    A code that is still reported, or comes again within `QUIET`, is the event that it was.
    """
    async with pool.connection() as conn, conn.transaction(), conn.cursor() as cursor:
        for asset_id in sorted(
            {row.asset_id for row in rows}
        ):  # in one order, so that nobody waits in a ring
            await cursor.execute("select pg_advisory_xact_lock(%s, %s)", (_LOCK, asset_id))
        for row in sorted(rows, key=lambda row: row.onset_us):
            await cursor.execute(_STORE, _parameters(row))


def _parameters(row: EpisodeRow) -> dict[str, object]:
    return {
        "id": row.episode_id,
        "asset": row.asset_id,
        "kind": row.kind,
        "detector": row.detector,
        "onset": from_microseconds(row.onset_us),
        "end": None if row.end_us is None else from_microseconds(row.end_us),
        "evidence": Json(row.evidence),
        "quiet": QUIET,
        "after_end": timedelta(0) if row.end_us is None else QUIET,
    }
