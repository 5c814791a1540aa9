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
from fleet.model_scope import Scope
from forecasting.conformal import ConformalLife
from forecasting.contract import History, Run
from storage.bootstrap import OWNER, WRITER
from storage.chunk_result import ChunkResult, ForecastRow, HealthRow, Tally
from storage.maintenance import record_event
from storage.model_roles import Role, use_model
from storage.models import save_model
from storage.pool import Pool, open_pool
from storage.registry import load_registry, register
from storage.server.database import Database
from storage.sink import Sink
from streams.simulator.histories import run_to_failure

NOW = datetime(2026, 5, 1, tzinfo=UTC)
MACHINES = 12
LIFTS = Scope("elevator")

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


async def store(
    pool: Pool, tenant: str = "acme", kind: str = "elevator", runs: list[Run] | None = None
) -> None:
    """Twelve lifts with a life each behind them, the first of which are known to have failed."""
    runs = runs or run_to_failure("elevator", MACHINES, 5)
    machines = tuple(Asset(0, tenant, "home", f"lift-{n}", kind) for n in range(len(runs)))
    site, equipment_type = Site(tenant, "home"), packs()[kind].equipment_type
    await register(pool, Fleet((Tenant(tenant),), (site,), machines, (equipment_type,)))
    registry = await load_registry(pool)
    numbers = [registry.by_key(tenant)[one.name.encode()].asset_id for one in machines]
    rows = [row for asset_id, run in zip(numbers, runs, strict=True) for row in health(asset_id, run)]
    claim = await (sink := Sink(pool, "score")).claim(f"telemetry.{tenant}", 0)
    await sink.write(claim, ChunkResult(f"telemetry.{tenant}", 0, 0, 1, Tally(stored=1), health=rows))


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


