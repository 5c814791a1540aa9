"""Advice from the hours in the database, on the command line and over HTTP."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from console import views
from console.cli import build
from fleet.catalog import packs
from storage.bootstrap import WRITER
from storage.pool import Pool, open_pool
from storage.registry import load_registry, register
from storage.server.database import Database
from storage.sink import Sink
from streams.registry_cache import RegistryCache
from streams.simulator.demo import demo_fleet
from tests.integration.storage_harness import SECOND, T0, TOPIC, block, chunk

STEP_S = 600
HOURS = 3 * 24

Run = Callable[..., Result]


async def store(pool: Pool) -> None:
    """Three days of a machine tool: at rest for all of the second, for half of the third."""
    await register(pool, demo_fleet())
    (mill,) = [one for one in (await load_registry(pool)).assets if one.name == "mill-1"]
    kind = packs()["machine-tool"].equipment_type
    hour = np.repeat(np.arange(HOURS), 3600 // STEP_S)
    values = np.full((len(hour), len(kind.channels)), np.nan, np.float32)
    values[:, kind.column("program")] = np.where((hour < 24) | (hour >= 60), 2.0, 0.0)
    values[:, kind.column("spindle_speed")] = 0.0
    ts_us = T0 - T0 % (3600 * SECOND) + np.arange(len(hour)) * STEP_S * SECOND
    number = np.full(len(hour), mill.asset_id, np.int32)
    rows = block(number, ts_us, values, np.zeros(len(hour)), np.zeros(len(hour), np.int64))
    sink = Sink(pool, "score")
    await sink.write(await sink.claim(TOPIC, 0), chunk(0, 1, rows))


@pytest.fixture
def run(plain_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAULTLINE_DATABASE", plain_database.dsn(WRITER))

    async def opened() -> None:
        async with open_pool(plain_database.dsn(WRITER)) as pool:
            await store(pool)

    asyncio.run(opened())
    return lambda *words: CliRunner().invoke(build(["advice"]), ["advice", *words])


def test_what_could_be_saved_and_what_came_of_it(run: Run, plain_database: Database) -> None:
    done = run("precision/mill-1", "--days", "1", "--json")
    assert done.exit_code == 0, done.output
    ((said,),) = [json.loads(done.stdout)]
    assert (said["asset"], said["days"]) == ("mill-1", 1)
    (off,) = (each for each in said["advice"] if each["name"] == "switch-off")
    assert (off["saving"], off["unit"], off["advised"], off["realised"]) == (18.0, "kWh", 36.0, 18.0)
    assert off["confidence"] == "medium"
    assert "待机" in off["reason_zh"]
    shown = " ".join(run("--days", "1").output.split())
    assert "saves 18 kWh (medium confidence): At rest for 12 whole hours of 24" in shown
    assert "18 of the 36 kWh of the span before came true" in shown

    async def asked(tenant: str) -> list[dict[str, Any]]:
        async with open_pool(plain_database.dsn(WRITER)) as pool:
            return await views.advice(pool, RegistryCache(lambda: load_registry(pool)), tenant, 1)

    (over_http,) = asyncio.run(asked("precision"))
    assert over_http["advice"][0]["name"] == "switch-off"
    assert asyncio.run(asked("harbour")) == []


def test_without_hours_or_a_machine_it_says_so(run: Run) -> None:
    assert "Nothing to advise" in run("harbour/lift-a").output
    done = run("harbour/lift-z")
    assert done.exit_code != 0
    assert "no machine 'harbour/lift-z'" in f"{done.output} {done.exception}"
