"""What reports, the API and screens ask: typed rows, newest first, never a search through all of history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString, TypeVar
from uuid import UUID

from psycopg.rows import class_row

from storage.pool import Pool

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AssetNow:
    """An asset with its newest values, score and health; None where nothing came yet, or since a repair.

    `values` are in column order and the channels' units; bit k of `bad`: value k is not to be trusted.
    """

    asset_id: int
    tenant: str
    site: str
    name: str
    title: str
    equipment_type: str
    ts: datetime | None
    score: float | None
    bad: int | None
    values: Sequence[float | None] | None
    health: float | None
    health_ts: datetime | None


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode as stored; `end` None: still on."""

    episode_id: UUID
    asset_id: int
    tenant: str
    asset: str
    kind: str
    detector: str
    onset: datetime
    end: datetime | None
    peak: datetime
    peak_score: float
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LatestForecast:
    """The newest forecast of what runs out on an asset; hours from `ts`.

    One `before_repair` is of a condition that a repair has renewed since: it says nothing of the machine now.
    """

    asset_id: int
    tenant: str
    asset: str
    target: str
    ts: datetime
    forecaster: str
    verdict: str
    p10_h: float | None
    p50_h: float | None
    p90_h: float | None
    basis: str
    before_repair: bool


@dataclass(frozen=True, slots=True)
class Wear:
    """A wear counter as it stands."""

    asset_id: int
    tenant: str
    asset: str
    counter: str
    ts: datetime
    value: float
    warning: float
    limit: float
    unit: str


@dataclass(frozen=True, slots=True)
class IngestTotals:
    """Records of one consumer by fate, over all partitions since the beginning."""

    stored: int
    duplicate: int
    dead: int
    tombstone: int
    dead_by_reason: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredTotals:
    """Asset-instants and trusted values in the hour rollups, and the hours that they span."""

    rows: int
    values: int
    first: datetime | None
    last: datetime | None


_EPISODES: LiteralString = """
    select episode_id, asset_id, tenant, name as asset, kind, detector, onset_ts as onset, end_ts as end,
           peak_ts as peak, peak_score, evidence
    from episode join asset using (asset_id)
"""


async def fleet_now(pool: Pool, tenant: str | None = None) -> list[AssetNow]:
    """Every asset, of one tenant or all, in the order of their numbers."""
    statement = """
        select asset_id, tenant, site, name, title, equipment_type, ts, score, bad, values,
               case when renewed is null or health_ts > renewed then health end as health,
               case when renewed is null or health_ts > renewed then health_ts end as health_ts
        from asset left join asset_latest using (asset_id)
            left join (select asset_id, max(ts) as renewed from maintenance group by asset_id) as repair
                using (asset_id)
        where %(tenant)s::text is null or tenant = %(tenant)s
        order by asset_id
    """
    return await _rows(pool, AssetNow, statement, {"tenant": tenant})


async def recent_episodes(
    pool: Pool, tenant: str | None = None, asset_id: int | None = None, limit: int = 100
) -> list[Episode]:
    """Episodes, the latest onset first."""
    statement = f"""{_EPISODES}
        where (%(tenant)s::text is null or tenant = %(tenant)s)
          and (%(asset_id)s::int is null or asset_id = %(asset_id)s)
        order by onset_ts desc, episode_id limit %(limit)s
    """
    return await _rows(pool, Episode, statement, {"tenant": tenant, "asset_id": asset_id, "limit": limit})


async def episodes_between(pool: Pool, asset_id: int, start: datetime, end: datetime) -> list[Episode]:
    """An asset's episodes that were on between `start` and before `end`, the earliest onset first."""
    statement = f"""{_EPISODES}
        where asset_id = %(asset_id)s and onset_ts < %(end)s and (end_ts is null or end_ts >= %(start)s)
        order by onset_ts, episode_id
    """
    return await _rows(pool, Episode, statement, {"asset_id": asset_id, "start": start, "end": end})


async def latest_forecasts(
    pool: Pool, tenant: str | None = None, until: datetime | None = None
) -> list[LatestForecast]:
    """The newest forecast of each asset and target, as of an instant if it is given."""
    statement = """
        select distinct on (asset_id, target)
               asset_id, tenant, name as asset, target, ts, forecaster, verdict, p10_h, p50_h, p90_h, basis,
               target = 'condition' and exists (
                   select from maintenance as done where done.asset_id = forecast.asset_id
                   and done.ts >= forecast.ts and (%(until)s::timestamptz is null or done.ts <= %(until)s)
               ) as before_repair
        from forecast join asset using (asset_id)
        where (%(tenant)s::text is null or tenant = %(tenant)s)
          and (%(until)s::timestamptz is null or ts <= %(until)s)
        order by asset_id, target, ts desc
    """
    return await _rows(pool, LatestForecast, statement, {"tenant": tenant, "until": until})


async def first_health(pool: Pool) -> dict[int, datetime]:
    """Since when the health of each asset has been known."""
    statement = """
        select asset_id, ts from asset,
        lateral (select ts from health where health.asset_id = asset.asset_id order by ts limit 1) as first
    """
    async with pool.connection() as conn:
        return dict(await (await conn.execute(statement)).fetchall())


async def wear_counters(pool: Pool, tenant: str | None = None) -> list[Wear]:
    """Every wear counter as it stands."""
    statement = """
        select asset_id, tenant, name as asset, counter, ts, value, warning, "limit", unit
        from wear_counter join asset using (asset_id)
        where %(tenant)s::text is null or tenant = %(tenant)s
        order by asset_id, counter
    """
    return await _rows(pool, Wear, statement, {"tenant": tenant})


async def ingest_totals(pool: Pool, consumer: str = "score") -> IngestTotals:
    """What became of all records that the consumer has read."""
    statement = """
        select coalesce(sum(stored), 0)::bigint as stored, coalesce(sum(duplicate), 0)::bigint as duplicate,
               coalesce(sum(dead), 0)::bigint as dead, coalesce(sum(tombstone), 0)::bigint as tombstone,
               (select coalesce(jsonb_object_agg(reason, n), '{}') from (
                   select reason, count(*) as n from dead_letter where consumer = %(consumer)s group by reason
               ) as dead) as dead_by_reason
        from partition_tally where consumer = %(consumer)s
    """
    return (await _rows(pool, IngestTotals, statement, {"consumer": consumer}))[0]


async def stored_totals(pool: Pool, tenant: str | None = None) -> StoredTotals:
    """How much telemetry there is, as of the last rollup (`storage.rollup.run_due`)."""
    statement = """
        select coalesce(sum(n), 0)::bigint as rows, min(ts) as first, max(ts) + interval '1 hour' as last,
               coalesce(sum((select sum(c) from unnest(vcount) as c)), 0)::bigint as values
        from rollup_hour join asset using (asset_id)
        where %(tenant)s::text is null or tenant = %(tenant)s
    """
    return (await _rows(pool, StoredTotals, statement, {"tenant": tenant}))[0]


async def _rows(pool: Pool, kind: type[T], statement: LiteralString, params: Mapping[str, Any]) -> list[T]:
    async with pool.connection() as conn, conn.cursor(row_factory=class_row(kind)) as cursor:
        await cursor.execute(statement, params)
        return await cursor.fetchall()