def failed(call: Call, machines: int, tenant: str = "acme") -> None:
    for n in range(machines):
        done = call(
            "maintenance", "add", f"{tenant}/lift-{n}", "failed", "--at", f"{NOW:%Y-%m-%d}", "--note", "door"
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


def test_a_fit_that_cannot_be_is_refused_before_anything_is_read(call: Call) -> None:
    unknown = call("models", "fit", "no-such-type", "--forecaster", "oracle")
    assert "no forecaster 'oracle': there are" in str(unknown.exception)
    both = call("models", "fit", "elevator", "--surroundings", "--forecaster", "scaled_life")
    assert both.exit_code == 2
    assert "say --surroundings or --forecaster" in said(both)


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
        return made.fitted[LIFTS].fit, made.challengers[LIFTS].fit, dict(made.renewed_us)

    champion, challenger, renewed = on(plain_database, in_use)
    assert (champion, challenger) == (1, 2)
    assert set(renewed.values()) == {microseconds(NOW)}

    refused = said(call("models", "promote", "elevator", "conformal_life:2"))
    assert "0 that ended since the fit of conformal_life:1, 0 forecast by both in operation, of 5" in refused
    assert call("models", "promote", "elevator", "conformal_life:2", "--anyway", "a test").exit_code == 0
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
            await save_model(pool, LIFTS, "conformal_life", ConformalLife().state(), {})
            await use_model(pool, LIFTS, Role.CHAMPION, ("conformal_life", version), "a test")
            if version == 1:
                await models.refresh()
        await with_right("revoke select on model from")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await models.refresh()
        answered.append(models.forecasters.fitted[LIFTS].fit)
        await with_right("grant select on model to")
        await models.refresh()
        answered.append(models.forecasters.fitted[LIFTS].fit)
        return answered

    assert on(plain_database, interrupted) == [1, 2]


def test_one_life_with_many_wrong_forecasts_is_no_reason_to_fit_again(
    call: Call, plain_database: Database
) -> None:
    failed(call, MACHINES)
    call("models", "fit", "elevator", "--promote")
    on(plain_database, lambda pool: says_wrong(pool, machines=1, times=30))
    assert call("models", "check", "elevator").exit_code == 0


def stretched(runs: list[Run], times: float) -> list[Run]:
    return [Run(History(run.history.age_h * times, run.history.x)) for run in runs]


@pytest.mark.parametrize(("times", "answers"), [(5.0, "conformal_life:2"), (1.0, "conformal_life:1")])
def test_a_champion_is_held_against_the_lives_that_ended_since_its_fit(
    call: Call, plain_database: Database, times: float, answers: str
) -> None:
    """One that learned from lives five times as long loses; one that knows these very lives does not."""
    failed(call, MACHINES)

    async def answers_already(pool: Pool) -> None:
        champion = ConformalLife()
        champion.fit(stretched(run_to_failure("elevator", MACHINES, 5), times))
        lineage = {"to": (NOW - timedelta(days=1)).isoformat()}
        await save_model(pool, LIFTS, champion.NAME, champion.state(), lineage)
        await use_model(pool, LIFTS, Role.CHAMPION, (champion.NAME, 1), "a test")

    on(plain_database, answers_already)
    done = json.loads(call("models", "fit", "elevator", "--promote", "--json").stdout)
    assert answering(call)["champion"] == answers
    if answers == "conformal_life:1":
        (why,) = done["objections"]
        assert why.endswith("(12 lives that ended since the fit of conformal_life:1)")


@pytest.mark.parametrize("off_h", [80.0, 10.0])
def test_what_both_forecast_in_operation_decides_between_two_fits(
    call: Call, plain_database: Database, off_h: float
) -> None:
    failed(call, MACHINES)
    call("models", "fit", "elevator", "--promote")
    call("models", "fit", "elevator")

    async def both_said(pool: Pool) -> None:
        rows = [row for n in range(1, 7) for row in forecasts(n, 1, 40.0)]
        tried = [row for n in range(1, 7) for row in forecasts(n, 2, off_h)]
        claim = await (sink := Sink(pool, "forecast")).claim("health.acme", 0)
        tally = Tally(stored=1)
        said = ChunkResult("health.acme", 0, 0, 1, tally, forecasts=rows, shadow_forecasts=tried)
        await sink.write(claim, said)

    on(plain_database, both_said)
    done = call("models", "promote", "elevator", "conformal_life:2")
    assert (done.exit_code == 0) == (off_h < 40.0)
    if done.exit_code:
        assert "by 80 h, the champion by 40 h (6 lives forecast by both in operation)" in said(done)
        assert "conformal_life:2 is no challenger any more" in said(
            call("models", "end", "elevator", "conformal_life:2")
        )
    assert answering(call)["challenger"] == "None:None"


def forecasts(asset_id: int, fit: int, off_h: float) -> list[ForecastRow]:
    """Three, a day apart, of an end `off_h` after the one that came."""
    return [
        ForecastRow(
            asset_id,
            microseconds(NOW - timedelta(days=days)),
            "condition",
            f"conformal_life-1 fit {fit}",
            "estimate",
            1.0,
            24.0 * days + off_h,
            1000.0,
            "",
        )
        for days in (3, 4, 5)
    ]


def test_a_prior_of_failures_at_one_hour_is_not_used(call: Call, plain_database: Database) -> None:
    def life(hours: float) -> Run:
        return Run(History(np.linspace(0.0, hours, 30), np.zeros((30, 1))))

    runs = [life(1.0)] * 4 + [life(1100.0)] * 8
    on(plain_database, lambda pool: store(pool, "harbour", "transformer", runs))
    failed(call, 4, "harbour")
    done = said(call("models", "fit", "transformer", "--forecaster", "weibull_life"))
    assert "It is not used: all 4 failures came at the same age (0% of them between P10 and P90)" in done
    assert json.loads(call("models", "list", "--json").stdout)["uses"] == []
    refused = call("models", "promote", "transformer", "weibull_life:1")
    assert (refused.exit_code, "came at the same age" in said(refused)) == (1, True)
    call("models", "promote", "transformer", "weibull_life:1", "--anyway", "the maker says so")
    uses = json.loads(call("models", "list", "--json").stdout)["uses"]
    assert [(use["role"], use["reason"]) for use in uses] == [("prior", "the maker says so")]


def test_a_prior_that_holds_is_used_and_can_be_ended(call: Call) -> None:
    failed(call, 6)
    done = said(call("models", "fit", "elevator", "--forecaster", "weibull_life"))
    assert (
        "of the machines left out 6 failed, where 5.7 were expected, and 1 before P10, where 1.3 were" in done
    )
    assert answering(call) == {"prior": "weibull_life:1"}
    assert "weibull_life:1 is no prior any more" in said(call("models", "end", "elevator", "--role", "prior"))
    assert answering(call) == {"prior": "None:None"}
    assert "weibull_life:1 is not in use" in said(call("models", "end", "elevator", "weibull_life:1"))


def test_a_customers_own_model_learns_from_its_machines_and_answers_for_them_alone(
    call: Call, plain_database: Database
) -> None:
    failed(call, MACHINES)
    on(plain_database, lambda pool: store(pool, "harbour", runs=run_to_failure("elevator", MACHINES, 8)))
    failed(call, MACHINES, "harbour")
    own = json.loads(call("models", "fit", "elevator", "--tenant", "harbour", "--promote", "--json").stdout)
    assert (own["lineage"]["assets"], own["objections"]) == (MACHINES, [])
    anyone = History(np.arange(0.0, 600.0, 4.0), np.linspace(0.0, 0.6, 150)[:, None] ** 1.5)

    async def who_answers(pool: Pool) -> list[str]:
        models = ModelsInUse(pool)
        await models.refresh()
        return [
            models.forecasters.forecast(Scope("elevator", tenant), "condition", anyone)[0]
            for tenant in ("acme", "harbour")
        ]

    assert on(plain_database, who_answers) == ["robust_trend-1", "conformal_life-1 fit 1"]
    everyones = json.loads(call("models", "fit", "elevator", "--promote", "--json").stdout)
    assert everyones["lineage"]["assets"] == 2 * MACHINES
    assert on(plain_database, who_answers) == ["conformal_life-1 fit 2", "conformal_life-1 fit 1"]
    assert call("models", "check", "elevator", "--tenant", "harbour").exit_code == 0
    assert "no model answers" in said(call("models", "rollback", "elevator", "--tenant", "harbour"))
    assert on(plain_database, who_answers) == ["conformal_life-1 fit 2"] * 2


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
    fewer, worse = json.loads(done.stdout)["fit_again"]
    assert fewer.startswith(
        "0% of the forecasts for 12 lives held (end between P10 and P90), where 80 % should"
    )
    assert worse.startswith("its forecasts for 12 lives erred by 204 h")  # 48 h said, 240, 252 or 264 h left


def test_records_can_be_listed_and_taken_back(call: Call, plain_database: Database) -> None:
    failed(call, 1)
    assert "door" in said(call("maintenance", "list", "--tenant", "acme"))
    assert call("maintenance", "undo", "acme/lift-0", "failed", "--at", f"{NOW:%Y-%m-%d}").exit_code == 0
    assert json.loads(call("maintenance", "list", "--json").stdout) == []
    again = call("maintenance", "undo", "acme/lift-0", "failed", "--at", f"{NOW:%Y-%m-%d}")
    assert "`faultline maintenance list` shows" in said(again)


def test_lives_at_a_pace_of_their_own_are_fitted_and_judged(call: Call, plain_database: Database) -> None:
    failed(call, MACHINES)
    assert "scaled_life" not in call("models", "list", "elevator", "--json").stdout
    done = call("models", "fit", "elevator", "--forecaster", "scaled_life")
    assert done.exit_code == 0, done.output
    assert "scaled_life" in call("models", "list", "elevator", "--json").stdout


def test_a_part_is_recorded_of_a_machine_that_has_some(call: Call, plain_database: Database) -> None:
    mill = Asset(0, "acme", "hall", "mill-1", "machine-tool")
    fleet = Fleet(
        (Tenant("acme"),), (Site("acme", "hall"),), (mill,), (packs()["machine-tool"].equipment_type,)
    )
    on(plain_database, lambda pool: register(pool, fleet))
    tool = "acme/mill-1", "restored", "--part", "7", "--at", f"{NOW:%Y-%m-%d}"
    assert "acme/mill-1 part 7 restored" in said(call("maintenance", "add", *tool))
    (listed,) = json.loads(call("maintenance", "list", "--json").stdout)
    assert (listed["kind"], listed["part"]) == ("part", 7)
    assert call("maintenance", "undo", *tool).exit_code == 0
    assert json.loads(call("maintenance", "list", "--json").stdout) == []
    failed(call, 1)
    refused = call("maintenance", "add", "acme/lift-0", *tool[1:])
    assert "leave --part out" in str(refused.exception)


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (("maintenance", "add", "lift-0", "failed", "--at", "2026-01-01"), "write TENANT/NAME"),
        (("maintenance", "add", "acme/lift-0", "failed", "--at", "2999-01-01"), "is in the future"),
        (("models", "fit", "elevators"), "no equipment type 'elevators'"),
        (("models", "promote", "elevator", "conformal_life:9"), "has no model 'conformal_life:9'"),
        (("models", "rollback", "elevator"), "nothing to roll back: promote one"),
        (("models", "rollback", "elevator", "--tenant", "acme"), "of acme by one of its own"),
        (("models", "fit", "elevator", "--tenant", "nobody"), "no tenant 'nobody': there are acme"),
        (("models", "end", "elevator"), "say which: either a model"),
        (("models", "end", "elevator", "--role", "champion"), "`faultline models rollback`"),
        (("models", "end", "elevator", "--role", "prior"), "elevator has no prior"),
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
