"""Health messages become trajectories and forecasts, whatever the chunks and restarts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.contract import StateError
from fleet.asset import Asset, Channel, EquipmentType
from fleet.catalog import packs
from fleet.dead_letter import Reason
from fleet.failure_level import failure_level
from fleet.model_scope import Scope
from fleet.registry import Registry
from forecasting.contract import REACHED, Forecast, Forecaster, History, Run, Verdict
from storage.chunk_result import ForecastRow
from streams.forecast_engine import FORECAST_EVERY_US, ForecastEngine
from streams.forecasters import FittedModel, Forecasters
from streams.health_message import HealthMessage, decode
from streams.record import Chunk
from streams.registry_cache import RegistryCache
from streams.trajectory import Trajectory

HOUR = 3_600_000_000
REGISTRY = Registry(
    ("acme",),
    (
        Asset(1, "acme", "home", "lift-1", "lift"),
        Asset(2, "acme", "home", "lift-2", "lift"),
        Asset(3, "other", "home", "lift-3", "lift"),
    ),
    (EquipmentType("lift", (Channel("speed", "m/s"),)),),
)


LIFT, ACMES, OTHERS = Scope("lift"), Scope("lift", "acme"), Scope("lift", "other")


class LastLevel:
    """A forecaster that answers with what it was given, so that a test sees it."""

    NAME: ClassVar[str] = "last-level"
    VERSION: ClassVar[int] = 1

    def fit(self, runs: Sequence[Run]) -> None: ...

    def predict(self, histories: Sequence[History]) -> list[Forecast]:
        return [
            Forecast(Verdict.ESTIMATE, float(h.x[-1, 0]), float(h.age_h[-1]), float(len(h.age_h)), "test")
            for h in histories
        ]

    def state(self) -> bytes:
        return b""

    def load(self, state: bytes) -> None: ...


class NeverEnough(LastLevel):
    NAME = "never-enough"

    def predict(self, histories: Sequence[History]) -> list[Forecast]:
        return [Forecast(Verdict.TOO_LITTLE_DATA, basis="unlike all on record") for _ in histories]


class Says(LastLevel):
    """A forecaster that says one thing."""

    def __init__(self, forecast: Forecast) -> None:
        self.forecast = forecast

    def predict(self, histories: Sequence[History]) -> list[Forecast]:
        return [self.forecast for _ in histories]


class Lives(Says):
    NAME = "lives"


TREND = Forecast(Verdict.ESTIMATE, 10.0, 20.0, 30.0, "trend over 9 h")
SLOW = Forecast(Verdict.MORE_THAN, 40.0, basis="trend over 9 h")
HEALTHY = Forecast(Verdict.NO_TREND, basis="no significant growth over 9 h")
USUAL = Forecast(Verdict.ESTIMATE, 100.0, 200.0, 300.0, "5 failures in 9 runs")
USUALLY_LONG = Forecast(Verdict.MORE_THAN, 100.0, basis="5 failures in 9 runs")


def condition(seen: Forecast, usual: Forecast, fitted: Forecaster | None = None) -> tuple[str, Forecast]:
    models = {LIFT: FittedModel(fitted, 1)} if fitted else {}
    asked = Forecasters(Says(seen), models, priors={LIFT: FittedModel(Lives(usual), 1)})
    return asked.forecast(ACMES, "condition", Trajectory([0, HOUR], [0.0, 0.1], 1, 2).history())


@pytest.mark.parametrize("verdict", [Verdict.NO_TREND, Verdict.TOO_LITTLE_DATA])
def test_where_no_wear_is_seen_that_stays_the_answer_and_what_is_usual_stands_beside_it(
    verdict: Verdict,
) -> None:
    name, said = condition(Forecast(verdict, basis="calm"), USUAL)
    assert (name, said.verdict, said.p10_h) == ("last-level-1", verdict, None)
    assert said.basis == "calm; usual at this age: 100 to 300 h left (5 failures in 9 runs)"
    assert condition(HEALTHY, USUALLY_LONG)[1].basis.endswith("more than 100 h left (5 failures in 9 runs)")
    assert condition(HEALTHY, Forecast(Verdict.TOO_LITTLE_DATA, basis="1 of 3"))[1] == HEALTHY


@pytest.mark.parametrize("verdict", [Verdict.NO_TREND, Verdict.TOO_LITTLE_DATA])
@pytest.mark.parametrize("mode_level", [None, 0.7])
def test_a_machine_at_zero_health_without_a_trend_is_at_its_limit(
    verdict: Verdict, mode_level: float | None
) -> None:
    level = Trajectory([0, HOUR], [0.2, 1.0], 1, 2).history()
    worn = None if mode_level is None else replace(level, x=level.x * mode_level)
    asked = Forecasters(Says(Forecast(verdict)), priors={LIFT: FittedModel(Lives(USUAL), 1)})
    assert asked.forecast(ACMES, "condition", level, to_failure=worn) == ("last-level-1", REACHED)


def test_what_a_machine_itself_shows_counts_more_than_how_long_others_lasted() -> None:
    assert condition(TREND, USUAL) == ("last-level-1", TREND)
    name, said = condition(TREND, USUAL, NeverEnough())
    assert (name, said.p50_h, said.basis) == ("last-level-1", 20.0, "unlike all on record; trend over 9 h")
    assert condition(TREND, USUAL, Says(USUAL)) == ("last-level-1 fit 1", USUAL)


def test_a_machine_unlike_the_failures_with_a_trend_to_nowhere_gets_the_lives_of_its_type() -> None:
    name, said = condition(SLOW, USUAL, NeverEnough())
    assert (name, said.p50_h) == ("lives-1 fit 1", 200.0)
    assert said.basis == "unlike all on record; 5 failures in 9 runs"
    name, said = condition(SLOW, USUALLY_LONG, NeverEnough())
    assert (name, said.p10_h) == ("last-level-1", 40.0)
    assert condition(SLOW, USUAL) == ("last-level-1", SLOW)


def test_a_wear_counter_goes_on_at_its_pace_whatever_the_type_has_on_record() -> None:
    hours = range(200)
    counter = Trajectory([h * HOUR for h in hours], [h / 400 for h in hours], 1, 200)
    models = {LIFT: FittedModel(NeverEnough(), 1)}
    asked = Forecasters(Says(HEALTHY), models, priors={LIFT: FittedModel(Lives(USUAL), 1)})
    name, said = asked.forecast(ACMES, "belt", counter.history())
    assert name == "first_passage-1"
    assert said.p50_h == pytest.approx(201.0, rel=0.01)


@dataclass(frozen=True)
class FakeRecord:
    offset: int
    value: bytes | None
    timestamp: int = 0
    key: bytes | None = b"lift-1"
    headers: Sequence[tuple[str, bytes]] = ()


def known(registry: Registry) -> RegistryCache:
    """A cache that has it already."""

    async def load() -> Registry:
        return registry

    cache = RegistryCache(load)
    cache.current = registry
    return cache


def engine(
    fitted: Mapping[Scope, Forecaster] | None = None,
    challengers: Mapping[Scope, Forecaster] | None = None,
    renewed_us: dict[int, int] | None = None,
) -> ForecastEngine:
    cache = known(REGISTRY)
    now, tried = (
        {scope: FittedModel(one, 7) for scope, one in (given or {}).items()}
        for given in (fitted, challengers)
    )
    asked = Forecasters(LastLevel(), now, tried, renewed_us=renewed_us or {}, counter=LastLevel())
    return ForecastEngine("acme", cache, asked)


def chunk(values: Sequence[bytes | None], first: int = 0) -> Chunk:
    return Chunk("health.acme", 0, [FakeRecord(first + i, value) for i, value in enumerate(values)])


def hourly(hours: int, asset: int = 1) -> list[bytes]:
    return [
        HealthMessage(asset, h * HOUR, {"condition": h / 100, "belt": 0.5}).encode() for h in range(hours)
    ]


async def test_forecasts_fall_due_on_round_instants_for_everything_that_runs_out() -> None:
    result = await engine().process(chunk(hourly(30)), again=False)
    assert [(f.target, f.ts_us // HOUR) for f in result.forecasts] == [
        ("condition", 12),
        ("belt", 12),
        ("condition", 24),
        ("belt", 24),
    ]
    first = result.forecasts[0]
    assert (first.p10_h, first.p50_h, first.forecaster) == (0.12, 12.0, "last-level-1")
    assert result.tally.stored == 30


async def test_a_named_fault_mode_says_what_the_trend_is_held_against_and_only_of_the_condition() -> None:
    """At half way to the type's 15 standard deviations a motor without its fan has long failed, at 3."""
    lift = replace(REGISTRY.assets[0], equipment_type="elevator")
    elevator = packs()["elevator"].equipment_type
    registry = known(Registry(("acme",), (lift,), (elevator,)))
    answers = {}
    for mode in ("", "unknown", "motor-cooling"):
        values = [
            HealthMessage(1, h * HOUR, {"condition": 0.5, "belt": 0.5}, mode=mode).encode() for h in (0, 12)
        ]
        asked = ForecastEngine("acme", registry, Forecasters(LastLevel(), counter=LastLevel()))
        result = await asked.process(chunk(values), again=False)
        answers[mode] = {row.target: row.p10_h for row in result.forecasts}
    assert answers[""] == answers["unknown"] == {"condition": 0.5, "belt": 0.5}
    worn = failure_level(packs()["elevator"], "motor-cooling", np.array([0.5]))
    assert worn is not None
    assert answers["motor-cooling"] == {"condition": worn[0], "belt": 0.5}


