"""The published measures of remaining life, on cases worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from forecasting.scores import (
    alpha_lambda,
    coverage,
    nasa_score,
    phm2012_score,
    prognostic_horizon,
    relative_accuracy,
    rmse,
)

Floats = NDArray[np.float64]


def floats(*values: float) -> Floats:
    return np.array(values, np.float64)


TRUE = np.arange(100.0, -1.0, -1.0)


def test_rmse() -> None:
    assert rmse(floats(3, 0), floats(0, 4)) == pytest.approx(12.5**0.5)


def test_nasa_score_costs_e_less_one_at_13_early_and_at_10_late() -> None:
    assert nasa_score(floats(0, 20, 5), floats(13, 10, 5)) == pytest.approx(2 * (np.e - 1))


@given(st.floats(0.1, 50), st.floats(60, 100))
def test_late_costs_more_than_early(off: float, true: float) -> None:
    assert nasa_score(floats(true + off), floats(true)) > nasa_score(floats(true - off), floats(true)) > 0


def test_phm_2012_score_is_half_at_5_per_cent_late_and_at_20_early() -> None:
    assert phm2012_score(floats(105), floats(100)) == pytest.approx(0.5)
    assert phm2012_score(floats(80), floats(100)) == pytest.approx(0.5)
    assert phm2012_score(floats(100, 90), floats(100, 100)) == pytest.approx((1 + 0.5**0.5) / 2)


def test_coverage_counts_the_bounds_in() -> None:
    assert coverage(floats(0, 0, 0, 0), floats(1, 1, 1, 1), floats(0, 1, 2, -1)) == 0.5


def test_alpha_lambda_asks_at_one_part_of_the_way() -> None:
    said = TRUE.copy()
    said[50] = 60.0
    assert alpha_lambda(said, TRUE, 0.2, 0.5)
    said[50] = 60.1
    assert not alpha_lambda(said, TRUE, 0.2, 0.5)
    assert alpha_lambda(said, TRUE, 0.2, 0.51)
    with pytest.raises(ValueError, match="no forecast"):
        alpha_lambda(floats(), floats(), 0.2, 0.5)


def test_the_horizon_begins_where_forecasts_come_to_stay() -> None:
    said = TRUE.copy()
    assert prognostic_horizon(said, TRUE, 10) == 100
    said[30] += 11
    assert prognostic_horizon(said, TRUE, 10) == 69
    said[-1] = 11
    assert prognostic_horizon(said, TRUE, 10) == 0


def test_relative_accuracy_is_the_mean_over_what_was_left() -> None:
    assert relative_accuracy(floats(8, 5, 3), floats(10, 5, 0)) == pytest.approx(0.9)
    with pytest.raises(ValueError, match="no forecast"):
        relative_accuracy(floats(1), floats(0))
