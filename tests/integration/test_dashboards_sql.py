"""Every statement of every dashboard on a real database, as the customer's own role."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from numbers import Number
from typing import Any

import psycopg
import pytest

from dashboards.board import Audience
from dashboards.boards.asset import board_of
from dashboards.catalog import catalog
from dashboards.grafana_sql import expanded
from dashboards.linter import statements
from dashboards.panel import Json
from dashboards.panel import Kind as Panels
from dashboards.source import lines
from dashboards.text import Language
from fleet.catalog import packs
from forecasting.contract import Verdict
from storage.access.grants import Kind, Scope
from storage.server.database import Database
from tests.integration.access_harness import CANARY, keeper, logged_in
from tests.integration.dashboards_harness import PRESS, fill

RANGES = {"5 min": timedelta(minutes=5), "7 d": timedelta(days=7), "1 y": timedelta(days=365)}
HOSTILE = "'; drop view asset; -- %s {} 中文 \\ $$ ${asset}"
MOST_ROWS = 5000
CODES = {*Verdict, "machine", "limit", "sensor", "shift"}
FOREIGN = (CANARY, "8642.5")

Connection = psycopg.Connection[Any]
Variables = Mapping[str, str | list[str]]


@pytest.fixture
def filled(any_database: Database) -> Iterator[Database]:
    fill(any_database)
    yield any_database
    with psycopg.connect(any_database.superuser_dsn, options="-c search_path=faultline") as conn:
        conn.execute("delete from grafana_organization")  # or no access may be removed
    for access, _ in keeper(any_database).known():
        keeper(any_database).remove(access.name)


def open_as(database: Database, tenant: str) -> Any:
    login = keeper(database).give(tenant, Kind.CUSTOMER, [Scope(tenant)])
    assert login is not None
    return logged_in(database, login)


def run(conn: Connection, sql: str, span: timedelta, variables: Variables) -> tuple[list[str], list[Any]]:
    """Columns and rows of a statement, as Grafana would get them."""
    end = datetime.now(UTC)
    cursor = conn.execute(expanded(sql, end - span, end, variables).encode())
    assert cursor.description is not None
    return [column.name for column in cursor.description], cursor.fetchall()


def chosen(conn: Connection, dashboard: Json) -> dict[str, str | list[str]]:
    """The first choice of each variable, in their order as they depend on each other; all where several."""
    found: dict[str, str | list[str]] = {}
    for variable in dashboard["templating"]["list"]:
        _, rows = run(conn, variable["query"], RANGES["7 d"], found)
        values = [str(row[-1]) for row in rows]
        found[variable["name"]] = values if variable["multi"] else next(iter(values), "")
    return found


def problems(query: Json, columns: list[str], rows: list[Any]) -> Iterator[str]:
    """What Grafana could not draw."""
    if len(rows) > MOST_ROWS:
        yield f"{len(rows)} rows"
    if query["format"] == "time_series":
        times = [row[0] for row in rows]
        if columns[0] != "time" or times != sorted(times):
            yield "its first column is not an ascending `time`"
        numeric = [isinstance(value, Number | None) for row in rows for value in row[1:]]
        text = columns[1] == "metric"
        if not text and not all(numeric):
            yield "its values are no numbers"


def shown(dashboard: Json) -> Iterator[tuple[str, Json]]:
    for panel in dashboard["panels"]:
        for query in panel["targets"]:
            yield f"{dashboard['uid']} {panel['title']}", query


BOARDS = [
    (board, language)
    for board in (*catalog(), board_of(PRESS))
    if Audience.OPERATIONS not in board.audience
    for language in Language
]


def test_every_panel_shows_data_of_the_customer_and_of_nobody_else(filled: Database) -> None:
    wrong = []
    with open_as(filled, "acme") as conn:
        for board, language in BOARDS:
            dashboard = board.json(language)
            variables = chosen(conn, dashboard)
            for span in RANGES.values():
                for name, query in shown(dashboard):
                    columns, rows = run(conn, query["rawSql"], span, variables)
                    wrong += [f"{name} over {span}: {said}" for said in problems(query, columns, rows)]
                    hourly = board.code == "US" and span < timedelta(hours=1)
                    if not hourly and not any(value is not None for row in rows for value in row[-1:]):
                        wrong.append(f"{name} over {span}: shows nothing")
                    wrong += [f"{name}: shows {each}" for each in FOREIGN if each in str(rows)]
    assert wrong == []


def test_chinese_readers_see_words_and_none_of_our_codes(filled: Database) -> None:
    with open_as(filled, "acme") as conn:
        for board in (board for board, language in BOARDS if language is Language.ZH):
            dashboard = board.json(Language.ZH)
            variables = chosen(conn, dashboard)
            mapped = {
                name
                for panel in board.panels()
                for name in (each.name for each in panel.columns if each.said)
            }
            for name, query in shown(dashboard):
                columns, rows = run(conn, query["rawSql"], RANGES["7 d"], variables)
                said = {
                    value
                    for row in rows
                    for title, value in zip(columns, row, strict=True)
                    if title not in mapped
                }
                assert not said & CODES, name


def test_every_lane_of_a_timeline_stands_until_now_and_says_the_worst_that_is_on(filled: Database) -> None:
    lanes = 0
    with open_as(filled, "acme") as conn:
        for board in (board for board, language in BOARDS if language is Language.EN):
            dashboard = board.json(Language.EN)
            variables = chosen(conn, dashboard)
            for panel in board.panels():
                for query in panel.queries if panel.kind is Panels.STATES else ():
                    _, rows = run(conn, query.sql.replace("{lang}", "en"), RANGES["7 d"], variables)
                    last = {lane: (at, state) for at, lane, state in rows}
                    assert len({at for at, _ in last.values()}) == 1
                    assert len(rows) == len({at for at, _, _ in rows}) * len(last)
                    assert all(state is not None for _, _, state in rows)
                    lanes += len(last)
                    states = {lane: state for lane, (_, state) in last.items()}
                    assert states.get("machine", 2) == 2
                    assert states.get("limit passed", 0) == 0
    assert lanes


@pytest.mark.parametrize(
    ("longitude", "named"), [(121.5001, ["hall", "none"]), (90, ["bolt-hall", "hall", "none"])]
)
def test_of_sites_whose_words_would_lie_upon_each_other_the_worst_is_named(
    filled: Database, longitude: float, named: list[str]
) -> None:
    with psycopg.connect(filled.superuser_dsn, options="-c search_path=faultline") as conn:
        conn.execute("update site set latitude = 31.2, longitude = %s where name = 'bolt-hall'", (longitude,))
        conn.execute("update site set latitude = 52, longitude = 13 where name = 'none'")
        conn.execute(
            "update asset_latest set ts = '2000-01-03Z' from asset as a where a.asset_id = "
            "asset_latest.asset_id and a.tenant = 'bolt'"
        )
        conn.execute(
            "update episode set end_ts = now() from asset as a where a.asset_id = "
            "episode.asset_id and a.tenant = 'bolt' and end_ts is null"
        )
    login = keeper(filled).give("plant", Kind.MAKER, [Scope()])
    assert login is not None
    (board,) = (board for board in catalog() if board.code == "FL")
    (panel,) = (panel for panel in board.panels() if panel.kind is Panels.MAP)
    with logged_in(filled, login) as conn:
        variables = chosen(conn, board.json(Language.EN))
        sql = panel.queries[0].sql.replace("{lang}", "en")
        columns, rows = run(conn, sql, RANGES["7 d"], variables)
    told = [dict(zip(columns, row, strict=True)) for row in rows]
    assert len(told) == 3
    assert sorted(each["site"] for each in told if each["label"].strip()) == named
    assert all(each["label"].startswith(each["site"]) for each in told if each["label"].strip())


def test_those_who_run_the_platform_see_how_it_works_and_nothing_measured(filled: Database) -> None:
    login = keeper(filled).give("ops", Kind.OPERATIONS, [])
    assert login is not None
    wrong = []
    with logged_in(filled, login) as conn, running(filled):
        for board in catalog():
            if Audience.OPERATIONS in board.audience:
                for language in Language:
                    for name, query in shown(board.json(language)):
                        columns, rows = run(conn, query["rawSql"], RANGES["7 d"], {})
                        wrong += [f"{name}: {said}" for said in problems(query, columns, rows)]
                        if not any(value is not None for row in rows for value in row):
                            wrong.append(f"{name} shows nothing")
                        if "8642.5" in str(rows):
                            wrong.append(f"{name} shows what was measured")
    assert wrong == []


@contextmanager
def running(database: Database) -> Iterator[None]:
    """Somebody's statement that has run for more than a second."""
    with psycopg.connect(database.superuser_dsn, autocommit=True) as slow, ThreadPoolExecutor(1) as thread:
        slept = thread.submit(slow.execute, "select pg_sleep(600)")
        with psycopg.connect(database.superuser_dsn, autocommit=True) as watch:
            seen = "select 1 from pg_stat_activity where pid = %s and now() - query_start > interval '1.1 s'"
            while not watch.execute(seen, (slow.info.backend_pid,)).fetchone():
                pass
        yield
        slow.cancel()
        with suppress(psycopg.errors.QueryCanceled):
            slept.result()


