"""Means by the hour: what the stored rollups will be, whatever the cut into updates and after any restart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors.contract import StateError
from detectors.hour_means import HourMeans

HOUR = 3_600_000_000
SECOND = 1_000_000

Floats = NDArray[np.float32]


def rows(n: int = 1200, seed: int = 0) -> tuple[NDArray[np.int32], NDArray[np.int64], Floats]:
    """Two machines in turn, heard of a few times a minute, now and then not for hours; a tenth is missing."""
    rng = np.random.default_rng(seed)
    gap = np.where(rng.random(n) < 0.01, 3 * HOUR, rng.integers(1, 25, n) * SECOND)
    x = rng.normal(50, 20, (n, 3)).astype(np.float32)
    x[rng.random((n, 3)) < 0.1] = np.nan
    return np.arange(n, dtype=np.int32) % 2, np.cumsum(gap).astype(np.int64), x


def plainly(slot: NDArray[np.int32], ts_us: NDArray[np.int64], x: Floats, row: int) -> Floats:
    """The means over the hour before the row's own: minutes, rounded as they are stored, then the hour."""
    before = (slot == slot[row]) & (ts_us // HOUR == ts_us[row] // HOUR - 1)
    minute, values = ts_us[before] // (60 * SECOND), x[before].astype(np.float64)
    out = np.full(x.shape[1], np.nan, np.float32)
    for k in range(x.shape[1]):
        known = np.isfinite(values[:, k])
        number, rows_of = np.unique(minute[known], return_counts=True)
        if len(number):
            means = [np.float32(values[known & (minute == each), k].mean()) for each in number]
            out[k] = np.average(np.array(means, np.float64), weights=rows_of)
    return out


def test_each_row_is_told_the_means_of_the_whole_hour_before_its_own() -> None:
    slot, ts_us, x = rows()
    told = HourMeans(3).update(slot, ts_us, x, range(len(slot)))
    np.testing.assert_array_equal(told, [plainly(slot, ts_us, x, row) for row in range(len(slot))])
    assert np.isfinite(told).any(axis=1).sum() > 50
    assert np.isnan(told).all(axis=1).sum() > 5, "after a gap there is nothing to tell"


def test_the_means_of_minutes_are_rounded_as_they_are_stored() -> None:
    """Two minutes an hour, of one value and of three, for which rounding shows in the mean of the hour."""
    n = 400
    second = np.tile([0, 60, 80, 100], n)
    ts_us = np.repeat(np.arange(n), 4) * HOUR + second * SECOND
    slot, x = (
        np.zeros(4 * n, np.int32),
        np.random.default_rng(1).normal(50, 20, (4 * n, 1)).astype(np.float32),
    )
    (told,) = HourMeans(1).update(slot, ts_us, x, range(4, 4 * n, 4)).T
    exact = x.astype(np.float64).reshape(n, 4)[:-1]
    minutes = exact[:, 0], exact[:, 1:].mean(axis=1).astype(np.float32).astype(np.float64)
    np.testing.assert_array_equal(told, ((minutes[0] + 3 * minutes[1]) / 4).astype(np.float32))
    assert (told != exact.mean(axis=1).astype(np.float32)).any()


def test_an_hour_with_a_value_that_is_missing_throughout_has_no_mean_of_it() -> None:
    ts_us = np.array([0, HOUR, 2 * HOUR], np.int64)
    x = np.array([[1.0, np.nan], [3.0, 4.0], [5.0, 6.0]], np.float32)
    told = HourMeans(2).update(np.zeros(3, np.int32), ts_us, x, [1, 2])
    np.testing.assert_array_equal(told, [[1.0, np.nan], [3.0, 4.0]])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 1200), max_size=8), st.integers(0, 2**32 - 1))
def test_no_cut_and_no_restart_changes_a_mean(cuts: list[int], seed: int) -> None:
    slot, ts_us, x = rows(seed=seed)
    whole = HourMeans(3)
    want = whole.update(slot, ts_us, x, range(len(slot)))
    means, at, got = HourMeans(3), 0, []
    for end in [*sorted(cuts), len(slot)]:
        part = slice(at, end)
        got.append(means.update(slot[part], ts_us[part], x[part], range(end - at)))
        state, means, at = means.state(), HourMeans(3), end
        means.load(state)
        assert means.state() == state
    np.testing.assert_array_equal(np.concatenate(got), want)
    assert means.state() == whole.state()


def test_a_channel_that_is_added_has_no_mean_of_the_hours_before() -> None:
    slot, ts_us = np.zeros(1, np.int32), np.zeros(1, np.int64)
    means = HourMeans(1)
    means.update(slot, ts_us, np.ones((1, 1), np.float32), [])
    means.widen(2)
    told = means.update(slot, ts_us + HOUR, np.ones((1, 2), np.float32), [0])
    np.testing.assert_array_equal(told, [[1.0, np.nan]])
    with pytest.raises(ValueError, match="only added"):
        means.widen(1)


def test_a_state_of_other_channels_is_refused() -> None:
    with pytest.raises(StateError):
        HourMeans(2).load(HourMeans(3).state())
