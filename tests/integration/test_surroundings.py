"""What surroundings explain is learned from stored weeks, promoted, finds faults earlier, is rolled back."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from console.backtest import fit_for
from console.cli import build
from console.feeding import into_embedded, publish_all
from console.models_in_use import ModelsInUse
from console.platform import foundation, platform
from console.serving import beside
from console.settings import Settings, load_settings
from detectors.explained import Fit
from fleet.asset import Asset, Fleet, Site, Tenant
from fleet.catalog import packs
from fleet.clock import ManualClock, microseconds
from fleet.model_scope import Scope
from storage.bootstrap import WRITER
from storage.chunk_result import ChunkResult, Tally
from storage.models import save_model
from storage.pool import Pool, open_pool
from storage.registry import load_registry, register
from storage.rollup import run_due
from storage.server.database import Database
from storage.sink import Sink
from streams.rows import Rows, telemetry_of
from streams.scorer import Scorer
from streams.simulator.fault import Fault
from streams.simulator.simulate import simulate
from streams.wire.frame import Frame

KIND = packs()["transformer"].equipment_type
BASELINE = 432
"""Three days of rows ten minutes apart."""

PACK = packs()["transformer"]
PACK = replace(PACK, detection=replace(PACK.detection, baseline_rows=BASELINE))
SCOPE = Scope(KIND.name)
MACHINES, WEEKS = 4, timedelta(days=35)
START = datetime(2026, 3, 2, tzinfo=UTC)
TOPIC = "telemetry.acme"
TEN_MINUTES = 600
LEAK = Fault("m-0", "oil-leak", onset_h=14 * 24, failure_h=35 * 24)

Call = Callable[..., Result]


def fleet(machines: int, tenant: str = "acme") -> Fleet:
    assets = tuple(Asset(0, tenant, "yard", f"m-{n}", KIND.name) for n in range(machines))
    return Fleet((Tenant(tenant),), (Site(tenant, "yard"),), assets, (KIND,))


def rows(machines: int, seed: int, faults: Sequence[Fault] = ()) -> Iterator[Rows]:
    """What they send, a row every ten minutes; the names end in their numbers, from 1 on in the registry."""
    for frame in simulate(fleet(machines), START, WEEKS, seed, faults, interval_s=TEN_MINUTES):
        number = int(frame.asset.partition("-")[2]) + 1
        yield Rows(np.full(len(frame.ts_us), number, np.int32), frame.ts_us, frame.values.T.copy())


async def store(pool: Pool) -> None:
    """Weeks of four transformers, one of which loses oil for three of them, rolled up."""
    await register(pool, fleet(MACHINES))
    assert [asset.asset_id for asset in (await load_registry(pool)).assets] == [1, 2, 3, 4]
    claim = await (sink := Sink(pool, "score")).claim(TOPIC, 0)
    parts = []
    for part in rows(MACHINES, 5, [LEAK]):
        n, channels = part.values.shape
        none = Rows(part.asset_id[:0], part.ts_us[:0], part.values[:0])
        flags = np.zeros((n, channels), np.uint8)
        parts.append(telemetry_of(part, none, np.full(n, np.nan, np.float32), flags))
    await sink.write(claim, ChunkResult(TOPIC, 0, 0, 1, Tally(stored=1), telemetry=parts))
    while await run_due(pool, limit=200):
        pass


def on(database: Database, work: Callable[[Pool], Any]) -> Any:
    async def run() -> Any:
        async with open_pool(database.dsn(WRITER)) as pool:
            return await work(pool)

    return asyncio.run(run())


@pytest.fixture
def call(any_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAULTLINE_DATABASE", any_database.dsn(WRITER))
    on(any_database, store)
    return lambda *words: CliRunner().invoke(build([words[0]]), list(words))


def said(done: Result) -> str:
    return " ".join(done.output.split())


async def in_use(pool: Pool) -> dict[Scope, Fit]:
    """As a worker has it."""
    await (models := ModelsInUse(pool)).refresh()
    return models.fits


def found_after(fit: Fit | None) -> float:
    """Days from the onset of a leak, on machines of another seed, until the worker's scorer finds it."""
    scorer = Scorer(PACK)
    scorer.offer(fit)
    onset_us = microseconds(START + timedelta(hours=LEAK.onset_h))
    for part in rows(2, 77, [LEAK]):
        for episode in scorer.score(part, lambda number: ("acme", f"m-{number}")).episodes:
            if episode.kind == "machine":
                assert (episode.asset_id, episode.onset_us > onset_us) == (1, True)
                return (episode.onset_us - onset_us) / 8.64e10
    return np.inf