def test_every_statement_runs_where_there_is_nothing_yet(filled: Database) -> None:
    with open_as(filled, "void") as conn:
        for board, language in BOARDS:
            dashboard = board.json(language)
            variables = chosen(conn, dashboard)
            for _, query in shown(dashboard):
                columns, rows = run(conn, query["rawSql"], RANGES["7 d"], variables)
                assert list(problems(query, columns, rows)) == []


def test_channels_that_a_machine_has_not_are_said_to_have_no_data(filled: Database) -> None:
    mill = packs()["machine-tool"].equipment_type
    place = mill.column("spindle_kurtosis")
    of_mills = "from asset as a where a.asset_id = {0}.asset_id and a.equipment_type = 'machine-tool'"
    with psycopg.connect(filled.superuser_dsn, options="-c search_path=faultline") as conn:
        for table, value in (
            ("telemetry", f"v{place}"),
            ("rollup_minute", f"vmean[{place + 1}]"),
            ("rollup_hour", f"vmean[{place + 1}]"),
        ):
            conn.execute(f"update {table} set {value} = null {of_mills.format(table)}".encode())
    sql = lines(mill.name, ["spindle_kurtosis"]), lines(mill.name, ["spindle_kurtosis", "spindle_load"])
    with open_as(filled, "acme") as conn:
        board = next(each for each in catalog() if each.equipment_type == mill.name)
        variables = chosen(conn, board.json(Language.EN))
        for span in RANGES.values():
            assert run(conn, sql[0], span, variables)[1] == []
            assert run(conn, sql[1], span, variables)[1] != []


