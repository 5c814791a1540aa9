"""Lives at a pace of their own: wear tells the pace where it can, the law of the lives decides elsewhere."""

import numpy as np
import pytest
from numpy.typing import NDArray

from forecasting.contract import Forecast, History, ModelError, Run, Verdict
from forecasting.model_bytes import pack
from forecasting.scaled_life import SHAPES, ScaledLife

Floats = NDArray[np.float64]

PROBABILITIES = np.array([0.05, 0.5, 0.95])


def run(hours: float, seed: int = 0, wears: bool = True, noise: float = 0.01, failed: bool = True) -> Run:
    """A life whose level rises as the square of its part, or only says noise."""
    part = np.linspace(0.005, 1.0, 200)
    level = 0.9 * part**2 if wears else np.zeros(200)
    level = level + np.random.default_rng([3, seed]).normal(0.0, noise, 200)
    return Run(History(hours * part, level[:, None]), failed)


def cut(whole: Run, part: float) -> History:
    n = int(part * len(whole.history.age_h))
    return History(whole.history.age_h[:n], whole.history.x[:n])


def fitted(*runs: Run) -> ScaledLife:
    model = ScaledLife()
    model.fit(runs)
    return model


def only(model: ScaledLife, history: History) -> Forecast:
    (said,) = model.predict([history])
    return said


PACES = [run(hours, seed) for seed, hours in enumerate((400.0, 1000.0, 600.0, 1500.0))]


@pytest.mark.parametrize("hours", [500.0, 900.0, 1300.0])
def test_wear_tells_the_pace_of_a_life(hours: float) -> None:
    said = only(fitted(*PACES), cut(run(hours, 9), 0.6))
    assert said.verdict is Verdict.ESTIMATE
    assert said.p50_h == pytest.approx(0.4 * hours, rel=0.15)
    assert (said.p10_h or 0.0) <= 0.4 * hours <= (said.p90_h or 0.0)


def test_where_wear_says_nothing_the_lives_do() -> None:
    alike = [run(hours, seed, wears=False) for seed, hours in enumerate((980.0, 1000.0, 1010.0, 1020.0))]
    left = fitted(*alike).ahead(cut(run(1000.0, 9, wears=False), 0.5)).quantiles(PROBABILITIES)
    assert left[1] == pytest.approx(500.0, rel=0.03)
    assert left[2] - left[0] < 200.0


def test_a_column_of_noise_does_not_hide_the_wear() -> None:
    def with_noise(own: Run, seed: int) -> Run:
        beside = np.random.default_rng([4, seed]).normal(0.0, 5.0, (len(own.history.x), 1)).cumsum(axis=0)
        return Run(History(own.history.age_h, np.hstack([own.history.x, beside])))

    model = fitted(*(with_noise(own, seed) for seed, own in enumerate(PACES)))
    left = model.ahead(cut(with_noise(run(1300.0, 9), 9), 0.8)).quantiles(PROBABILITIES)
    assert left[1] == pytest.approx(260.0, rel=0.35)


def test_those_that_still_run_make_forecasts_longer() -> None:
    history = cut(run(900.0, 9, wears=False), 0.5)
    lives = [run(hours, seed, wears=False) for seed, hours in enumerate((400.0, 600.0, 1000.0))]
    running = run(2000.0, 7, wears=False, failed=False)
    shorter, longer = (fitted(*runs).ahead(history) for runs in (lives, [*lives, running]))
    assert (longer.quantiles(PROBABILITIES) > shorter.quantiles(PROBABILITIES)).all()


def test_what_may_be_left_sums_up_to_certainty() -> None:
    ahead = fitted(*PACES).ahead(cut(run(900.0, 9), 0.5))
    assert ahead.chance.sum() == pytest.approx(1.0)
    assert ahead.hours[0] == 0.0
    assert (np.diff(ahead.hours) >= 0).all()


def test_three_failures_are_needed_for_a_forecast_and_one_to_be_asked() -> None:
    history = cut(run(900.0, 9), 0.5)
    assert only(fitted(*PACES[:3]), history).basis == "3 failures on record"
    assert only(fitted(*PACES[:2]), history) == Forecast(
        Verdict.TOO_LITTLE_DATA, basis="2 of 3 failures on record"
    )
    assert 0 < fitted(PACES[0]).ahead(cut(run(300.0, 9), 0.5)).quantiles(PROBABILITIES)[1] < 500
    with pytest.raises(ValueError, match="no failure on record"):
        ScaledLife().ahead(history)


def test_it_says_what_it_does_not_know() -> None:
    model = fitted(*PACES)
    age = np.arange(1.0, 101.0)
    assert only(model, History(20 * age, np.zeros((100, 1)))).basis == "older than all runs on record"
    assert only(model, History(age, np.full((100, 1), -3.0))).basis == "unlike the 4 failures on record"
    assert only(model, History(age, np.zeros((100, 2)))).basis == "2 columns, fitted on 1"
    assert only(model, History(age[:3], np.zeros((3, 1)))).basis == "3 of 5 points"
    with pytest.raises(ValueError, match="needs 5 rows of 1 columns"):
        model.ahead(History(age, np.zeros((100, 2))))
    with pytest.raises(ValueError, match="different numbers of columns"):
        model.fit([PACES[0], Run(History(age, np.zeros((100, 2))))])


def test_nothing_is_said_far_beyond_the_record() -> None:
    lives = [run(hours, seed, wears=False) for seed, hours in enumerate((10.0, 100.0, 1000.0))]
    said = only(fitted(*lives), cut(run(1400.0, 9, wears=False), 0.6))
    assert (said.verdict, said.p90_h) == (Verdict.MORE_THAN, None)
    assert 0 < (said.p10_h or 0.0) < 3000.0


def test_saved_arrays_that_do_not_belong_together_are_refused() -> None:
    good = fitted(*PACES)
    loaded = ScaledLife()
    loaded.load(good.state())
    history = cut(run(900.0, 9), 0.5)
    assert only(loaded, history) == only(good, history)
    for wrong in ({"curve": np.zeros((2, 3, 1))}, {"noise": np.array([np.nan])}, {"span": np.zeros(3)}):
        with pytest.raises(ModelError, match="do not belong together"):
            loaded.load(pack("scaled_life-1", SHAPES | wrong))