def test_weeks_on_record_explain_what_weather_does_and_a_leak_is_found_earlier(
    call: Call, any_database: Database
) -> None:
    done = json.loads(call("models", "fit", "transformer", "--surroundings", "--json").stdout)
    assert (done["model"], done["objections"]) == ("surroundings:1", [])
    assert {"top_oil_temperature", "oil_level"} <= set(done["lineage"]["columns"])
    assert done["lineage"]["assets"] == MACHINES
    assert done["lineage"]["spread"]["left"] < 0.6
    assert len(done["lineage"]["spread"]["windows"]) == 4
    assert on(any_database, in_use) == {}, "it is proposed, not used"

    assert call("models", "promote", "transformer", "surroundings:1").exit_code == 0
    fits = on(any_database, in_use)
    assert fits[SCOPE].number == 1
    assert found_after(fits[SCOPE]) < found_after(None) - 2

    (use,) = json.loads(call("models", "list", "transformer", "--json").stdout)["uses"]
    assert (use["role"], use["forecaster"], use["version"]) == ("surroundings", "surroundings", 1)
    assert "leaves" in said(call("models", "list", "transformer"))
    again = call("models", "fit", "transformer", "--surroundings", "--promote")
    assert "nothing on record since surroundings:1 was fitted tells it from that" in said(again)
    assert on(any_database, in_use)[SCOPE].number == 1

    assert "no model is used" in said(call("models", "rollback", "transformer", "--surroundings"))
    assert on(any_database, in_use) == {}
    refused = call("models", "rollback", "transformer", "--surroundings")
    assert refused.exit_code == 1


def test_a_backtest_goes_by_the_fit_in_use_or_by_the_one_that_is_named(
    call: Call, any_database: Database
) -> None:
    assert call("models", "fit", "transformer", "--surroundings", "--promote").exit_code == 0
    span = ("acme/m-0", "--from", "2026-03-02", "--to", "2026-04-06")
    rules = ("--baseline-rows", str(BASELINE), "--json")

    def first(*words: str) -> str:
        would = json.loads(call("backtest", *span, *rules, *words).stdout)["would"]
        return min(str(one["onset"]) for one in would if one["kind"] == "machine")

    assert first() == first("--surroundings", "1") < first("--surroundings", "0")
    unknown = call("backtest", *span, "--surroundings", "9")
    assert unknown.exit_code != 0
    assert "has no surroundings 9" in str(unknown.exception)

    async def of_the_asset(pool: Pool) -> Fit | None:
        (asset, *_) = (await load_registry(pool)).assets
        return await fit_for(pool, asset)

    assert on(any_database, of_the_asset).number == 1


def test_a_worker_that_is_started_again_takes_a_promoted_fit_over_and_says_so(
    plain_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAULTLINE_DATABASE", plain_database.dsn(WRITER))
    on(plain_database, lambda pool: register(pool, fleet(MACHINES)))
    settings = load_settings(data_dir=tmp_path, partitions=1, past_days=400, retention_raw_days=400)
    week = timedelta(days=7)

    def live(start: datetime, span: timedelta) -> None:
        frames = simulate(fleet(MACHINES), start, span, 5, interval_s=TEN_MINUTES)
        asyncio.run(send(settings, frames))

    live(START, WEEKS)
    words = ["models", "fit", "transformer", "--surroundings", "--promote"]
    done = CliRunner().invoke(build(["models"]), words)
    assert done.exit_code == 0, done.output
    assert list(on(plain_database, in_use)) == [SCOPE]
    assert on(plain_database, relearned) == []
    live(START + WEEKS, week)
    assert on(plain_database, relearned) == [(n, START + WEEKS) for n in range(1, MACHINES + 1)]
    live(START + WEEKS + week, week)
    assert len(on(plain_database, relearned)) == MACHINES, "once"


async def send(settings: Settings, frames: Iterator[Frame]) -> None:
    """Let a platform have the frames, and end it once all is stored and rolled up."""
    with foundation(settings) as found:
        async with platform(settings, found, ManualClock(datetime(2026, 9, 1, tzinfo=UTC))) as running:
            await beside(running.run(), into_embedded(running, lambda to: publish_all(frames, to)))
            while await run_due(running.pool):
                pass


async def relearned(pool: Pool) -> list[tuple[int, datetime]]:
    """Machines that learned anew under a fit, and from when."""
    statement = "select asset_id, onset_ts from episode where detector = 'normal-relearned' order by 2, 1"
    async with pool.connection() as conn:
        return await (await conn.execute(statement)).fetchall()


def test_a_tenant_has_its_own_and_what_cannot_be_read_is_left_out(call: Call, any_database: Database) -> None:
    done = call("models", "fit", "transformer", "--surroundings", "--tenant", "acme", "--promote")
    assert done.exit_code == 0, done.output
    assert list(on(any_database, in_use)) == [Scope(KIND.name, "acme")]
    spread = {"left": 0.1, "windows": [], "channels": {}}
    on(any_database, lambda pool: save_model(pool, SCOPE, "surroundings", b"?", {"spread": spread}))
    done = call("models", "promote", "transformer", "surroundings:2")
    assert done.exit_code == 0, done.output
    assert list(on(any_database, in_use)) == [Scope(KIND.name, "acme")]
    assert call("models", "end", "transformer", "--role", "surroundings", "--tenant", "acme").exit_code == 0
    assert on(any_database, in_use) == {}


def test_what_is_missing_is_said(call: Call, any_database: Database) -> None:
    call("models", "fit", "transformer", "--surroundings")
    few = fleet(2, "globex")
    on(any_database, lambda pool: register(pool, few))
    done = call("models", "fit", "transformer", "--surroundings", "--tenant", "globex")
    assert "0 machines have load and weather on record, 3 are needed" in str(done.exception)
