"""Segments in the worker's scorer: a door is found by its cycles, where rows are close enough to show it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pytest

from detectors.segments import Segments
from fleet.asset import Asset, Fleet, Site, Tenant
from fleet.catalog import packs
from fleet.segment import Segment
from fleet.vertical import VerticalPack
from storage.chunk_result import EpisodeRow
from streams.rows import Rows, Scored
from streams.scorer import Scorer
from streams.simulator.elevator import Elevator
from streams.simulator.fault import Fault
from streams.simulator.simulate import simulate
from streams.simulator.source import Source

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR_US = 3_600_000_000
NAMES = ("stiff-door", "healthy")
ONSET_H, FAILURE_H, END_H = 30.0, 60.0, 54.0

WHOLE = packs()["elevator"]
PACK = replace(WHOLE, segments=tuple(replace(one, baseline=300) for one in WHOLE.segments))
"""Taught by fewer segments, so that three days are enough."""


@cache
def lifts(interval_s: int) -> Rows:
    """Two lifts in turn, an hour of each; the door of the first gets stiff from `ONSET_H` on."""
    return simulated(NAMES, Fault("stiff-door", "door-drive", ONSET_H, FAILURE_H), END_H, interval_s)


def simulated(names: tuple[str, ...], fault: Fault, hours: float, interval_s: int = 2) -> Rows:
    assets = tuple(Asset(0, "t", "s", name, "elevator") for name in names)
    fleet = Fleet((Tenant("t"),), (Site("t", "s"),), assets, (WHOLE.equipment_type,))
    rows = 3600 // interval_s
    frames = list(simulate(fleet, START, timedelta(hours=hours), 7, [fault], interval_s, rows))
    return Rows(
        np.concatenate([np.full(len(f.ts_us), names.index(f.asset), np.int32) for f in frames]),
        np.concatenate([f.ts_us for f in frames]),
        np.concatenate([f.values.T for f in frames]),
    )


def name_of(asset_id: int) -> tuple[str, str]:
    return "t", NAMES[asset_id]


def run(rows: Rows, size: int, pack: VerticalPack = PACK, restarts: bool = False) -> list[Scored]:
    scorer, scored = Scorer(pack), []
    for at in range(0, len(rows.ts_us), size):
        scored.append(scorer.score(rows.take(slice(at, at + size)), name_of))
        if restarts:
            state = scorer.state()
            scorer = Scorer(pack)
            scorer.load(state)
            assert scorer.state() == state
    return scored


@cache
def watched(interval_s: int) -> list[Scored]:
    return run(lifts(interval_s), 50_000)


def last_of_each(scored: list[Scored]) -> list[EpisodeRow]:
    return list({row.episode_id: row for part in scored for row in part.episodes}.values())


def by_segments(scored: list[Scored]) -> list[EpisodeRow]:
    return [row for row in last_of_each(scored) if row.detector.startswith("segment-")]


def test_a_stiff_door_is_found_by_its_cycles_and_named_in_both_languages() -> None:
    episode, *more = by_segments(watched(2))
    assert more == []
    assert (episode.asset_id, episode.kind, episode.detector) == (0, "machine", "segment-door-cycle-6")
    assert episode.evidence["code"] == "door-drive"
    assert ONSET_H < (episode.onset_us / 1e6 - START.timestamp()) / 3600 < END_H
    said = {one["channel"]: one for one in episode.evidence["evidence"]}
    assert said["door_effort"]["actual"] > said["door_effort"]["expected"]
    assert "Door motor current while it moves" in said["door_effort"]["sentence_en"]
    assert "开关门过程门机电流" in said["door_effort"]["sentence_zh"]


def resists(name: str) -> list[float]:
    """In which thirds of its way, from closed to open, the lift's door will get stiff, and how much."""
    lift = Source(Asset(0, "t", "s", name, "elevator"), WHOLE.equipment_type, (0, 0), 7, []).machine
    assert isinstance(lift, Elevator)
    return [float(each) for each in lift.door_motor.resists]


@cache
def stiff(name: str) -> Rows:
    """A lift in rows of a second, whose door gets stiff from `ONSET_H` on."""
    return simulated((name,), Fault(name, "door-drive", ONSET_H, FAILURE_H), END_H, interval_s=1)


