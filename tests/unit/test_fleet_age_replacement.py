"""Replacement by age: Barlow and Hunter's condition, and none for what does not wear out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from fleet.age_replacement import best_age, cost_rate
from forecasting.weibull import Weibull

NO_DUTY = np.zeros(0)


@given(shape=st.floats(1.5, 5.0), scale=st.floats(1.0, 1e4), dearer=st.floats(3.0, 50.0))
def test_the_best_age_meets_the_condition(shape: float, scale: float, dearer: float) -> None:
    """h(T) ∫S - F(T) = planned / (failed - planned)."""
    age = best_age(Weibull(shape, scale, NO_DUTY), 1.0, dearer)
    assert age is not None
    t = age / scale
    served = quad(lambda u: np.exp(-(u**shape)), 0.0, t)[0]
    left = shape * t ** (shape - 1) * served - (1 - np.exp(-(t**shape)))
    assert left == pytest.approx(1 / (dearer - 1), rel=0.2)


@pytest.mark.parametrize(("shape", "failed"), [(0.7, 50.0), (1.0, 50.0), (3.0, 1.0)])
def test_what_does_not_wear_or_costs_no_more_is_left_alone(shape: float, failed: float) -> None:
    assert best_age(Weibull(shape, 100.0, NO_DUTY), 1.0, failed) is None


def test_what_lives_would_have_cost() -> None:
    lives = np.array([5.0, 15.0])
    assert cost_rate(lives, None, 1.0, 10.0) == pytest.approx(20 / 20)
    assert cost_rate(lives, 10.0, 1.0, 10.0) == pytest.approx(11 / 15)
