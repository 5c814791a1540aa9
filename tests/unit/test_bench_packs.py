"""Packs over a simulated month: what is counted, and that the same seed gives the same month."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

from console.bench.detection.simulated import START, fleet_of
from console.bench.verticals.pack_month import Case, Finding, Month, Told, case_of, false_cases, month
from console.bench.verticals.packs import COLUMNS, NOT_FOUND, confusion, readings_of
from console.commands.bench import app
from fleet.catalog import packs
from fleet.clock import microseconds
from forecasting.contract import Forecast, Verdict
from storage.chunk_result import EpisodeRow
from streams.simulator.fault import Fault
from streams.simulator.random_faults import random_faults

DAY_US = 86_400_000_000


def case(
    mode: str, *read_as: str, at_day: int = 4, limit_day: int | None = None, left_h: float = 96.0
) -> Case:
    """A machine that fails on day 10; one that is read as something was found, and 50 to 150 h foretold."""
    finding = Finding(at_day * DAY_US, ("unknown",), read_as) if read_as else None
    says = Forecast(Verdict.ESTIMATE, 50.0, 100.0, 150.0) if read_as else None
    limit_us = None if limit_day is None else limit_day * DAY_US
    return Case(Fault("m-0", mode, 24.0, 240.0), 10 * DAY_US, finding, limit_us, says, left_h)


CASES = (
    case("door-drive", "door-drive"),
    case("door-drive", "guide-wear", "motor-cooling", "brake-drag", "door-drive", left_h=200.0),
    case("guide-wear", "door-drive", "guide-wear", at_day=6, limit_day=9),
    case("brake-drag"),
)


def test_a_month_is_counted_beside_who_knows_nothing() -> None:
    found = {
        each.measure.removeprefix("elevator: "): each
        for each in readings_of("elevator", Month(CASES, 3, 6.0))
    }
    said = {name: (each.value, each.rival_value) for name, each in found.items()}
    assert said["found before failure"] == (0.75, 0.25)
    assert said["lead time, median"] == (6.0, 1.0)
    assert said["false cases"] == (0.5, None)
    assert said["right mode first"] == pytest.approx((1 / 3, 1 / 7))
    assert said["right mode in three"] == pytest.approx((2 / 3, 3 / 7))
    assert said["right mode first, as raised"] == pytest.approx((0.0, 1 / 7))
    assert said["with a remaining life"] == (1.0, None)
    # between the other two of 96, 96 and 200 h, or at both, there is none of them
    assert said["P10 to P90 holds"] == pytest.approx((2 / 3, 0.0))
    losses = [0.1 * 46, 0.5 * 4, 0.1 * 54, 0.1 * 46, 0.5 * 4, 0.1 * 54, 0.1 * 150, 0.5 * 100, 0.9 * 50]
    assert said["pinball loss"][0] == pytest.approx(sum(losses) / 9)


def test_a_month_in_which_nothing_is_found_says_so_and_no_more() -> None:
    found = list(readings_of("elevator", Month((case("door-drive"),), 0, 1.0)))
    assert [(each.measure, each.value) for each in found] == [
        ("elevator: found before failure", 0.0),
        ("elevator: false cases", 0.0),
    ]


def test_each_mode_has_a_row_of_what_it_was_read_as() -> None:
    table = confusion("elevator", CASES)
    assert list(table) == [mode.code for mode in packs()["elevator"].fault_modes]
    assert table["door-drive"] == {"door-drive": 1, "guide-wear": 1}
    assert table["brake-drag"] == {NOT_FOUND: 1}
    assert table["levelling-drift"] == {}


def told_of(kind: str, *raised_days: float) -> Told:
    """Episodes that were raised on these days, and told again as they grew a day later."""
    told, start_us = Told(), microseconds(START)
    for day in raised_days:
        at_us = [start_us + round(each * DAY_US) for each in (day, day + 1)]
        each = EpisodeRow(
            UUID(int=len(told.episodes)), 0, kind, "d", at_us[0], None, at_us[0], 5.0, {"modes": []}
        )
        grown = replace(each, peak_us=at_us[1], evidence={"modes": [{"code": "door-drive"}]})
        told.episodes[each.episode_id] = [each, grown]
    return told


def test_what_is_told_before_the_onset_or_from_the_failure_on_finds_nothing() -> None:
    fault = Fault("m-0", "door-drive", 24.0, 240.0)
    for kind, found in (("machine", "finding"), ("limit", "limit_us")):
        assert getattr(case_of("elevator", fault, told_of(kind, 0.9, 10.1)), found) is None
        assert getattr(case_of("elevator", fault, told_of(kind, 0.9, 1.1, 10.1)), found) is not None
    finding = case_of("elevator", fault, told_of("machine", 7.0, 5.0)).finding
    assert finding == Finding(microseconds(START) + 5 * DAY_US, ("unknown",), ("door-drive",))
    late = case_of("elevator", fault, told_of("machine", 9.5)).finding
    assert late is not None
    assert late.last == ("unknown",), "it grew after the failure"


def test_false_are_the_cases_raised_in_sound_time_but_for_what_became_normal() -> None:
    begin_us, end_us = (microseconds(START) + day * DAY_US for day in (2, 8))
    for kind, count in (("machine", 2), ("limit", 2), ("sensor", 2), ("shift", 0)):
        assert false_cases(told_of(kind, 1.0, 2.0, 7.9, 8.0), begin_us, end_us) == count


def test_one_machine_in_ten_fails_of_any_mode_within_the_window() -> None:
    fleet = fleet_of("crane", 301)
    faults = random_faults(fleet, 100.0, 500.0, seed=3)
    assert faults == random_faults(fleet, 100.0, 500.0, seed=3)
    assert {fault.asset for fault in faults} != {f.asset for f in random_faults(fleet, 100.0, 500.0, seed=4)}
    assert len({fault.asset for fault in faults}) == len(faults) == 31
    assert {fault.mode for fault in faults} == {mode.code for mode in packs()["crane"].fault_modes}
    for fault in faults:
        assert 100.0 <= fault.onset_h < fault.failure_h <= 500.0
        assert 0.3 <= (fault.failure_h - fault.onset_h) / 400.0 <= 0.7
        assert 0.7 <= fault.severity <= 1.3


def test_the_same_seed_gives_the_same_month_in_which_a_turbine_is_found_before_it_fails() -> None:
    once, again = (month("wind-turbine", 10, 30, seed=5) for _ in range(2))
    assert once == again
    (one,) = once.cases
    assert one.finding is not None
    assert one.fault.onset_h * 3.6e9 < one.failure_us - one.left_h * 3.6e9 < one.failure_us
    assert one.fault.mode == one.finding.last[0]
    assert 9.0 < once.machine_months < 10.0


def test_the_command_writes_figures_confusion_and_cases(tmp_path: Path) -> None:
    said, cases = tmp_path / "packs.json", tmp_path / "cases.csv"
    ask = ["verticals", "--suite", "packs", "--type", "wind-turbine", "--assets", "10", "--days", "10"]
    done = CliRunner().invoke(app, [*ask, "--seeds", "2", "--json", str(said), "--predictions", str(cases)])
    assert done.exit_code == 0, done.output
    document = json.loads(said.read_text())
    assert document["rows"][0]["measure"] == "wind-turbine: found before failure"
    assert len(document["rows"][0]["runs"]) == 2
    table = document["confusion"]["wind-turbine"]
    assert sum(count for row in table.values() for count in row.values()) == 2
    with cases.open(newline="") as lines:
        header, *rows = csv.reader(lines)
    assert tuple(header) == COLUMNS
    assert [row[:2] for row in rows] == [["wind-turbine", "1"], ["wind-turbine", "2"]]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (["--suite", "packs", "--type", "ship"], "no simulated ship"),
        (["--suite", "packs", "--data", "."], "leave --data out"),
        (["--suite", "wind"], "--data FOLDER"),
        (["--suite", "wind", "--data", ".", "--type", "crane"], "leave it out"),
    ],
)
def test_a_call_that_makes_no_sense_is_told_why(asked: list[str], says: str) -> None:
    done = CliRunner().invoke(app, ["verticals", *asked])
    assert done.exit_code == 2
    assert says in done.output