def by_motor(scored: list[Scored]) -> list[EpisodeRow]:
    return [row for row in last_of_each(scored) if row.detector == "segment-door-motor-6"]


@pytest.mark.parametrize(
    ("name", "third", "en", "zh"),
    [
        ("lift-2", 0, "after the 2nd second of closing", "关门第 2 秒之后"),
        ("lift-0", 1, "in the 2nd second of closing", "关门第 2 秒"),
        ("lift-5", 2, "in the 1st second of closing", "关门第 1 秒"),
    ],
)
def test_a_door_that_is_stiff_at_one_place_is_found_and_the_place_named_in_both_languages(
    name: str, third: int, en: str, zh: str
) -> None:
    assert np.flatnonzero(resists(name)).tolist() == [third]
    (episode,) = by_motor(run(stiff(name), 50_000))
    assert (episode.kind, episode.evidence["code"]) == ("machine", "door-drive")
    assert ONSET_H < (episode.onset_us / 1e6 - START.timestamp()) / 3600 < END_H
    first, second, *_ = episode.evidence["evidence"]
    met = {f"door_opening_current_{1 + third}", f"door_closing_current_{3 - third}"}
    assert {first["channel"], second["channel"]} == met
    assert first["share"] + second["share"] > 0.85
    assert first["actual"] > first["expected"]
    assert f"Door motor current {en}" in first["sentence_en"]
    assert f"{zh}门机电流" in first["sentence_zh"]


def test_a_door_that_is_stiff_all_over_shows_it_all_over() -> None:
    assert resists("lift-1") == [1.0, 1.0, 1.0]
    (episode,) = by_motor(run(stiff("lift-1"), 50_000))
    assert episode.evidence["code"] == "door-drive"
    said = {one["channel"]: one for one in episode.evidence["evidence"]}
    assert said.keys() == {"door_closing_current_1", "door_closing_current_2", "door_closing_current_3"}
    assert all(one["actual"] > one["expected"] for one in said.values())


def test_the_door_motors_shape_does_not_depend_on_cuts_and_restarts() -> None:
    whole, cuts = run(stiff("lift-0"), 50_000), run(stiff("lift-0"), 20_011, restarts=True)
    assert by_motor(whole)
    assert sorted(map(repr, last_of_each(cuts))) == sorted(map(repr, last_of_each(whole)))


def test_rows_of_two_seconds_have_no_shape_of_the_door_motor() -> None:
    motor = PACK.segments[2]
    assert cut(stiff("lift-0"), motor) > 0
    assert cut(lifts(2), motor) == 0


@pytest.mark.parametrize(
    ("mode", "segment", "feature", "said_zh"),
    [
        ("door-obstruction", "door-cycle", "door_openings", "单次循环开门次数"),
        ("brake-wear", "trip", "stop_distance", "单次停靠制停距离"),
    ],
)
def test_doors_that_open_again_and_long_stops_are_found_by_cycles_and_trips(
    mode: str, segment: str, feature: str, said_zh: str
) -> None:
    rows = simulated(("stiff-door",), Fault("stiff-door", mode, ONSET_H, FAILURE_H), FAILURE_H)
    (episode,) = by_segments(run(rows, 50_000))
    assert (episode.detector, episode.evidence["code"]) == (f"segment-{segment}-6", mode)
    assert ONSET_H < (episode.onset_us / 1e6 - START.timestamp()) / 3600 < FAILURE_H
    (said,) = episode.evidence["evidence"]
    assert said["channel"] == feature
    assert said["actual"] > said["expected"]
    assert said_zh in said["sentence_zh"]


def test_one_stop_that_is_too_long_passes_its_limit_at_once() -> None:
    rows = lifts(60).take(slice(0, 2000))
    column = WHOLE.equipment_type.column("brake_stopping_distance")
    stop = np.flatnonzero((rows.asset_id == 0) & ~np.isnan(rows.values[:, column]))[-1]
    values = rows.values.copy()
    values[stop, column] = 1300.0
    (limit,) = (row for row in last_of_each(run(replace(rows, values=values), 500)) if row.kind == "limit")
    assert (limit.asset_id, limit.onset_us) == (0, rows.ts_us[stop])
    assert "EN 81-20 / GB/T 7588.1, 5.6.7.5" in limit.evidence["evidence"][0]["sentence_en"]


