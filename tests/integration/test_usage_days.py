"""Usage by day is the sum of the day's hours, in whatever order and however late readings came."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from dashboards.boards.usage import boards
from dashboards.grafana_sql import expanded
from fleet.asset import Asset, EquipmentType, Fleet, Site, Tenant
from fleet.catalog import packs
from fleet.clock import microseconds
from storage.access.grants import Kind, Scope
from storage.bootstrap import OWNER, WRITER
from storage.pool import Pool, open_pool
from storage.registry import load_registry, register
from storage.rollup import run_due
from storage.server.database import Database
from storage.sink import Sink
from tests.integration.access_harness import keeper, logged_in
from tests.integration.storage_harness import TOPIC, block, chunk

LIFT = packs()["elevator"].equipment_type
TURBINE = packs()["wind-turbine"].equipment_type
FLEET = Fleet(
    (Tenant("acme"),),
    (Site("acme", "hall"),),
    (Asset(0, "acme", "hall", "l1", LIFT.name), Asset(0, "acme", "hall", "w1", TURBINE.name)),
    (LIFT, TURBINE),
)
HOUR = timedelta(hours=1)
NOW = datetime.now(UTC)
TODAY = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
START = TODAY - timedelta(days=9)
HOURS = (NOW - START) // HOUR + 1
"""The last of which is not over."""
PARTS = 12
"""Of what was read, in no order."""

Readings = NDArray[np.float32]
Connection = psycopg.Connection[Any]
Rows = list[tuple[Any, ...]]


def blank(kind: EquipmentType) -> Readings:
    return np.full((HOURS, len(kind.channels)), np.nan, np.float32)


def lift(rng: np.random.Generator) -> Readings:
    """By the hour: broken trips that began anew once, doors that were not read on each third day."""
    values, hour = blank(LIFT), np.arange(HOURS)
    trips = 1e4 + np.cumsum(rng.uniform(0, 30, HOURS))
    values[:, LIFT.column("trips")] = np.where(hour < 130, trips, trips - trips[130])
    doors = 7e5 + np.cumsum(rng.integers(0, 50, HOURS))
    values[:, LIFT.column("door_cycles")] = np.where(hour // 24 % 3 == 1, np.nan, doors)
    return values


def turbine(rng: np.random.Generator) -> Readings:
    values = blank(TURBINE)
    values[:, TURBINE.column("active_power")] = rng.uniform(-6, 2000, HOURS)
    return values


async def write(pool: Pool, parts: range) -> None:
    """These parts of what both machines read, rolled up now and then."""
    await register(pool, FLEET)
    numbers = {asset.name: asset.asset_id for asset in (await load_registry(pool)).assets}
    rng = np.random.default_rng(1)
    machines = {numbers["l1"]: lift(rng), numbers["w1"]: turbine(rng)}
    part = rng.permutation(HOURS) % PARTS
    ts_us = microseconds(START) + np.arange(HOURS) * (HOUR // timedelta(microseconds=1))
    sink = Sink(pool, "score")
    claim = await sink.claim(TOPIC, 0)
    for each in parts:
        told = [
            block(number, ts_us[part == each], values[part == each]) for number, values in machines.items()
        ]
        await sink.write(claim, chunk(each, each + 1, *told))
        if each % 3 == 2:
            await run_due(pool, limit=7)
    await roll_up(pool)


async def roll_up(pool: Pool) -> None:
    while await run_due(pool, limit=50):
        pass


@pytest.fixture
def filled(plain_database: Database) -> Database:
    """All but the last part is there."""
    on(plain_database, range(PARTS - 1))
    return plain_database


@pytest.fixture
def acme(filled: Database) -> Iterator[Connection]:
    """The customer's own login."""
    login = keeper(filled).give("acme", Kind.CUSTOMER, [Scope("acme")])
    assert login is not None
    with logged_in(filled, login) as conn:
        yield conn
    keeper(filled).remove("acme")


def on(database: Database, parts: range) -> None:
    async def run() -> None:
        async with open_pool(database.dsn(WRITER)) as pool:
            await write(pool, parts)

    asyncio.run(run())


def see(conn: Connection, query: str) -> Rows:
    return conn.execute(query.encode()).fetchall()


def by_hours(conn: Connection) -> Rows:
    return see(
        conn,
        "select asset, channel, (ts at time zone 'UTC')::date, unit, sum(used), count(*) from usage_hour "
        f"where ts < '{TODAY}' group by 1, 2, 3, 4 order by 1, 2, 3",
    )


