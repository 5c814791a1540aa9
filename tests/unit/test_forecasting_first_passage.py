"""Counters that only grow: at which pace, with which band, and what is none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from forecasting.contract import Forecast, History, Verdict
from forecasting.first_passage import FirstPassage
from forecasting.robust_trend import RobustTrend

Floats = NDArray[np.float64]


def ask(age: Floats, level: Floats) -> Forecast:
    return FirstPassage().predict([History(age, level[:, None])])[0]


def used(days: Floats) -> tuple[Floats, Floats]:
    """A counter read every two hours that grows by `days` (n,) between six and eighteen o'clock."""
    hours = np.zeros((len(days), 12))
    hours[:, 3:9] = days[:, None] / 6.0
    level = np.append(0.0, np.cumsum(hours)).astype(np.float64)
    return np.arange(0.0, 2.0 * len(level), 2.0), level


def life(seed: int, weekend: float = 1.0) -> tuple[Floats, Floats]:
    """A counter's whole life: scattered days of use, another pace on two days a week, 1 at the end."""
    rng = np.random.default_rng([21, seed])
    pace = np.where((np.arange(500) + rng.integers(7)) % 7 < 5, 1.0, weekend) / rng.uniform(30.0, 90.0)
    age, level = used(pace * rng.gamma(4.0, 0.25, 500))
    end = int(np.argmax(level >= 1.0))
    return age[: end + 1], np.minimum(level[: end + 1], 1.0)


def test_clockwork_goes_on_as_it_went() -> None:
    age = np.arange(0.0, 500.0)
    said = ask(age, age / 1000.0)
    assert (said.verdict, said.basis) == (Verdict.ESTIMATE, "use in the last 480 h")
    assert [said.p10_h, said.p50_h, said.p90_h] == pytest.approx([501.0] * 3, rel=0.01)


@given(st.floats(1e-3, 1.0), st.floats(0.1, 0.9))
def test_the_unit_of_a_short_history_does_not_matter(unit: float, now: float) -> None:
    age = np.linspace(0.0, 100.0, 60)
    level = now * (age / 100.0) ** 1.1
    one, other = ask(age, level), ask(age * unit, level)
    assert (other.p50_h or 0.0) == pytest.approx(unit * (one.p50_h or 0.0), rel=1e-6)


def test_nights_and_weekends_are_not_taken_for_wear_that_stops() -> None:
    working = np.tile([1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0], 8) / 100.0
    friday, sunday = (ask(*used(working[:n])) for n in (54, 56))
    assert (friday.p90_h or np.inf) / (friday.p10_h or 0.0) < 1.2
    assert (friday.p50_h or 0.0) == pytest.approx((1 - 0.4) / 0.05 * 168.0, rel=0.05)
    assert (sunday.p50_h or 0.0) == pytest.approx(friday.p50_h or 0.0, rel=0.05)


def test_the_pace_of_late_counts() -> None:
    slow_then_fast = np.concatenate([np.full(200, 0.001), np.full(60, 0.004)])
    said = ask(*used(slow_then_fast))
    assert (said.p50_h or 0.0) == pytest.approx((1 - 0.2 - 0.24) / 0.004 * 24.0, rel=0.05)


@pytest.mark.parametrize("weekend", [1.0, 0.2])
def test_the_band_holds_the_truth_as_often_as_it_says_and_the_trend_is_further_off(weekend: float) -> None:
    parts = np.random.default_rng(3).uniform(0.3, 0.95, 100)
    cases = []
    for seed, part in enumerate(parts.tolist()):
        age, level = life(seed, weekend)
        n = int(part * len(age))
        cases.append((History(age[:n], level[:n, None]), float(age[-1] - age[n - 1])))
    histories, left = [history for history, _ in cases], np.array([hours for _, hours in cases])
    said, trend = FirstPassage().predict(histories), RobustTrend().predict(histories)
    held = [(f.p10_h or 0.0) <= true <= (f.p90_h or 0.0) for f, true in zip(said, left, strict=True)]
    assert 0.76 <= np.mean(held) <= 0.95
    off, off_trend = (np.mean(np.abs(left - [f.p50_h or 0.0 for f in each])) for each in (said, trend))
    assert off < 0.8 * off_trend


def test_what_is_reset_counts_from_there() -> None:
    age = np.arange(0.0, 1000.0)
    level = np.where(age < 600.0, age / 700.0, (age - 600.0) / 2000.0)
    said = ask(age, level)
    assert said.basis == "use in the last 384 h"
    assert (said.p50_h or 0.0) == pytest.approx(1601.0, rel=0.005)


def test_a_counter_that_stands_still_has_no_trend() -> None:
    age = np.arange(0.0, 3000.0, 4.0)
    stopped = ask(age, np.minimum(age / 2000.0, 0.3))
    assert stopped == Forecast(Verdict.NO_TREND, basis="no use in the last 1344 h")
    assert ask(age, np.full(len(age), 0.3)).verdict is Verdict.NO_TREND


def test_hardly_any_use_lasts_longer_than_can_be_said() -> None:
    age = np.arange(0.0, 480.0)
    said = ask(age, age * 1e-6)
    assert (said.verdict, said.p10_h) == (Verdict.MORE_THAN, 20 * 479.0)


def test_what_falls_is_no_counter_and_left_to_the_trend() -> None:
    age = np.arange(0.0, 400.0, 4.0)
    noisy = History(age, (age / 800.0 + np.random.default_rng(1).normal(0.0, 0.02, 100))[:, None])
    assert FirstPassage().predict([noisy]) == RobustTrend().predict([noisy])
