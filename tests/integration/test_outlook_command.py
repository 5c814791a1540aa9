"""What a machine's stored weeks say of the time its parts have left, on the command line."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from console.cli import build
from console.output import out
from fleet.asset import Fleet, FleetError
from fleet.catalog import packs
from storage.bootstrap import WRITER
from storage.chunk_result import ChunkResult, Tally, WearRow
from storage.pool import open_pool
from storage.registry import load_registry, register
from storage.server.database import Database
from storage.sink import Sink
from streams.simulator.demo import demo_fleet
from streams.simulator.simulate import simulate
from tests.integration.storage_harness import block

START = datetime(2026, 3, 1, tzinfo=UTC)
WEEKS = timedelta(days=16)

Run = Callable[..., Result]


def fleet() -> Fleet:
    """The demo's transformer, which has ratings, and a machine tool without any."""
    t1, mill = demo_fleet().assets[-2:]
    return replace(demo_fleet(), assets=(t1, replace(mill, ratings={})))


async def store(database: Database) -> None:
    channels = [channel.name for channel in packs()["transformer"].equipment_type.channels]
    frames = [frame for frame in simulate(fleet(), START, WEEKS, 3, interval_s=300) if frame.asset == "t1"]
    async with open_pool(database.dsn(WRITER)) as pool:
        await register(pool, fleet())
        (t1,) = [asset for asset in (await load_registry(pool)).assets if asset.name == "t1"]
        values = [np.stack([f.values[list(f.channels).index(name)] for name in channels], 1) for f in frames]
        ts_us = np.concatenate([frame.ts_us for frame in frames])
        claim = await (sink := Sink(pool, "score")).claim("telemetry.northgrid", 0)
        counted = WearRow(t1.asset_id, "insulation-by-load", int(ts_us[-1]), 179_990.0, 144e3, 180e3, "h")
        telemetry = block(t1.asset_id, ts_us, np.concatenate(values))
        done = ChunkResult(claim.topic, 0, 0, 1, Tally(1), telemetry=[telemetry], wear=[counted])
        await sink.write(claim, done)


@pytest.fixture
def run(plain_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(out, "_width", 240)  # no word of a table is cut
    monkeypatch.setenv("FAULTLINE_DATABASE", plain_database.dsn(WRITER))
    asyncio.run(store(plain_database))
    return lambda *words: CliRunner().invoke(build([words[0]]), words)


def test_the_outlook_of_a_transformer_at_its_load_and_at_more(run: Run) -> None:
    told = json.loads(run("outlook", "northgrid/t1", "--load", "150%", "--days", "14", "--json").stdout)
    counters = {one["counter"]: one for one in told["counters"]}
    assert set(counters) == {"insulation", "tap-changer", "overload", "insulation-by-load"}
    insulation = counters["insulation-by-load"]
    assert (insulation["value"], insulation["limit"], insulation["unit"]) == (179_990.0, 180e3, "h")
    usual, more = insulation["at"]
    assert (usual["load"], more["load"]) == (1.0, 1.5)
    assert usual["limit"]["basis"] == "14 days of past duty"
    assert more["warning"]["p50_h"] == 0  # it is past that
    assert more["limit"]["p90_h"] < usual["limit"]["p10_h"]
    assert [at["load"] for at in counters["tap-changer"]["at"]] == [1.0]
    assert told["ratings_missing"] == {}
    room = told["headroom"]
    assert room["top_oil"] < room["hot_spot"] < 98
    assert [hours["load"] for hours in room["hours"]] == [1.1, 1.2, 1.3]
    assert room["hours"][2]["until"]["98"] > 0

    shown = run("outlook", "northgrid/t1").output
    assert "insulation-by-load" in shown
    assert "hours at a constant load until the hot spot" in shown


def test_what_is_missing_is_named_with_its_cure(run: Run) -> None:
    failed = run("outlook", "precision/mill-1")
    assert isinstance(failed.exception, FleetError)
    assert "nothing is stored of precision/mill-1 yet" in str(failed.exception)
    beyond = run("outlook", "northgrid/t1", "--load", "900%")
    assert "ask for less" in str(beyond.exception)
    listed = {one["name"]: one for one in json.loads(run("assets", "list", "--json").stdout)}
    assert listed["t1"]["ratings"] == {"rated_current": 800.0, "cooling": "ONAN", "loss_ratio": 6.0}
    needed = {
        "spindle-bearing": ["spindle_bearing_dynamic", "spindle_bearing_load"],
        "tool": ["tool_diameter", "tool_n", "tool_constant"],
    }
    assert listed["mill-1"]["ratings_missing"] == needed
    assert "spindle-bearing: spindle_bearing_dynamic, spindle_bearing_load" in run("assets", "list").output
