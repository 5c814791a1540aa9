"""Detection over stored history: the rules that were in force raise what was raised, others do not."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from console.cli import build
from fleet.asset import FleetError
from fleet.catalog import packs
from fleet.maintenance import MaintenanceEvent, MaintenanceKind
from storage.bootstrap import WRITER
from storage.chunk_result import ChunkResult, Tally
from storage.maintenance import record_event
from storage.pool import open_pool
from storage.registry import load_registry, register
from storage.server.database import Database
from storage.sink import Sink
from streams.rows import Rows, Scored
from streams.scorer import VERSION, Scorer
from streams.simulator.demo import demo_fleet
from streams.simulator.fault import Fault
from streams.simulator.simulate import simulate

START = datetime(2026, 3, 1, tzinfo=UTC)
DURATION = timedelta(days=8)

Run = Callable[..., Result]


def simulated(asset_id: int) -> Rows:
    """Eight days of a transformer whose cooling fails from the fifth on."""
    fleet = demo_fleet()
    fault = Fault("t1", "cooling", onset_h=5 * 24, failure_h=10 * 24)
    frames = [frame for frame in simulate(fleet, START, DURATION, 3, [fault]) if frame.asset == "t1"]
    names = [channel.name for channel in packs()["transformer"].equipment_type.channels]
    values = [
        np.stack([frame.values[list(frame.channels).index(name)] for name in names], 1) for frame in frames
    ]
    ts_us = np.concatenate([frame.ts_us for frame in frames])
    return Rows(np.full(len(ts_us), asset_id, np.int32), ts_us, np.concatenate(values).astype(np.float32))


@pytest.fixture
def scored(plain_database: Database) -> Scored:
    """What a worker made of them, stored."""

    async def store() -> Scored:
        async with open_pool(plain_database.dsn(WRITER)) as pool:
            await register(pool, demo_fleet())
            (asset,) = [asset for asset in (await load_registry(pool)).assets if asset.name == "t1"]
            made = Scorer(packs()["transformer"]).score(
                simulated(asset.asset_id), lambda _: (asset.tenant, asset.name)
            )
            claim = await (sink := Sink(pool, "score")).claim("telemetry.northgrid", 0)
            await sink.write(
                claim,
                ChunkResult(
                    claim.topic, 0, 0, 1, Tally(1), telemetry=[made.telemetry], episodes=made.episodes
                ),
            )
            return made

    return asyncio.run(store())


@pytest.fixture
def run(plain_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAULTLINE_DATABASE", plain_database.dsn(WRITER))
    return lambda *words: CliRunner().invoke(build(["backtest"]), ["backtest", *words])


WHOLE = ("--from", "2026-03-01", "--to", "2026-03-09")


def test_the_rules_in_force_raise_what_was_raised(scored: Scored, run: Run) -> None:
    done = run("northgrid/t1", *WHOLE, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["rows"] == len(scored.telemetry.ts_us)
    assert found["would"] == found["was"]
    assert len({episode.episode_id for episode in scored.episodes}) == len(found["was"]) >= 1
    assert found["new"] == found["gone"] == []


def test_other_rules_show_what_is_new_and_what_is_gone(scored: Scored, run: Run) -> None:
    high = json.loads(run("northgrid/t1", *WHOLE, "--on-score", "24", "--json").stdout)
    assert high["would"] == high["new"] == []
    assert high["gone"] == high["was"]
    shown = run("northgrid/t1", *WHOLE, "--on-score", "24").stdout
    assert "gone" in shown
    assert "0 would have been raised" in " ".join(shown.split())
    healthy = "--from", "2026-03-01", "--to", "2026-03-05"
    low = json.loads(
        run("northgrid/t1", *healthy, "--on-score", "0.5", "--persistence", "1", "--json").stdout
    )
    assert low["was"] == []
    assert low["new"] == low["would"] != []


def test_one_detector_alone_can_be_asked(scored: Scored, run: Run) -> None:
    alone = json.loads(run("northgrid/t1", *WHOLE, "--detector", "ewma_t2", "--json").stdout)
    assert {one["detector"] for one in alone["would"] if one["kind"] == "machine"} == {f"ewma_t2-{VERSION}"}
    assert alone["was"]


def test_a_part_of_the_history_is_judged_by_its_own_first_rows(scored: Scored, run: Run) -> None:
    part = "--from", "2026-03-07", "--to", "2026-03-09"  # the fault is what it learns
    found = json.loads(run("northgrid/t1", *part, "--json").stdout)
    assert 0 < found["rows"] < len(scored.telemetry.ts_us)
    assert [one["kind"] for one in found["was"]] == ["machine"]
    assert found["would"] == []


def test_after_a_repair_on_record_the_machine_starts_over_however_late_that_came(
    scored: Scored, run: Run, plain_database: Database
) -> None:
    repaired = datetime(2026, 3, 7, 12, tzinfo=UTC)
    asset_id = int(scored.telemetry.asset_id[0])

    async def record() -> None:
        async with open_pool(plain_database.dsn(WRITER)) as pool:
            await record_event(pool, MaintenanceEvent(asset_id, repaired, MaintenanceKind.RESTORED))

    asyncio.run(record())
    found = json.loads(run("northgrid/t1", *WHOLE, "--json").stdout)
    (was,), (would,) = found["was"], found["would"]
    assert (was["onset"], was["end"]) == (would["onset"], None)
    assert datetime.fromisoformat(would["end"]) == repaired


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("northgrid/t9", *WHOLE), "no machine 'northgrid/t9'"),
        (("northgrid/t1", "--from", "2026-03-09", "--to", "2026-03-01"), "is not before"),
        (("northgrid/t1", "--from", "2025-03-01", "--to", "2025-03-09"), "nothing is stored"),
        (("northgrid/t1", *WHOLE, "--on-score", "-1"), "0.25"),
        (("northgrid/t1", *WHOLE, "--detector", "t3"), "there are t2-knn, ewma_t2, window_knn"),
        (("northgrid/t1", *WHOLE, "--baseline-rows", "19"), "20"),
        (("northgrid/t1", *WHOLE, "--persistence", "0"), "1"),
    ],
)
def test_what_cannot_be_done_says_why(scored: Scored, run: Run, words: tuple[str, ...], says: str) -> None:
    done = run(*words)
    assert done.exit_code != 0
    assert isinstance(done.exception, SystemExit | FleetError)
    assert says in " ".join((done.stderr + str(done.exception)).split())
