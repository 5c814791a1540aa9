"""What the gate takes out, what it lets through, and when it blames the sensor."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors.contract import Samples, StateError
from detectors.quality import Checked, FaultKind, QualityGate, SensorFault
from detectors.quality_rows import OTHER_UNIT, OUT_OF_RANGE, SPIKE, STUCK
from fleet.unit_mixup import mix_up_table, mix_ups

SECOND = 1_000_000


def gate(**rules: Any) -> QualityGate:
    return QualityGate(np.array([-50.0]), np.array([100.0]), np.array([True]), **rules)


def celsius(**rules: Any) -> QualityGate:
    """A gate for one channel in °C, which may come in K (0) or °F (1)."""
    return QualityGate(np.array([-50.0]), np.array([180.0]), np.array([True]), mix_up_table(("°C",)), **rules)


def samples(x: NDArray[np.floating], start: int = 0, slot: Any = 0) -> Samples:
    n = len(x)
    return Samples(
        np.broadcast_to(np.asarray(slot, np.int32), n).copy(),
        (start + np.arange(n)) * SECOND,
        np.zeros(n, np.int16),
        np.asarray(x, np.float32).reshape(n, -1),
    )


def noise(n: int = 400, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(20, 1, n)


def flagged(checked: Checked) -> list[int]:
    return np.flatnonzero(checked.flags[:, 0]).tolist()


def test_healthy_noise_passes_unchanged() -> None:
    x = samples(noise(5000))
    checked = gate().check(x)
    assert not checked.flags.any()
    assert np.array_equal(checked.x, x.x)
    assert checked.faults == []
    assert checked.x is not x.x


@pytest.mark.parametrize("value", [101.0, -51.0, 3e38, np.inf, -np.inf])
def test_a_value_out_of_range_is_taken_out(value: float) -> None:
    x = noise()
    x[300] = value
    checked = gate().check(samples(x))
    assert checked.flags[300, 0] == OUT_OF_RANGE
    assert np.isnan(checked.x[300, 0])
    assert flagged(checked) == [300]


def test_a_lasting_run_out_of_range_is_the_sensors_fault() -> None:
    x = noise()
    x[200:240] = 150
    begins, ends = gate(fault_rows=30).check(samples(x)).faults
    assert begins == SensorFault(0, 0, FaultKind.OUT_OF_RANGE, 200 * SECOND, None, 229)
    assert ends == SensorFault(0, 0, FaultKind.OUT_OF_RANGE, 200 * SECOND, 240 * SECOND, 240)


def test_a_stuck_value_is_taken_out_and_blamed_on_the_sensor() -> None:
    x = noise()
    x[200:300] = 21.5
    checked = gate(stuck_rows=60).check(samples(x))
    assert flagged(checked) == list(range(259, 300))
    assert (checked.flags[259:300] == STUCK).all()
    begins, ends = checked.faults
    assert begins == SensorFault(0, 0, FaultKind.STUCK, 200 * SECOND, None, 259)
    assert (ends.onset_us, ends.end_us) == (200 * SECOND, 300 * SECOND)


def test_a_channel_that_never_varied_is_not_stuck() -> None:
    assert gate().check(samples(np.full(1000, 5.0))).faults == []


def test_a_channel_that_often_stands_still_is_not_stuck_for_that() -> None:
    x = np.repeat(noise(60), 30)
    assert gate().check(samples(x)).faults == []


def test_the_same_pause_is_reported_once() -> None:
    pause = np.full(500, 0.0)
    x = np.concatenate([noise(), pause, noise(seed=1), pause, noise(seed=2)])
    assert [fault.end_us is None for fault in gate().check(samples(x)).faults] == [True, False]


def test_an_isolated_jump_is_taken_out() -> None:
    x = noise()
    x[300] = 60
    checked = gate().check(samples(x))
    assert flagged(checked) == [300]
    assert checked.flags[300, 0] == SPIKE


def test_a_true_step_costs_one_value() -> None:
    x = noise()
    x[300:] += 40
    assert flagged(gate().check(samples(x))) == [300]


def impulsive(**rules: Any) -> QualityGate:
    """A gate for one channel whose isolated jumps are what the machine does."""
    yes = np.array([True])
    return QualityGate(np.array([-50.0]), np.array([100.0]), yes, impulsive=yes, **rules)


def test_an_isolated_jump_of_an_impulsive_channel_is_no_spike_but_its_range_holds() -> None:
    x = noise()
    x[[200, 300, 350]] = 60, 101, -51
    checked = impulsive().check(samples(x))
    assert flagged(checked) == [300, 350]
    assert (checked.flags[[300, 350], 0] == OUT_OF_RANGE).all()
    assert checked.x[200, 0] == 60
    assert 200 in flagged(gate().check(samples(x)))


def test_an_impulse_that_looks_like_another_unit_is_kept_and_ten_in_a_row_are_the_unit() -> None:
    x = noise()
    x[200], x[300:] = 1.8 * 20 + 32, 1.8 * x[300:] + 32
    yes = np.array([True])
    limits = np.array([-50.0]), np.array([180.0]), yes, mix_up_table(("°C",))
    checked = QualityGate(*limits, impulsive=yes).check(samples(x))
    assert flagged(checked) == list(range(309, 400))
    (fault,) = checked.faults
    assert (fault.kind, fault.onset_us) == (FaultKind.OTHER_UNIT, 300 * SECOND)
    assert QualityGate(*limits).check(samples(x)).flags[200, 0] == OTHER_UNIT


def test_an_impulsive_channel_is_stuck_once_its_impulses_stay_away_for_long() -> None:
    x = np.zeros(1000)
    x[:400:8] = x[500:600:8] = 1  # runs of four on average, then one of a hundred, and at the end one of 400
    told = [of.check(samples(x)).faults for of in (impulsive(), gate())]
    assert [[fault.onset_us // SECOND for fault in faults] for faults in told] == [[597], [393, 393, 597]]


def test_a_channel_of_few_impulses_so_far_is_stuck_after_thirty_times_what_was_usual_then() -> None:
    x = np.zeros(2000)
    x[:500:40] = 1  # 25 changes in 500 rows
    (fault,) = impulsive().check(samples(x)).faults
    assert fault.onset_us // SECOND == 481
    assert fault.kind == FaultKind.STUCK


def test_setpoints_and_states_may_jump_and_stand_still() -> None:
    x = np.concatenate([noise(100), np.full(900, 5.0), [90.0], np.full(100, 5.0)])
    states = QualityGate(np.array([-50.0]), np.array([100.0]), np.array([False]))
    assert not states.check(samples(x)).flags.any()


def test_missing_values_are_no_flaw_and_change_nothing() -> None:
    x = noise()
    holes = np.insert(x, [100, 100, 250], np.nan)
    checked = gate().check(samples(holes))
    assert not checked.flags.any()
    assert np.isnan(checked.x[:, 0]).sum() == 3


def test_a_channel_that_falls_silent_is_the_sensors_fault_until_its_next_value() -> None:
    x = noise()
    x[200:300] = np.nan
    checked = gate(silent_rows=60).check(samples(x))
    begins, ends = checked.faults
    assert begins == SensorFault(0, 0, FaultKind.SILENT, 200 * SECOND, None, 259)
    assert ends == SensorFault(0, 0, FaultKind.SILENT, 200 * SECOND, 300 * SECOND, 300)
    assert not checked.flags.any()


def test_a_value_out_of_range_ends_the_silence_too() -> None:
    x = noise()
    x[200:300] = np.nan
    x[300] = 500
    assert [fault.end_us for fault in gate().check(samples(x)).faults] == [None, 300 * SECOND]


def test_a_channel_that_often_falls_silent_for_long_is_not_reported_for_that() -> None:
    x = np.full(6000, np.nan)
    x[::100] = noise(60)
    assert gate(silent_rows=60).check(samples(x)).faults == []
    x[3000:3050] = np.nan  # twice the usual silence
    assert gate(silent_rows=60).check(samples(x)).faults == []
    x[3000:3150] = np.nan
    assert [fault.kind for fault in gate(silent_rows=60).check(samples(x)).faults] == [FaultKind.SILENT] * 2


def test_a_channel_that_never_spoke_is_not_silent_and_costs_no_patience() -> None:
    x = np.concatenate([np.full(1000, np.nan), noise(100)])
    assert gate().check(samples(x)).faults == []
    later = gate().check(samples(np.concatenate([x, np.full(60, np.nan)])))
    assert [fault.row for fault in later.faults] == [1159]


def test_a_resting_machine_may_be_silent() -> None:
    x = np.concatenate([noise(), np.full(1000, np.nan), noise(seed=1), np.full(60, np.nan)])
    rests = np.zeros(len(x), bool)
    rests[400:1400] = True
    assert [fault.row for fault in gate(silent_rows=60).check(samples(x), rests).faults] == [len(x) - 1]


def test_setpoints_and_states_are_sent_only_when_they_change() -> None:
    x = np.concatenate([noise(), np.full(1000, np.nan)])
    states = QualityGate(np.array([-50.0]), np.array([100.0]), np.array([False]))
    assert states.check(samples(x)).faults == []


def test_a_machine_that_sends_nothing_has_no_row_to_count() -> None:
    before, after = samples(noise()), samples(noise(seed=1), start=10**6)
    watched = gate()
    assert watched.check(before).faults + watched.check(after).faults == []


@pytest.mark.parametrize(("unit", "spelled"), [(0, "K"), (1, "°F")])
def test_another_unit_is_the_sensors_fault_and_all_its_values_are_taken_out(unit: int, spelled: str) -> None:
    x = noise()
    other = mix_ups("°C")[unit]
    assert other.unit == spelled
    x[200:300] = x[200:300] * other.scale + other.offset
    checked = celsius().check(samples(x))
    begins, ends = checked.faults
    assert begins == SensorFault(0, 0, FaultKind.OTHER_UNIT, 200 * SECOND, None, 209, unit)
    assert ends == SensorFault(0, 0, FaultKind.OTHER_UNIT, 200 * SECOND, 300 * SECOND, 300, unit)
    assert flagged(checked) == list(range(200, 300))
    assert (checked.flags[200:300] & OTHER_UNIT).all()


def test_it_is_in_the_other_unit_until_it_is_back_wherever_that_is_by_then() -> None:
    x = noise(3000)
    x[400:] += np.linspace(0, 60, 2600)
    x[300:2900] = x[300:2900] * 1.8 + 32
    checked = celsius().check(samples(x))
    assert [(fault.kind, fault.end_us) for fault in checked.faults] == [
        (FaultKind.OTHER_UNIT, None),
        (FaultKind.OTHER_UNIT, 2900 * SECOND),
    ]
    assert flagged(checked) == list(range(300, 2900))


def test_it_is_in_the_other_unit_at_whatever_level_the_channel_has_been() -> None:
    x = np.concatenate([noise(100), noise(100, seed=1) + 60] * 6)
    x[560:] *= 0.01
    load = QualityGate(np.array([0.0]), np.array([300.0]), np.array([True]), mix_up_table(("%",)))
    assert [(fault.kind, fault.end_us) for fault in load.check(samples(x)).faults] == [
        (FaultKind.OTHER_UNIT, None)
    ]


def test_the_other_unit_is_told_by_the_machine_at_work_and_not_by_its_rests() -> None:
    rests = np.arange(1200) % 40 >= 20
    x = np.where(rests, np.abs(noise(1200) - 20) / 10, noise(1200, seed=1))
    x[600:1005] *= 3.6
    speed = QualityGate(np.array([0.0]), np.array([100.0]), np.array([True]), mix_up_table(("m/s",)))
    checked = speed.check(samples(x), rests)
    assert [(fault.onset_us, fault.end_us) for fault in checked.faults] == [
        (600 * SECOND, None),
        (600 * SECOND, 1005 * SECOND),
    ]
    assert (checked.flags[600:1005] == OTHER_UNIT).all()
    assert not (checked.flags & OTHER_UNIT)[1005:].any()


def test_where_a_channel_has_been_it_may_go_again() -> None:
    x = np.concatenate([noise(300) + np.linspace(0, 48, 300), noise(300), noise(300) * 1.8 + 32])
    checked = celsius().check(samples(x))
    assert checked.faults == []
    assert flagged(checked) == [300, 600]


def test_a_value_that_is_nothing_at_all_teaches_no_level() -> None:
    x = noise()
    x[200:] += 273.15
    x[205] = 900
    (fault,) = celsius().check(samples(x)).faults
    assert (fault.kind, fault.onset_us) == (FaultKind.OTHER_UNIT, 206 * SECOND)


def test_a_true_step_that_was_taken_for_a_unit_is_not_taken_for_it_again() -> None:
    x = np.concatenate([(noise() - 20) * 6 + 50, (noise(seed=1) - 20) / 2 + 7])
    pressure = QualityGate(np.array([0.0]), np.array([200.0]), np.array([True]), mix_up_table(("bar",)))
    checked = pressure.check(samples(x))
    assert checked.faults == []
    assert checked.flags[400, 0] == OTHER_UNIT
    assert flagged(checked)[-1] < 410


def test_a_true_step_to_where_no_unit_leads_costs_one_value() -> None:
    x = noise()
    x[300:] += 90
    assert flagged(celsius().check(samples(x))) == [300]


def test_a_broken_sensor_is_not_taken_for_one_in_another_unit() -> None:
    x = noise()
    x[200:] = 293.2  # 20 °C in K, but it never moves
    assert [fault.kind for fault in celsius().check(samples(x)).faults] == [FaultKind.OUT_OF_RANGE]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.floats(-45, 175), st.floats(0.5, 2.0))
@example(0, 76.0, 1.8)  # as near as the first value lets it come
def test_a_level_that_shifts_to_anywhere_else_is_believed_within_ten_values(
    seed: int, level: float, wilder: float
) -> None:
    rng = np.random.default_rng(seed)
    as_fahrenheit = abs((level - 32) / 1.8 - 20)
    x = rng.normal(20, 0.5, 600)
    x[300:] = np.clip(rng.normal(level, 0.5 * wilder, 300), -50, 180)
    checked = celsius().check(samples(x))
    told = [fault.kind for fault in checked.faults]
    if as_fahrenheit > 3.5:
        assert told == []
        assert not checked.flags[311:].any()
    elif as_fahrenheit < 0.5 and wilder > 1.5:  # much calmer steps are not those of a converted value
        assert told == [FaultKind.OTHER_UNIT]


def test_one_odd_value_before_a_rest_costs_nothing_of_the_rest() -> None:
    x, resting = noise() + 40, np.zeros(400, np.bool_)
    x[199] = 140.0  # what 60 °C is in °F
    x[200:350], resting[200:350] = x[200:350] - 35, True
    found = celsius().check(samples(x), resting)
    assert not [row for row in flagged(found) if 201 <= row < 350]
    assert found.faults == []


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6), st.sampled_from(["A", "kW", "bar", "mm", "m/s", "m/s²", "%"]), st.floats(0, 0.3)
)
def test_a_machine_that_goes_to_rest_is_in_no_other_unit(seed: int, unit: str, hum: float) -> None:
    rng = np.random.default_rng(seed)
    x = np.concatenate([rng.normal(40, 1, 300), np.abs(rng.normal(0, hum, 300)), rng.normal(40, 1, 300)])
    limits = np.array([0.0]), np.array([100.0]), np.array([True])
    told = QualityGate(*limits, mix_up_table((unit,))).check(samples(x)).faults
    assert FaultKind.OTHER_UNIT not in {fault.kind for fault in told}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40))
def test_cuts_and_saved_state_change_nothing(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(20, 1, 300)
    x[100:150] = rng.normal(68, 1.8, 50)
    x[180:220] = 20.0
    x[220:250] = np.nan
    x[260:285] = 500.0
    odd = rng.random(300) < 0.03
    x[odd] = rng.choice(np.array([20.0, 21.0, 150.0, np.nan, 60.0]), odd.sum())
    slot = rng.integers(0, 2, 300)
    rules = {"stuck_rows": 20, "fault_rows": 5, "silent_rows": 10}
    whole, cut = celsius(**rules), celsius(**rules)
    at_once = whole.check(samples(x, slot=slot))
    flags: list[NDArray[np.uint8]] = []
    faults: list[SensorFault] = []
    for start in range(0, 300, size):
        part = cut.check(samples(x[start : start + size], start, slot[start : start + size]))
        flags.append(part.flags)
        faults += [replace(fault, row=fault.row + start) for fault in part.faults]
        fresh = celsius(**rules)
        fresh.load(cut.state())
        cut = fresh
    assert np.array_equal(at_once.flags, np.concatenate(flags))
    assert at_once.faults == faults
    assert whole.state() == cut.state()


def test_the_callers_array_is_left_alone() -> None:
    given_rows = samples(np.full(50, 500.0))
    given_rows.x.flags.writeable = False
    gate().check(given_rows)
    assert (given_rows.x == 500).all()


def test_state_for_other_channels_is_refused() -> None:
    two = QualityGate(np.zeros(2), np.ones(2), np.ones(2, bool))
    with pytest.raises(StateError, match="cannot be used"):
        gate().load(two.state())


def test_limits_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="one entry for each channel"):
        QualityGate(np.zeros(2), np.ones(3), np.ones(2, bool))
    with pytest.raises(ValueError, match="one entry for each channel"):
        QualityGate(np.zeros(2), np.ones(2), np.ones(2, bool), mix_up_table(("°C",)))
    with pytest.raises(ValueError, match="stuck_rows"):
        gate(stuck_rows=1)
