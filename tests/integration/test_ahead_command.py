"""The next week of a channel, from its stored hours: on the command line."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from console import views
from console.cli import build
from console.output import out
from fleet.asset import Asset, Channel, EquipmentType, Fleet, FleetError, Site, Tenant
from storage.bootstrap import WRITER
from storage.chunk_result import ChunkResult, Tally
from storage.pool import open_pool
from storage.registry import load_registry, register
from storage.server.database import Database
from storage.sink import Sink
from streams.registry_cache import RegistryCache
from tests.integration.storage_harness import block

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
WEEKS = 9
PUMP = EquipmentType(
    "pump",
    (Channel("mode", "1", 0, 3, "state"), Channel("power", "kW"), Channel("energy", "kWh", kind="counter")),
)
FLEET = Fleet(
    (Tenant("acme"),),
    (Site("acme", "hall"),),
    (Asset(0, "acme", "hall", "p1", "pump"), Asset(0, "acme", "hall", "p2", "pump")),
    (PUMP,),
)
BUSY = 8, 18

Run = Callable[..., Result]


async def store(database: Database) -> None:
    """Ten kilowatts by day, two by night, every half hour, and half an hour into the next day."""
    half_hours = np.arange(WEEKS * 7 * 48 + 1)
    hour = half_hours // 2 % 24
    rng = np.random.default_rng(5)
    power = np.where((hour >= BUSY[0]) & (hour < BUSY[1]), 10.0, 2.0) + rng.normal(0, 0.2, len(hour))
    values = np.stack([np.ones(len(hour)), power, np.cumsum(power / 2)], axis=1)
    ts_us = int(START.timestamp()) * 1_000_000 + half_hours * 1_800_000_000
    async with open_pool(database.dsn(WRITER)) as pool:
        await register(pool, FLEET)
        claim = await (sink := Sink(pool, "score")).claim("telemetry.acme", 0)
        await sink.write(claim, ChunkResult(claim.topic, 0, 0, 1, Tally(1), [block(1, ts_us, values)]))


@pytest.fixture
def run(plain_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(out, "_width", 240)  # no word of a table is cut
    monkeypatch.setenv("FAULTLINE_DATABASE", plain_database.dsn(WRITER))
    asyncio.run(store(plain_database))
    return lambda *words: CliRunner().invoke(build(["ahead"]), ["ahead", *words])


@pytest.mark.parametrize(("channel", "unit"), [("power", "kW"), ("energy", "kWh/h")])
def test_the_next_days_are_like_those_so_far(run: Run, channel: str, unit: str) -> None:
    told = json.loads(run("acme/p1", channel, "--hours", "48", "--json").stdout)
    assert (told["verdict"], told["unit"], len(told["hours"])) == ("estimate", unit, 48)
    first = datetime.fromisoformat(told["hours"][0]["ts"])
    assert first == START + timedelta(weeks=WEEKS)
    for hour, said in enumerate(told["hours"]):
        usual = 10.0 if BUSY[0] < hour % 24 < BUSY[1] else 2.0
        if hour % 24 not in BUSY:  # an energy's hour reaches from half to half
            assert said["p50"] == pytest.approx(usual, abs=0.5)
            assert said["p10"] < said["p50"] < said["p90"]
    shown = run("acme/p1", channel, "--hours", "48").output
    assert "Mon 2026-05-04 00:00" in shown
    assert "Tue 2026-05-05 00:00" in shown


def test_the_api_says_the_same(plain_database: Database, run: Run) -> None:
    told = json.loads(run("acme/p1", "power", "--hours", "24", "--json").stdout)

    async def asked() -> dict[str, Any]:
        async with open_pool(plain_database.dsn(WRITER)) as pool:
            cache = RegistryCache(partial(load_registry, pool))
            await cache.refresh()
            return await views.ahead(pool, cache, "acme/p1", "power", 24)

    answer = asyncio.run(asked())
    assert json.loads(json.dumps(answer, default=datetime.isoformat)) == told


def test_what_cannot_be_said_is_said_so(run: Run) -> None:
    for words, says in (
        (("acme/p3", "power"), "faultline assets list"),
        (("acme/p1", "flow"), "'flow' is none of its channels: ask for one of power, energy"),
        (("acme/p1", "mode"), "'mode' is a code"),
        (("acme/p2", "power"), "nothing is stored of acme/p2 yet"),
    ):
        failed = run(*words)
        assert isinstance(failed.exception, FleetError)
        assert says in str(failed.exception)
