"""A forecaster is judged on assets that it was not fitted on, beside the median life."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pytest

from forecasting.contract import Forecast, History, Run, Verdict
from forecasting.evaluation import FEWEST, evaluate


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


RUNS = [life(hours) for hours in (100, 110, 130, 150, 120, 140)]


def test_each_asset_is_forecast_by_a_model_that_did_not_see_it() -> None:
    Knows.fitted_on = []
    found = evaluate(Knows, RUNS, [1, 1, 2, 2, 3, 3])
    assert found is not None
    assert (found.failures, found.answered, found.mae_h, found.coverage) == (6, 1.0, 0.0, 1.0)
    assert found.dummy_mae_h > 5
    assert sorted(map(sorted, Knows.fitted_on)) == [
        [100, 110, 120, 140],
        [100, 110, 130, 150],
        [120, 130, 140, 150],
    ]


def test_lives_that_go_on_are_fitted_on_and_not_judged() -> None:
    Knows.fitted_on = []
    found = evaluate(Knows, [*RUNS, life(500, failed=False)], [1, 2, 3, 4, 5, 6, 7])
    assert found is not None
    assert found.failures == 6
    assert all(500 in runs for runs in Knows.fitted_on)


def test_a_forecaster_without_an_answer_has_no_score_but_that() -> None:
    found = evaluate(Silent, RUNS, [1, 2, 3, 4, 5, 6])
    assert found is not None
    assert (found.answered, found.as_json()["mae_h"]) == (0.0, None)


@pytest.mark.parametrize(("runs", "assets"), [(RUNS[: FEWEST - 1], [1, 2, 3]), (RUNS, [1] * 6), ([], [])])
def test_too_few_failures_or_machines_cannot_judge(runs: list[Run], assets: list[int]) -> None:
    assert evaluate(Knows, runs, assets) is None