def by_days(conn: Connection) -> Rows:
    return see(
        conn,
        "select asset, channel, day, unit, used, readings from usage_day order by asset, channel, day",
    )


def test_a_day_is_the_sum_of_its_hours_also_of_late_ones(filled: Database, acme: Connection) -> None:
    early = by_days(acme)
    assert early == by_hours(acme)
    assert {row[:2] for row in early} == {("l1", "trips"), ("l1", "door_cycles"), ("w1", "active_power")}
    assert max(row[2] for row in early) == TODAY.date() - timedelta(days=1), "today is not over"
    on(filled, range(PARTS - 1, PARTS))
    assert by_days(acme) == by_hours(acme) != early


def test_a_late_reading_takes_from_the_next_day_that_has_one(filled: Database, acme: Connection) -> None:
    """Doors were read on days 2 and 3 and not on day 4, so day 5 goes on from the last of day 3."""
    first, last = START + timedelta(days=3), START + timedelta(days=5)
    before = {row[2]: row[4] for row in by_days(acme) if row[1] == "door_cycles"}

    async def late() -> None:
        async with open_pool(filled.dsn(WRITER)) as pool:
            (number,) = [each.asset_id for each in (await load_registry(pool)).assets if each.name == "l1"]
            values = blank(LIFT)[:1]
            values[0, LIFT.column("door_cycles")] = 7e5 + 50 * 24 * 4
            sink = Sink(pool, "score")
            claim = await sink.claim(TOPIC, 0)
            instant = [microseconds(first + 23.5 * HOUR)]
            await sink.write(claim, chunk(PARTS - 1, PARTS, block(number, instant, values)))
            await roll_up(pool)

    asyncio.run(late())
    after = {row[2]: row[4] for row in by_days(acme) if row[1] == "door_cycles"}
    assert by_days(acme) == by_hours(acme)
    assert {day for day, used in after.items() if used != before[day]} == {first.date(), last.date()}


SUMS = {
    "by-machine": "'hall', asset, sum(used), nullif(unit, '1'), count(*) {} = 'trips' group by asset, unit",
    "by-site": "'hall', sum(used) {} = 'trips' group by 1",
    "by-day": "time_bucket('1 day', ts), sum(used) {} = 'trips' group by 1 order by 1",
    "energy": "'hall', asset, 'Active power', sum(used), count(*) {} = 'active_power' group by asset",
}
"""What each panel shows of `usage_hour`."""


def test_the_board_shows_the_sum_of_the_hours_wherever_its_time_is_cut(acme: Connection) -> None:
    cut = timedelta(hours=5, minutes=40)
    for hours, ago in product((2, 30, 24 * 5 + 7, 24 * 8), (timedelta(0), cut, timedelta(days=2))):
        end = datetime.now(UTC).replace(microsecond=0) - ago
        start = end - hours * HOUR
        told = f"from usage_hour where ts between '{start}' and '{end}' and channel"
        for panel in boards()[0].panels():
            if panel.key in SUMS:
                sql = panel.queries[0].sql.replace("{lang}", "en")
                shown = see(acme, expanded(sql, start, end, {"counter": "trips"}))
                summed = see(acme, f"select {SUMS[panel.key].format(told)}")
                assert [row for row in shown if row[-1]] == summed, (panel.key, start, end)


def test_hours_of_a_worker_that_does_not_know_days_are_added_up_later(
    filled: Database, acme: Connection
) -> None:
    kept = by_days(acme)
    with psycopg.connect(filled.dsn(OWNER)) as conn:
        assert see(conn, "select from usage_due") == [], "what was added up is not noted any more"
        conn.execute("delete from usage_day")
    with psycopg.connect(filled.dsn(WRITER)) as conn:
        conn.execute("update rollup_hour set n = n")
    on(filled, range(0))
    assert by_days(acme) == kept


def test_days_that_were_stored_before_days_were_kept_are_added_up(filled: Database, acme: Connection) -> None:
    kept = by_days(acme)
    with psycopg.connect(filled.dsn(OWNER)) as conn:
        conn.execute("delete from usage_day")
        conn.execute("insert into usage_due select distinct asset_id, ts::date from rollup_hour")
    assert by_days(acme) == []
    on(filled, range(0))
    assert by_days(acme) == kept
