"""The simulated door motor: its current has a shape in rows of a second, a stiff spot is met both ways."""

import numpy as np

from streams.simulator.door_motor import RESISTS, SHAPE, DoorMotor
from streams.simulator.elevator import CLOSING, OPENING, Elevator
from streams.simulator.machine import Block

GONE = np.array([0.1, 0.5, 0.9])
DAY = 20_514


def motor(resists: list[float]) -> DoorMotor:
    """One whose fault lies so."""
    drawn = (DoorMotor(np.random.default_rng(seed)) for seed in range(50))
    return next(each for each in drawn if each.resists.tolist() == resists)


def test_shape_and_fault_are_one_over_the_whole_way() -> None:
    np.testing.assert_allclose(SHAPE.mean(), 1.0)
    np.testing.assert_allclose(RESISTS.mean(axis=1), 1.0)


def test_a_spot_at_the_closed_end_is_met_first_in_opening_and_last_in_closing() -> None:
    spot = motor([3.0, 0.0, 0.0])
    shape, opening = spot.shape(GONE, np.zeros(3, bool), 1.0)
    _, closing = spot.shape(GONE, np.ones(3, bool), 1.0)
    assert shape.tolist() == SHAPE.tolist()
    assert (opening.tolist(), closing.tolist()) == ([3.0, 0.0, 0.0], [0.0, 0.0, 3.0])


def test_longer_rows_show_the_mean_of_a_movement() -> None:
    shape, resists = motor([0.0, 0.0, 3.0]).shape(GONE, np.ones(3, bool), 2.0)
    assert (shape.tolist(), resists.tolist()) == ([1.0] * 3, [1.0] * 3)


def test_the_door_motor_is_run_up_travels_and_is_run_down() -> None:
    lift = Elevator(np.random.default_rng(5))
    clock_s = np.arange(0.0, 86_400.0)
    told = lift.day(Block(clock_s, DAY, 1.0, {}), np.random.default_rng(6))
    door, current = told["door"], told["door_motor_current"]
    for code in (OPENING, CLOSING):
        begins = np.flatnonzero((door[1:-2] == code) & (door[:-3] != code)) + 1
        up, on = current[begins], current[begins + 1][door[begins + 1] == code]
        assert up.mean() > 1.25 * on.mean()
    assert current[door < CLOSING].max() < 0.2
