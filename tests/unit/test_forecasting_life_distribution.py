"""The distribution of a life has the quantiles that were forecast, and knows what has been survived."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import lognorm

from forecasting.life_distribution import Z90, LifeDistribution

hours = st.floats(2.0, 50_000.0)
factors = st.floats(1.06, 20.0)


@given(hours, factors, factors)
def test_it_has_the_quantiles_that_were_forecast(p50: float, below: float, above: float) -> None:
    life = LifeDistribution(max(p50 / below, 1.0), p50, p50 * above)
    if p50 / below >= 1.0 and p50 > 1.06:
        assert life.failed_by([life.p10_h, life.p50_h, life.p90_h]) == pytest.approx([0.1, 0.5, 0.9])


@given(hours, factors, factors, st.floats(0.0, 100_000.0))
def test_the_risk_grows_from_nothing_at_what_is_survived(
    p50: float, below: float, above: float, survived: float
) -> None:
    life = LifeDistribution(p50 / below, p50, p50 * above)
    risk = life.failed_by(survived + np.linspace(0.0, 10 * p50, 50), survived)
    assert risk[0] == 0.0
    assert (np.diff(risk) >= -1e-12).all()
    assert ((risk >= 0) & (risk <= 1)).all()


def test_unused_life_is_that_of_the_log_normal_law() -> None:
    sigma = np.log(2.0) / Z90
    law, life = lognorm(sigma, scale=1000.0), LifeDistribution(500.0, 1000.0, 2000.0)
    at = np.array([0.0, 400.0, 1000.0, 2500.0])
    truth = [law.expect(lambda x, a=a: max(x - a, 0.0)) for a in at]
    assert life.unused(at) == pytest.approx(truth, rel=0.02, abs=2.0)


def test_what_was_survived_moves_the_risk_to_later() -> None:
    life = LifeDistribution(500.0, 1000.0, 2000.0)
    assert life.failed_by([1100.0], 900.0)[0] == pytest.approx(
        (life.failed_by([1100.0])[0] - life.failed_by([900.0])[0]) / (1 - life.failed_by([900.0])[0])
    )


def test_a_reached_limit_fails_at_once_and_long_overdue_any_moment() -> None:
    assert LifeDistribution(0.0, 0.0, 0.0).failed_by([0.0, 24.0]).tolist() == [0.0, 1.0]
    overdue = LifeDistribution(1.0, 2.0, 3.0)
    assert overdue.failed_by([1e6, 1e6 + 1], 1e6).tolist() == [0.0, 1.0]
    assert overdue.unused([1e6], 1e6)[0] == pytest.approx(0.0, abs=1.0)


@pytest.mark.parametrize("quantiles", [(2.0, 1.0, 3.0), (-1.0, 1.0, 2.0), (1.0, 2.0, float("inf"))])
def test_quantiles_that_cannot_be_are_refused(quantiles: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="ascend"):
        LifeDistribution(*quantiles)
