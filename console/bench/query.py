"""`faultline bench query`: the product's own queries on a month of a large fleet, with a warm cache."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from datetime import timedelta
from functools import partial

import numpy as np

from console.bench.month import Month, filled_month
from console.bench.plant import fleet_of
from console.bench.result import Reading
from console.bench.telemetry import CHANNELS
from console.bench.trial import Measure, Trial
from storage.bootstrap import WRITER
from storage.pool import Pool, open_pool
from storage.queries import fleet_now, recent_episodes
from storage.series import telemetry_series
from storage.server.database import prepare_database

CALLS = 200
TENANT = "month"
DATABASE = "bench_month"

Call = Callable[[Pool, Month, int], Awaitable[object]]


async def _series(days: int, pool: Pool, month: Month, number: int) -> object:
    asset_id = month.assets[number * 7 % len(month.assets)].asset_id
    start = month.end - timedelta(days=days)
    return await telemetry_series(pool, asset_id, f"c{number % CHANNELS:02}", start, month.end)


async def _fleet_now(pool: Pool, _month: Month, _number: int) -> object:
    return await fleet_now(pool, TENANT)


async def _case_list(pool: Pool, _month: Month, _number: int) -> object:
    return await recent_episodes(pool, TENANT)


def _measure(name: str, call: Call, goal_ms: int) -> Measure:
    def measured(trial: Trial) -> Generator[list[Reading], None, None]:
        database = prepare_database(trial.servers.postgres, DATABASE)
        while True:
            times = asyncio.run(_times_ms(database.dsn(WRITER), trial, call))
            yield [Reading(name, float(np.quantile(times, 0.95)), "ms (p95)", goal=f"<= {goal_ms}")]

    return measured


async def _times_ms(dsn: str, trial: Trial, call: Call) -> list[float]:
    """Milliseconds of each call, after as many that only warm the cache."""
    assets, chunks, calls = trial.size((1_000, 625, CALLS), (20, 20, 5))
    fleet = fleet_of(TENANT, [f"m{number:05}" for number in range(assets)], CHANNELS)
    times = []
    async with open_pool(dsn) as pool:
        month = await filled_month(pool, fleet, chunks, trial.tell)
        for number in range(calls):
            await call(pool, month, number)
        for number in range(calls):
            started = time.perf_counter()
            await call(pool, month, number)
            times.append((time.perf_counter() - started) * 1000)
    return times


MEASURES: Mapping[str, Measure] = {
    "asset_day": _measure("asset_day", partial(_series, 1), 50),
    "asset_month": _measure("asset_month", partial(_series, 30), 50),
    "fleet_now": _measure("fleet_now", _fleet_now, 250),
    "fleet_case_list": _measure("fleet_case_list", _case_list, 250),
}
