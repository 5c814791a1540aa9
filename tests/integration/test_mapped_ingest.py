"""A maker's gateway posts messages in its own format, and what cannot be mapped is seen."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.mappings import load_mappings
from console.settings import Settings, SettingsError, load_settings
from fleet.asset import Asset, Fleet, Site, Tenant
from fleet.catalog import packs
from fleet.maintenance import MaintenanceEvent, MaintenanceKind
from storage.bootstrap import WRITER
from storage.maintenance import record_event
from storage.pool import open_pool
from storage.registry import register
from storage.server.database import Database
from tests.contract.mapper_samples import ELEVATOR, MTCONNECT, SAMPLES
from tests.integration.test_spine_bad_input import TENANT, ask, client, running


def status(time: str, *codes: int) -> bytes:
    """A lift's message at a time of day in Shanghai, eight hours ahead."""
    said = {"time": f"2026-03-01 {time}", "data": {"direction": 0, "fault": list(codes)}}
    return json.dumps(ELEVATOR | said).encode()


ALIASES = f'[{TENANT}]\n"MILL-3" = "mill-west"\n'


@pytest.fixture
async def settings(plain_database: Database, tmp_path: Path) -> Settings:
    (tmp_path / "aliases.toml").write_text(ALIASES)
    mill = Asset(0, TENANT, "hall", "mill-west", "machine-tool")
    lift = Asset(0, TENANT, "hall", "lift-a", "elevator")
    kinds = (packs()["machine-tool"].equipment_type, packs()["elevator"].equipment_type)
    dsn = plain_database.dsn(WRITER)
    async with open_pool(dsn, "test") as pool:
        await register(pool, Fleet((Tenant(TENANT),), (Site(TENANT, "hall"),), (mill, lift), kinds))
    return load_settings(database=dsn, data_dir=tmp_path, partitions=1, mapping_dir=tmp_path)


async def test_a_message_is_stored_once_and_what_it_leaves_over_is_counted(settings: Settings) -> None:
    async with running(settings, "l1") as (wired, _), client(wired, ["ingest", "read"]) as http:
        posts = [await http.post("/v1/telemetry?format=mtconnect", content=MTCONNECT) for _ in range(2)]
        for answer in posts:
            assert answer.status_code == 200, answer.text
            said = answer.json()
            assert (said["accepted"], said["rejected"]) == (3, [])
            assert said["position"] == {"instance_id": 1700000000, "next_sequence": 118}
            assert [event["code"] for event in said["events"]] == ["313"]
        assert await ask(wired, "select count(*) from telemetry") == [(3,)]
        assets = {one["name"]: one["values"] for one in (await http.get("/v1/assets")).json()}
        speed = assets["mill-west"]["spindle_speed"]
        assert speed == {"value": 1200.0, "unit": "r/min", "trusted": True}
        kept = (await http.get("/v1/quarantine")).json()
        assert {(one["problem"], one["name"]) for one in kept["quarantined"]} == SAMPLES[
            "mtconnect"
        ].quarantined
        assert {one["count"] for one in kept["quarantined"]} == {2}
        metrics = (await http.get("/metrics")).text
        assert 'faultline_quarantined_total{format="mtconnect",problem="no_channel"}' in metrics


async def test_a_trapped_passenger_is_in_the_answer(settings: Settings) -> None:
    async with running(settings, "l1") as (wired, _), client(wired, ["ingest"]) as http:
        said = (await http.post("/v1/telemetry?format=gbt24476", content=SAMPLES["gbt24476"].data)).json()
        (event,) = said["events"]
        assert (event["asset"], event["title_zh"], event["safety"]) == ("lift-a", "平层关人", True)


KEPT = "select kind, detector, onset_ts, end_ts, evidence from episode"


async def test_a_trapped_passenger_is_kept_once_until_somebody_says_what_was_done(settings: Settings) -> None:
    async with running(settings, "l1") as (wired, _), client(wired, ["ingest", "read"]) as http:

        async def post() -> None:
            data = SAMPLES["gbt24476"].data
            answer = await http.post("/v1/telemetry?format=gbt24476", content=data)
            assert answer.status_code == 200, answer.text

        await post()
        await post()
        ((kind, detector, onset, end, said),) = await ask(wired, KEPT)
        assert (kind, detector, end) == ("event", "event-7", None)
        assert (said["title_en"], said["title_zh"]) == ("Passengers trapped at floor level", "平层关人")
        assert "emergency plan" in said["check_en"]
        (told,) = (await http.get("/v1/episodes")).json()
        assert (told["asset"], told["kind"], told["end"]) == ("lift-a", "event", None)
        ((lift,),) = await ask(wired, "select asset_id from asset where name = 'lift-a'")
        done = onset + timedelta(minutes=40)
        await record_event(wired.pool, MaintenanceEvent(lift, done, MaintenanceKind.RESTORED, "freed"))
        await post()
        assert [row[3] for row in await ask(wired, KEPT)] == [done]


