"""A survival prior is held against machines that it did not learn from, those that still run included."""

import numpy as np
import pytest

from fleet.model_gate import prior_objections
from forecasting.contract import History, Run
from forecasting.prior_calibration import calibration
from forecasting.weibull_life import WeibullLife


def run(hours: float, failed: bool = True) -> Run:
    return Run(History(np.linspace(0.0, hours, 30), np.zeros((30, 1))), failed)


def against(runs: list[Run]) -> list[str]:
    found = calibration(runs, list(range(len(runs))))
    return prior_objections(found.as_json() if found else None)


def test_the_residual_is_minus_the_logarithm_of_the_survival() -> None:
    """Four failures 20 % apart and Weibull's law of them: their median has about half of the lives left."""
    prior = WeibullLife()
    prior.fit([run(hours) for hours in (800, 960, 1150, 1380)])
    young, middle, old = (prior.hazard(run(hours)) for hours in (1, 1060, 3000))
    assert young == pytest.approx(0.0, abs=1e-3)
    assert middle == pytest.approx(np.log(2), abs=0.25)
    assert old is not None
    assert old > 4
    assert WeibullLife().hazard(run(1000)) is None


def test_priors_of_weibull_lives_are_kept_however_many_machines_still_run() -> None:
    rng = np.random.default_rng(3)
    kept = []
    for stop in (700.0, 1000.0, 4000.0):
        for _ in range(5):
            life = 1000 * rng.weibull(2.5, 24)
            kept.append(not against([run(min(one, stop), bool(one < stop)) for one in life]))
    assert sum(kept) >= 14


def test_failures_at_one_hour_are_no_law_of_lives() -> None:
    runs = [run(1.0)] * 4 + [run(1100, failed=False)] * 8
    found = calibration(runs, list(range(12)))
    assert found is not None
    assert found.coverage == 0.0
    assert "all 4 failures came at the same age (0% of them between P10 and P90)" in against(runs)[0]
    assert "give no law of lives" in against([run(1000.0)] * 4 + [run(500, failed=False)] * 8)[0]


def test_machines_that_outlast_what_the_others_say_speak_against_it() -> None:
    runs = [run(hours) for hours in (1000, 1004, 1008, 1012)] + [run(9000, failed=False)]
    (why,) = against(runs)
    assert why.startswith("4 machines failed")


def test_failures_much_earlier_than_the_others_say_speak_against_it() -> None:
    runs = [run(hours) for hours in (1.0, 2.5, 3.0, 4.5)] + [run(1100, failed=False)] * 8
    assert any("before P10" in why for why in against(runs))


def test_too_few_failures_cannot_judge() -> None:
    assert calibration([run(900), run(1000), run(1100), run(1200, failed=False)], [1, 2, 3, 4]) is None
    assert calibration([run(900), run(1000), run(1100), run(1200)], [1, 1, 1, 1]) is None
