"""What customers used of their contracts is what their machines' meters went on by."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from console.cli import build
from dashboards.boards.usage import boards
from dashboards.grafana_sql import expanded
from fleet.asset import Asset, Fleet, FleetError, Site, Tenant
from fleet.catalog import packs
from fleet.clock import microseconds
from fleet.contract import Contract, Every
from storage.access.grants import Kind, Scope
from storage.bootstrap import WRITER
from storage.chunk_result import WearRow
from storage.contracts import record_contract, used
from storage.errors import StorageError
from storage.hours import hours_of
from storage.pool import Pool, open_pool
from storage.registry import load_registry, register
from storage.rollup import run_due
from storage.server.database import Database
from storage.sink import Sink
from storage.usage import keep_wear
from tests.integration.access_harness import keeper, logged_in
from tests.integration.storage_harness import TOPIC, block, chunk

T = TypeVar("T")
Run = Callable[..., Result]

LIFT = packs()["elevator"].equipment_type
TURBINE = packs()["wind-turbine"].equipment_type
SAW = packs()["machine-tool"].equipment_type
FLEET = Fleet(
    (Tenant("acme"), Tenant("bolt")),
    (Site("acme", "hall"), Site("acme", "yard"), Site("bolt", "mill")),
    (
        Asset(0, "acme", "hall", "l1", LIFT.name),
        Asset(0, "acme", "yard", "l2", LIFT.name),
        Asset(0, "acme", "yard", "w1", TURBINE.name),
        Asset(0, "bolt", "mill", "s1", SAW.name),
    ),
    (LIFT, TURBINE, SAW),
)
HOUR = timedelta(hours=1)
THIS_MONTH = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
MONTH = (THIS_MONTH - HOUR).replace(day=1, hour=0)
"""The last one, which is over whatever the time is."""
START = MONTH - timedelta(days=1)
HOURS = 72
STEP = 2.0**20 + 8
"""An hour's growth: exact in single precision, but a sum of it with two more is not."""
LAST = THIS_MONTH - HOUR
"""Of the month."""


def readings() -> dict[str, NDArray[np.float64]]:
    """Of each hour of three days, half of them in the month; l2 was silent for a day and reset after it."""
    hour = np.arange(HOURS)
    trips = 20_000_000.0 + STEP * hour
    reset = np.where(hour < 48, 500.0 + 4 * hour, 2.0 * (hour - 48))
    reset[24:48] = np.nan
    return {"l1": trips, "l2": reset, "w1": 100.0 + hour}


CHANNELS = {"l1": (LIFT, "trips"), "l2": (LIFT, "trips"), "w1": (TURBINE, "active_power")}


async def store(pool: Pool) -> dict[str, int]:
    """Two rows an hour of each meter, wear by day, rolled up; numbers of the machines by name."""
    await register(pool, FLEET)
    numbers = {asset.name: asset.asset_id for asset in (await load_registry(pool)).assets}
    sink = Sink(pool, "score")
    claim = await sink.claim(TOPIC, 0)
    ts_us = microseconds(START) + np.repeat(np.arange(HOURS), 2) * 3_600_000_000
    ts_us[1::2] += 1_800_000_000
    for offset, (name, hourly) in enumerate(readings().items()):
        kind, channel = CHANNELS[name]
        values = np.full((2 * HOURS, len(kind.channels)), np.nan, np.float32)
        values[:, kind.column(channel)] = np.repeat(hourly, 2)
        await sink.write(claim, chunk(offset, offset + 1, block(numbers[name], ts_us, values)))
    for day in range(3):
        row_us = microseconds(START + timedelta(days=day, hours=12))
        wear = [WearRow(numbers["l1"], "rope", row_us, 10.0 + 2 * day, 80.0, 100.0, "1")]
        await sink.write(claim, chunk(3 + day, 4 + day, wear=wear))
        await keep_wear(pool)
    while await run_due(pool):
        pass
    return numbers


