"""What a chunk changes: statements that go to the server together, in one round trip.

Rows of one statement are in key order, so that two transactions never wait for each other in a circle.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from psycopg.types.json import Json

from fleet.clock import from_microseconds
from storage.append import Place
from storage.binary_copy import PgArray, pg_array, timestamptz_array
from storage.chunk_result import ChunkResult, EpisodeRow, HealthRow, Telemetry, WearRow

Statement: TypeAlias = tuple[str, Sequence[Any]]
"""SQL and its parameters."""

HOUR_US = 3_600_000_000

# The values of all assets come as one flat array, cut here, as SQL knows no array of ragged arrays.
_LATEST = """
insert into asset_latest as known (asset_id, ts, score, bad, values, health, health_ts)
select distinct on (asset_id)
    asset_id, seen.ts, seen.score, seen.bad, flat.v[seen.first:seen.last], judged.health, judged.ts
from (select %b::real[] as v) as flat cross join
    (unnest(%b::int[], %b::timestamptz[], %b::real[], %b::bigint[], %b::int[], %b::int[])
        as seen (asset_id, ts, score, bad, first, last)
     full join unnest(%b::int[], %b::timestamptz[], %b::real[]) as judged (asset_id, ts, health)
        using (asset_id))
order by asset_id, seen.ts desc
on conflict (asset_id) do update set
    ts = greatest(known.ts, excluded.ts),
    score = case when known.ts is null or excluded.ts > known.ts then excluded.score else known.score end,
    bad = case when known.ts is null or excluded.ts > known.ts then excluded.bad else known.bad end,
    values = case when known.ts is null or excluded.ts > known.ts then excluded.values else known.values end,
    health = case when known.health_ts is null or excluded.health_ts > known.health_ts
                  then excluded.health else known.health end,
    health_ts = greatest(known.health_ts, excluded.health_ts)
"""

_DUE = """
insert into rollup_due (asset_id, first_ts, last_ts)
select * from unnest(%b::int[], %b::timestamptz[], %b::timestamptz[])
"""

_EPISODE = """
insert into episode (episode_id, asset_id, kind, detector, onset_ts, end_ts, peak_ts, peak_score, evidence)
select * from unnest(%s::uuid[], %s::int[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[],
                     %s::timestamptz[], %s::float8[], %s::jsonb[])
on conflict (episode_id) do update set
    end_ts = excluded.end_ts, peak_ts = excluded.peak_ts, peak_score = excluded.peak_score,
    evidence = excluded.evidence
"""

_WEAR = """
insert into wear_counter as known (asset_id, counter, ts, value, warning, "limit", unit)
select * from unnest(%s::int[], %s::text[], %s::timestamptz[], %s::float8[], %s::float8[], %s::float8[],
                     %s::text[])
on conflict (asset_id, counter) do update set
    ts = excluded.ts, value = excluded.value, warning = excluded.warning, "limit" = excluded."limit",
    unit = excluded.unit
where excluded.ts > known.ts
"""

_TALLY = """
insert into partition_tally as known (consumer, topic, partition, stored, duplicate, dead, tombstone)
values (%s, %s, %s, %s, %s, %s, %s)
on conflict (consumer, topic, partition) do update set
    stored = known.stored + excluded.stored, duplicate = known.duplicate + excluded.duplicate,
    dead = known.dead + excluded.dead, tombstone = known.tombstone + excluded.tombstone
"""


_NOTHING = Telemetry(
    np.empty(0, np.int32),
    np.empty(0, np.int64),
    np.empty(0, np.float32),
    np.empty(0, np.int64),
    np.empty((0, 0), np.float32),
)


def statements(place: Place, result: ChunkResult) -> Iterator[Statement]:
    """The chunk's changes, always in the same order of tables."""
    blocks = [block for block in result.telemetry if len(block.ts_us)]
    if blocks or result.health:
        yield _LATEST, [*_newest_rows(blocks), *_newest_health(result.health)]
    if blocks:
        yield _DUE, _written_ranges(blocks)
    if result.episodes:
        yield _EPISODE, _episodes(result.episodes)
    if result.wear:
        yield _WEAR, _wear(result.wear)
    tally = result.tally
    yield _TALLY, (*place, tally.stored, tally.duplicate, tally.dead, tally.tombstone)


def _newest_rows(blocks: Sequence[Telemetry]) -> list[PgArray]:
    """All values flat, then for each asset and block: asset, ts, score, bad, first and last of its values."""
    newest = [_NOTHING, *map(_last_of_each_asset, blocks)]
    asset, ts, score, bad = (
        np.concatenate([getattr(block, name) for block in newest])
        for name in ("asset_id", "ts_us", "score", "bad")
    )
    flat = np.concatenate([block.values.ravel() for block in newest])
    width = np.concatenate([np.full(len(block.ts_us), block.values.shape[1], np.int32) for block in newest])
    last = np.cumsum(width, dtype=np.int32)
    rows = pg_array(asset), timestamptz_array(ts), pg_array(score), pg_array(bad)
    return [pg_array(flat), *rows, pg_array(last - width + 1), pg_array(last)]


def _last_of_each_asset(block: Telemetry) -> Telemetry:
    at = np.flatnonzero(np.diff(block.asset_id, append=-1))
    return Telemetry(block.asset_id[at], block.ts_us[at], block.score[at], block.bad[at], block.values[at])


def _newest_health(rows: Sequence[HealthRow]) -> list[PgArray]:
    newest = {row.asset_id: row for row in sorted(rows, key=lambda row: row.ts_us)}.values()
    return [
        pg_array(np.array([row.asset_id for row in newest], np.int32)),
        timestamptz_array(np.array([row.ts_us for row in newest], np.int64)),
        pg_array(np.array([row.health for row in newest], np.float32)),
    ]


def _written_ranges(blocks: Sequence[Telemetry]) -> list[PgArray]:
    """(asset, first instant, last instant) of each run of rows within one hour of one asset."""
    asset = np.concatenate([block.asset_id for block in blocks])
    ts = np.concatenate([block.ts_us for block in blocks])
    changes = (np.diff(asset) != 0) | (np.diff(ts // HOUR_US) != 0)
    start = np.flatnonzero(np.concatenate([[True], changes]))
    end = np.flatnonzero(np.concatenate([changes, [True]]))
    return [pg_array(asset[start]), timestamptz_array(ts[start]), timestamptz_array(ts[end])]


def _episodes(rows: Sequence[EpisodeRow]) -> list[list[Any]]:
    newest = {row.episode_id: row for row in rows}
    return _columns(
        (
            e.episode_id,
            e.asset_id,
            e.kind,
            e.detector,
            from_microseconds(e.onset_us),
            None if e.end_us is None else from_microseconds(e.end_us),
            from_microseconds(e.peak_us),
            float(e.peak_score),
            Json(e.evidence),
        )
        for _, e in sorted(newest.items())
    )


def _wear(rows: Sequence[WearRow]) -> list[list[Any]]:
    newest = {(row.asset_id, row.counter): row for row in sorted(rows, key=lambda row: row.ts_us)}
    return _columns(
        (*key, from_microseconds(w.ts_us), float(w.value), float(w.warning), float(w.limit), w.unit)
        for key, w in sorted(newest.items())
    )


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