def cut(rows: Rows, segment: Segment) -> int:
    """How many segments the rows have."""
    kind = WHOLE.equipment_type
    times = {"apart_s": segment.apart_s, "longest_s": segment.longest_s}
    cutter = Segments(
        kind.column(segment.channel), segment.codes, segment.parts(kind), phases=segment.phases, **times
    )
    return len(cutter.update(rows.asset_id, rows.ts_us, rows.values)[0])


@pytest.mark.parametrize("segment", PACK.segments[:2], ids=lambda segment: segment.name)
def test_rows_a_minute_apart_have_no_segments_to_judge(segment: Segment) -> None:
    trips = np.ptp(lifts(2).values[lifts(2).asset_id == 0, WHOLE.equipment_type.column("trips")])
    assert cut(lifts(2), segment) > 1.8 * trips  # of both lifts together
    assert cut(lifts(60), segment) == 0
    assert by_segments(watched(60)) == []


@pytest.mark.parametrize("interval_s", [2, 60])
def test_rows_are_judged_as_if_there_were_no_segments(interval_s: int) -> None:
    plain = run(lifts(interval_s), 50_000, replace(PACK, segments=()))
    for one, other in zip(watched(interval_s), plain, strict=True):
        np.testing.assert_array_equal(one.telemetry.score, other.telemetry.score)
        assert one.health == other.health
        of_rows = [row for row in one.episodes if not row.detector.startswith("segment-")]
        assert of_rows == other.episodes


def test_cuts_and_restarts_change_nothing() -> None:
    again = run(lifts(2), 20_011, restarts=True)
    assert sorted(map(repr, last_of_each(again))) == sorted(map(repr, last_of_each(watched(2))))


def test_a_state_from_before_a_pack_named_segments_goes_on_and_one_from_after_too() -> None:
    without = replace(PACK, segments=())
    early, late = lifts(60).take(slice(0, 2000)), lifts(60).take(slice(2000, None))
    for before, after in ((without, PACK), (PACK, without)):
        old, new = Scorer(before), Scorer(after)
        old.score(early, name_of)
        new.load(old.state())
        told, plain = new.score(late, name_of), old.score(late, name_of)
        np.testing.assert_array_equal(told.telemetry.score, plain.telemetry.score)


def test_a_door_that_is_reported_later_on_is_watched_from_then_on() -> None:
    rows, split = lifts(2), 50_000
    doorless = WHOLE.equipment_type.first(WHOLE.equipment_type.column("door"))
    before = Scorer(PACK.on(doorless))
    early = rows.take(slice(0, split))
    before.score(replace(early, values=early.values[:, : len(doorless.channels)]), name_of)
    after = Scorer(PACK)
    after.load(before.state())
    (episode,) = by_segments([after.score(rows.take(slice(split, None)), name_of)])
    assert (episode.asset_id, episode.detector) == (0, "segment-door-cycle-6")


def test_a_segment_that_is_defined_in_another_way_begins_anew_alone() -> None:
    trip, doors, motor = PACK.segments
    other = replace(PACK, segments=(trip, replace(doors, features=doors.features[:2]), motor))
    rows = lifts(2).take(slice(0, 40_000))
    old, new, fresh = Scorer(PACK), Scorer(other), Scorer(other)
    old.score(rows, name_of)
    new.load(old.state())
    fresh.score(rows.take(slice(0, 0)), name_of)
    assert new.state() != fresh.state()
    assert len(new.state()) < len(old.state())


def test_a_repair_ends_the_doors_episode_and_it_is_learned_anew() -> None:
    rows, at_us = lifts(2), round((START.timestamp() + 3600 * 50) * 1e6)
    scorer = Scorer(PACK)
    parts = (rows.take(slice(at, at + 50_000)) for at in range(0, len(rows.ts_us), 50_000))
    (episode,) = by_segments([scorer.score(part, name_of, {0: [at_us]}) for part in parts])
    assert episode.end_us == at_us
