"""What reports and screens are told equals what was stored."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest

from console.report_data import build_summary
from console.views import forecasts
from fleet.clock import from_microseconds
from fleet.dead_letter import Reason
from fleet.maintenance import MaintenanceEvent, MaintenanceKind
from storage.chunk_result import DeadLetter, EpisodeRow, ForecastRow, HealthRow, Tally, WearRow
from storage.maintenance import record_event
from storage.pool import Pool
from storage.queries import (
    AssetNow,
    IngestTotals,
    StoredTotals,
    fleet_now,
    ingest_totals,
    latest_forecasts,
    recent_episodes,
    stored_totals,
    wear_counters,
)
from storage.registry import load_registry
from storage.rollup import run_due
from storage.series import MAX_POINTS, health_series, score_series, telemetry_series
from storage.sink import Sink
from tests.integration.storage_harness import SECOND, T0, TOPIC, block, chunk, one_row, writer_pool

START = from_microseconds(T0)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture(params=["plain_database", pytest.param("database", marks=pytest.mark.timescale)])
async def pool(request: pytest.FixtureRequest) -> AsyncIterator[Pool]:
    async with writer_pool(request.getfixturevalue(request.param)) as opened:
        yield opened


async def test_the_fleet_as_it_is_now(plain_pool: Pool) -> None:
    sink = Sink(plain_pool, "score")
    health = [HealthRow(1, T0, 80.0, {"force": 1.0})]
    await sink.write(await sink.claim(TOPIC, 0), chunk(0, 1, one_row(1, 1, 2.5), health=health))
    first, second, third = await fleet_now(plain_pool)
    assert first == AssetNow(
        1,
        "acme",
        "hall",
        "p1",
        "",
        "press",
        START + timedelta(seconds=1),
        None,
        0,
        [2.5, None, None],
        80.0,
        START,
    )
    assert (second.asset_id, second.ts, second.values, second.health) == (2, None, None, None)
    assert third.equipment_type == "lift"
    assert await fleet_now(plain_pool, "acme") == [first, second, third]
    assert await fleet_now(plain_pool, "other") == []


async def test_a_health_from_before_a_repair_is_not_the_machines_health(plain_pool: Pool) -> None:
    sink = Sink(plain_pool, "score")
    health = [HealthRow(1, T0, 20.0, {}), HealthRow(2, T0 + SECOND, 90.0, {})]
    await sink.write(await sink.claim(TOPIC, 0), chunk(0, 1, one_row(1, 1, 2.5), health=health))
    for asset_id in (1, 2):
        await record_event(plain_pool, MaintenanceEvent(asset_id, START, MaintenanceKind.FAILED))
    first, second, third = await fleet_now(plain_pool)
    assert (first.health, first.health_ts, first.values) == (None, None, [2.5, None, None])
    assert (second.health, third.health) == (90.0, None)
    assert (await load_registry(plain_pool)).renewed_us == {1: [T0], 2: [T0]}


async def test_episodes_forecasts_and_wear(plain_pool: Pool) -> None:
    sink = Sink(plain_pool, "score")
    episodes = [
        EpisodeRow(
            UUID(int=n), asset, "machine", "t2-1", T0 + n, None if n else T0 + 9, T0 + n, 5.0, {"n": n}
        )
        for n, asset in enumerate((1, 2, 1))
    ]
    old = ForecastRow(1, T0, "condition", "trend-1", "estimate", 1.0, 2.0, 3.0, "trend")
    new = replace(old, ts_us=T0 + SECOND, verdict="more_than", p50_h=None, p90_h=None)
    wear = WearRow(2, "strokes", T0, 5.0, 80.0, 100.0, "1")
    result = chunk(0, 1, episodes=episodes, forecasts=[old, new, replace(old, target="strokes")], wear=[wear])
    await sink.write(await sink.claim(TOPIC, 0), result)

    assert [e.evidence["n"] for e in await recent_episodes(plain_pool, "acme")] == [2, 1, 0]
    assert [e.evidence["n"] for e in await recent_episodes(plain_pool, asset_id=1, limit=1)] == [2]
    assert await recent_episodes(plain_pool, "other") == []
    oldest = (await recent_episodes(plain_pool))[-1]
    assert (oldest.asset, oldest.onset, oldest.end) == ("p1", START, START + timedelta(microseconds=9))
    condition, strokes = await latest_forecasts(plain_pool, "acme")
    assert (condition.target, condition.verdict, condition.p10_h, condition.p50_h) == (
        "condition",
        "more_than",
        1.0,
        None,
    )
    assert (strokes.target, strokes.p90_h, strokes.ts) == ("strokes", 3.0, START)
    (counter,) = await wear_counters(plain_pool)
    assert (counter.asset, counter.value, counter.limit, counter.unit) == ("p2", 5.0, 100.0, "1")


async def test_a_forecast_from_before_a_repair_is_shown_as_that_and_not_in_the_api(plain_pool: Pool) -> None:
    sink = Sink(plain_pool, "forecast")
    said = ForecastRow(1, T0, "condition", "trend-1", "estimate", 1.0, 2.0, 3.0, "trend")
    before = chunk(0, 1, forecasts=[said, replace(said, target="strokes")])
    await sink.write(claim := await sink.claim(TOPIC, 0), before)
    repaired = MaintenanceEvent(1, START + timedelta(seconds=1), MaintenanceKind.RESTORED)
    await record_event(plain_pool, repaired)
    assert [one.before_repair for one in await latest_forecasts(plain_pool)] == [True, False]
    then = await latest_forecasts(plain_pool, until=START)
    assert [one.before_repair for one in then] == [False, False]
    assert [one["target"] for one in await forecasts(plain_pool, "acme")] == ["strokes"]
    shown = await build_summary(plain_pool, START)
    ((condition, strokes),) = [one.outlooks for one in shown.machines if one.name == "p1"]
    assert (condition.p50_h, strokes.p50_h) == (None, 2.0)

    await sink.write(claim, chunk(1, 2, forecasts=[replace(said, ts_us=T0 + 2 * SECOND)]))
    assert [one["target"] for one in await forecasts(plain_pool, "acme")] == ["condition", "strokes"]


async def test_totals_add_up(plain_pool: Pool) -> None:
    assert await ingest_totals(plain_pool) == IngestTotals(0, 0, 0, 0, {})
    assert await stored_totals(plain_pool) == StoredTotals(0, 0, None, None)
    sink = Sink(plain_pool, "score")
    letters = [DeadLetter(n, Reason.BAD_JSON, "", None, b"", 0, [], 0) for n in (3, 4)]
    tally = Tally(stored=1, duplicate=2, dead=2, tombstone=1)
    rows = one_row(1, 0, 1.0), one_row(3, 7200, 1.0)
    await sink.write(await sink.claim(TOPIC, 0), chunk(0, 6, *rows, dead_letters=letters, tally=tally))
    await sink.write(await sink.claim(TOPIC, 1), replace(chunk(0, 9), partition=1))
    await run_due(plain_pool)
    assert await ingest_totals(plain_pool) == IngestTotals(10, 2, 2, 1, {"bad_json": 2})
    assert await ingest_totals(plain_pool, "forecast") == IngestTotals(0, 0, 0, 0, {})
    assert await stored_totals(plain_pool, "acme") == StoredTotals(2, 2, START, START + 3 * HOUR)


async def test_few_points_are_raw_and_what_is_not_to_be_trusted_is_left_out(pool: Pool) -> None:
    sink = Sink(pool, "score")
    ts = T0 + np.arange(4) * SECOND
    values = [[0, 1.5, 0], [0, 2.5, 0], [0, np.nan, 0], [0, 4.5, 0]]
    rows = block(1, ts, values, [0.5, np.nan, 2.0, 1.0], [0, 0b010, 0, 0b101])
    await sink.write(await sink.claim(TOPIC, 0), chunk(0, 1, rows))
    line = await telemetry_series(pool, 1, "speed", START, START + timedelta(seconds=4))
    assert line.resolution is None
    assert line.ts.tolist() == [from_microseconds(int(us)).replace(tzinfo=None) for us in ts]
    np.testing.assert_array_equal(line.mean, [1.5, np.nan, np.nan, 4.5])
    np.testing.assert_array_equal(line.low, line.mean)
    part = await telemetry_series(
        pool, 1, "speed", START + timedelta(seconds=1), START + timedelta(seconds=3)
    )
    assert len(part.ts) == 2
    scores = await score_series(pool, 1, START, START + DAY)
    np.testing.assert_array_equal(scores.high, [0.5, np.nan, 2.0, 1.0])


async def test_many_points_come_as_minutes_then_as_hours(pool: Pool) -> None:
    sink = Sink(pool, "score")
    n = MAX_POINTS + 1000
    rows = block(3, T0 + np.arange(n) * 10 * SECOND, np.arange(n)[:, None], np.arange(n))
    await sink.write(await sink.claim(TOPIC, 0), chunk(0, 1, rows))
    while await run_due(pool):
        pass
    minutes = await telemetry_series(pool, 3, "current", START, START + DAY)
    assert minutes.resolution == MINUTE
    assert len(minutes.ts) == n // 6
    np.testing.assert_array_equal(minutes.low[:2], [0.0, 6.0])
    np.testing.assert_array_equal(minutes.mean[:2], [2.5, 8.5])
    np.testing.assert_array_equal(minutes.high[:2], [5.0, 11.0])
    hours = await telemetry_series(pool, 3, "current", START, START + 5 * DAY)
    assert hours.resolution == HOUR
    np.testing.assert_array_equal(hours.mean[:2], [179.5, 539.5])
    scores = await score_series(pool, 3, START, START + DAY)
    np.testing.assert_array_equal(scores.high[:2], [5.0, 11.0])


async def test_years_never_take_more_points_than_a_screen_has(plain_pool: Pool) -> None:
    sink = Sink(plain_pool, "score")
    claim = await sink.claim(TOPIC, 0)
    day = np.arange(3 * 365)
    lots = block(3, T0 + np.arange(MAX_POINTS + 1) * SECOND, np.zeros((MAX_POINTS + 1, 1)))
    await sink.write(
        claim, chunk(0, 1, lots, health=[HealthRow(3, T0 + n * SECOND, 50.0 + n, {}) for n in range(4)])
    )
    later = block(3, T0 + (1 + day) * 86_400 * SECOND, day[:, None])
    await sink.write(claim, chunk(1, 2, later))
    while await run_due(plain_pool):
        pass
    end = START + 4 * 365 * DAY
    line = await telemetry_series(plain_pool, 3, "current", START, end)
    assert line.resolution == 8 * HOUR
    assert len(line.ts) <= MAX_POINTS
    assert line.high[-1] == day[-1]
    health = await health_series(plain_pool, 3, START, START + timedelta(seconds=4))
    np.testing.assert_array_equal(health.mean, [50.0, 51.0, 52.0, 53.0])
    wide = await health_series(plain_pool, 3, START - DAY, end)
    assert (len(wide.ts), wide.low[0], wide.mean[0], wide.high[0]) == (1, 50.0, 51.5, 53.0)


async def test_nothing_is_an_empty_line_and_an_unknown_channel_an_error(plain_pool: Pool) -> None:
    span = datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)
    assert len((await telemetry_series(plain_pool, 1, "force", *span)).ts) == 0
    assert len((await health_series(plain_pool, 1, span[0], span[0])).ts) == 0
    with pytest.raises(KeyError, match="asset 1 has no channel 'current'"):
        await telemetry_series(plain_pool, 1, "current", *span)
