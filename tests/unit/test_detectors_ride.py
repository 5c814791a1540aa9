"""Ride quality by its definitions: values that follow from them on paper."""

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.ride import a95, full_speed, motion, top_speed, vibration

RATE = 256.0
JERK, MOST = 0.8, 1.0


def start(jerk: float = JERK, most: float = MOST) -> NDArray[np.float64]:
    """Half a trip: the acceleration rises with `jerk`, holds for two seconds, and falls as it rose."""
    rise = np.arange(0, most, jerk / RATE)
    return np.concatenate([rise, np.full(int(2 * RATE), most), rise[::-1]])


def trip() -> NDArray[np.float64]:
    return np.concatenate([start(), np.zeros(int(3 * RATE)), -start(), np.zeros(10)])


def test_a95_is_the_least_value_that_95_of_100_do_not_exceed() -> None:
    assert a95(np.arange(1.0, 101.0)) == 95.0
    assert a95(np.arange(1.0, 21.0)) == 19.0
    assert a95(np.array([0.3])) == 0.3


def test_a_trip_on_paper() -> None:
    found = motion(trip(), RATE)
    assert (found.acceleration, found.a95) == (MOST, MOST)
    assert found.jerk == pytest.approx(JERK)
    down = motion(-trip(), RATE)
    assert (down.acceleration, down.a95, down.jerk) == (found.acceleration, found.a95, found.jerk)


def test_full_speed_is_what_is_left_of_a_trip_two_seconds_after_its_start() -> None:
    steady, ramp = int(3 * RATE), len(start())
    found = full_speed(trip(), RATE)
    assert ramp + 1.2 * RATE < found.start < ramp + 2 * RATE
    assert ramp + steady - 0.5 * RATE <= found.stop < ramp + steady + 0.3 * RATE
    short = np.concatenate([start(), -start()])
    assert len(short[full_speed(short, RATE)]) == 0
    assert top_speed(-trip(), RATE) == pytest.approx(MOST * (2 + MOST / JERK), rel=0.01)


def test_one_knock_is_the_largest_acceleration_and_no_a95() -> None:
    knocked = trip()
    knocked[int(1.5 * RATE)] += 0.4
    found = motion(knocked, RATE)
    assert found.acceleration == pytest.approx(MOST + 0.4)
    assert found.a95 == MOST


def test_noise_is_not_taken_for_jerk() -> None:
    noisy = trip() + np.random.default_rng(18738).normal(0, 0.02, len(trip()))
    assert float(np.abs(np.diff(noisy)).max()) * RATE > 10
    assert motion(noisy, RATE).jerk == pytest.approx(JERK, rel=0.05)


def test_a_sine_shakes_by_twice_its_amplitude_from_peak_to_peak() -> None:
    shaken = 0.1 * np.sin(2 * np.pi * 8 * np.arange(0, 10, 1 / RATE))
    found = vibration(shaken)
    assert found.largest == pytest.approx(0.2, rel=0.001)
    assert found.a95 == pytest.approx(0.2, rel=0.001)


def test_a_rail_joint_is_the_largest_swing_and_no_a95() -> None:
    swings = np.tile([0.1, -0.1], 50)
    swings[60] = 0.5
    found = vibration(swings)
    assert found.largest == pytest.approx(0.6)
    assert found.a95 == pytest.approx(0.2)
    more = swings.copy()
    more[[20, 40, 80]] = 0.5  # eight of 99 swings
    assert vibration(more).a95 == pytest.approx(0.6)


@pytest.mark.parametrize("wrong", [np.empty(0), np.full(600, np.nan), np.zeros((600, 3))])
def test_what_is_no_ride_is_refused(wrong: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="a ride needs"):
        motion(wrong, RATE)
    with pytest.raises(ValueError, match="a ride needs"):
        vibration(wrong)


def test_a_car_that_does_not_shake_has_no_a95() -> None:
    with pytest.raises(ValueError, match="no A95"):
        vibration(np.zeros(600))