def test_a_fitted_model_sees_no_level_beyond_the_limit_as_health_on_record_has_none() -> None:
    says = FittedModel(LastLevel(), 1).says(Trajectory([0, HOUR], [0.0, 3.0], 1, 2).history())[1]
    assert says.p10_h == 1.0


def test_a_message_says_its_mode_or_none() -> None:
    for mode in ("", "hoist-gear"):
        message = HealthMessage(7, HOUR, {"condition": 0.25}, mode=mode)
        assert decode(message.encode()) == message


async def test_bad_messages_are_dead_letters_and_repeats_are_counted() -> None:
    good = hourly(1)[0]
    result = await engine().process(chunk([good, None, good, *NO_MESSAGES]), again=False)
    assert {d.offset for d in result.dead_letters} == set(range(3, 3 + len(NO_MESSAGES)))
    tally = result.tally
    assert (tally.stored, tally.duplicate, tally.dead, tally.tombstone) == (1, 1, len(NO_MESSAGES), 1)


NO_MESSAGES = [
    b"{",
    b"[" * 100_000,
    b'{"asset_id": 1}',
    b'{"asset_id": 1, "ts_us": 1e400, "levels": {}}',
    b'{"asset_id": 1, "ts_us": 5, "levels": {"condition": NaN}}',
    b'{"asset_id": 1, "ts_us": 5, "levels": {"condition": 1e400}}',
    b'{"asset_id": 1, "ts_us": 99999999999999999999, "levels": {}}',
    b'{"asset_id": 9999999999, "ts_us": 5, "levels": {}}',
    b'{"asset_id": 1, "ts_us": 5, "levels": {}, "mode": 3}',
    HealthMessage(3, HOUR, {"condition": 0.5}).encode(),  # another tenant's machine
]


