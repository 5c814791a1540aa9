"""A slope and what it is worth, where the noise of one instant is that of the next."""

import numpy as np
import pytest
from numpy.typing import NDArray

from console.bench.trend import trend

INSTANTS = np.arange(0.0, 480.0, 0.1)


def saw(rng: np.random.Generator) -> NDArray[np.float64]:
    """Lag that climbs for some ten seconds and falls, again and again, at no two times alike."""
    teeth = np.cumsum(rng.uniform(5.0, 15.0, 100))
    since = INSTANTS - np.concatenate([[0.0], teeth])[np.searchsorted(teeth, INSTANTS, side="right")]
    heights = rng.uniform(500.0, 1500.0, 101)[np.searchsorted(teeth, INSTANTS, side="right")]
    saw: NDArray[np.float64] = since * heights
    return saw


def test_a_line_without_noise_is_found_exactly() -> None:
    slope, error = trend(INSTANTS, 3.0 + 2.5 * INSTANTS, 60.0)
    assert slope == pytest.approx(2.5)
    assert error == pytest.approx(0.0, abs=1e-9)


def test_a_saw_that_does_not_rise_is_within_three_errors_of_zero_far_more_often_than_not() -> None:
    far = [abs(slope) > 3 * error for slope, error in _trends(0.0)]
    assert sum(far) <= 4


def test_a_saw_that_rises_is_seen_to_rise() -> None:
    assert all(slope > 3 * error for slope, error in _trends(40.0))


def test_neighbours_that_depend_on_each_other_make_the_error_larger() -> None:
    values = saw(np.random.default_rng(7))
    assert trend(INSTANTS, values, 60.0)[1] > 3 * trend(INSTANTS, values, 0.0)[1]


def _trends(rise: float) -> list[tuple[float, float]]:
    return [trend(INSTANTS, saw(np.random.default_rng(k)) + rise * INSTANTS, 60.0) for k in range(40)]
