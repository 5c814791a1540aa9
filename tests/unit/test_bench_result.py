"""The form of a benchmark's result."""

import json

from console.bench.machine import provenance
from console.bench.result import Reading, Row, rows_of
from console.commands.bench import document


def test_several_runs_become_one_row_with_the_median() -> None:
    (row,) = rows_of([[Reading("frames", value, "samples/s")] for value in (3.0, 1.0, 10.0)])
    assert row.runs == (3.0, 1.0, 10.0)
    assert row.value == 3.0


def test_the_rival_is_compared_by_the_median_of_its_own_runs() -> None:
    runs = [
        [Reading("frames", ours, "samples/s", "COPY", theirs)] for ours, theirs in ((4, 1), (6, 2), (8, 9))
    ]
    (row,) = rows_of(runs)
    assert row.rival == "COPY"
    assert row.rival_value == 2
    assert row.ratio == 3


def test_without_a_rival_there_is_no_ratio() -> None:
    assert Row("memory", "MB", (300.0,)).ratio is None
    assert Row("memory", "MB", (300.0,), "nothing", (0.0,)).ratio is None


def test_measures_keep_the_order_in_which_they_first_came() -> None:
    run = [Reading("b", 1, "s"), Reading("a", 2, "s")]
    assert [row.measure for row in rows_of([run, run[::-1]])] == ["b", "a"]


def test_the_document_says_what_was_measured_where_and_of_which_version() -> None:
    row = Row("frames", "samples/s", (1.0,), goal="> 0")
    found = json.loads(json.dumps(document("stream", provenance(), [row])))
    assert list(found) == ["bench", "version", "commit", "machine", "rows"]
    assert set(found["machine"]) == {"cores", "memory", "cpu", "python", "kernel"}
    assert found["rows"] == [
        {
            "measure": "frames",
            "value": 1.0,
            "unit": "samples/s",
            "runs": [1.0],
            "rival": None,
            "rival_value": None,
            "rival_runs": [],
            "ratio": None,
            "goal": "> 0",
        }
    ]
