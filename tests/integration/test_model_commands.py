"""Failures on record become a model that answers, on the command line and in a running platform."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from typer.testing import CliRunner, Result

from console.cli import build
from console.models_in_use import ModelsInUse
from fleet.asset import Asset, Fleet, Site, Tenant
from fleet.catalog import packs
from fleet.clock import microseconds
from fleet.maintenance import MaintenanceEvent, MaintenanceKind
from forecasting.conformal import ConformalLife
from forecasting.contract import Run
from storage.bootstrap import OWNER, WRITER
from storage.chunk_result import ChunkResult, ForecastRow, HealthRow, Tally
from storage.maintenance import record_event
from storage.models import Role, save_model, use_model
from storage.pool import Pool, open_pool
from storage.registry import load_registry, register
from storage.server.database import Database
from storage.sink import Sink
from streams.simulator.histories import run_to_failure

NOW = datetime(2026, 5, 1, tzinfo=UTC)
MACHINES = 12

Call = Callable[..., Result]


def health(asset_id: int, run: Run) -> list[HealthRow]:
    """A life that ends now, told every half day."""
    ends_us = microseconds(NOW)
    age, level = run.history.age_h, run.history.x[:, 0]
    told = np.append(np.arange(0, len(age) - 1, max(1, int(12 / (age[1] - age[0])))), len(age) - 1)
    return [
        HealthRow(asset_id, int(ends_us - (age[-1] - age[k]) * 3.6e9), float(100 * (1 - level[k])), {})
        for k in told
    ]


async def store(pool: Pool) -> None:
    """Twelve lifts with a life each behind them, the first of which are known to have failed."""
    names = [f"lift-{n}" for n in range(MACHINES)]
    await register(
        pool,
        Fleet(
            (Tenant("acme"),),
            (Site("acme", "home"),),
            tuple(Asset(0, "acme", "home", name, "elevator") for name in names),
            (packs()["elevator"].equipment_type,),
        ),
    )
    numbers = sorted(asset.asset_id for asset in (await load_registry(pool)).assets)
    runs = run_to_failure("elevator", MACHINES, 5)
    rows = [row for asset_id, run in zip(numbers, runs, strict=True) for row in health(asset_id, run)]
    claim = await (sink := Sink(pool, "score")).claim("telemetry.acme", 0)
    await sink.write(claim, ChunkResult("telemetry.acme", 0, 0, 1, Tally(stored=1), health=rows))


@pytest.fixture
def call(plain_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAULTLINE_DATABASE", plain_database.dsn(WRITER))
    on(plain_database, store)
    return lambda *words: CliRunner().invoke(build([words[0]]), list(words))


def on(database: Database, work: Callable[[Pool], Any]) -> Any:
    async def run() -> Any:
        async with open_pool(database.dsn(WRITER)) as pool:
            return await work(pool)

    return asyncio.run(run())


def failed(call: Call, machines: int) -> None:
    for n in range(machines):
        done = call(
            "maintenance", "add", f"acme/lift-{n}", "failed", "--at", f"{NOW:%Y-%m-%d}", "--note", "door"
        )
        assert done.exit_code == 0, done.output


def said(done: Result) -> str:
    return " ".join(done.output.split())


def answering(call: Call) -> dict[str, str]:
    uses = json.loads(call("models", "list", "elevator", "--json").stdout)["uses"]
    return {use["role"]: f"{use['forecaster']}:{use['version']}" for use in uses}


def test_without_a_failure_on_record_there_is_nothing_to_fit(call: Call) -> None:
    done = call("models", "fit", "elevator")
    assert done.exit_code != 0
    assert "faultline maintenance add" in str(done.exception)


def test_too_few_failures_make_a_model_that_is_only_tried(call: Call, plain_database: Database) -> None:
    failed(call, 3)
    done = call("models", "fit", "elevator", "--promote")
    assert "It is tried, and does not answer: there are too few failures on record" in said(done)
    assert answering(call) == {"challenger": "conformal_life:1"}
    refused = call("models", "promote", "elevator", "conformal_life:1")
    assert refused.exit_code == 1
    assert "too few failures on record to judge it. To let it anyway: --anyway" in said(refused)
    assert call("models", "promote", "elevator", "conformal_life:1", "--anyway", "a demo").exit_code == 0
    assert answering(call) == {"champion": "conformal_life:1", "challenger": "None:None"}


def test_a_model_without_any_answer_says_so(call: Call, plain_database: Database) -> None:
    failed(call, 5)
    done = call("models", "fit", "elevator", "--promote")
    assert "does not answer: it has a number at 0% of the instants" in said(done)
    assert call("models", "list").exit_code == 0


def test_a_good_model_answers_can_be_rolled_back_and_reaches_the_platform(
    call: Call, plain_database: Database
) -> None:
    failed(call, MACHINES)
    first = json.loads(call("models", "fit", "elevator", "--promote", "--json").stdout)
    assert first["objections"] == []
    assert (first["lineage"]["failures"], first["lineage"]["assets"]) == (MACHINES, MACHINES)
    scores = first["lineage"]["scores"]
    assert scores["mae_h"] < scores["dummy_mae_h"]
    assert call("models", "fit", "elevator").exit_code == 0
    assert answering(call) == {"champion": "conformal_life:1", "challenger": "conformal_life:2"}
    assert [one["version"] for one in json.loads(call("models", "list", "--json").stdout)["models"]] == [1, 2]
    assert "2 models" in said(call("models", "list"))

    async def in_use(pool: Pool) -> tuple[int, int, dict[int, int]]:
        models = ModelsInUse(pool)
        await models.refresh()
        made = models.forecasters
        await models.refresh()
        return made.fitted["elevator"].fit, made.challengers["elevator"].fit, dict(made.renewed_us)

    champion, challenger, renewed = on(plain_database, in_use)
    assert (champion, challenger) == (1, 2)
    assert set(renewed.values()) == {microseconds(NOW)}

    assert call("models", "promote", "elevator", "conformal_life:2").exit_code == 0
    assert answering(call) == {"champion": "conformal_life:2", "challenger": "None:None"}
    assert call("models", "promote", "elevator", "conformal_life:2").exit_code == 0  # said twice
    assert "conformal_life:1 answers" in said(call("models", "rollback", "elevator"))
    assert answering(call)["champion"] == "conformal_life:1"
    assert "no model answers" in said(call("models", "rollback", "elevator"))
    assert answering(call)["champion"] == "None:None"
    assert "nothing to roll back" in said(call("models", "rollback", "elevator"))


def test_the_model_that_answers_goes_on_while_another_cannot_be_read(
    call: Call, plain_database: Database
) -> None:
    async def with_right(verb: str) -> None:
        async with await psycopg.AsyncConnection.connect(plain_database.dsn(OWNER)) as conn:
            await conn.execute(f"{verb} faultline_writer")

    async def interrupted(pool: Pool) -> list[int]:
        models, answered = ModelsInUse(pool), []
        for version in (1, 2):
            await save_model(pool, "elevator", "conformal_life", ConformalLife().state(), {})
            await use_model(pool, "elevator", Role.CHAMPION, ("conformal_life", version), "a test")
            if version == 1:
                await models.refresh()
        await with_right("revoke select on model from")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await models.refresh()
        answered.append(models.forecasters.fitted["elevator"].fit)
        await with_right("grant select on model to")
        await models.refresh()
        answered.append(models.forecasters.fitted["elevator"].fit)
        return answered

    assert on(plain_database, interrupted) == [1, 2]


def test_one_life_with_many_wrong_forecasts_is_no_reason_to_fit_again(
    call: Call, plain_database: Database
) -> None:
    failed(call, MACHINES)
    call("models", "fit", "elevator", "--promote")
    on(plain_database, lambda pool: says_wrong(pool, machines=1, times=30))
    assert call("models", "check", "elevator").exit_code == 0


async def says_wrong(pool: Pool, machines: int, times: int) -> None:
    """Forecasts, two a day, of an end within 3 days that came 10 days later or more."""
    numbers = [asset.asset_id for asset in (await load_registry(pool)).assets][:machines]
    made = [microseconds(NOW - timedelta(days=10 + n / 2)) for n in range(times)]
    rows = [
        ForecastRow(n, at, "condition", "conformal_life-1 fit 1", "estimate", 24.0, 48.0, 72.0, "")
        for n in numbers
        for at in made
    ]
    claim = await (sink := Sink(pool, "forecast")).claim("health.acme", 0)
    await sink.write(claim, ChunkResult("health.acme", 0, 0, 1, Tally(stored=1), forecasts=rows))


def test_intervals_that_did_not_hold_are_a_reason_to_fit_again(call: Call, plain_database: Database) -> None:
    failed(call, MACHINES)
    assert "`faultline models fit elevator --promote`" in said(call("models", "check", "elevator"))
    call("models", "fit", "elevator", "--promote")
    assert "nothing speaks for fitting it again" in said(call("models", "check", "elevator"))

    on(plain_database, lambda pool: says_wrong(pool, machines=MACHINES, times=3))
    done = call("models", "check", "elevator", "--json")
    assert done.exit_code == 3
    assert json.loads(done.stdout)["fit_again"] == [
        "0% of the forecasts for 12 lives held (end between P10 and P90), where 80 % should"
    ]


def test_records_can_be_listed_and_taken_back(call: Call, plain_database: Database) -> None:
    failed(call, 1)
    assert "door" in said(call("maintenance", "list", "--tenant", "acme"))
    assert call("maintenance", "undo", "acme/lift-0", "failed", "--at", f"{NOW:%Y-%m-%d}").exit_code == 0
    assert json.loads(call("maintenance", "list", "--json").stdout) == []
    again = call("maintenance", "undo", "acme/lift-0", "failed", "--at", f"{NOW:%Y-%m-%d}")
    assert "`faultline maintenance list` shows" in said(again)


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (("maintenance", "add", "lift-0", "failed", "--at", "2026-01-01"), "write TENANT/NAME"),
        (("maintenance", "add", "acme/lift-0", "failed", "--at", "2999-01-01"), "is in the future"),
        (("models", "fit", "elevators"), "no equipment type 'elevators'"),
        (("models", "promote", "elevator", "conformal_life:9"), "has no model 'conformal_life:9'"),
        (("models", "rollback", "elevator"), "nothing to roll back: promote one"),
    ],
)
def test_a_wrong_word_names_the_cure(call: Call, words: tuple[str, ...], cure: str) -> None:
    done = call(*words)
    assert done.exit_code != 0
    assert cure in f"{said(done)} {done.exception}"


def test_an_event_said_twice_has_the_newer_note(call: Call, plain_database: Database) -> None:
    async def twice(pool: Pool) -> None:
        number = (await load_registry(pool)).assets[0].asset_id
        for note in ("belt", "belt and motor"):
            await record_event(pool, MaintenanceEvent(number, NOW, MaintenanceKind.RESTORED, note))

    on(plain_database, twice)
    (event,) = json.loads(call("maintenance", "list", "--json").stdout)
    assert (event["kind"], event["note"]) == ("restored", "belt and motor")
