"""A machine posts a row with its waveform, and the numbers are stored, not the samples."""

import json
from pathlib import Path

import pytest

from console.settings import Settings, load_settings
from fleet.asset import Asset, Fleet, Site, Tenant
from fleet.catalog import packs
from storage.bootstrap import WRITER
from storage.pool import open_pool
from storage.registry import register
from storage.server.database import Database
from tests.integration.test_spine_bad_input import TENANT, ask, client, running
from tests.unit.test_waveforms import POINT, RATINGS, message, ride, samples

ROUTE = "/v1/waveforms"


@pytest.fixture
async def settings(plain_database: Database, tmp_path: Path) -> Settings:
    mill = Asset(0, TENANT, "hall", "mill-1", "machine-tool", ratings=RATINGS)
    lift = Asset(0, TENANT, "hall", "lift-a", "elevator")
    kinds = tuple(packs()[name].equipment_type for name in ("machine-tool", "elevator"))
    dsn = plain_database.dsn(WRITER)
    async with open_pool(dsn, "test") as pool:
        await register(pool, Fleet((Tenant(TENANT),), (Site(TENANT, "hall"),), (mill, lift), kinds))
    return load_settings(database=dsn, data_dir=tmp_path, partitions=1)


async def test_a_row_with_a_block_is_stored_once_with_what_the_block_shows(settings: Settings) -> None:
    async with running(settings, "l1") as (wired, _), client(wired, ["ingest", "read"]) as http:
        posts = [await http.post(ROUTE, content=message(samples(9.0))) for _ in range(2)]
        for answer in posts:
            assert answer.status_code == 200, answer.text
            assert answer.json()["values"].keys() == set(POINT.channels)
        assert await ask(wired, "select count(*) from telemetry") == [(1,)]
        (mill,) = (one for one in (await http.get("/v1/assets")).json() if one["name"] == "mill-1")
        assert mill["values"]["spindle_speed"]["value"] == 8000.0
        assert mill["values"]["spindle_bpfo"]["value"] == pytest.approx(
            posts[0].json()["values"]["spindle_bpfo"]
        )
        assert mill["values"]["spindle_bpfo"]["trusted"]


async def test_a_lifts_trip_is_stored_as_its_ride(settings: Settings) -> None:
    async with running(settings, "l1") as (wired, _), client(wired, ["ingest", "read"]) as http:
        answer = await http.post(ROUTE, content=ride())
        assert answer.status_code == 200, answer.text
        (lift,) = (one for one in (await http.get("/v1/assets")).json() if one["name"] == "lift-a")
        for channel, value in answer.json()["values"].items():
            assert lift["values"][channel]["value"] == pytest.approx(value)


async def test_a_block_that_shows_nothing_is_counted_and_its_row_is_kept(settings: Settings) -> None:
    async with running(settings, "l1") as (wired, _), client(wired, ["ingest", "read"]) as http:
        answer = await http.post(ROUTE, content=message(samples(), rate_hz=8000))
        assert (answer.status_code, answer.json()["accepted"]) == (207, 1)
        (kept,) = (await http.get("/v1/quarantine")).json()["quarantined"]
        assert (kept["problem"], kept["name"], kept["count"]) == ("bad_block", "mill-1/spindle", 1)
        assert kept["detail"] == "low_rate: spindle is sampled at 12800 Hz or more"
        metrics = (await http.get("/metrics")).text
        assert 'faultline_quarantined_total{format="waveforms",problem="bad_block"} 1.0' in metrics
        assert await ask(wired, "select count(*) from telemetry") == [(1,)]


async def test_what_cannot_be_taken_in_is_answered_with_the_cure(settings: Settings) -> None:
    stranger = message(samples()).replace(b"mill-1", b"mill-9")
    stale = message(samples()).replace(b"2026-03-01", b"2025-03-01")
    empty = json.loads(message(samples(), {}, rate_hz=8000))
    async with running(settings, "l1") as (wired, _), client(wired, ["ingest"]) as http:
        for content, status, words in [
            (b"{", 400, "bad_json"),
            (b'{"asset": "mill-1", "values": {}}', 400, "'waveforms' is an object"),
            (stranger, 422, "acme has no asset 'mill-9'"),
            (stale, 422, "ts_out_of_range"),
            (json.dumps(empty).encode(), 422, "bad_block"),
        ]:
            answer = await http.post(ROUTE, content=content)
            assert answer.status_code == status, answer.text
            assert words in answer.text
        assert await ask(wired, "select count(*) from telemetry") == [(0,)]
    async with running(settings, "l1") as (wired, _), client(wired, ["read"]) as http:
        assert (await http.post(ROUTE, content=message(samples()))).status_code == 403
