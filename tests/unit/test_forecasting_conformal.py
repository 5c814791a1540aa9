"""Lives learned from failures: what counts, what is refused, what the features see."""

import numpy as np
import pytest

from forecasting.conformal import ConformalLife
from forecasting.contract import Forecast, History, ModelError, Run, Verdict
from forecasting.life_features import life_features
from forecasting.model_bytes import pack, unpack


def life(seed: int, step_h: float = 4.0) -> Run:
    """Wear at a rate of its own; column 1 tells the rate from the start, column 2 is noise."""
    rng = np.random.default_rng(seed)
    rate = rng.uniform(0.7, 1.4) / 600.0
    age = np.append(np.arange(0.0, 1.0 / rate, step_h), 1.0 / rate)
    level = np.minimum(age * rate, 1.0) ** 2
    x = np.column_stack([level, np.full(len(age), rate * 600.0), np.zeros(len(age))])
    x[:-1] += rng.normal(0.0, 0.02, (len(age) - 1, 3))
    x[:, 0] = np.minimum(x[:, 0], 0.999)
    x[-1, 0] = 1.0
    return Run(History(age, x))


def columns(run: Run, k: int) -> Run:
    return Run(History(run.history.age_h, run.history.x[:, :k]), run.failed)


def early(run: Run, part: float = 0.4) -> tuple[History, float]:
    age, n = run.history.age_h, int(part * len(run.history.age_h))
    return History(age[:n], run.history.x[:n]), float(age[-1] - age[n - 1])


def fitted(runs: list[Run]) -> ConformalLife:
    forecaster = ConformalLife()
    forecaster.fit(runs)
    return forecaster


RECORD = [life(seed) for seed in range(20)]


def test_seven_failures_are_too_few_however_many_still_run() -> None:
    running = [Run(life(seed).history, failed=False) for seed in range(50, 70)]
    (says,) = fitted(RECORD[:7] + running).predict([early(life(99))[0]])
    assert says == Forecast(Verdict.TOO_LITTLE_DATA, basis="7 of 8 failures on record")
    assert fitted(RECORD[:8]).predict([early(life(99))[0]])[0].verdict is Verdict.ESTIMATE


def test_a_censored_run_is_not_a_failure() -> None:
    censored = [Run(early(life(seed))[0], failed=False) for seed in range(50, 70)]
    assert fitted(RECORD + censored).state() == fitted(RECORD).state()


def test_other_columns_sharpen_the_forecast() -> None:
    def error(k: int) -> float:
        forecaster = fitted([columns(run, k) for run in RECORD])
        cases = [early(columns(life(seed), k), 0.3) for seed in range(100, 140)]
        said = forecaster.predict([history for history, _ in cases])
        return float(
            np.mean([abs((f.p50_h or 0.0) - true) for f, (_, true) in zip(said, cases, strict=True)])
        )

    assert error(3) < 0.7 * error(1)


def test_an_asset_unlike_all_on_record_gets_no_number() -> None:
    history, _ = early(life(99))
    odd = History(history.age_h, history.x + np.array([0.0, 3.0, 0.0]))
    old = History(history.age_h + 5000.0, history.x)
    for says in fitted(RECORD).predict([odd, old]):
        assert says == Forecast(Verdict.TOO_LITTLE_DATA, basis="unlike the 20 failures on record")


def test_other_columns_than_fitted_on_get_no_number() -> None:
    (says,) = fitted(RECORD).predict([early(columns(life(99), 2))[0]])
    assert says == Forecast(Verdict.TOO_LITTLE_DATA, basis="2 columns, fitted on 3")
    with pytest.raises(ValueError, match="numbers of columns"):
        ConformalLife().fit([*RECORD, columns(life(99), 2)])


def test_another_sampling_rate_changes_little() -> None:
    forecaster = fitted(RECORD)
    for seed in range(100, 110):
        history, true = early(life(seed), 0.6)
        thin = History(history.age_h[::-3][::-1], history.x[::-3][::-1])
        dense_says, thin_says = forecaster.predict([history, thin])
        assert abs((dense_says.p50_h or 0.0) - (thin_says.p50_h or 0.0)) < 0.25 * true


def test_features_see_nothing_later() -> None:
    run = life(5).history
    whole = life_features(run.age_h, run.x, 600.0)
    for n in (1, 2, 10, 77):
        np.testing.assert_array_equal(life_features(run.age_h[:n], run.x[:n], 600.0), whole[:n])


def test_features_of_a_straight_line_are_its_mean_slope_and_rise() -> None:
    age = np.arange(101.0)
    last = life_features(age, age[:, None] / 100.0, 100.0)[-1]
    short, middle, long, slope_middle, slope_long, deviation, life_part = last
    assert (short, middle, long) == pytest.approx((0.98, 0.93, 0.805))
    assert (slope_middle, slope_long) == pytest.approx((0.15, 0.4))
    assert deviation == pytest.approx(0.93 - 0.035)
    assert life_part == 1.0


@pytest.mark.parametrize("name", ["life", "column", "feature", "centre", "weight", "error", "quantile"])
def test_arrays_that_do_not_belong_together_are_refused(name: str) -> None:
    forecaster = fitted(RECORD)
    kind = f"{ConformalLife.NAME}-{ConformalLife.VERSION}"
    model = forecaster._model
    assert model is not None
    arrays = unpack(kind, forecaster.state(), model.arrays())
    for wrong in (arrays[name][:-1], np.full_like(arrays[name], np.nan)):
        with pytest.raises(ModelError, match="belong together"):
            ConformalLife().load(pack(kind, arrays | {name: wrong}))


def test_an_unfitted_model_remembers_how_many_failures_there_were() -> None:
    loaded = ConformalLife()
    loaded.load(fitted(RECORD[:3]).state())
    assert loaded.predict([early(life(99))[0]])[0].basis == "3 of 8 failures on record"
