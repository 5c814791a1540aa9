"""Every measure of every bench, in tiny sizes, on the real servers: what is counted adds up."""

from collections.abc import Mapping, Sequence

import pytest

from console.bench import ingest, query, stream
from console.bench.result import Row
from console.bench.servers import Servers
from console.bench.trial import Measure, Trial, run
from storage.embedded import PostgresServer

SECONDS = 4.0


@pytest.fixture
def trial(kafka: str, postgres: PostgresServer) -> Trial:
    return Trial(Servers(kafka, postgres), quick=True, seconds=SECONDS, tell=lambda _: None)


def rows(trial: Trial, measures: Mapping[str, Measure], *names: str) -> dict[str, Row]:
    found: Sequence[Row] = run(measures, names, trial, runs=1)
    assert all(row.value >= 0 for row in found if not row.measure.endswith("slope"))
    return {row.measure: row for row in found}


def test_each_engine_finds_every_record_of_the_topic(trial: Trial) -> None:
    found = rows(trial, stream.MEASURES, *stream.MEASURES)
    assert list(found) == ["small_records", "small_records_stock_faust", "frames", "frames_stock_faust"]
    assert all(row.rival == stream.RIVAL and row.ratio for row in found.values())


def test_a_drained_topic_is_stored_as_often_as_it_was_filled(trial: Trial) -> None:
    found = rows(trial, ingest.MEASURES, "frames")
    assert found["frames"].rival_value


def test_an_overload_is_caught_up_with_and_nothing_is_lost(trial: Trial) -> None:
    found = rows(trial, ingest.MEASURES, "catch_up")
    assert found["catch_up_lost"].value == 0


def test_the_worker_learns_each_machine_before_its_needs_are_measured(trial: Trial) -> None:
    found = rows(trial, ingest.MEASURES, "growth")
    assert found["growth_10_assets"].ratio == 1


def test_each_query_is_timed_on_one_month_that_is_written_once(trial: Trial) -> None:
    found = rows(trial, query.MEASURES, *query.MEASURES)
    assert list(found) == list(query.MEASURES)
