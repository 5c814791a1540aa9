"""Novel values: what a channel never showed is told, what it showed long ago is known."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors.contract import Samples, Scores
from detectors.novelty import Novelty
from detectors.novelty_rows import DELAY, REMEMBERED, _remember
from tests.contract.detector_suite import CHECKS as CONTRACT
from tests.contract.detector_suite import (
    Make,
    check_prior,
    check_promise,
    check_sees_a_shift,
    rows,
)

LASTING = (check_prior, check_sees_a_shift, check_promise)
"""Checks that ask for a verdict that lasts as long as a shift does; what takes their place is below."""

CHECKS = [check for check in CONTRACT if check not in LASTING]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_it_keeps_what_the_contract_asks_of_any_detector(check: Callable[[Make], None]) -> None:
    check(Novelty)


def scores(x: NDArray[np.floating], detector: Novelty | None = None) -> Scores:
    detector = detector or Novelty(x.shape[1])
    return detector.update(rows(np.zeros(len(x)), x))


def two_levels(n: int, channels: int = 1) -> NDArray[np.float64]:
    """Values near 20 and near 80, never in between."""
    rng = np.random.default_rng(4)
    return np.where(rng.random((n, channels)) < 0.5, 20.0, 80.0) + rng.normal(size=(n, channels))


def test_a_value_between_the_usual_ones_is_news_though_it_is_no_extreme() -> None:
    x = two_levels(1500, 2)
    x[1200, 1] = 50.0
    found = scores(x)
    assert found.score[1200] > 5
    assert found.score[1200] > 2 * np.delete(found.score[900:], 300).max()
    assert np.argmax(found.contribution[1200]) == 1
    assert found.observed[1200, 1] == 50.0


def test_known_values_in_an_order_that_never_was_are_news() -> None:
    rng = np.random.default_rng(8)
    x = np.tile([10.0, 20.0, 30.0, 40.0], 400)[:, None] + rng.normal(0, 0.3, (1600, 1))
    x[1402] = 20.0 + rng.normal(0, 0.3)  # a second 20 in the place of 30
    score = scores(x).score
    assert score[1402] > 2.5
    assert score[1402] > 1.5 * np.delete(score[600:], [802, 803]).max()


def test_a_level_that_stays_is_news_once() -> None:
    x = np.random.default_rng(5).normal(size=(1500, 1))
    x[1000:] += 8
    score = scores(x).score
    assert score[1000] > 5
    assert np.median(score[1000 + 2 * DELAY :]) < 1


def test_on_healthy_values_the_score_is_a_probability() -> None:
    x = np.random.default_rng(6).normal(size=(20_000, 1))
    score = scores(x).score[1000:]
    for level in (1.0, 2.0):
        assert np.mean(score > level) <= 2 * 10**-level
    assert np.mean(score > 0.3) >= 0.05


def test_a_constant_channel_that_moves_is_news() -> None:
    x = np.full((800, 1), 7.0)
    x[700] = 7.5
    score = scores(x).score
    assert np.all(score[300:700] < 0.01)
    assert score[700] > 2


def test_a_new_machine_is_judged_by_what_the_fleet_showed() -> None:
    detector = Novelty(1)
    detector.fit(two_levels(1500).astype(np.float32), np.zeros(1500, np.int16))
    x = two_levels(40)
    x[30] = 50.0
    score = scores(x, detector).score
    assert np.isfinite(score).all()
    assert score[30] > 5
    assert score[0] < 2, "what the fleet showed last is not what came before its first reading"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=400))
def test_the_memory_stays_sorted_and_keeps_the_extremes(values: list[float]) -> None:
    known = np.zeros(REMEMBERED, np.float32)
    count = 0
    for value in values:
        count = _remember(known, count, np.float32(value))
    mine = known[:count]
    assert np.all(np.diff(mine) > 0)
    assert set(mine.tolist()) <= set(values)
    assert count == min(len(set(values)), REMEMBERED)
    assert (mine[0], mine[-1]) == (min(values), max(values))


def test_the_unit_of_a_channel_changes_nothing() -> None:
    x = np.random.default_rng(8).normal(size=(1500, 1)).astype(np.float32)
    x[1200] = 6.0
    plain, scaled = scores(x).score, scores(4096 * x).score
    np.testing.assert_allclose(scaled, plain, rtol=1e-4, atol=1e-4)


def test_machines_that_come_after_a_fit_begin_with_it() -> None:
    detector = Novelty(1)
    detector.update(rows(np.zeros(5), np.zeros((5, 1))))
    detector.fit(two_levels(1500).astype(np.float32), np.zeros(1500, np.int16))
    found = detector.update(rows(np.full(40, 3), two_levels(40)))
    assert np.isfinite(found.score).all()


def two_shifts(days: int) -> Samples:
    """Rows a quarter of an hour apart, near 10 by night, 20 by day, but for the day before the last."""
    rng, day = np.random.default_rng(3), 96
    n = days * day
    x = np.where(np.arange(n) % day < day // 2, 10.0, 20.0)
    x[-2 * day : -day] = 10.0
    x += rng.normal(0, 0.3, n)
    every = np.arange(n) * 900_000_000
    return Samples(np.zeros(n, np.int32), every, np.zeros(n, np.int16), x[:, None].astype(np.float32))


def test_a_known_value_at_an_hour_at_which_it_never_came_is_news() -> None:
    known = two_shifts(12)
    timeless = replace(known, ts_us=known.ts_us // 1000)  # all of it within a quarter of an hour
    found, blind = Novelty(1).update(known).score, Novelty(1).update(timeless).score
    noon, usual = slice(-96 - 48, -96), slice(7 * 96, 10 * 96)
    assert found[noon].max() > found[usual].max()
    assert found[noon].max() > 2 * blind[noon].max()


@pytest.mark.parametrize("cut", [100, 300, 700])
def test_cuts_and_a_restart_change_nothing_where_days_count(cut: int) -> None:
    known, whole = two_shifts(9), Novelty(1)
    wanted = whole.update(known).score
    first, second = Novelty(1), Novelty(1)
    before = first.update(known.take(slice(0, cut))).score
    second.load(first.state())
    after = second.update(known.take(slice(cut, None))).score
    np.testing.assert_array_equal(np.concatenate([before, after]), wanted)
    assert second.state() == whole.state()
