"""Regimes, features of an asset against itself, and intervals: what a learned life stands on."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from forecasting.asset_features import CHANGES, PER_COLUMN, RATES, YOUNG, AssetFeatures
from forecasting.intervals import calibrate
from forecasting.regimes import learn_regimes

Floats = NDArray[np.float64]


def features(z: Floats) -> Floats:
    bank = AssetFeatures(z.shape[1])
    bank.grow(1)
    return bank.update(np.zeros(len(z), np.int32), z)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 80), st.integers(0, 2**32 - 1))
@example(80, 0)  # nothing comes after the cut
def test_features_see_nothing_later_and_depend_on_no_cut(n: int, seed: int) -> None:
    z = np.random.default_rng(seed).normal(size=(80, 3))
    whole = features(z)
    np.testing.assert_array_equal(features(z[:n]), whole[:n])
    bank = AssetFeatures(3)
    bank.grow(1)
    slot = np.zeros(80, np.int32)
    np.testing.assert_array_equal(
        np.vstack([bank.update(slot[:n], z[:n]), bank.update(slot[n:], z[n:])]), whole
    )


def test_assets_do_not_see_each_other_and_new_ones_may_come() -> None:
    one, two = np.random.default_rng(0).normal(size=(2, 40, 2))
    bank = AssetFeatures(2)
    bank.grow(1)
    bank.update(np.zeros(20, np.int32), one[:20])
    bank.grow(2)
    slot = np.tile(np.array([1, 0], np.int32), 20)
    rows = np.stack([two[:20], one[20:]], axis=1).reshape(-1, 2)
    out = bank.update(slot, rows)
    np.testing.assert_array_equal(out[slot == 0], features(one)[20:])
    np.testing.assert_array_equal(out[slot == 1], features(two)[:20])


def test_features_of_a_step_by_hand() -> None:
    z = np.zeros((101, 1))
    z[100] = 1.0
    last = features(z)[-1]
    assert last.shape == (PER_COLUMN,)
    means = [*RATES[:3], 1 / 101 if RATES[3] < 1 / 101 else RATES[3]]
    assert last[:4] == pytest.approx(means)
    assert last[4 : 4 + CHANGES] == pytest.approx(-np.diff(means))
    assert last[4 + CHANGES :] == pytest.approx(-np.diff(means) * 20 / (101 + YOUNG))


def test_young_assets_have_plain_means() -> None:
    z = np.arange(1.0, 6.0)[:, None]
    assert features(z)[:, 3] == pytest.approx([1, 1.5, 2, 2.5, 3])


def test_regimes_are_the_set_points_that_come_back() -> None:
    rng = np.random.default_rng(1)
    true = rng.integers(0, 6, 3000)
    corner = rng.permutation(
        np.array(
            [[0, 0, 100], [10, 0.25, 100], [20, 0.7, 100], [25, 0.62, 60], [35, 0.84, 100], [42, 0.84, 100]]
        )
    )
    setting = corner[true] + rng.normal(0, 0.002, (3000, 3))
    x = rng.normal(true[:, None] * 100.0, 1.0 + true[:, None], (3000, 2))
    regimes = learn_regimes(x, setting)
    assert len(regimes.centre) == 6
    for number in range(6):
        assert len(set(regimes.of(setting[true == number]).tolist())) == 1
    z = regimes.normalised(x, setting)
    for number in range(6):
        assert z[true == number].mean(axis=0) == pytest.approx(0, abs=1e-9)
        assert z[true == number].std(axis=0) == pytest.approx(1)


@pytest.mark.parametrize("width", [0, 1, 2])
def test_set_points_that_vary_evenly_or_not_at_all_are_one_regime(width: int) -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(500, 2))
    for setting in (rng.normal(size=(500, width)), np.full((500, width), 3.0)):
        assert len(learn_regimes(x, setting).centre) == 1


def test_a_column_that_does_not_vary_is_always_normal() -> None:
    x = np.column_stack([np.full(50, 7.0), np.arange(50.0)])
    z = learn_regimes(x, np.empty((50, 0))).normalised(x + 1.0, np.empty((50, 0)))
    assert (z[:, 0] == 0).all()
    assert z[:, 1].std() == pytest.approx(1)


def test_intervals_hold_for_assets_whose_errors_hang_together() -> None:
    rng = np.random.default_rng(3)

    def errors(assets: int) -> tuple[Floats, Floats]:
        predicted = rng.uniform(0, 100, (assets, 20))
        shared = rng.normal(0, 1, (assets, 1)) + rng.normal(0, 0.5, (assets, 20))
        return predicted.ravel(), (predicted * (1 + 0.2 * np.where(shared > 0, 2 * shared, shared))).ravel()

    held = []
    for _ in range(20):
        intervals = calibrate(*errors(100), 100)
        predicted, true = errors(100)
        low, middle, high = intervals.quantiles(predicted, np.array([0.05, 0.5, 0.95])).T
        assert (middle == predicted).all()
        held.append(((low <= true) & (true <= high)).mean())
        wide = np.array([(high - low)[(predicted > a) & (predicted < a + 20)].mean() for a in (10, 70)])
        assert wide[1] > 3 * wide[0], "the width does not follow the typical error"
    assert 0.88 <= float(np.mean(held)) <= 0.93
