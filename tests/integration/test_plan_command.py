"""Service dates from the forecasts in the database, on the command line."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from console.cli import build
from fleet.clock import microseconds
from fleet.maintenance import MaintenanceEvent, MaintenanceKind
from fleet.service_terms import Crews, ServiceTerms, parse_terms
from storage.bootstrap import WRITER
from storage.chunk_result import ChunkResult, ForecastRow, Tally
from storage.maintenance import record_event
from storage.pool import Pool, open_pool
from storage.registry import load_registry, register
from storage.server.database import Database
from storage.sink import Sink
from streams.simulator.demo import demo_fleet

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "terms.toml"
NOW = datetime(2026, 5, 1, tzinfo=UTC)

Run = Callable[..., Result]
Said = tuple[str, float | None, float | None, float | None]


def says(
    verdict: str, p10_d: float | None = None, p50_d: float | None = None, p90_d: float | None = None
) -> Said:
    hours = [None if days is None else 24 * days for days in (p10_d, p50_d, p90_d)]
    return (verdict, *hours)  # type: ignore[return-value]  # three of them


FORECASTS = {
    "lift-a": (NOW - timedelta(hours=6), says("estimate", 12, 20, 33)),
    "lift-b": (NOW - timedelta(hours=6), says("no_trend")),
    "lift-c": (NOW - timedelta(days=40), says("estimate", 12, 20, 33)),
    "lift-d": (NOW - timedelta(days=2), says("more_than", 100)),
    "t1": (NOW - timedelta(days=2), says("estimate", 0, 0, 0)),
}


async def store(database: Database) -> None:
    async with open_pool(database.dsn(WRITER)) as pool:
        await register(pool, demo_fleet())
        numbers = {asset.name: asset.asset_id for asset in (await load_registry(pool)).assets}
        rows = [
            ForecastRow(numbers[name], microseconds(ts), "condition", "robust_trend-1", *said, "a test")
            for name, (ts, said) in FORECASTS.items()
        ]
        rows.append(replace(rows[2], ts_us=microseconds(NOW - timedelta(days=20)), verdict="no_trend"))
        claim = await (sink := Sink(pool, "forecast")).claim("health.northgrid", 0)
        place = "health.northgrid", 0
        await sink.write(claim, ChunkResult(*place, 0, 1, Tally(1, 0, 0, 0), forecasts=rows))


def on(database: Database, work: Callable[[Pool], Awaitable[None]]) -> None:
    async def opened() -> None:
        async with open_pool(database.dsn(WRITER)) as pool:
            await work(pool)

    asyncio.run(opened())


@pytest.fixture
def run(plain_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAULTLINE_DATABASE", plain_database.dsn(WRITER))
    asyncio.run(store(plain_database))
    return lambda *words: CliRunner().invoke(build(["plan"]), ["plan", "--today", "2026-05-01", *words])


def test_what_runs_out_gets_a_date_and_what_does_not_a_reason(run: Run) -> None:
    done = run("--json", "--terms", str(EXAMPLE))
    assert done.exit_code == 0, done.output
    made: dict[str, Any] = json.loads(done.stdout)
    planned = {one["asset"]: one for one in made["services"]}
    assert planned.keys() == {"lift-a", "t1"}
    assert planned["t1"]["date"] == "2026-05-04"  # the limit is reached: the first work day
    assert date(2026, 5, 4) < date.fromisoformat(planned["lift-a"]["date"]) < date(2026, 5, 21)
    assert [planned["lift-a"][name] for name in ("p10_h", "p50_h", "p90_h")] == [282.0, 474.0, 786.0]
    risks = [planned["lift-a"]["risk"], *(week["risk"] for week in planned["lift-a"]["postponed"])]
    assert risks == sorted(risks)
    assert {one["asset"]: one["why"] for one in made["unknown"]} == {
        "lift-b": "no wear to be seen",
        "lift-c": "no forecast for 14 days",
        "lift-d": "lasts longer than can be said",
        "lift-e": "no forecast yet",
        "lift-f": "no forecast yet",
        "mill-1": "no forecast yet",
    }
    assert made["terms"]["by_type"]["transformer"]["failure_downtime_h"] == 240.0


def test_people_read_a_table(run: Run) -> None:
    said = " ".join(run("--tenant", "harbour").output.split())
    assert "services: 1, visits: 1, within" in said
    assert "lift-a" in said
    assert "12 to 33" in said, "days left"
    assert "t1" not in said
    assert "1 without a date: lasts longer than can be said, the first until 2026-08-07" in said
    assert "Costs and crews are made up" in said


def documents(run: Run, *words: str) -> dict[str, Any]:
    done = run("--json", *words)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_what_was_said_before_a_repair_is_no_date_for_after_it(run: Run, plain_database: Database) -> None:
    async def repaired(pool: Pool) -> None:
        (t1,) = [one for one in (await load_registry(pool)).assets if one.name == "t1"]
        event = MaintenanceEvent(t1.asset_id, NOW - timedelta(days=1), MaintenanceKind.FAILED)
        await record_event(pool, event)

    assert documents(run)["services"][0]["asset"] == "t1"
    on(plain_database, repaired)
    made = documents(run)
    assert [one["asset"] for one in made["services"]] == ["lift-a"]
    why = {one["asset"]: one["why"] for one in made["unknown"]}
    assert why["t1"] == "no forecast since it was repaired or restored"
    before = documents(run, "--today", "2026-04-29")  # the plan of then
    assert [one["asset"] for one in before["services"]] == ["t1"]


def test_a_plan_as_of_a_past_day_uses_what_was_said_by_then(run: Run) -> None:
    made = documents(run, "--today", "2026-03-25")
    assert [one["asset"] for one in made["services"]] == ["lift-c"]
    assert {one["why"] for one in made["unknown"]} == {"no forecast yet"}


def test_terms_of_a_misspelt_type_do_not_go_unnoticed(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "terms.toml"
    path.write_text("[service.elevatr]\nfailure_cost = 9000\n")
    done = run("--terms", str(path))
    assert done.exit_code != 0
    assert "no such equipment type" in f"{done.output} {done.exception}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--horizon", "3 months"], "say it as 90d or 12w"),
        (["--tenant", "nobody"], "no tenant 'nobody'"),
    ],
)
def test_a_wrong_word_names_the_cure(run: Run, words: list[str], said: str) -> None:
    done = run(*words)
    assert done.exit_code != 0
    assert said in " ".join(done.output.split())


def test_the_example_file_shows_the_defaults() -> None:
    terms = parse_terms(EXAMPLE.read_text(), EXAMPLE.name)
    assert (terms.crews, terms.others) == (Crews(), ServiceTerms())