async def test_a_machine_that_was_added_a_moment_ago_is_asked_for() -> None:
    async def load() -> Registry:
        return REGISTRY

    late = ForecastEngine("acme", RegistryCache(load), Forecasters(LastLevel(), {}))  # knows nobody yet
    result = await late.process(chunk([*hourly(1), *hourly(1, asset=99)]), again=False)
    assert result.tally.stored == 1
    assert [(d.offset, d.reason) for d in result.dead_letters] == [(1, Reason.UNKNOWN_ASSET)]


async def test_the_types_fitted_model_answers_for_condition_unless_it_has_too_little_data() -> None:
    fitted = await engine({LIFT: NeverEnough()}).process(chunk(hourly(13)), again=False)
    assert {f.forecaster for f in fitted.forecasts} == {"last-level-1"}


async def test_a_challenger_is_asked_too_and_what_it_says_is_kept_apart() -> None:
    result = await engine(challengers={LIFT: LastLevel()}).process(chunk(hourly(13)), again=False)
    assert [(f.target, f.forecaster) for f in result.shadow_forecasts] == [
        ("condition", "last-level-1 fit 7")
    ]
    assert [f.target for f in result.forecasts] == ["condition", "belt"]


@pytest.mark.parametrize(
    ("models", "answers"),
    [
        ({LIFT: USUAL, ACMES: TREND}, "last-level-1 fit 7"),
        ({LIFT: TREND, OTHERS: USUAL}, "last-level-1 fit 7"),
        ({OTHERS: TREND}, "last-level-1"),
    ],
)
async def test_a_tenants_own_model_answers_for_its_machines_and_for_no_others(
    models: dict[Scope, Forecast], answers: str
) -> None:
    said = {scope: Says(forecast) for scope, forecast in models.items()}
    result = await engine(fitted=said, challengers=said).process(chunk(hourly(13)), again=False)
    condition = result.forecasts[0]
    assert condition.forecaster == answers
    assert [row.p50_h for row in result.shadow_forecasts] == ([20.0] if "fit" in answers else [])
    assert (condition.p50_h == 20.0) == ("fit" in answers)


