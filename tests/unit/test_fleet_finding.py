from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fleet.asset import Channel, EquipmentType
from fleet.catalog import packs
from fleet.finding import SEGMENTS, UNKNOWN, Finding, basis_of, episode_id, read_finding
from fleet.sign import up
from fleet.vertical import FaultMode, VerticalPack

ELEVATOR = packs()["elevator"]
WIDTH = len(ELEVATOR.equipment_type.channels)


def row(fill: float = 0.0, **channels: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    values = np.full(WIDTH, fill, np.float32)
    for name, value in channels.items():
        values[ELEVATOR.equipment_type.column(name)] = value
    return values


def unsampled(fill: float = 0.0, **channels: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """What a lift shows whose rides nobody samples."""
    return row(fill, **dict.fromkeys(ELEVATOR.of_waveforms, np.nan) | channels)


def test_the_sentence_says_what_is_where_what_is_expected() -> None:
    finding = read_finding(
        ELEVATOR,
        row(door_motor_current=6.2, door_close_time=2.5, car_load=1.3),
        row(door_motor_current=2.3, door_close_time=3.1),
        row(door_motor_current=4.1, door_close_time=4.6),
    )
    assert finding.code == "door-drive"
    first = finding.evidence[0]
    assert first.sentence_en == "Door motor current 4.1 A where 2.3 A is expected (62 % of the anomaly)"
    assert first.sentence_zh == "门机电流 4.1 A，正常应为 2.3 A（占异常的 62 %）"
    assert first.share == pytest.approx(0.62)
    assert [e.channel for e in finding.evidence] == ["door_motor_current", "door_close_time", "car_load"]
    assert "belt" in finding.check_en
    assert "皮带" in finding.check_zh


@pytest.mark.parametrize("name", sorted(packs()))
def test_equal_shares_on_a_modes_channels_read_as_that_mode(name: str) -> None:
    pack = packs()[name]
    unknown = np.full(len(pack.equipment_type.channels), np.nan, np.float32)
    for mode in pack.fault_modes:
        shares = np.zeros_like(unknown)
        shares[[pack.equipment_type.column(channel) for channel in mode.channels]] = 1.0
        assert read_finding(pack, shares, unknown, unknown).code == mode.code


def test_a_pattern_that_fits_no_mode_is_called_unknown() -> None:
    load = read_finding(ELEVATOR, row(car_load=1.0), row(), row())
    assert (load.code, load.evidence[0].channel) == (UNKNOWN.code, "car_load")
    led_by_speed = read_finding(ELEVATOR, row(speed=0.7, door_motor_current=0.3), row(), row())
    assert led_by_speed.code == UNKNOWN.code
    everywhere = read_finding(ELEVATOR, row(1.0), row(), row())
    assert everywhere.code == UNKNOWN.code


def door(current: float, time: float) -> Finding:
    return read_finding(
        ELEVATOR,
        row(door_motor_current=0.6, door_close_time=0.4),
        row(door_motor_current=2.3, door_close_time=3.1),
        unsampled(door_motor_current=current, door_close_time=time),
    )


def test_a_channel_that_goes_the_other_way_speaks_against_a_mode() -> None:
    stiff, loose = door(4.1, 4.6), door(0.9, 4.6)
    assert (stiff.code, loose.code) == ("door-drive", UNKNOWN.code)
    assert door(0.9, 2.0).modes[0].belief > 0.99  # nothing is left of it
    drive = next(mode for mode in loose.modes if mode.code == "door-drive")
    assert drive.belief < 0.5 < 0.9 < stiff.modes[0].belief
    assert stiff.modes[0].speaks_for[0].en == "Door motor current is up (60 % of the anomaly)"
    assert stiff.modes[0].speaks_for[0].zh == "门机电流上升（占异常的 60 %）"
    assert drive.speaks_against[0].en == "Door motor current is down, not up (60 % of the anomaly)"
    assert drive.speaks_against[0].zh == "门机电流下降，而非上升（占异常的 60 %）"


def test_two_faults_at_once_are_both_named_with_what_each_leaves_open() -> None:
    both = read_finding(
        ELEVATOR,
        row(door_motor_current=0.25, door_close_time=0.25, vibration_horizontal=0.3, vibration_vertical=0.2),
        row(1.0),
        row(2.0),
    )
    door_drive = next(mode for mode in both.modes if mode.code == "door-drive")
    assert {mode.code for mode in both.modes[:3]} == {"door-drive", "guide-wear", UNKNOWN.code}
    left = "50 % of the anomaly is not explained: Vertical vibration, Horizontal vibration"
    assert [reason.en for reason in door_drive.speaks_against] == [left]


def test_a_second_fault_that_shows_little_is_named_with_the_little_belief_it_has() -> None:
    shares = row(brake_temperature=0.9, door_motor_current=0.1)
    hidden = read_finding(ELEVATOR, shares, row(1.0), row(2.0)).modes
    assert hidden[0].code == "brake-drag"
    (door_drive,) = [mode for mode in hidden if mode.code == "door-drive"]
    assert door_drive.belief < 0.01
    assert "motor-cooling" not in {mode.code for mode in hidden}  # nothing speaks for it


def test_a_limit_that_is_passed_and_a_counter_near_its_end_speak_for_a_mode() -> None:
    shaken = "vibration_horizontal", "vibration_vertical"
    shares, expected = row(**dict.fromkeys(shaken, 0.5)), row(0.1)
    finding = read_finding(ELEVATOR, shares, expected, unsampled(**dict.fromkeys(shaken, 0.25)))
    said = [reason.en for reason in finding.modes[0].speaks_for]
    assert said[1] == "Horizontal vibration at 0.25 m/s² is above 0.2 m/s² (GB/T 10058)"
    assert len(said) == 3  # vertical is allowed 0.3
    doubtful = row(door_motor_current=0.5, speed=0.5)
    (belt,) = (counter for counter in ELEVATOR.wear if counter.name == "door-belt")
    new, worn, spent = (
        read_finding(ELEVATOR, doubtful, expected, row(0.25), worn=[(belt, cycles)])
        for cycles in (100_000, 800_000, 1_000_000)
    )
    beliefs = [next(m for m in each.modes if m.code == "door-drive").belief for each in (new, worn, spent)]
    assert beliefs == sorted(set(beliefs))
    (drive,) = [mode for mode in spent.modes if mode.code == "door-drive"]
    assert drive.speaks_for[-1].en == "Door belt cycles: 100 % of the limit is used up"


def test_a_limit_of_a_change_is_none_of_the_value() -> None:
    pack = packs()["machine-tool"]
    shown = np.zeros(len(pack.equipment_type.channels))
    shown[pack.equipment_type.column("spindle_vibration")] = 1.0
    modes = read_finding(pack, shown, 1.2 * shown, 1.4 * shown).modes
    said = [reason.en for mode in modes for reason in mode.speaks_for]
    assert said
    assert not [one for one in said if "ISO 20816" in one]


def test_a_sign_counts_only_in_the_operating_modes_that_show_it() -> None:
    kind = EquipmentType("digger", (Channel("mode", "1", 0, 3, "state"), Channel("flow", "L/min")))
    pack = VerticalPack(
        kind, fault_modes=(FaultMode("leak", "Leak", "泄漏", ("flow",), "", "", (up("flow", codes=(2,)),)),)
    )
    arrays = np.array([0.0, 1.0]), np.array([0.0, 5.0]), np.array([2.0, 9.0])
    assert [read_finding(pack, *arrays, code=code).code for code in (2, 1)] == ["leak", UNKNOWN.code]


def test_without_any_contribution_there_is_no_evidence() -> None:
    finding = read_finding(ELEVATOR, row(), row(), row())
    assert (finding.code, finding.evidence) == (UNKNOWN.code, ())


def test_what_is_not_known_is_not_made_up() -> None:
    finding = read_finding(ELEVATOR, row(motor_current=1.0), row(np.nan), row(np.nan))
    assert finding.evidence[0].sentence_en == "Motor current is missing (100 % of the anomaly)"
    assert finding.evidence[0].expected is None
    assert finding.evidence[0].actual is None


@given(st.lists(st.floats(width=32), min_size=WIDTH, max_size=WIDTH))
def test_any_contributions_give_a_finding_whose_shares_are_shares(contributions: list[float]) -> None:
    finding = read_finding(ELEVATOR, np.array(contributions, np.float32), row(), row())
    believed = [mode.belief for mode in finding.modes]
    assert believed == sorted(believed, reverse=True)
    assert not believed or 0.9 < sum(believed) < 1.01
    shares = [evidence.share for evidence in finding.evidence]
    assert all(0 <= share <= 1 for share in shares)
    assert sum(shares) <= 1.001
    assert shares == sorted(shares, reverse=True)


def test_a_basis_counts_rows_or_segments() -> None:
    rows, segments = basis_of(30, 200), basis_of(30, 200, SEGMENTS)
    assert "has shown 30 of the 200 rows that teach" in rows.sentence_en
    assert "本机已有 30 行数据，满 200 行后" in rows.sentence_zh
    assert "has shown 30 of the 200 segments that teach" in segments.sentence_en
    assert "本机已有 30 段数据，满 200 段后" in segments.sentence_zh
    assert basis_of(-1, 200, SEGMENTS) == basis_of(-1, 200)


def test_the_same_onset_is_the_same_episode_and_any_other_is_another() -> None:
    known = episode_id("harbour", "lift-a", "ewma-t2", 1, 1_700_000_000_000_000)
    assert known == UUID("f3f09487-5265-5621-badb-c5185f637f20")
    others = {
        episode_id("harbou", "rlift-a", "ewma-t2", 1, 1_700_000_000_000_000),
        episode_id("harbour", "lift-a", "ewma-t2", 2, 1_700_000_000_000_000),
        episode_id("harbour", "lift-a", "ewma-t2", 1, 1_700_000_000_000_001),
    }
    assert known not in others
    assert len(others) == 3


MILL = packs()["machine-tool"]


def mill(**channels: float) -> NDArray[np.float32]:
    """A row of a machine tool that is not sampled, unless its lines are among the channels."""
    lines = dict.fromkeys(("spindle_bpfo", "spindle_bpfi", "spindle_bsf", "spindle_kurtosis"), np.nan)
    return np.array([(lines | channels).get(c.name, 1.0) for c in MILL.equipment_type.channels], np.float32)


def shares(**channels: float) -> NDArray[np.float32]:
    return np.array([channels.get(c.name, 0.0) for c in MILL.equipment_type.channels], np.float32)


def test_who_sends_no_waveforms_is_read_as_if_there_were_none() -> None:
    odd = shares(spindle_envelope=0.6, spindle_temperature=0.4)
    hot = {"spindle_envelope": 9.0, "spindle_temperature": 60.0}
    plain = read_finding(MILL, odd, mill(), mill(**hot)).modes[0]
    assert (plain.code, len(plain.speaks_for), len(plain.speaks_against)) == ("spindle-bearing", 2, 1)
    quiet = {"spindle_bpfo": 11.0, "spindle_bpfi": 11.0, "spindle_bsf": 11.0}
    sampled = read_finding(MILL, odd, mill(**quiet), mill(**hot, **quiet)).modes[0]
    assert (sampled.code, len(sampled.speaks_against)) == ("spindle-bearing", 4), "no line stands out"


@pytest.mark.parametrize(("load", "code"), [(1.3, "tool-wear"), (0.7, "tool-breakage")])
def test_a_worn_tool_takes_more_load_and_a_broken_one_less(load: float, code: str) -> None:
    odd = shares(spindle_load=0.7, feed_axis_load=0.3)
    assert read_finding(MILL, odd, mill(), mill(spindle_load=load, feed_axis_load=load)).code == code


def test_a_line_that_stands_out_names_the_bearing_and_its_part() -> None:
    sound = mill(spindle_bpfo=11.0, spindle_bpfi=11.0, spindle_bsf=11.0)
    damaged = mill(spindle_bpfo=25.0, spindle_bpfi=11.0, spindle_bsf=11.0)
    found = read_finding(MILL, shares(spindle_bpfo=1.0), sound, damaged)
    assert found.code == "spindle-bearing"
    first = found.evidence[0]
    assert (
        first.sentence_en
        == "Spindle bearing, outer ring 25 dB where 11 dB is expected (100 % of the anomaly)"
    )
    assert first.sentence_zh == "主轴轴承外圈特征 25 dB，正常应为 11 dB（占异常的 100 %）"
    missed = " ".join(reason.en for reason in found.modes[0].speaks_against)
    assert "Spindle bearing, inner ring shows little" in missed
