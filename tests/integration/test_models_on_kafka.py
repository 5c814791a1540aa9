"""Models learned from lives on record answer in a worker on real Kafka and TimescaleDB, restarts included."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from console.feeding import publish_all
from console.platform import Platform, foundation, platform
from console.serving import beside
from console.settings import Settings, load_settings
from fleet.clock import ManualClock, microseconds
from storage.bootstrap import WRITER
from storage.pool import Pool, open_pool
from storage.registry import register
from storage.rollup import run_due
from storage.server.database import Database
from streams.replay.publisher import KafkaPublisher
from streams.simulator.histories import fatal_faults
from streams.wire.frame import Frame
from tests.integration.test_learned_life import KIND, by_the_record, call, failing, fleet

MACHINES, AGAIN = 12, 3
START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND_START = datetime(2026, 5, 1, tzinfo=UTC)
NOW = datetime(2026, 9, 1, tzinfo=UTC)
ROW_S = 900
CUTS_H = (900.0, 980.0, 1060.0)
"""Of the second lives: all machines show wear by the first, none has failed by the last."""

LEARNED, SCALED = "learned_life-1 fit 1", "scaled_life-1 fit 1"

Said = list[tuple[int, int, str, float, float, float]]
"""Asset, instant, forecaster and quantiles."""


@pytest.fixture
def tenant() -> str:
    """Of this test alone, as topics live as long as the broker."""
    return f"t{uuid4().hex[:8]}"


@pytest.fixture
def settings(
    kafka: str, database: Database, tenant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAULTLINE_DATABASE", database.dsn(WRITER))
    return load_settings(
        kafka=kafka,
        group=tenant,
        data_dir=tmp_path,
        partitions=1,
        session_timeout_s=6,
        past_days=400,
        retention_raw_days=400,
        retention_rollup_days=400,
    )


def with_worker(settings: Settings, do: Callable[[Platform], Coroutine[Any, Any, None]]) -> None:
    """A worker for as long as something is done beside it; then it ends, whatever it is at."""

    async def run() -> None:
        async with platform(settings, found, ManualClock(NOW)) as running:
            await beside(running.run(), do(running))

    with foundation(settings) as found:
        asyncio.run(run())


async def send(settings: Settings, frames: Sequence[Frame]) -> None:
    assert settings.kafka_access is not None
    with closing(KafkaPublisher(settings.kafka_access)) as gateway:
        await asyncio.to_thread(publish_all, frames, gateway)


async def rolled_up(pool: Pool) -> None:
    """Once all hours are on record."""
    while await run_due(pool):
        pass


async def decide(running: Platform, *words: str) -> None:
    """A command beside the worker, which looks for models once a minute, and here at once."""
    await asyncio.to_thread(call, "models", *words)
    await running.models.refresh()


async def said(pool: Pool, after: datetime, table: str = "forecast") -> Said:
    statement = (
        "select asset_id, (extract(epoch from ts) * 1000000)::bigint, forecaster, p10_h, p50_h, p90_h "
        f"from {table} where verdict = 'estimate' and target = 'condition' and ts > %s order by asset_id, ts"
    )
    async with pool.connection() as conn:
        return await (await conn.execute(statement.encode(), (after,))).fetchall()


def names(rows: Said) -> set[str]:
    return {name for _, _, name, *_ in rows}


def test_the_promoted_model_answers_and_goes_on_after_a_restart_and_back(
    settings: Settings, tenant: str
) -> None:
    assert settings.database is not None
    dsn = settings.database.get_secret_value()
    machines = [f"m-{n}" for n in range(MACHINES)]
    first = fatal_faults(KIND.name, machines, 101)
    failed = [(START + timedelta(hours=fault.failure_h)).replace(microsecond=0) for fault in first]
    again = fatal_faults(KIND.name, machines[:AGAIN], 306)
    cuts = [SECOND_START + timedelta(hours=hours) for hours in CUTS_H]
    second = list(failing(SECOND_START, again, 2, KIND, tenant, ROW_S))

    def part(number: int) -> list[Frame]:
        """Of the second lives, between two cuts."""
        begin_us, end_us = (microseconds(at) for at in [SECOND_START, *cuts, NOW][number : number + 2])
        return [frame for frame in second if begin_us < frame.ts_us[-1] <= end_us]

    async def prepare() -> None:
        async with open_pool(dsn) as pool:
            await register(pool, fleet(KIND, MACHINES, tenant))

    async def first_lives(running: Platform) -> None:
        await send(settings, list(failing(START, first, 1, KIND, tenant, ROW_S)))
        await running.drained()
        await rolled_up(running.pool)

    async def promoted(running: Platform) -> None:
        await decide(running, "fit", KIND.name, "--forecaster", "learned_life")
        await decide(running, "promote", KIND.name, "learned_life:1")
        await send(settings, part(0))
        await running.drained()
        assert LEARNED in names(await said(running.pool, SECOND_START))
        await decide(running, "fit", KIND.name, "--forecaster", "scaled_life")
        await send(settings, part(1))
        while not await said(running.pool, cuts[0]):  # noqa: ASYNC110 - only asking tells
            await asyncio.sleep(0.05)

    async def restarted(running: Platform) -> None:
        await running.drained()
        assert names(await said(running.pool, cuts[0])) >= {LEARNED}
        assert names(await said(running.pool, cuts[0], "shadow_forecast")) == {SCALED}
        await decide(running, "promote", KIND.name, "scaled_life:1", "--anyway", "a test")
        await send(settings, part(2))
        await running.drained()
        assert names(await said(running.pool, cuts[1])) == {SCALED}
        await decide(running, "rollback", KIND.name)
        await send(settings, part(3))
        await running.drained()
        assert names(await said(running.pool, cuts[2])) >= {LEARNED}
        await as_on_record(running.pool)

    async def as_on_record(pool: Pool) -> None:
        """To the bit what the hours on record give, whatever came between."""
        await rolled_up(pool)
        for begin in (cuts[0], cuts[2]):
            for asset_id, at_us, name, *quantiles in (await said(pool, begin))[::4]:
                if name == LEARNED:
                    since_us = microseconds(failed[asset_id - 1])
                    known = await by_the_record(pool, KIND, asset_id, at_us, since_us)
                    assert tuple(quantiles) == known

    asyncio.run(prepare())
    with_worker(settings, first_lives)
    for fault, at in zip(first, failed, strict=True):
        call("maintenance", "add", f"{tenant}/{fault.asset}", "failed", "--at", f"{at:%Y-%m-%dT%H:%M:%S}")
    with_worker(settings, promoted)
    with_worker(settings, restarted)
