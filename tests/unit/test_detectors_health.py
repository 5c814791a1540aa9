"""Health falls from 100 % as the machine moves from healthy towards its failure deviation."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.contract import StateError
from detectors.health import HealthTracker

SECOND = 1_000_000


def tracker() -> HealthTracker:
    return HealthTracker(baseline=100, tau_s=60, d_fail=12)


def health(
    deviation: Any, step_s: int = 1, follow: HealthTracker | None = None, start: int = 0
) -> NDArray[np.float32]:
    d = np.asarray(deviation, np.float32)
    ts_us = (start + np.arange(len(d)) * step_s) * SECOND
    judged = np.full(len(d), 4, np.int16)
    return (follow or tracker()).update(np.zeros(len(d), np.int32), ts_us, 4 * d**2, judged)


def test_unknown_until_the_baseline_is_complete_and_then_full() -> None:
    found = health(np.ones(200))
    assert np.isnan(found[:99]).all()
    assert (found[99:] == 100).all()


def test_half_way_to_failure_is_half_health_at_failure_none_and_beyond_less() -> None:
    assert health([1.0] * 100 + [6.5] * 1000)[-1] == pytest.approx(50, abs=0.1)
    assert health([1.0] * 100 + [12.0] * 1000)[-1] == pytest.approx(0, abs=0.1)
    assert health([1.0] * 100 + [34.0] * 1000)[-1] == pytest.approx(-200, abs=0.1)


def test_smoothing_is_over_time_and_not_over_rows() -> None:
    every_second = health([1.0] * 100 + [12.0] * 60)
    every_20_seconds = health([1.0] * 100 + [12.0] * 3, step_s=20)
    assert every_second[-1] == pytest.approx(100 * np.exp(-1), rel=1e-3)
    assert every_20_seconds[-1] == pytest.approx(every_second[-1], rel=1e-3)


def test_rows_without_a_statistic_keep_the_health() -> None:
    found = health([1.0] * 100 + [6.5] * 30 + [np.nan] * 20)
    assert (found[130:] == found[129]).all()


def test_outliers_in_the_baseline_teach_little() -> None:
    spoiled = np.ones(100)
    spoiled[[20, 60]] = 500
    assert health([*spoiled, *[6.5] * 1000])[-1] == pytest.approx(50, abs=3)


def test_a_machine_that_starts_beyond_failure_still_has_a_scale() -> None:
    found = health([30.0] * 150)
    assert found[-1] == pytest.approx(100 * (1 - 24 / 6))


def test_cuts_and_saved_state_change_nothing() -> None:
    d = np.random.default_rng(0).gamma(2, 1, 400)
    whole, cut = tracker(), tracker()
    at_once = health(d, follow=whole)
    pieces = []
    for start in range(0, 400, 7):
        pieces.append(health(d[start : start + 7], follow=cut, start=start))
        fresh = tracker()
        fresh.load(cut.state())
        cut = fresh
    np.testing.assert_array_equal(at_once, np.concatenate(pieces))
    assert whole.state() == cut.state()


def test_slots_have_their_own_health() -> None:
    n = 400
    slot = np.arange(n, dtype=np.int32) % 2
    statistic = np.where((slot == 1) & (np.arange(n) >= 200), 144, 1).astype(np.float32)
    found = tracker().update(slot, np.arange(n) * SECOND, statistic, np.ones(n, np.int16))
    assert found[-2] == 100
    assert found[-1] < 10


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="tau_s"):
        HealthTracker(tau_s=0)
    with pytest.raises(StateError):
        tracker().load(b"")
    with pytest.raises(StateError, match="cannot be used"):
        tracker().load(HealthTracker(baseline=7).state())
