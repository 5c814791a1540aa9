"""How what is normal moves: slowly by itself, at once where an odd machine has settled, and never untold."""

from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.contract import Samples, Scores
from detectors.ensemble import by_windows, detectors_for
from detectors.ewma_t2 import EwmaT2
from detectors.moving_normal import CLOSEST, LONG, LOOKS, MOST_EXCESS, SLOWNESS, Moved
from tests.contract.detector_suite import pieces, rows, same

Floats = NDArray[np.float64]
PERIOD = LOOKS * CLOSEST
"""Rows of a learning period."""


def noise(periods: int, seed: int = 1) -> Floats:
    x: Floats = np.random.default_rng(seed).normal(size=(periods * PERIOD, 3))
    x += [10.0, 0.0, -5.0]
    return x


def time(x: Floats) -> Floats:
    """Learning periods since the first row."""
    return np.arange(len(x)) / PERIOD


def run(samples: Samples, size: int = 10**9, restarts: bool = False) -> tuple[Scores, list[Moved], bytes]:
    """Verdicts, and what moved with its row among all."""
    detector, found, moved, at = EwmaT2(3, baseline=PERIOD), list[Scores](), list[Moved](), 0
    for piece in pieces(samples, size):
        found.append(detector.update(piece))
        moved += [replace(each, row=at + each.row) for each in detector.moved]
        at += len(piece.slot)
        if restarts:
            state = detector.state()
            detector = EwmaT2(3, baseline=PERIOD)
            detector.load(state)
    return Scores.joined(found), moved, detector.state()


def of_one(x: Floats) -> Samples:
    return rows(np.zeros(len(x)), x)


def shifted(x: Floats, by: float, at: float) -> Floats:
    return x + np.outer(time(x) >= at, [0.0, by, 0.0])


def test_a_machine_that_has_settled_elsewhere_is_odd_for_long_and_then_normal_once_that_is_told() -> None:
    x = shifted(noise(12), 4.0, at=3)
    found, moved, _ = run(of_one(x))
    (jump,) = moved
    assert jump.jumped
    assert 3 + LONG <= jump.row / PERIOD < 3 + LONG + 2
    assert found.score[3 * PERIOD + 100 : jump.row].min() > 3
    assert np.nanmax(found.score[jump.row :]) < 3
    np.testing.assert_allclose(jump.before, [10, 0, -5], atol=0.3)
    np.testing.assert_allclose(jump.after, [10, 4, -5], atol=0.6)


def test_how_far_a_machine_is_from_what_it_was_at_first_stays_when_that_has_become_normal() -> None:
    found, (jump,), _ = run(of_one(shifted(noise(12), 4.0, at=3)))
    before, after = found.departure[jump.row - PERIOD : jump.row], found.departure[jump.row :]
    assert np.median(after) == pytest.approx(np.median(before), rel=0.1)
    assert np.median(found.statistic[jump.row :]) < np.median(after) / 20


def test_what_comes_on_top_of_a_new_normal_is_odd_again_and_so_is_the_old_one() -> None:
    x = shifted(noise(20), 4.0, at=3)
    _, (jump,), _ = run(of_one(x))
    for way in (4.0, -4.0):
        again, _, _ = run(of_one(shifted(x, way, at=12)))
        assert again.score[12 * PERIOD + 100 : 13 * PERIOD].min() > 3
        assert jump.row < 12 * PERIOD


def test_a_deterioration_that_goes_on_is_no_new_normal() -> None:
    x = noise(16)
    found, moved, _ = run(of_one(x + np.outer(np.maximum(time(x) - 2, 0), [0.0, 1.0, 0.0])))
    assert not moved
    assert found.score[5 * PERIOD :].min() > 3


def test_a_slow_drift_is_followed_without_an_alarm_and_told_when_it_has_come_far() -> None:
    x = noise(160)
    drifting = x + np.outer(time(x), [0.0, 0.01, 0.0])
    found, moved, _ = run(of_one(drifting))
    assert np.nanmean(found.score > 3) < 0.002
    assert moved
    assert not any(each.jumped for each in moved)
    assert all(np.argmax(np.abs((each.after - each.before) / each.scale)) == 1 for each in moved)
    for one, next_one in pairwise(moved):
        np.testing.assert_array_equal(one.after, next_one.before)
    level = found.expected[-1, 1]
    assert level == pytest.approx(0.01 * (time(x)[-1] - SLOWNESS), abs=0.2)  # it lags by that many periods


def test_nothing_moves_while_the_machine_is_odd() -> None:
    x = shifted(noise(3 + LONG), 4.0, at=3)
    found, moved, _ = run(of_one(x))
    assert not moved
    assert len(np.unique(found.expected[3 * PERIOD + CLOSEST :, 1])) == 1


