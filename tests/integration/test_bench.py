"""Every measure of every bench, in tiny sizes, on the real servers: what is counted adds up."""

from dataclasses import replace

import pytest

from console.bench import ingest, panels, query, stream
from console.bench.result import Row
from console.bench.servers import Servers
from console.bench.trial import BenchError, Measure, Trial, run
from dashboards.catalog import catalog
from storage.server.launcher import PostgresServer

SECONDS = 4.0

READINGS = {
    "frames": {"frames"},
    "json": {"json"},
    "disk": {"disk"},
    "memory": {"memory_20_assets", "memory_40_assets"},
    "growth": {"growth_10_assets", "growth_20_assets", "growth_40_assets"},
    "sustained": {
        "sustained_rate",
        "sustained_lag_slope",
        "sustained_lag_slope_error",
        "sustained_p50",
        "sustained_p99",
    },
    "workers": {"json_1_workers", "json_2_workers"},
    "catch_up": {"catch_up_overload", "catch_up_backlog", "catch_up_drain", "catch_up_lost"},
}
"""Of each measure of the ingest bench."""


@pytest.fixture
def trial(kafka: str, postgres: PostgresServer) -> Trial:
    return Trial(Servers(kafka, postgres), quick=True, seconds=SECONDS, tell=lambda _: None)


def rows(trial: Trial, measure: Measure) -> dict[str, Row]:
    return {row.measure: row for row in run({"it": measure}, ["it"], trial, runs=1)}


@pytest.mark.parametrize("measure", stream.MEASURES)
def test_each_engine_finds_every_record_of_the_topic(trial: Trial, measure: str) -> None:
    found = rows(trial, stream.MEASURES[measure])
    assert list(found) == [measure, f"{measure}_stock_faust"]
    assert all(row.rival == stream.RIVAL and row.ratio for row in found.values())


@pytest.mark.parametrize("measure", ingest.MEASURES)
def test_the_worker_stores_what_was_sent_once_and_all_of_it(trial: Trial, measure: str) -> None:
    found = rows(trial, ingest.MEASURES[measure])  # raises unless the counts add up
    assert set(found) == READINGS[measure]
    assert all(row.value > 0 for name, row in found.items() if name in {"frames", "json", "disk"})
    assert "catch_up_lost" not in found or found["catch_up_lost"].value == 0


@pytest.mark.parametrize("measure", query.MEASURES)
def test_each_query_is_timed_on_one_month(trial: Trial, measure: str) -> None:
    found = rows(trial, query.MEASURES[measure])
    assert list(found) == [measure]
    assert found[measure].value > 0


@pytest.mark.parametrize("measure", panels.MEASURES)
def test_every_panel_is_timed_the_slowest_first(trial: Trial, measure: str) -> None:
    found = list(rows(trial, panels.MEASURES[measure]).values())
    wanted = {"asset": ("AD-",), "customer": ("CU", "FL", "TR", "US"), "maker": ("FL", "TR", "US")}[measure]
    boards = [board for board in catalog() if board.code.startswith(wanted)]
    assert {row.measure for row in found} == {
        f"{measure} {board.code} {panel.key}" for board in boards for panel in board.panels()
    }
    times = [row.value for row in found]
    assert times == sorted(times, reverse=True)
    assert times[-1] > 0


def test_an_engine_that_found_something_else_gets_no_figure(trial: Trial) -> None:
    topic = stream.filled_topic(trial, "small_records", 100)
    with pytest.raises(BenchError, match="found"):
        stream.records_per_cpu_s("chunk", stream.OURS, replace(topic, checksum=1.0))
