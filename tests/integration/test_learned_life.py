"""Turbines fail, a model learns from their stored hours, is let answer, and forecasts the next lives live."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from console.cli import build
from console.feeding import into_embedded, publish_all
from console.models_in_use import columns_of, revived
from console.platform import foundation, platform
from console.serving import beside
from console.settings import Settings, load_settings
from fleet.asset import Asset, EquipmentType, Fleet, Site, Tenant
from fleet.catalog import packs
from fleet.clock import ManualClock, microseconds
from storage.bootstrap import WRITER
from storage.life_rows import life_rows
from storage.models import load_fit
from storage.pool import Pool, open_pool
from storage.registry import register
from storage.rollup import run_due
from storage.server.database import Database
from streams.simulator.fault import Fault
from streams.simulator.histories import fatal_faults
from streams.simulator.simulate import simulate
from streams.wire.frame import Frame

KIND = packs()["wind-turbine"].equipment_type
MACHINES, AGAIN = 24, 3
START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND_START = datetime(2026, 6, 1, tzinfo=UTC)
NOW = datetime(2026, 9, 1, tzinfo=UTC)
ANSWERS = "learned_life-1 fit 1"

Call = Callable[..., Result]


def fleet(kind: EquipmentType, machines: int, tenant: str = "acme") -> Fleet:
    assets = tuple(Asset(0, tenant, "ridge", f"m-{n}", kind.name) for n in range(machines))
    return Fleet((Tenant(tenant),), (Site(tenant, "ridge"),), assets, (kind,))


def failing(
    start: datetime,
    faults: Sequence[Fault],
    seed: int,
    kind: EquipmentType = KIND,
    tenant: str = "acme",
    row_s: int = 60,
) -> Iterator[Frame]:
    """What the machines send until they fail."""
    ends_us = {fault.asset: microseconds(start + timedelta(hours=fault.failure_h)) for fault in faults}
    longest = timedelta(hours=max(fault.failure_h for fault in faults))
    for frame in simulate(fleet(kind, len(faults), tenant), start, longest, seed, faults, row_s):
        if int(frame.ts_us[-1]) <= ends_us[frame.asset]:
            yield frame


async def live(settings: Settings, frames: Iterator[Frame]) -> None:
    """Let the platform have the frames, and end it once all of them are forecast and rolled up."""
    with foundation(settings) as found:
        async with platform(settings, found, ManualClock(NOW)) as running:
            await beside(running.run(), into_embedded(running, lambda to: publish_all(frames, to)))
            while await run_due(running.pool):
                pass


@pytest.fixture
def settings(plain_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAULTLINE_DATABASE", plain_database.dsn(WRITER))
    return load_settings(
        data_dir=tmp_path, partitions=1, past_days=400, retention_raw_days=400, retention_rollup_days=400
    )


def on(database: Database, work: Callable[[Pool], Any]) -> Any:
    async def run() -> Any:
        async with open_pool(database.dsn(WRITER)) as pool:
            return await work(pool)

    return asyncio.run(run())


def call(*words: str) -> Result:
    done = CliRunner().invoke(build([words[0]]), list(words))
    assert done.exit_code == 0, (done.output, done.exception)
    return done


async def said(pool: Pool) -> list[tuple[int, int, float, float, float]]:
    """Asset, instant and quantiles of the model's forecasts."""
    statement = (
        "select asset_id, (extract(epoch from ts) * 1000000)::bigint, p10_h, p50_h, p90_h from forecast "
        "where forecaster = %s and verdict = 'estimate' order by asset_id, ts"
    )
    async with pool.connection() as conn:
        return await (await conn.execute(statement, (ANSWERS,))).fetchall()


async def by_the_record(
    pool: Pool, kind: EquipmentType, asset_id: int, until_us: int, since_us: int
) -> tuple[float | None, ...]:
    """What the model says of the hours on record, as in training."""
    state, lineage = await load_fit(pool, kind.name, "learned_life", 1)
    model = revived("learned_life", state)
    columns = columns_of(model, lineage)
    assert columns is not None
    rows = await life_rows(pool, asset_id, len(kind.channels), since_us, until_us)
    which = columns.usable(kind, rows, since_us)
    (says,) = model.predict([columns.history(kind, rows, which, int(rows.ts_us[0]))])
    return says.p10_h, says.p50_h, says.p90_h


def test_turbines_fail_and_the_next_lives_are_forecast_from_all_channels(
    settings: Settings, plain_database: Database
) -> None:
    on(plain_database, lambda pool: register(pool, fleet(KIND, MACHINES)))
    names = [f"m-{n}" for n in range(MACHINES)]
    first = fatal_faults(KIND.name, names, 101)
    asyncio.run(live(settings, failing(START, first, 1)))
    failed_us = {}
    for n, fault in enumerate(first, 1):
        at = (START + timedelta(hours=fault.failure_h)).replace(microsecond=0)
        failed_us[n] = microseconds(at)
        call("maintenance", "add", f"acme/{fault.asset}", "failed", "--at", f"{at:%Y-%m-%dT%H:%M:%S}")

    done = json.loads(
        call("models", "fit", KIND.name, "--forecaster", "learned_life", "--promote", "--json").stdout
    )
    assert done["objections"] == []
    lineage = done["lineage"]
    assert (lineage["failures"], lineage["assets"]) == (MACHINES, MACHINES)
    assert {"condition", "gearbox_vibration", "wind_speed"} <= set(lineage["columns"])
    assert "operating_time" not in lineage["columns"], "a counter goes on as the clock does"
    assert lineage["bands"] == [["wind_speed", [7.0, 10.0]]]
    scores = lineage["scores"]
    assert scores["mae_h"] < scores["dummy_mae_h"]
    assert 0 < scores["mae_h"] <= scores["rmse_h"] < scores["width_h"]
    assert 0 < scores["alpha_lambda"] < 1

    again = fatal_faults(KIND.name, names[:AGAIN], 303)
    asyncio.run(live(settings, failing(SECOND_START, again, 2)))
    found = on(plain_database, said)
    assert {asset_id for asset_id, *_ in found} == {1, 2, 3}
    some = found[:: len(found) // 12]

    async def of_record(pool: Pool) -> list[tuple[float | None, ...]]:
        return [await by_the_record(pool, KIND, asset, at_us, failed_us[asset]) for asset, at_us, *_ in some]

    assert [tuple(quantiles) for _, _, *quantiles in some] == on(plain_database, of_record)
    begin_us = microseconds(SECOND_START)
    ends_us = [microseconds(SECOND_START + timedelta(hours=fault.failure_h)) for fault in again]
    left_h = np.array([(ends_us[asset_id - 1] - at_us) / 3.6e9 for asset_id, at_us, *_ in found])
    median_h = float(np.median([fault.failure_h for fault in first]))
    dummy_h = np.maximum(median_h - np.array([(at_us - begin_us) / 3.6e9 for _, at_us, *_ in found]), 0.0)
    p50_h = np.array([p50 for _, _, _, p50, _ in found])
    assert np.abs(p50_h - left_h).mean() < 0.8 * np.abs(dummy_h - left_h).mean()
