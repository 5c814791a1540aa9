"""A life learned from many failures in several regimes: what counts and what is refused."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from forecasting.contract import Forecast, History, ModelError, Run, Verdict
from forecasting.learned_life import LearnedLife
from forecasting.model_bytes import pack, unpack
from forecasting.stacked_life_arrays import SHAPES

Floats = NDArray[np.float64]

ROOT = Path(__file__).resolve().parents[2]

REGIMES = np.array([[0.0, 100.0], [20.0, 100.0], [42.0, 60.0]])
OFFSET = np.array([[0.0, 0.0], [50.0, -20.0], [10.0, 60.0]])
KIND = f"{LearnedLife.NAME}-{LearnedLife.VERSION}"


def engine(seed: int) -> Run:
    """Wear from an onset on, hidden below what the three regimes do to the sensors."""
    rng = np.random.default_rng([5, seed])
    healthy, failing = rng.integers(40, 120), rng.integers(50, 90)
    n = int(healthy + failing)
    wear = np.clip((np.arange(n) - healthy) / failing, 0, 1) ** 1.5
    regime = rng.integers(0, 3, n)
    sensors = np.outer(wear, [4.0, -3.0]) + rng.normal(0, 0.5, (n, 2)) + OFFSET[regime]
    return Run(History(np.arange(1.0, n + 1), np.column_stack([np.zeros(n), sensors]), REGIMES[regime]))


def cut(run: Run, n: int) -> History:
    history = run.history
    assert history.setting is not None
    return History(history.age_h[:n], history.x[:n], history.setting[:n])


def fitted(runs: list[Run], horizon: float = 60.0) -> LearnedLife:
    forecaster = LearnedLife(horizon)
    forecaster.fit(runs)
    return forecaster


RECORD = [engine(seed) for seed in range(24)]
MODEL = fitted(RECORD)
UNSEEN = [engine(seed) for seed in range(100, 130)]


def error(model: LearnedLife, runs: list[Run]) -> float:
    each = []
    for run in runs:
        true = np.minimum(run.history.age_h[-1] - run.history.age_h, 60.0)
        each.append(np.mean((model.along(run.history, [0.5])[:, 0] - true) ** 2))
    return float(np.sqrt(np.mean(each)))


def test_the_set_points_make_the_wear_visible() -> None:
    def without(run: Run) -> Run:
        return Run(History(run.history.age_h, run.history.x))

    blind = fitted([without(run) for run in RECORD])
    assert error(MODEL, UNSEEN) < 0.7 * error(blind, [without(run) for run in UNSEEN])


def test_each_row_of_a_history_is_forecast_as_if_it_were_the_last() -> None:
    whole = MODEL.along(UNSEEN[0].history, (0.1, 0.5, 0.9))
    for n in (5, 40, 77):
        (says,) = MODEL.predict([cut(UNSEEN[0], n)])
        assert (says.p10_h, says.p50_h, says.p90_h) == tuple(whole[n - 1].tolist())


def test_nothing_is_longer_than_the_horizon_and_a_new_asset_gets_it() -> None:
    said = np.vstack([MODEL.along(run.history, (0.05, 0.5, 0.95)) for run in UNSEEN])
    assert said.max() == 60.0
    assert np.median([MODEL.along(cut(run, 20), (0.95,))[-1, 0] for run in UNSEEN]) == 60.0


def test_intervals_hold_for_engines_not_seen() -> None:
    held = []
    for run in UNSEEN:
        true = np.minimum(run.history.age_h[-1] - run.history.age_h, 60.0)
        low, high = MODEL.along(run.history, (0.05, 0.95)).T
        held.append(((low <= true) & (true <= high)).mean())
    assert 0.85 <= float(np.mean(held)) <= 0.99


def test_near_failure_it_is_neither_late_nor_early() -> None:
    off = [np.array(MODEL.along(run.history, (0.5,))[-16:-1, 0]) - np.arange(15.0, 0.0, -1) for run in UNSEEN]
    assert abs(float(np.mean(off))) < 0.4


def test_a_model_of_an_earlier_release_weighs_its_opinions_alike_everywhere() -> None:
    arrays = unpack(KIND, MODEL.state(), SHAPES)
    said = []
    for weight in ([0.4, 0.6], [0.4, 0.6, 0.4, 0.6]):
        model = LearnedLife()
        model.load(pack(KIND, {**arrays, "weight": np.array(weight)}))
        said.append(model.along(UNSEEN[0].history, (0.1, 0.5, 0.9)))
    np.testing.assert_array_equal(said[0], said[1])


def test_other_columns_or_set_points_than_fitted_on_get_no_number() -> None:
    history = UNSEEN[0].history
    bare = History(history.age_h, history.x)
    (says,) = MODEL.predict([bare])
    assert says == Forecast(Verdict.TOO_LITTLE_DATA, basis="3 columns and 0 set-points, fitted on 3 and 2")
    with pytest.raises(ValueError, match="fitted on 3 and 2"):
        MODEL.along(bare, [0.5])
    with pytest.raises(ValueError, match="fit each kind"):
        LearnedLife().fit([*RECORD, Run(bare)])
    with pytest.raises(ValueError, match="0 of 8 failures"):
        LearnedLife().along(history, [0.5])


def test_what_no_wear_explains_gets_no_number() -> None:
    history = UNSEEN[0].history
    odd = History(history.age_h, history.x + np.array([0.0, 40.0, 0.0]), history.setting)
    (says,) = MODEL.predict([odd])
    assert says == Forecast(Verdict.TOO_LITTLE_DATA, basis="unlike the 24 failures on record")


def test_seven_failures_are_too_few_and_censored_runs_are_none() -> None:
    censored = [Run(run.history, failed=False) for run in RECORD[7:]]
    (says,) = fitted(RECORD[:7] + censored).predict([cut(UNSEEN[0], 50)])
    assert says == Forecast(Verdict.TOO_LITTLE_DATA, basis="7 of 8 failures on record")


@pytest.mark.parametrize("name", list(SHAPES))
def test_arrays_that_do_not_belong_together_are_refused(name: str) -> None:
    arrays = unpack(KIND, MODEL.state(), SHAPES)
    wrong = [arrays[name][:-1]]
    if arrays[name].dtype == np.float64:
        wrong.append(np.full_like(arrays[name], np.nan))
    for array in wrong:
        with pytest.raises(ModelError, match="fit it again"):
            LearnedLife().load(pack(KIND, arrays | {name: array}))


def test_trees_of_other_features_are_refused() -> None:
    fewer = fitted(
        [Run(History(run.history.age_h, run.history.x[:, :2], run.history.setting)) for run in RECORD]
    )
    arrays, other = (unpack(KIND, model.state(), SHAPES) for model in (MODEL, fewer))
    with pytest.raises(ModelError, match="features"):
        LearnedLife().load(pack(KIND, arrays | {"trees": other["trees"]}))


def test_a_process_that_only_knows_the_forecasters_carries_no_lightgbm() -> None:
    said = (
        'import sys; from forecasting.catalog import catalog; catalog(); assert "lightgbm" not in sys.modules'
    )
    subprocess.run([sys.executable, "-c", said], check=True, cwd=ROOT)
