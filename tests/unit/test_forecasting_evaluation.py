"""The published measures, worked out by hand; and forecasters on assets that they were not fitted on."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from forecasting.contract import Forecast, History, Run, Verdict
from forecasting.evaluation import (
    FEWEST,
    PARTS,
    Evaluation,
    alpha_lambda,
    ask,
    coverage,
    evaluation,
    judged,
    left_out,
    mean_error,
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


class Knows:
    """Says the life left as column 0 has it, so the error is nothing; what it was fitted on is on record."""

    NAME: ClassVar[str] = "knows"
    VERSION: ClassVar[int] = 1
    fitted_on: ClassVar[list[list[float]]] = []

    def fit(self, runs: Sequence[Run]) -> None:
        self.fitted_on.append([float(run.history.x[0, 0]) for run in runs])

    def predict(self, histories: Sequence[History]) -> list[Forecast]:
        left = [float(h.x[-1, 0]) for h in histories]
        return [Forecast(Verdict.ESTIMATE, 0.9 * life, life, 1.1 * life) for life in left]

    def state(self) -> bytes:
        return b""

    def load(self, state: bytes) -> None: ...


class Silent(Knows):
    NAME = "silent"

    def predict(self, histories: Sequence[History]) -> list[Forecast]:
        return [Forecast(Verdict.NO_TREND) for _ in histories]


def life(hours: int, failed: bool = True) -> Run:
    age = np.arange(hours + 1, dtype=np.float64)
    return Run(History(age, (hours - age)[:, None]), failed)


def found_for(make: type[Knows], runs: list[Run], assets: list[int]) -> Evaluation:
    said = left_out(make, runs, assets)
    assert said is not None
    return evaluation(said)


RUNS = [life(hours) for hours in (100, 110, 130, 150, 120, 140)]


def test_each_asset_is_forecast_by_a_model_that_did_not_see_it() -> None:
    Knows.fitted_on = []
    found = found_for(Knows, RUNS, [1, 1, 2, 2, 3, 3])
    assert (found.failures, found.answered, found.mae_h, found.coverage) == (6, 1.0, 0.0, 1.0)
    assert found.dummy_mae_h > 5
    assert sorted(map(sorted, Knows.fitted_on)) == [
        [100, 110, 120, 140],
        [100, 110, 130, 150],
        [120, 130, 140, 150],
    ]


def test_lives_that_go_on_are_fitted_on_and_not_judged() -> None:
    Knows.fitted_on = []
    found = found_for(Knows, [*RUNS, life(500, failed=False)], [1, 2, 3, 4, 5, 6, 7])
    assert found.failures == 6
    assert all(500 in runs for runs in Knows.fitted_on)


def test_a_forecaster_without_an_answer_has_no_score_but_that() -> None:
    found = found_for(Silent, RUNS, [1, 2, 3, 4, 5, 6])
    assert (found.answered, found.as_json()["mae_h"]) == (0.0, None)


@pytest.mark.parametrize(("runs", "assets"), [(RUNS[: FEWEST - 1], [1, 2, 3]), (RUNS, [1] * 6), ([], [])])
def test_too_few_failures_or_machines_cannot_judge(runs: list[Run], assets: list[int]) -> None:
    assert left_out(Knows, runs, assets) is None


def test_whoever_is_asked_the_answers_are_by_life_and_instant() -> None:
    said, other = left_out(Knows, RUNS, [3, 1, 2, 3, 1, 2]), left_out(Silent, RUNS, [3, 1, 2, 3, 1, 2])
    assert said is not None
    assert other is not None
    assert said.life.tolist() == [n for n in range(len(RUNS)) for _ in PARTS]
    assert other.left_h.tolist() == said.left_h.tolist()
    asked = ask(Knows(), RUNS, judged(RUNS)[:2])
    assert asked.left_h.tolist() == said.of([0, 1]).left_h.tolist() == asked.p50_h.tolist()
    assert len(ask(Knows(), RUNS, []).life) == 0


def test_mean_error() -> None:
    assert mean_error(floats(3, -5), floats(0, 0)) == 4.0
