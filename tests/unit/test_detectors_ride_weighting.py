"""Weighting as ISO 2631-1, table 3, has it, and what is left of a drive."""

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.ride_weighting import HORIZONTAL, VERTICAL, Weighting, gain, of_drive, weighted

RATE = 512.0
AT_S = np.arange(0, 20, 1 / RATE)

WK = {0.5: 0.418, 1: 0.482, 2: 0.531, 4: 0.967, 5: 1.039, 8: 1.036, 10: 0.988, 16: 0.768, 31.5: 0.405}
WD = {0.5: 0.853, 1: 1.011, 2: 0.890, 4: 0.512, 8: 0.253, 16: 0.125}


@pytest.mark.parametrize(("weighting", "table"), [(VERTICAL, WK), (HORIZONTAL, WD)])
def test_the_weightings_are_those_of_the_standards_table(
    weighting: Weighting, table: dict[float, float]
) -> None:
    found = np.abs(gain(np.array(list(table)), weighting))
    assert found == pytest.approx(np.array(list(table.values())), rel=0.01)


def sine(hz: float) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * hz * AT_S)


@pytest.mark.parametrize(("weighting", "hz", "part"), [(VERTICAL, 8.0, 1.036), (HORIZONTAL, 8.0, 0.253)])
def test_a_sine_is_weighted_by_its_frequency_whatever_the_sensors_offset(
    weighting: Weighting, hz: float, part: float
) -> None:
    middle = slice(len(AT_S) // 4, -len(AT_S) // 4)
    found = weighted(0.1 * sine(hz) + 9.81, RATE, weighting)[middle]
    assert np.abs(found).max() == pytest.approx(0.1 * part, rel=0.02)


def test_of_a_drive_its_slow_ramps_stay_and_vibration_goes() -> None:
    middle = slice(len(AT_S) // 4, -len(AT_S) // 4)
    assert np.abs(of_drive(sine(0.35), RATE)[middle]).max() == pytest.approx(1.0, rel=0.02)
    assert np.abs(of_drive(sine(50.0), RATE)[middle]).max() < 0.05