@pytest.mark.parametrize(("size", "restarts"), [(1, False), (7, False), (97, True), (1000, True)])
def test_no_cut_and_no_restart_changes_what_moves(size: int, restarts: bool) -> None:
    one, other = shifted(noise(9, 1), 4.0, at=3), shifted(noise(9, 2), -3.0, at=2)
    other[np.random.default_rng(3).random(other.shape) < 0.05] = np.nan
    slot = np.random.default_rng(4).permutation(np.repeat([0, 1], len(one)))
    x = np.empty((len(slot), 3))
    x[slot == 0], x[slot == 1] = one, other
    whole, moved, state = run(rows(slot, x))
    parts, moved_in_parts, state_in_parts = run(rows(slot, x), size, restarts)
    assert {each.slot for each in moved if each.jumped} == {0, 1}
    assert same(whole, parts)
    assert state == state_in_parts
    for a, b in zip(moved, moved_in_parts, strict=True):
        assert all(
            np.array_equal(getattr(a, f.name), getattr(b, f.name), equal_nan=True) for f in fields(Moved)
        )


def test_each_regime_has_a_normal_that_moves_by_itself() -> None:
    x = noise(20)
    regime = np.arange(len(x)) // 300 % 2
    odd = x + np.outer((time(x) >= 6) & (regime == 1), [0.0, 4.0, 0.0])
    _, moved, _ = run(replace(of_one(odd), regime=regime.astype(np.int16)))
    assert [(each.regime, each.jumped) for each in moved] == [(1, True)]


def test_no_level_leaves_what_a_number_can_say() -> None:
    x = np.random.default_rng(5).choice([3e38, 2e38], (8 * PERIOD, 3))
    x[2 * PERIOD :] *= -1
    found, moved, _ = run(of_one(x))
    assert np.isfinite(found.expected[PERIOD:]).all()
    assert np.isfinite(found.departure[PERIOD:]).all()
    assert all(np.isfinite(each.after).all() for each in moved)


def straying(x: Floats) -> Floats:
    """A machine that settles twelve standard deviations away and strays there by most of one, slowly."""
    return shifted(x, 12.0, at=3) + np.outer((time(x) >= 3) * np.sin(3 * time(x)), [0.7, 0.0, 0.0])


def test_what_a_machine_strays_about_its_new_normal_is_no_longer_odd_once_that_is_normal() -> None:
    x = noise(20)
    found, (jump,), _ = run(of_one(straying(x)))
    unsettled, _, _ = run(of_one(straying(x) - shifted(x, 12.0, at=3) + x))
    assert np.mean(unsettled.score[3 * PERIOD :] > 3) > 0.1
    assert np.mean(found.score[jump.row :] > 3) < 0.01
    assert jump.excess > 2
    assert run(of_one(shifted(x, 12.0, at=3)))[1][0].excess < 0.3


def test_how_far_a_machine_is_from_what_it_was_at_first_does_not_count_for_less_where_it_strays() -> None:
    found, (jump,), _ = run(of_one(straying(noise(20))))
    before, after = found.departure[jump.row - PERIOD : jump.row], found.departure[jump.row :]
    assert np.median(after) == pytest.approx(np.median(before), rel=0.2)


def test_a_fault_is_found_on_a_machine_that_strays_about_its_new_normal() -> None:
    x = straying(noise(20))
    found, (jump, *_), _ = run(of_one(shifted(x, 6.0, at=12)))
    assert jump.row < 12 * PERIOD
    assert found.score[12 * PERIOD + 100 : 13 * PERIOD].min() > 3


def test_no_machine_strays_so_far_that_nothing_more_is_seen() -> None:
    x = shifted(noise(12), 100.0, at=3) + np.outer(time(noise(12)) > 4, [0.0, 10.0, 0.0])
    _, moved, _ = run(of_one(x))
    assert [each.excess for each in moved] == [MOST_EXCESS]


def test_windows_learn_anew_where_the_normal_jumped() -> None:
    x = shifted(noise(12), 4.0, at=3)
    t2, knn = detectors_for(3, PERIOD)
    samples = of_one(x)
    t2.update(samples)
    (jump,) = t2.moved
    score = by_windows(knn, samples, t2.moved).score
    assert np.median(score[jump.row - PERIOD : jump.row]) > 2
    assert np.isnan(score[jump.row + 1 : jump.row + PERIOD // 2]).all()
    assert np.nanmedian(score[jump.row + 2 * PERIOD :]) < 1


def test_windows_that_are_learned_anew_take_a_machine_that_strays_for_what_it_is() -> None:
    x = straying(noise(20))
    t2, knn = detectors_for(3, PERIOD)
    samples = of_one(x)
    t2.update(samples)
    (jump,) = t2.moved
    knows, does_not = (
        by_windows(one, samples, [moved]).score[jump.row + 2 * PERIOD :]
        for one, moved in ((knn, jump), (detectors_for(3, PERIOD)[1], replace(jump, excess=0.0)))
    )
    assert np.mean(knows) < 0.7 * np.mean(does_not)
