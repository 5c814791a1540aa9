"""A model and the champion are held against each other only on lives that neither has seen."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from console.model_trial import on_record
from console.training import Record
from fleet.clock import microseconds
from fleet.model_scope import Scope
from forecasting.conformal import ConformalLife
from forecasting.robust_trend import RobustTrend
from storage.models import Model
from streams.simulator.histories import run_to_failure

NOW = datetime(2026, 5, 1, tzinfo=UTC)
LIFTS = Scope("elevator")
RUNS = run_to_failure("elevator", 14, 5)
RECORD = Record(
    RUNS,
    list(range(len(RUNS))),
    [microseconds(NOW + timedelta(days=n)) for n in range(len(RUNS))],
    np.zeros(0, np.int64),
    np.zeros(0),
)


def model(forecaster: str, version: int, scope: Scope = LIFTS, days: int = 99) -> Model:
    lineage: dict[str, Any] = {"to": (NOW + timedelta(days=days)).isoformat()}
    return Model(*scope, forecaster, version, lineage, NOW)


NEW = model("conformal_life", 2)


def test_the_very_fit_that_answers_is_judged_on_what_came_after_it() -> None:
    champion = ConformalLife()
    champion.fit(RUNS[:8])
    (where, found), *_ = on_record(RECORD, NEW, model("conformal_life", 1, days=7), champion).items()
    assert where == "that ended since the fit of conformal_life:1"
    assert found.lives == 6
    assert 0 < found.champion_mae_h < np.inf


def test_of_the_same_forecaster_on_the_same_record_nothing_can_be_said() -> None:
    (found,) = on_record(RECORD, NEW, model("conformal_life", 1), ConformalLife()).values()
    assert found.lives == 0


def test_another_forecaster_is_asked_about_the_machines_that_both_left_out() -> None:
    (where, found), *_ = on_record(RECORD, NEW, model("robust_trend", 1), RobustTrend()).items()
    assert where == "left out of both fits"
    assert found.lives > 5
    assert found.mae_h < found.champion_mae_h  # the simulated wear is not linear


def test_the_types_model_has_seen_a_customers_machines_too() -> None:
    own = model("conformal_life", 2, Scope("elevator", "acme"))
    (where, found), *_ = on_record(RECORD, own, model("robust_trend", 1), RobustTrend()).items()
    assert where.startswith("that ended since the fit")
    assert found.lives == 0
