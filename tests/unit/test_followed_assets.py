"""A model that learned from hours is asked live about the same hours, whatever the chunks and restarts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import state_bytes
from fleet.asset import Asset, Channel, EquipmentType
from fleet.life_rows import HOUR_US, LifeColumns, LifeRows
from fleet.model_scope import Scope
from fleet.registry import Registry
from forecasting.contract import Forecast, History, Run, Verdict
from forecasting.learned_life import LearnedLife
from forecasting.robust_trend import RobustTrend
from forecasting.weibull_life import WeibullLife
from storage.chunk_result import ForecastRow
from streams.followed_assets import MOST_AT_ONCE
from streams.forecast_engine import FOLLOWED, ForecastEngine
from streams.forecasters import FittedModel, Forecasters, Past, nothing_stored
from streams.health_message import HealthMessage, decode
from streams.record import Chunk
from streams.registry_cache import RegistryCache

LIFT = Scope("lift")
KIND = EquipmentType("lift", (Channel("load", "%", kind="setpoint"), Channel("current", "A")))
COLUMNS = LifeColumns(("current",), (("load", (50.0,)),))
ASSETS = tuple(Asset(n, "acme", "home", f"lift-{n}", "lift") for n in (1, 2))
REGISTRY = Registry(("acme",), ASSETS, (KIND,))
FIT = "learned_life-1 fit 7"


def hours(seed: int, first_hour: int = 1, asset_id: int = 1) -> list[HealthMessage]:
    """A life: the level rises once wear begins, and the current with it, at one of two loads."""
    rng = np.random.default_rng([9, seed])
    healthy, failing = rng.integers(40, 90), rng.integers(60, 110)
    n = int(healthy + failing)
    wear = 0.95 * np.clip((np.arange(n) - healthy) / failing, 0.0, 1.0) ** 1.3
    load = rng.choice([20.0, 80.0], n)
    current = 10.0 + load / 10.0 + 4.0 * wear + rng.normal(0.0, 0.3, n)
    level = np.abs(wear + rng.normal(0.0, 0.01, n))
    told = zip(load.tolist(), current.tolist(), level.tolist(), strict=True)
    return [
        HealthMessage(
            asset_id,
            (first_hour + hour) * HOUR_US + 1,
            {"condition": its_level},
            (float(np.float32(its_load)), None if hour % 17 == 5 else float(np.float32(its_current))),
        )
        for hour, (its_load, its_current, its_level) in enumerate(told)
    ]


def rows_of(messages: Sequence[HealthMessage]) -> LifeRows:
    return LifeRows.of([(one.ts_us, one.levels["condition"], one.means) for one in messages], 2)


def run_of(messages: Sequence[HealthMessage], since_us: int | None = None) -> Run:
    """As training makes one of stored rows."""
    rows = rows_of(messages)
    which = COLUMNS.usable(KIND, rows, since_us)
    return Run(COLUMNS.history(KIND, rows, which, int(rows.ts_us[0])))


MODEL = LearnedLife()
MODEL.fit([run_of(hours(seed)) for seed in range(12)])


def stored(messages: Sequence[HealthMessage]) -> Past:
    """What a database would have of them."""

    async def past(asset_id: int, channels: int, after_us: int | None, until_us: int) -> LifeRows:
        its = [one for one in messages if one.asset_id == asset_id and one.ts_us <= until_us]
        return rows_of([one for one in its if after_us is None or one.ts_us > after_us])

    return past


@dataclass(frozen=True)
class FakeRecord:
    offset: int
    value: bytes | None
    timestamp: int = 0
    key: bytes | None = b"lift"
    headers: Sequence[tuple[str, bytes]] = ()


def chunk(messages: Sequence[HealthMessage], first: int = 0) -> Chunk:
    records = [FakeRecord(first + at, message.encode()) for at, message in enumerate(messages)]
    return Chunk("health.acme", 0, records)


class Worker:
    """An engine that may be told of repairs and models, and restarted."""

    def __init__(self, past: Past = nothing_stored, fitted: bool = True) -> None:
        async def load() -> Registry:
            return self.cache.current

        self.cache = RegistryCache(load)
        self.cache.current = REGISTRY
        self.fitted = {LIFT: FittedModel(MODEL, 7, COLUMNS)} if fitted else {}
        self.renewed_us: dict[int, int] = {}
        self.asked = Forecasters(RobustTrend(), self.fitted, renewed_us=self.renewed_us, past=past)
        self.engine = ForecastEngine("acme", self.cache, self.asked)
        self.read = 0

    def repaired(self, at_us: int) -> None:
        self.renewed_us[1] = at_us
        self.cache.current = replace(REGISTRY, renewed_us={1: [at_us]})

    async def hear(self, messages: Sequence[HealthMessage], again: bool = False) -> list[ForecastRow]:
        result = await self.engine.process(chunk(messages, self.read), again)
        self.read += len(messages)
        return list(result.forecasts)

    def restart(self) -> None:
        state = self.engine.state()
        self.engine = ForecastEngine("acme", self.cache, self.asked)
        self.engine.load(state)
        assert self.engine.state() == state


def hours_said(rows: Sequence[ForecastRow]) -> list[tuple[float | None, ...]]:
    return [(row.ts_us, row.p10_h, row.p50_h, row.p90_h) for row in rows if row.forecaster == FIT]


def expected(messages: Sequence[HealthMessage], at_us: int, since_us: int | None = None) -> Forecast:
    """What the model says of the whole life up to an instant, as in training."""
    (says,) = MODEL.predict([run_of([m for m in messages if m.ts_us <= at_us], since_us).history])
    return says


def check_against_training(
    said: Sequence[ForecastRow], messages: Sequence[HealthMessage], since_us: int | None = None
) -> None:
    answers = hours_said(said)
    assert len(answers) >= 3
    for at_us, *quantiles in answers:
        assert at_us is not None
        want = expected(messages, int(at_us), since_us)
        assert quantiles == [want.p10_h, want.p50_h, want.p90_h]


async def test_live_it_says_what_it_says_of_the_stored_rows() -> None:
    life = hours(50)
    check_against_training(await Worker().hear(life), life)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.sets(st.integers(0, 8)))
async def test_no_cut_and_no_restart_changes_a_forecast(cuts: list[int], restarts: set[int]) -> None:
    life = [one for pair in zip(hours(50), hours(51, asset_id=2), strict=False) for one in pair]
    worker, said, at = Worker(), list[ForecastRow](), 0
    for turn, size in enumerate([*cuts, len(life)]):
        if turn in restarts:
            worker.restart()
        if part := life[at : at + size]:
            said += await worker.hear(part)
        at += size
    assert said == await Worker().hear(life)
    assert hours_said(said)


async def test_a_chunk_that_begins_with_repeats_does_not_hide_what_came_between() -> None:
    life = hours(50)
    worker = Worker(stored(life), fitted=False)
    await worker.hear(life[:90])
    worker.fitted[LIFT] = FittedModel(MODEL, 7, COLUMNS)
    check_against_training(await worker.hear([*life[40:50], *life[90:]]), life)


async def test_many_machines_are_read_anew_in_parts_and_the_others_say_so() -> None:
    machines = [Asset(n, "acme", "home", f"lift-{n}", "lift") for n in range(MOST_AT_ONCE + 2)]
    at = [[replace(one, asset_id=n) for n in range(len(machines))] for one in hours(50)[:24]]
    worker = Worker(stored([one for now in at for one in now]), fitted=False)
    worker.cache.current = replace(REGISTRY, assets=tuple(machines))
    worker.engine = ForecastEngine("acme", worker.cache, replace(worker.asked, trend=MoreThan()))
    for now in at[:11]:
        await worker.hear(now)
    worker.fitted[LIFT] = FittedModel(MODEL, 7, COLUMNS)
    noon = await worker.hear(at[11])
    later = [row for now in at[12:] for row in await worker.hear(now)]
    unread = {row.asset_id for row in noon if row.basis == "its hours are not read yet; slow"}
    assert unread == {MOST_AT_ONCE, MOST_AT_ONCE + 1}
    assert {row.forecaster for row in later} == {FIT}
    assert len({(row.p10_h, row.p50_h, row.p90_h) for row in later}) == 1


@pytest.mark.parametrize("taken_at", [1, 37, 90])
async def test_a_model_that_comes_into_use_later_says_what_it_would_have_said(
    taken_at: int,
) -> None:
    life = hours(50)
    worker = Worker(stored(life), fitted=False)
    await worker.hear(life[:taken_at])
    worker.fitted[LIFT] = FittedModel(MODEL, 7, COLUMNS)
    late = await worker.hear(life[taken_at:])
    assert hours_said(late) == [
        one for one in hours_said(await Worker().hear(life)) if (one[0] or 0) >= life[taken_at].ts_us
    ]


async def test_what_is_read_again_after_a_restart_is_followed_too() -> None:
    life = hours(50)
    worker = Worker()
    await worker.hear(life[:40])
    worker.restart()
    await worker.hear(life[40:100], again=True)
    assert hours_said(await worker.hear(life[100:]))[-1] == hours_said(await Worker().hear(life))[-1]


@pytest.mark.parametrize("heard_after", [0, 25])
async def test_a_life_begins_anew_at_a_repair_whenever_that_is_heard(heard_after: int) -> None:
    first, second = hours(60), hours(61, first_hour=300)
    renewed_us = 299 * HOUR_US
    everything = [*first, *second]
    worker = Worker(stored(everything))
    await worker.hear(first)
    said = await worker.hear(second[:heard_after]) if heard_after else []
    worker.repaired(renewed_us)
    said = await worker.hear(second[heard_after:])
    check_against_training(said, second, renewed_us)


async def test_messages_of_an_earlier_release_are_read_and_are_hours_of_which_nothing_is_known() -> None:
    life = hours(50)
    old = [replace(one, means=()) for one in life]
    body = old[0].encode().replace(b',"means":[]', b"")
    assert decode(body) == old[0]
    assert not hours_said(await Worker().hear(old))


@pytest.mark.parametrize("means", ["5", "[true]", '["1"]', "[NaN]", "[[1.0]]", str([0.5] * 65)])
def test_other_means_than_numbers_are_refused(means: str) -> None:
    body = '{"asset_id": 1, "ts_us": 5, "levels": {"condition": 0.5}, "means": %s}'
    assert decode((body % "[1.5, null]").encode()).means == (1.5, None)
    with pytest.raises(ValueError):
        decode((body % means).encode())


async def test_a_snapshot_of_an_earlier_release_follows_nobody_yet_and_goes_on() -> None:
    life = hours(50)
    worker = Worker(stored(life))
    await worker.hear(life[:90])
    kind, arrays = state_bytes._read(worker.engine.state())
    worker.engine.load(state_bytes.pack(kind, {k: each for k, each in arrays.items() if k != FOLLOWED}))
    check_against_training(await worker.hear(life[90:]), life)


async def test_what_is_unlike_all_lives_on_record_gets_the_prior_and_says_so() -> None:
    prior = WeibullLife()
    prior.fit([level_alone(run_of(hours(seed))) for seed in range(12)])
    odd = [replace(one, means=(one.means[0], 500.0)) for one in hours(50)]
    worker = Worker()
    asked = replace(worker.asked, trend=MoreThan(), priors={LIFT: FittedModel(prior, 3)})
    engine = ForecastEngine("acme", worker.cache, asked)
    said = [row for row in (await engine.process(chunk(odd), again=False)).forecasts if row.p90_h]
    assert {row.forecaster for row in said} == {"weibull_life-1 fit 3"}
    assert said[0].basis.startswith("unlike the 12 failures on record; ")


def level_alone(run: Run) -> Run:
    return Run(History(run.history.age_h, run.history.x[:, :1]))


class MoreThan(RobustTrend):
    """A trend that goes nowhere soon."""

    def predict(self, histories: Sequence[object]) -> list[Forecast]:
        return [Forecast(Verdict.MORE_THAN, 10.0, basis="slow") for _ in histories]


async def test_a_model_that_is_used_no_more_leaves_nothing_behind() -> None:
    worker, life = Worker(), hours(50)
    await worker.hear(life[:50])
    followed = len(worker.engine.state())
    del worker.fitted[LIFT]
    await worker.hear(life[50:60])
    assert len(worker.engine.state()) < followed
