"""Zones of ISO 20816-3."""

import numpy as np
import pytest

from detectors.vibration_severity import BOUNDARIES, Size, VibrationSeverity, Zone

PUMP = VibrationSeverity(Size.MEDIUM, flexible=False)


def test_a_boundary_belongs_to_the_worse_zone() -> None:
    found = PUMP.zone(np.array([0.0, 1.39, 1.4, 2.79, 2.8, 4.49, 4.5, 100, np.nan]))
    assert found.tolist() == [Zone.A, Zone.A, Zone.B, Zone.B, Zone.C, Zone.C, Zone.D, Zone.D, -1]


def test_larger_machines_and_flexible_supports_may_move_more() -> None:
    for at in range(3):
        assert BOUNDARIES[Size.MEDIUM, False][at] < BOUNDARIES[Size.LARGE, False][at]
        for size in Size:
            assert BOUNDARIES[size, False][at] < BOUNDARIES[size, True][at]


def test_a_change_matters_from_a_quarter_of_the_boundary_between_b_and_c_on() -> None:
    assert PUMP.significant_change == pytest.approx(0.7)
