"""What a trip of a car becomes at its measuring points, and which blocks are no trips."""

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.vibration_block import Block, BlockFault
from fleet.asset import FleetError
from fleet.catalog import packs
from fleet.ride_point import RATE, RidePoint

RATE_HZ, START_S, STEADY_S, MOST = 256.0, 2.0, 6.0, 1.2
VERTICAL, HORIZONTAL = packs()["elevator"].rides


def trip(steady_s: float = STEADY_S, shake: float = 0.0, rate_hz: float = RATE_HZ) -> Block:
    """Up, starting and stopping as a cosine with `MOST` m/s², and shaken at 8 Hz all the way."""
    at_s = np.arange(0, 2 * START_S + steady_s, 1 / rate_hz)
    x = 9.81 + pulse(at_s) - pulse(at_s - START_S - steady_s)
    return Block(x + shake * np.sin(2 * np.pi * 8 * at_s), rate_hz)


def pulse(at_s: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = (at_s > 0) & (at_s < START_S)
    return np.where(inside, MOST / 2 * (1 - np.cos(2 * np.pi * at_s / START_S)), 0.0)


def test_a_trip_is_told_by_how_it_is_driven_and_how_it_shakes_at_full_speed() -> None:
    found = VERTICAL.reduced(trip(shake=0.05))
    assert found["ride_acceleration"] == pytest.approx(MOST, rel=0.06)
    assert found["ride_acceleration_a95"] == pytest.approx(MOST, rel=0.06)
    assert found["ride_jerk"] == pytest.approx(MOST * np.pi / START_S, rel=0.1)
    assert found["ride_vertical_a95"] == pytest.approx(2 * 0.05 * 1.036, rel=0.15)
    assert found["vibration_vertical"] == pytest.approx(2 * 0.05 * 1.036, rel=0.3)
    assert found.keys() == set(VERTICAL.channels)


def test_across_the_rails_nothing_is_driven_and_people_feel_less_of_what_is_fast() -> None:
    at_s = np.arange(0, 10, 1 / RATE_HZ)
    found = HORIZONTAL.reduced(Block(0.05 * np.sin(2 * np.pi * 8 * at_s), RATE_HZ))
    assert found["ride_horizontal_a95"] == pytest.approx(2 * 0.05 * 0.253, rel=0.05)
    assert found.keys() == {"vibration_horizontal", "ride_horizontal_a95"}


def test_a_trip_too_short_for_full_speed_is_driven_and_has_no_vibration() -> None:
    found = VERTICAL.reduced(trip(steady_s=0.5, shake=0.05))
    assert found.keys() == {"ride_acceleration", "ride_acceleration_a95", "ride_jerk"}


@pytest.mark.parametrize(
    ("point", "block", "fault"),
    [
        (VERTICAL, trip(), None),
        (HORIZONTAL, trip(), None),
        (VERTICAL, Block(trip().samples[:700], RATE_HZ), BlockFault.TOO_SHORT),
        (VERTICAL, trip(rate_hz=100.0), BlockFault.LOW_RATE),
        (HORIZONTAL, trip(rate_hz=255.0), BlockFault.LOW_RATE),
        (VERTICAL, Block(np.full(4096, 9.81), RATE_HZ), BlockFault.CONSTANT),
        (VERTICAL, Block(np.zeros(0), 0.1), BlockFault.TOO_SHORT),
        (VERTICAL, Block(np.round(trip(shake=0.02).samples / 0.038) * 0.038, RATE_HZ), None),
        (VERTICAL, Block(np.clip(trip(shake=0.2).samples, 9.0, 10.4), RATE_HZ), BlockFault.CLIPPED),
        (VERTICAL, Block(0.01 * np.sin(np.arange(4096.0)), RATE_HZ), BlockFault.NO_TRIP),
    ],
)
def test_what_is_no_trip_says_why(point: RidePoint, block: Block, fault: BlockFault | None) -> None:
    assert point.fault(block) == fault


def test_a_point_has_a_name_that_can_stand_in_a_message() -> None:
    with pytest.raises(FleetError, match="measuring point 'Car'"):
        RidePoint("Car", VERTICAL.weighting, "a", "b")


def test_an_accelerometer_is_said_in_the_fleet_file_and_a_type_without_rides_has_none() -> None:
    pack = packs()["elevator"]
    assert pack.read_ratings({RATE.name: "256 Hz"}) == {RATE.name: 256.0}
    older = pack.on(pack.equipment_type.first(pack.equipment_type.column("ride_jerk")))
    assert [ride.name for ride in older.rides] == ["car-horizontal"]
    assert older.ride("car-vertical") is None
