"""The trend speaks when there is growth, in whatever shape, and is silent otherwise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from forecasting.contract import REACHED, Forecast, History, ModelError, Verdict
from forecasting.robust_trend import HORIZON, RobustTrend

Floats = NDArray[np.float64]

AGE = np.arange(300.0) * 4.0
NOISE = 0.02


def forecast(age: Floats, level: Floats) -> Forecast:
    return RobustTrend().predict([History(age, level[:, None])])[0]


def noisy(level: Floats, seed: int, noise: float = NOISE) -> Floats:
    return level + np.random.default_rng(seed).normal(0.0, noise, len(level))


def autoregressive(n: int, rho: float, seed: int) -> Floats:
    fresh = np.random.default_rng([n, seed]).normal(0.0, NOISE * np.sqrt(1 - rho**2), n + 100)
    level = np.zeros(n + 100)
    for i in range(1, n + 100):
        level[i] = rho * level[i - 1] + fresh[i]
    return level[100:]


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
@pytest.mark.parametrize("n", [12, 20, 60, 300])
def test_noise_has_a_trend_no_more_often_than_stated(n: int, rho: float) -> None:
    found = [forecast(AGE[:n], autoregressive(n, rho, seed)) for seed in range(100)]
    assert np.mean([f.verdict is not Verdict.NO_TREND for f in found]) <= 0.07


@pytest.mark.parametrize("period_h", [24.0, 168.0])
def test_day_and_week_are_no_trend(period_h: float) -> None:
    for seed in range(20):
        level = noisy(0.1 + 0.05 * np.sin(2 * np.pi * (AGE + 11.0 * seed) / period_h), seed, 0.01)
        assert forecast(AGE, level).verdict is Verdict.NO_TREND


@pytest.mark.parametrize("level", [0.4 * (AGE > 600.0), 0.4 * np.clip((AGE - 300.0) / 200.0, 0.0, 1.0)])
def test_growth_that_has_ended_is_no_trend(level: Floats) -> None:
    assert all(forecast(AGE, noisy(level, seed)).verdict is Verdict.NO_TREND for seed in range(10))


def test_a_use_counter_is_carried_on_exactly() -> None:
    says = forecast(AGE, AGE / 2000.0)
    assert says.verdict is Verdict.ESTIMATE
    assert (says.p10_h, says.p50_h, says.p90_h) == pytest.approx((804.0,) * 3, rel=1e-3)


def test_a_counter_that_rests_at_night_is_right_within_its_interval() -> None:
    used = np.cumsum((AGE % 24 >= 8) & (AGE % 24 < 20), dtype=np.float64) * 4.0 / 1000.0
    says = forecast(AGE, used)
    true = (1.0 - used[-1]) * 2000.0
    assert says.p10_h is not None
    assert says.p90_h is not None
    assert says.p10_h - 24 <= true <= says.p90_h + 24
    assert says.p90_h - says.p10_h < 0.3 * true


@pytest.mark.parametrize("exponent", [1.0, 1.3, 1.5, 1.7, 2.0])
def test_growth_after_an_onset_is_neither_late_nor_early(exponent: float) -> None:
    level = np.clip((AGE - 500.0) / 1000.0, 0.0, 1.0) ** exponent
    ratio = [forecast(AGE, noisy(level, seed)).p50_h or 0.0 for seed in range(15)] / (1500.0 - AGE[-1])
    assert 0.85 <= np.median(ratio) <= 1.15


def test_exponential_growth_is_not_badly_late() -> None:
    level = np.expm1(4.0 * np.clip((AGE - 500.0) / 1000.0, 0.0, 1.0)) / np.expm1(4.0)
    ratio = [forecast(AGE, noisy(level, seed)).p50_h or 0.0 for seed in range(15)] / (1500.0 - AGE[-1])
    assert 0.8 <= np.median(ratio) <= 1.5


def test_a_level_at_its_limit_has_no_life_left() -> None:
    says = forecast(AGE[:3], np.array([0.0, 0.5, 1.0]))
    assert (says.verdict, says.p10_h, says.p50_h, says.p90_h) == (Verdict.ESTIMATE, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("level", [np.full(11, 1.1), noisy(np.full(60, 1.1), 1)])
def test_a_level_beyond_a_limit_that_is_not_exact_has_no_life_left_without_a_trend(level: Floats) -> None:
    assert against(level, 0.5) == REACHED


def test_a_few_points_are_too_little() -> None:
    assert forecast(AGE[:11], AGE[:11] / 100.0).verdict is Verdict.TOO_LITTLE_DATA


def test_nothing_is_said_beyond_the_horizon() -> None:
    says = forecast(AGE, 0.04 * AGE / AGE[-1])
    assert says.verdict is Verdict.MORE_THAN
    assert says.p10_h == pytest.approx(HORIZON * AGE[-1])
    assert (says.p50_h, says.p90_h) == (None, None)


@pytest.mark.parametrize("onset", [0.0, 0.5, 0.9])
@pytest.mark.parametrize(("rise", "verdict"), [(0.02, Verdict.NO_TREND), (0.1, Verdict.ESTIMATE)])
def test_the_first_twentieth_of_the_way_is_no_trend(onset: float, rise: float, verdict: Verdict) -> None:
    level = rise * np.clip((AGE / AGE[-1] - onset) / (1 - onset), 0.0, 1.0)
    assert all(forecast(AGE, noisy(level, seed, 0.002)).verdict is verdict for seed in range(10))


def test_a_repair_starts_the_trend_anew() -> None:
    level = np.where(AGE < 600.0, AGE / 700.0, (AGE - 600.0) / 800.0)
    says = forecast(AGE, noisy(level, 1, 0.01))
    assert says.p50_h == pytest.approx(1400.0 - AGE[-1], rel=0.1)
    assert forecast(AGE[:156], level[:156]).verdict is Verdict.TOO_LITTLE_DATA


def test_one_wild_value_does_not_matter() -> None:
    calm = noisy(np.zeros(300), 2)
    for at in (100, 297, 298, 299):
        spiked = calm.copy()
        spiked[at] = 0.7
        assert forecast(AGE, spiked).verdict is Verdict.NO_TREND, at
    growing = noisy(np.clip((AGE - 500.0) / 1000.0, 0.0, 1.0), 2)
    spiked = growing.copy()
    spiked[200] = 0.9
    assert forecast(AGE, spiked).p50_h == pytest.approx(forecast(AGE, growing).p50_h, rel=0.05)


def test_thinning_changes_little() -> None:
    age = np.arange(20_000.0) * 0.06
    level = noisy(np.clip((age - 400.0) / 1000.0, 0.0, 1.0), 3)
    long, thin = forecast(age, level), forecast(age[::-100][::-1], level[::-100][::-1])
    assert long.p50_h == pytest.approx(1400.0 - age[-1], rel=0.15)
    assert thin.p50_h == pytest.approx(1400.0 - age[-1], rel=0.25)


@settings(max_examples=20)
@given(st.floats(0.01, 100.0), st.floats(0.0, 1e4), st.integers(0, 50))
def test_the_unit_of_time_and_the_age_at_the_start_do_not_matter(
    unit: float, start: float, seed: int
) -> None:
    level = noisy(np.clip((AGE - 500.0) / 1000.0, 0.0, 1.0), seed)
    one, other = forecast(AGE, level), forecast(start + AGE * unit, level)
    assert one.verdict is other.verdict is Verdict.ESTIMATE
    quantiles = [unit * (hours or 0.0) for hours in (one.p10_h, one.p50_h, one.p90_h)]
    assert [other.p10_h, other.p50_h, other.p90_h] == pytest.approx(quantiles, rel=1e-4)


def against(level: Floats, spread: float) -> Forecast:
    return RobustTrend().predict([History(AGE[: len(level)], level[:, None], limit_spread=spread)])[0]


def hours(says: Forecast) -> tuple[float, float, float]:
    assert says.verdict is Verdict.ESTIMATE
    assert says.p10_h is not None
    assert says.p50_h is not None
    assert says.p90_h is not None
    return says.p10_h, says.p50_h, says.p90_h


def test_a_limit_that_is_not_exact_widens_the_interval_both_ways() -> None:
    level = noisy(AGE / 2400.0, 4)  # half way
    exact, uncertain = hours(against(level, 0.0)), hours(against(level, 0.3))
    assert uncertain[0] < exact[0] <= exact[2] < uncertain[2]
    # the draws' limits: P10 and P90 are 1.28 spreads from the middle
    assert (uncertain[2] + AGE[-1]) / (uncertain[0] + AGE[-1]) == pytest.approx(np.exp(0.3 * 2.56), rel=0.15)


def symptoms(seed: int) -> Floats:
    """(400,) hours of a fault that began at 200 and fails at 550, seen through duty and weather."""
    rng, strayed = np.random.default_rng([7, seed]), np.zeros(400)
    fresh = rng.normal(0.0, 0.05 * np.sqrt(1 - 0.96**2), 400)
    for hour in range(1, 400):
        strayed[hour] = 0.96 * strayed[hour - 1] + fresh[hour]
    grown = np.clip((np.arange(400.0) - 200.0) / 350.0, 0.0, None) ** rng.uniform(1.3, 1.7)
    return np.asarray(grown * (1 + 2 * strayed) + 0.3 * strayed)


def test_an_interval_holds_for_a_level_that_duty_and_weather_move_for_a_day() -> None:
    held, wide = dict[float, float](), dict[float, float]()
    for spread in (0.0, 0.1):
        histories = [
            History(np.arange(400.0), symptoms(seed)[:, None], limit_spread=spread) for seed in range(60)
        ]
        said = np.array([hours(one) for one in RobustTrend().predict(histories)])
        held[spread] = float(((said[:, 0] <= 151) & (said[:, 2] >= 151)).mean())
        wide[spread] = float(np.median(said[:, 2] - said[:, 0]))
    assert held[0.0] < 0.7, "else it is no hard case"
    assert held[0.1] >= 0.8
    assert wide[0.1] < 3 * 151


def test_points_of_one_day_say_less_than_as_many_a_day_apart() -> None:
    width = list[float]()
    for step_h in (1.0, 24.0, 48.0):
        history = History(np.arange(400.0) * step_h, symptoms(3)[:, None], limit_spread=0.1)
        p10, _, p90 = hours(RobustTrend().predict([history])[0])
        width.append((p90 - p10) / step_h)
    assert width[1] < 0.8 * width[0]
    assert width[2] == width[1], "each counts in full"


def test_a_machine_that_runs_above_an_uncertain_limit_has_a_higher_one() -> None:
    beyond = noisy(AGE / 1000.0, 4)
    assert against(beyond, 0.0).p90_h == 0.0
    p10, p50, p90 = hours(against(beyond, 0.5))
    assert 0.0 < p10 < p50 < p90
    assert against(beyond, 0.05).p90_h == 0.0, "surely above the limit"
    assert against(np.full(300, 1.1) + noisy(0 * AGE, 5), 0.5).p90_h == 0.0, "no growth that would end"


def test_another_forecasters_model_is_refused() -> None:
    state = RobustTrend().state().replace(b"r", b"R")
    with pytest.raises(ModelError, match="fit it again"):
        RobustTrend().load(state)