def on(database: Database, work: Callable[[Pool], Awaitable[T]]) -> T:
    async def run() -> T:
        async with open_pool(database.dsn(WRITER)) as pool:
            return await work(pool)

    return asyncio.run(run())


@pytest.fixture
def numbers(plain_database: Database) -> Iterator[dict[str, int]]:
    yield on(plain_database, store)
    for access, _ in keeper(plain_database).known():
        keeper(plain_database).remove(access.name)


@pytest.fixture
def run(
    numbers: dict[str, int], plain_database: Database, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAULTLINE_DATABASE", plain_database.dsn(WRITER))
    return lambda *words: CliRunner().invoke(build(["contracts"]), ["contracts", *words])


def agreed(name: str, meter: str, unit: str, **place: Any) -> Contract:
    return Contract("acme", name, meter, unit, 1000.0, Every.MONTH, MONTH, **place)


ALL = (
    agreed("trips", "trips", "1"),
    agreed("yard", "trips", "1", site="yard", title_en="Trips in the yard", title_zh="院内运行次数"),
    agreed("energy", "active_power", "kWh", site="yard"),
    agreed("rope", "wear:rope", "%", asset="l1"),
    agreed("silent", "door_cycles", "1", asset="l1"),
)
USED = {
    "trips": STEP * 48 + 2.0 * 23,
    "yard": 2.0 * 23,
    "energy": float(sum(100.0 + hour for hour in range(24, HOURS))),
    "rope": 4.0,
    "silent": None,
}
"""From the readings, by hand; of l2's new counter nothing before its first reading is known."""


def see(database: Database, query: str, scope: Scope) -> list[tuple[Any, ...]]:
    access = keeper(database)
    login = access.give("eve", Kind.TECHNICIAN, [scope]) or access.rotate("eve")
    with logged_in(database, login) as conn:
        return conn.execute(query.encode()).fetchall()


async def record_all(pool: Pool) -> None:
    for contract in ALL:
        await record_contract(pool, contract)


@pytest.fixture
def recorded(numbers: dict[str, int], plain_database: Database) -> dict[str, int]:
    on(plain_database, record_all)
    return numbers


def test_what_is_used_is_what_the_meters_went_on_by(
    recorded: dict[str, int], plain_database: Database
) -> None:
    async def of(pool: Pool) -> dict[str, float | None]:
        return {each.name: await used(pool, each, period(each)) for each in ALL}

    assert on(plain_database, of) == USED


@pytest.mark.parametrize(("begin", "end"), [(6, 36), (0, 47), (7, 11), (23, 25), (24, None)])
def test_a_contract_may_begin_and_end_within_a_day(
    numbers: dict[str, int], plain_database: Database, begin: int, end: int | None
) -> None:
    trips = agreed("trips", "trips", "1", asset="l1")
    cut = replace(trips, begin=MONTH + begin * HOUR, end=None if end is None else MONTH + end * HOUR)
    hours = (48 if end is None else end) - begin
    within = cut.period(cut.begin)
    assert within is not None
    assert on(plain_database, lambda pool: used(pool, cut, within)) == STEP * hours


def test_the_hours_that_people_see_sum_up_to_it(recorded: dict[str, int], plain_database: Database) -> None:
    query = f"""select channel, sum(used) from usage_hour where ts >= '{MONTH}' and ts < '{THIS_MONTH}'
        group by 1 order by 1"""
    assert see(plain_database, query, Scope("acme")) == [
        ("active_power", USED["energy"]),
        ("trips", USED["trips"]),
    ]


def period(contract: Contract) -> Any:
    found = contract.period(LAST)
    assert found is not None
    return found


def test_energy_is_the_sum_of_the_stored_hours(recorded: dict[str, int], plain_database: Database) -> None:
    hours = on(plain_database, lambda pool: hours_of(pool, recorded["w1"], TURBINE, MONTH, MONTH + 48 * HOUR))
    assert float(hours.of("active_power").sum()) == USED["energy"]
    shown = panel(plain_database, "energy", Scope("acme"), span=LAST - MONTH)
    assert shown == [
        ("yard", "w1", "Active power", USED["energy"], 48),
        ("hall", "l1", None, None, 0),
        ("yard", "l2", None, None, 0),
    ]


def panel(
    database: Database, key: str, scope: Scope, contract: str = "", span: timedelta = 7 * 24 * HOUR
) -> list[tuple[Any, ...]]:
    """What a panel of the usage board shows to whoever sees so much, up to the end of the month."""
    (board,) = boards()
    (query,) = next(each for each in board.panels() if each.key == key).queries
    return see(
        database,
        expanded(query.sql.replace("{lang}", "en"), LAST - span, LAST, {"contract": contract}),
        scope,
    )


async def test_wear_goes_on_by_day_and_a_new_part_takes_nothing_back(
    plain_database: Database, plain_pool: Pool
) -> None:
    sink = Sink(plain_pool, "score")
    claim = await sink.claim(TOPIC, 0)
    told = ((0, 10.0), (0.4, 12.0), (1, 15.0), (2, 1.0), (4, 3.0))
    for offset, (day, value) in enumerate(told):
        row = WearRow(1, "rope", microseconds(MONTH + day * 24 * HOUR), value, 40.0, 50.0, "1")
        await sink.write(claim, chunk(offset, offset + 1, wear=[row]))
        assert await keep_wear(plain_pool) == 1
    assert await keep_wear(plain_pool) == 0
    query = "select day, value, used from wear_day where counter = 'rope' order by 1"
    seen = await asyncio.to_thread(see, plain_database, query, Scope("acme"))
    await asyncio.to_thread(keeper(plain_database).remove, "eve")
    assert [((day - MONTH.date()).days, *rest) for day, *rest in seen] == [
        (0, 12.0, None),
        (1, 15.0, 6.0),
        (2, 1.0, 0.0),
        (4, 3.0, 4.0),
    ]


def test_the_board_shows_what_the_contracts_say(recorded: dict[str, int], plain_database: Database) -> None:
    shown = panel(plain_database, "contracts", Scope("acme"))
    assert {row[0]: row[3] for row in shown} == {
        "Trips in the yard" if name == "yard" else f"acme/{name}": so_far for name, so_far in USED.items()
    }
    for name, tenant, _, so_far, allowed, _, share, projected, until in shown:
        standing = None if so_far is None else period(ALL[0]).standing(so_far, datetime.now(UTC))
        assert (tenant, allowed, until) == ("acme", 1000.0, THIS_MONTH), name
        assert share == (standing and pytest.approx(100 * standing.share)), name
        assert projected == (standing and pytest.approx(share)), name
    for key, row in (
        ("contract-machines", ("yard", "l2", 46.0, None, pytest.approx(4.6))),
        ("contract-sites", ("hall", pytest.approx(STEP * 48 / 10))),
    ):
        assert row in panel(plain_database, key, Scope("acme"), "acme/trips")
        assert panel(plain_database, key, Scope("acme"), "bolt/trips") == []


def test_periods_in_sql_are_those_of_the_contract(numbers: dict[str, int], plain_database: Database) -> None:
    cut = [
        Contract("acme", f"c{n}", "trips", "1", 100.0 + n, every, begin, end)
        for n, (every, begin, end) in enumerate(
            [
                (Every.MONTH, MONTH - timedelta(days=100, hours=7), None),
                (Every.MONTH, MONTH + timedelta(days=3), MONTH + timedelta(days=4)),
                (Every.YEAR, MONTH - timedelta(days=800), None),
                (Every.YEAR, MONTH - timedelta(days=800), MONTH - timedelta(days=40)),
                (Every.MONTH, MONTH, THIS_MONTH),
                (Every.MONTH, MONTH, MONTH),
            ]
        )
    ]

    async def keep(pool: Pool) -> None:
        for each in cut:
            await record_contract(pool, each)

    on(plain_database, keep)
    query = """select contract, start_ts, end_ts, allowed, used, projected, now() from contract_use
        where asset = 'l1' order by 1, 2"""
    rows = see(plain_database, query, Scope("acme"))
    assert {row[0] for row in rows} == {f"acme/c{n}" for n in range(5)}
    for contract in cut:
        mine = [row[1:] for row in rows if row[0] == f"acme/{contract.name}"]
        assert all(before[1] == after[0] for before, after in pairwise(mine))
        for start, end, allowed, so_far, projected, now in mine:
            said = contract.period(start)
            assert said is not None
            assert (said.start, said.end) == (start, end)
            assert said.allowed == pytest.approx(allowed)
            assert (so_far is None) == (projected is None)
            if so_far is not None:
                assert projected == pytest.approx(said.standing(so_far, now).projected)
    assert len([row for row in rows if row[0] == "acme/c2"]) in {3, 4}


def test_who_sees_a_part_of_a_contracts_machines_does_not_see_it(
    recorded: dict[str, int], plain_database: Database
) -> None:
    seen = "select distinct contract from contract_use order by 1"
    assert see(plain_database, seen, Scope("bolt")) == []
    assert see(plain_database, seen, Scope("acme", "yard")) == [("acme/energy",), ("acme/yard",)]
    assert len(see(plain_database, seen, Scope("acme"))) == len(ALL)


def test_a_contract_is_added_shown_and_ended(run: Run) -> None:
    begin = f"{MONTH:%Y-%m-%d}"
    assert run("add", "acme/trips", "trips", "1000", "--from", begin).exit_code == 0
    done = run("add", "acme/rope", "wear:rope", "5", "--from", begin, "--machine", "l1", "--every", "year")
    assert "acme/rope: 5 % each year: kept" in done.output
    (rope, trips) = json.loads(run("list", "--json", "--at", f"{LAST:%Y-%m-%dT%H:%M}").stdout)
    assert (trips["used"], trips["allowed"], trips["unit"]) == (USED["trips"], 1000.0, "1")
    assert trips["projected"] == trips["used"], "the month is over, whenever in it one looks"
    assert rope["used"] == USED["rope"]
    assert "4.0" in run("list", "--at", f"{LAST:%Y-%m-%dT%H:%M}").output
    assert run("end", "acme/trips", "--at", begin).exit_code == 0
    (_, trips) = json.loads(run("list", "--json").stdout)
    assert (trips["used"], trips["allowed"]) == (None, None)
    assert "force" in run("list").output
    assert json.loads(run("list", "--tenant", "bolt", "--json").stdout) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("add", "acme/x", "runs", "1"), "no such machine has a meter 'runs': there are "),
        (("add", "acme/x", "trips", "1", "--site", "moon"), "no machine at 'moon'"),
        (("add", "acme/x", "trips", "1", "--machine", "s1"), "no machine 's1'"),
        (("add", "trips", "trips", "1"), "write TENANT/NAME"),
        (("add", "acme/x", "trips", "0"), "allowance must be above 0"),
        (("add", "acme/x", "wear:rope", "5"), "say which machine"),
        (("end", "acme/x", "--at", "2026-01-01"), "`faultline contracts list`"),
    ],
)
def test_errors_name_the_cure(run: Run, words: tuple[str, ...], says: str) -> None:
    done = run(*words, *(("--from", "2026-01-01") if words[0] == "add" else ()))
    assert isinstance(done.exception, FleetError)
    assert says in str(done.exception)


def test_the_last_year_of_the_calendar_is_refused(run: Run) -> None:
    assert run("add", "acme/trips", "trips", "1000", "--from", "2026-01-01").exit_code == 0
    done = run("list", "--at", "9999-12-31")
    assert isinstance(done.exception, FleetError)
    assert "say an instant before the year 9999" in str(done.exception)


def test_a_contract_does_not_change(run: Run) -> None:
    words = ("add", "acme/trips", "trips", "1000", "--from", "2026-01-01")
    assert run(*words).exit_code == 0
    again = run(*words)
    assert isinstance(again.exception, StorageError)
    assert "already: choose another name" in str(again.exception)
