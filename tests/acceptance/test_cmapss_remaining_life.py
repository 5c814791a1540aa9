"""Remaining life of turbofan engines (C-MAPSS FD001), learned from 100 failures, for 100 engines not seen.

Chosen on train_FD001 alone, by leaving engines out: the features, the regression and its width. Fitted on
train_FD001 alone: the degradation level (ridge regression of the fraction of life on the sensors that vary)
and everything inside `ConformalLife`. The test engines and their true lives are used once, for the scores
printed here; nothing was tuned on them. Hours stand for flight cycles.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from console.bench.remaining_life.cmapss import CAP as LEARNED_CAP
from console.bench.remaining_life.cmapss import learned, read
from forecasting.conformal import ConformalLife
from forecasting.contract import Forecast, History, Run, Verdict
from forecasting.evaluation import nasa_score

Floats = NDArray[np.float64]

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "cmapss"

FIRST_SENSOR = 5
RIDGE = 10.0
CAP = 125.0
"""Most papers cut predicted and true lives here: new engines cannot be told from each other."""

BELOW_LIMIT = 0.999
"""The level is an estimate: only the failure itself ends a life."""


def engines(name: str) -> list[Floats]:
    """Rows (cycles, columns) of each engine; columns: unit, cycle, three settings, 21 sensors."""
    if not DATA.is_dir():
        pytest.skip(f"the C-MAPSS data set is not at {DATA}")
    rows = np.loadtxt(DATA / name)
    return [rows[rows[:, 0] == unit] for unit in np.unique(rows[:, 0])]


class Level:
    """Fraction of life used, as the sensors of one instant show it."""

    def __init__(self, lives: list[Floats]) -> None:
        rows = np.vstack(lives)[:, FIRST_SENSOR:]
        self.varying = np.flatnonzero(rows.std(axis=0) > 1e-8)
        self.mean, self.scale = rows[:, self.varying].mean(axis=0), rows[:, self.varying].std(axis=0)
        z, used = self.sensors(np.vstack(lives)), np.concatenate([life[:, 1] / life[-1, 1] for life in lives])
        self.middle = used.mean()
        self.weight = np.linalg.solve(z.T @ z + RIDGE * np.eye(z.shape[1]), z.T @ (used - self.middle))

    def sensors(self, rows: Floats) -> Floats:
        return np.asarray((rows[:, FIRST_SENSOR:][:, self.varying] - self.mean) / self.scale)

    def history(self, rows: Floats) -> History:
        """The level, then the sensors."""
        z = self.sensors(rows)
        level = np.clip(self.middle + z @ self.weight, 0.0, BELOW_LIMIT)
        return History(rows[:, 1], np.column_stack([level, z]))


def quantiles(forecasts: list[Forecast]) -> Floats:
    return np.array([(f.p10_h, f.p50_h, f.p90_h) for f in forecasts], np.float64)


def by_age(lives: list[Floats], age: float) -> float:
    """What is left on average to the training engines that reached this age."""
    left = [life[-1, 1] - age for life in lives if life[-1, 1] > age]
    return float(np.mean(left)) if left else 0.0


def scores(predicted: Floats, true: Floats) -> tuple[float, float]:
    """RMSE with both cut at CAP, and as they are."""
    capped = np.minimum(predicted, CAP) - np.minimum(true, CAP)
    return float(np.sqrt((capped**2).mean())), float(np.sqrt(((predicted - true) ** 2).mean()))


def lines(found: dict[str, tuple[float, float, float, float]]) -> Iterator[str]:
    yield f"{'FD001, last cycle':20}{'RMSE capped':>13}{'uncapped':>10}{'coverage':>10}{'width':>8}"
    for name, (capped, plain, held, width) in found.items():
        yield f"{name:20}{capped:13.2f}{plain:10.2f}{held:10.2f}{width:8.1f}"


def judged(bounds: Floats, true: Floats) -> tuple[float, float, float, float]:
    """RMSE capped and not, coverage and mean width of bounds (n, 3)."""
    held = float(((bounds[:, 0] <= true) & (true <= bounds[:, 2])).mean())
    return *scores(bounds[:, 1], true), held, float((bounds[:, 2] - bounds[:, 0]).mean())


def test_remaining_life_of_unseen_engines_is_right_and_honest() -> None:
    lives, asked = engines("train_FD001.txt"), engines("test_FD001.txt")
    true = np.loadtxt(DATA / "RUL_FD001.txt")
    level, forecaster = Level(lives), ConformalLife()
    forecaster.fit([Run(level.history(life)) for life in lives])
    forecasts = forecaster.predict([level.history(rows) for rows in asked])
    assert all(forecast.verdict is Verdict.ESTIMATE for forecast in forecasts)

    left = np.concatenate([life[-1, 1] - life[:, 1] for life in lives])
    constant = np.tile([np.quantile(left, 0.1), left.mean(), np.quantile(left, 0.9)], (len(true), 1))
    aged = np.array([by_age(lives, float(rows[-1, 1])) for rows in asked])
    found = {
        "conformal_life": judged(quantiles(forecasts), true),
        "constant": judged(constant.astype(np.float64), true),
        "age alone": judged(np.column_stack([aged, aged, aged]), true),
    }
    print("\n" + "\n".join(lines(found)))

    capped, plain, held, width = found["conformal_life"]
    assert capped <= 20.0
    assert capped < 0.5 * min(found["constant"][0], found["age alone"][0])
    assert plain < 0.75 * min(found["constant"][1], found["age alone"][1])
    assert 0.70 <= held <= 0.92
    assert width < 0.5 * found["constant"][3]


def test_many_failures_beat_the_published_best() -> None:
    """`faultline bench remaining-life` does this for all subsets, out of fold too."""
    if not DATA.is_dir():
        pytest.skip(f"the C-MAPSS data set is not at {DATA}")
    record = next(record for record in read(DATA) if record.name == "FD001")
    say = learned(list(record.runs.values()))
    bounds = np.array([say(history)[-1] for history in record.asked.values()])
    true = np.minimum(list(record.left.values()), LEARNED_CAP)
    capped, _, held, width = judged(bounds, true)
    print(f"\nlearned_life, FD001: RMSE {capped:.2f}, coverage {held:.2f}, width {width:.1f}")
    assert capped <= 10.5
    assert nasa_score(bounds[:, 1], true) <= 165
    assert 0.82 <= held <= 0.98  # three standard errors of 100 engines
    assert width <= 25
