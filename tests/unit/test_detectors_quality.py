"""What the gate takes out, what it lets through, and when it blames the sensor."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors.contract import Samples, StateError
from detectors.quality import OUT_OF_RANGE, SPIKE, STUCK, Checked, FaultKind, QualityGate, SensorFault

SECOND = 1_000_000


def gate(**rules: Any) -> QualityGate:
    return QualityGate(np.array([-50.0]), np.array([100.0]), np.array([True]), **rules)


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


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40))
def test_cuts_and_saved_state_change_nothing(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.choice(np.array([20.0, 20.0, 21.0, 150.0, np.nan, 60.0]), 300)
    x[50:120] = rng.normal(20, 1, 70)
    x[150:220] = 20.0
    slot = rng.integers(0, 2, 300)
    rules = {"stuck_rows": 20, "fault_rows": 5}
    whole, cut = gate(**rules), gate(**rules)
    at_once = whole.check(samples(x, slot=slot))
    flags: list[NDArray[np.uint8]] = []
    faults: list[tuple[Any, ...]] = []
    for start in range(0, 300, size):
        part = cut.check(samples(x[start : start + size], start, slot[start : start + size]))
        flags.append(part.flags)
        faults += [(f.slot, f.kind, f.onset_us, f.end_us) for f in part.faults]
        fresh = gate(**rules)
        fresh.load(cut.state())
        cut = fresh
    assert np.array_equal(at_once.flags, np.concatenate(flags))
    assert [(f.slot, f.kind, f.onset_us, f.end_us) for f in at_once.faults] == faults
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
    with pytest.raises(ValueError, match="stuck_rows"):
        gate(stuck_rows=1)