async def test_the_condition_begins_anew_when_the_machine_was_repaired() -> None:
    """`LastLevel` says the level and the age that it sees."""
    result = await engine(renewed_us={1: 9 * HOUR}).process(chunk(hourly(13)), again=False)
    condition, belt = result.forecasts
    assert (condition.p50_h, belt.p50_h) == (2.0, 12.0)


async def test_what_is_forecast_from_before_a_repair_knows_nothing_of_it() -> None:
    result = await engine(renewed_us={1: 20 * HOUR}).process(chunk(hourly(25)), again=False)
    said = [(f.ts_us // HOUR, f.p50_h) for f in result.forecasts if f.target == "condition"]
    assert said == [(12, 12.0), (24, 3.0)]


async def test_a_machine_with_years_on_record_shows_every_hour_after_a_repair() -> None:
    """`LastLevel` says as P90 how many points it sees."""
    hours, renewed = hourly(3024), {1: 2999 * HOUR}
    worker = engine(renewed_us=renewed)
    await worker.process(chunk(hours[:3008]), again=False)
    state, worker = worker.state(), engine(renewed_us=renewed)
    worker.load(state)
    assert worker.state() == state
    last = await worker.process(chunk(hours[3008:], 3008), again=False)
    assert [f.p90_h for f in last.forecasts if f.target == "condition"] == [13.0]
    await worker.process(chunk(hours[2990:2995], 3024), again=False)  # repeats change nothing
    renewed[1] += 9 * HOUR  # a second record, of when the repair was done
    more = await worker.process(chunk(hourly(3025)[3024:], 3024), again=False)
    assert [f.p90_h for f in more.forecasts if f.target == "condition"] == [16.0]
    del renewed[1]  # both taken back: the whole past counts again
    again = await worker.process(chunk(hourly(3037)[3025:], 3025), again=False)
    assert [f.p50_h for f in again.forecasts if f.target == "condition"] == [3036.0]


async def run(cuts: Sequence[int], messages: Sequence[bytes], restart_at: int) -> list[ForecastRow]:
    worker, rows, at = engine(), list[ForecastRow](), 0
    for turn, size in enumerate(cuts):
        if turn == restart_at:
            state = worker.state()
            worker = engine()
            worker.load(state)
            assert worker.state() == state
        part = messages[at : at + size]
        if part:
            rows += (await worker.process(chunk(part, at), again=False)).forecasts
        at += size
    return rows


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=10), st.integers(0, 9))
async def test_no_cut_and_no_restart_changes_a_forecast(cuts: list[int], restart_at: int) -> None:
    messages = [m for pair in zip(hourly(100, 1), hourly(100, 2), strict=True) for m in pair]
    cuts = [*cuts, len(messages)]
    assert await run(cuts, messages, restart_at) == await run([len(messages)], messages, -1)


def test_damaged_state_is_refused() -> None:
    with pytest.raises(StateError):
        engine().load(b"nonsense")


def test_forecasts_are_twice_a_day() -> None:
    assert FORECAST_EVERY_US == 12 * HOUR