def test_what_was_forecast_before_is_no_advice_for_now(filled: Database) -> None:
    (board,) = (board for board in catalog() if board.code == "CU")
    (panel,) = (panel for panel in board.panels() if panel.key == "next")
    sql = panel.queries[0].sql.replace("{lang}", "en")
    with open_as(filled, "acme") as conn:
        ((now,),) = run(conn, sql, RANGES["7 d"], {})[1]
        with psycopg.connect(filled.superuser_dsn, options="-c search_path=faultline") as owner:
            owner.execute("delete from maintenance")
            owner.execute("update forecast set ts = ts - interval '8 days'")
        ((later,),) = run(conn, sql, RANGES["7 d"], {})[1]
        ((longer,),) = run(conn, sql, RANGES["1 y"], {})[1]
    assert now.startswith("a-")
    assert (later, longer[:2]) == ("–", "a-")


def test_hostile_choices_are_values_and_no_sql(filled: Database) -> None:
    with open_as(filled, "acme") as conn:
        for board, language in BOARDS:
            dashboard = board.json(language)
            several = {each["name"]: each["multi"] for each in dashboard["templating"]["list"]}
            for value in (HOSTILE, CANARY + "-hall", "' or '1'='1", "4"):
                typed = {name: [value, HOSTILE] if multi else value for name, multi in several.items()}
                for sql in statements(dashboard):
                    try:
                        _, rows = run(conn, sql, RANGES["7 d"], typed)
                    except psycopg.errors.InvalidTextRepresentation:
                        continue  # no number of a machine
                    assert not any(each in str(rows) for each in FOREIGN), sql
        assert conn.execute("select count(*) from asset").fetchone() != (0,)


def test_a_machine_of_another_shows_nothing(filled: Database) -> None:
    with psycopg.connect(filled.superuser_dsn, options="-c search_path=faultline") as conn:
        foreign = [
            str(number) for (number,) in conn.execute("select asset_id from asset where tenant = 'bolt'")
        ]
    assert foreign
    with open_as(filled, "acme") as conn:
        for board in catalog():
            if board.code.startswith("AD"):
                for name, query in shown(board.json(Language.EN)):
                    for number in foreign:
                        variables = {"site": "bolt-hall", "asset": number}
                        _, rows = run(conn, query["rawSql"], RANGES["7 d"], variables)
                        values = [value for row in rows for value in row[1:] if value is not None]
                        assert values in ([], [0]) or set(values) <= {0}, name