async def test_a_danger_that_is_heard_of_after_the_repair_ended_with_it(settings: Settings) -> None:
    async with running(settings, "l1") as (wired, _), client(wired, ["ingest"]) as http:
        ((lift,),) = await ask(wired, "select asset_id from asset where name = 'lift-a'")
        done = datetime(2026, 3, 1, 18, tzinfo=UTC)
        await record_event(wired.pool, MaintenanceEvent(lift, done, MaintenanceKind.RESTORED, "freed"))
        await http.post("/v1/telemetry?format=gbt24476", content=SAMPLES["gbt24476"].data)
        assert [row[3] for row in await ask(wired, KEPT)] == [done]


async def test_a_fault_code_that_endangers_nobody_is_over_as_it_begins(settings: Settings) -> None:
    async with running(settings, "l1") as (wired, _), client(wired, ["ingest"]) as http:
        await http.post("/v1/telemetry?format=gbt24476", content=status("20:00:00", 9))
        ((_, detector, onset, end, said),) = await ask(wired, KEPT)
        assert (detector, end) == ("event-9", onset)
        assert "emergency" not in said["check_en"]


async def test_a_code_that_is_still_reported_is_one_event_until_it_was_quiet(settings: Settings) -> None:
    async with running(settings, "l1") as (wired, _), client(wired, ["ingest"]) as http:
        for time in ("17:00:00", "17:00:20", "17:50:00", "18:40:00", "20:00:00"):
            await http.post("/v1/telemetry?format=gbt24476", content=status(time, 9, 7))
        rows = await ask(wired, f"{KEPT} order by detector, onset_ts")
        assert [(row[1], row[2].hour, row[3] and (row[3].hour, row[3].minute)) for row in rows] == [
            ("event-7", 9, None),
            ("event-9", 9, (10, 40)),
            ("event-9", 12, (12, 0)),
        ]
        ((lift,),) = await ask(wired, "select asset_id from asset where name = 'lift-a'")
        freed = datetime(2026, 3, 1, 11, 55, tzinfo=UTC)
        await record_event(wired.pool, MaintenanceEvent(lift, freed, MaintenanceKind.RESTORED, "freed"))
        await http.post("/v1/telemetry?format=gbt24476", content=status("20:00:01", 7))
        trapped = await ask(wired, f"{KEPT} where detector = 'event-7' order by onset_ts")
        assert [row[3] for row in trapped] == [freed, None], "danger again is a new one, however soon"


async def test_an_event_that_is_heard_of_by_many_at_once_is_one(settings: Settings) -> None:
    async with running(settings, "l1") as (wired, _), client(wired, ["ingest"]) as http:
        posts = [
            http.post("/v1/telemetry?format=gbt24476", content=status(f"20:00:{second:02}", 9, 7))
            for second in range(12)
        ]
        await asyncio.gather(*posts)
        rows = await ask(wired, f"{KEPT} order by detector")
        assert [row[1] for row in rows] == ["event-7", "event-9"]


async def test_what_cannot_be_taken_in_is_answered_with_the_cure(settings: Settings) -> None:
    stale = MTCONNECT.replace(b"2026-03-01T12:00:0", b"2025-03-01T12:00:0")
    stranger = MTCONNECT.replace(b"MILL-3", b"MILL-9")
    async with running(settings, "l1") as (wired, _), client(wired, ["ingest"]) as http:
        for name, content, status, words in [
            ("fax", MTCONNECT, 400, "unknown format: there are aemp"),
            ("../../etc/passwd", MTCONNECT, 400, "unknown format"),
            ("aliases", MTCONNECT, 400, "unknown format"),
            ("mtconnect", b"<!DOCTYPE x><x/>", 400, "send it without one"),
            ("mtconnect", b"{}", 400, "not well-formed XML"),
            ("mtconnect", stranger, 422, "unknown_machine"),
            ("mtconnect", stale, 422, "ts_out_of_range"),
        ]:
            answer = await http.post("/v1/telemetry", params={"format": name}, content=content)
            assert answer.status_code == status, answer.text
            assert words in answer.text
        assert await ask(wired, "select count(*) from telemetry") == [(0,)]


def test_a_table_that_cannot_be_read_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text('extends = "mtconnect"\ncolour = "red"')
    with pytest.raises(SettingsError, match="mapping_dir: mapping table ours: unknown key 'colour'"):
        load_mappings(tmp_path)
