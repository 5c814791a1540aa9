"""Channels that are given, such as load and weather, say what the others should be; what is left is odd."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.baseline import learn, slopes
from detectors.contract import Samples, Scores
from detectors.ewma_t2 import EwmaT2
from tests.contract.detector_suite import CHECKS, Make, rows

Floats = NDArray[np.float64]

BASELINE, N = 300, 900
LOAD, OIL, GAS = range(3)


def first_is_given(channels: int) -> EwmaT2:
    return EwmaT2(channels, given=(0,))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_chart_keeps_the_contract_with_a_channel_that_is_given(check: Callable[[Make], None]) -> None:
    check(first_is_given)


def transformer(load: Floats, seed: int = 1) -> Floats:
    """Oil follows load, gas does not."""
    rng = np.random.default_rng(seed)
    oil = 40 + 0.5 * load + rng.normal(0, 1, len(load))
    return np.column_stack([load, oil, rng.normal(30, 2, len(load))])


def usual_load(seed: int = 2) -> Floats:
    return np.random.default_rng(seed).normal(50, 8, N)


def scores(x: Floats, given: tuple[int, ...] = (LOAD,)) -> Scores:
    return EwmaT2(3, baseline=BASELINE, given=given).update(rows(np.zeros(len(x)), x))


def test_a_load_that_never_was_is_not_odd_as_long_as_the_oil_is_as_it_should_be() -> None:
    load = usual_load()
    load[600:] += 12
    with_load, without = scores(transformer(load)), scores(transformer(load)[:, [OIL, GAS, GAS]], given=())
    assert np.median(with_load.score[700:]) < 1
    assert np.median(without.score[700:]) > 3
    assert with_load.expected[-1, OIL] == pytest.approx(40 + 0.5 * 62, abs=1.5)


def test_what_load_hides_is_seen_and_laid_to_the_channel_that_shows_it() -> None:
    x = transformer(usual_load())
    x[600:, OIL] += 1.5
    found, plain = scores(x), scores(x[:, [OIL, GAS, GAS]], given=())
    assert np.median(found.score[650:]) > np.median(plain.score[650:]) + 1.5
    assert (np.argmax(found.contribution[700:], axis=1) == OIL).mean() > 0.95
    assert (found.contribution[:, LOAD] == 0).all()
    assert (found.judged[BASELINE:] == 2).all()


def test_a_row_without_its_load_is_judged_by_the_usual_one() -> None:
    x = transformer(usual_load())
    x[::7, LOAD] = np.nan
    assert np.nanmedian(scores(x).score[BASELINE:]) < 1
    assert np.isfinite(scores(x).score[BASELINE + 1 :]).all()


def test_slopes_are_the_conditional_mean_of_a_gaussian() -> None:
    root = np.random.default_rng(3).normal(size=(4, 4))
    covariance = root @ root.T + np.eye(4)
    given = np.array([False, True, False, True])
    found = slopes(np.linalg.inv(covariance).astype(np.float64), given)
    by = covariance[np.ix_(given, given)]
    np.testing.assert_allclose(
        found[np.ix_(~given, given)], covariance[np.ix_(~given, given)] @ np.linalg.inv(by)
    )
    assert (found[given] == 0).all()
    assert (found[:, ~given] == 0).all()


def test_a_baseline_scatters_as_what_the_given_channels_leave() -> None:
    x = transformer(usual_load())
    given = np.array([True, False, False])
    found, plain = learn(x, 0.05, given), learn(x, 0.05)
    assert found.scale == pytest.approx(plain.scale)
    slope = slopes(found.precision, given)[OIL, LOAD] * found.scale[OIL] / found.scale[LOAD]
    assert slope == pytest.approx(0.5, abs=0.03)
    left = np.linalg.inv(found.precision[1:, 1:]).diagonal() ** 0.5 * found.scale[1:]
    assert left[0] == pytest.approx(np.sqrt(0.05 / 1.95), rel=0.4)


def test_the_given_channel_has_no_share_while_what_is_normal_for_it_changes_hands() -> None:
    """From the fleet's prior to the slot's own normal, and between regimes of different load."""
    x, n = transformer(usual_load()), N // 3
    regime = np.repeat([0, 1, 0], n).astype(np.int16)
    x[regime == 1, LOAD] += 40
    detector = EwmaT2(3, baseline=100, given=(LOAD,))
    detector.fit(transformer(usual_load(5) + 20, seed=4).astype(np.float32), np.zeros(N, np.int16))
    samples = rows(np.zeros(len(x)), x)
    found = detector.update(Samples(samples.slot, samples.ts_us, regime, samples.x))
    assert np.isfinite(found.score).any()
    assert (found.contribution[np.isfinite(found.score), LOAD] == 0).all()


def test_means_hold_nothing_against_a_machine_whose_own_normal_takes_over() -> None:
    detector = EwmaT2(3, baseline=100, given=(LOAD,))
    detector.fit(transformer(usual_load(5) + 20, seed=4).astype(np.float32), np.zeros(N, np.int16))
    x = transformer(usual_load())
    found = detector.update(rows(np.zeros(len(x)), x))
    assert (found.shown[:99] >= 0).all()
    assert (found.score[100:140] < 2).all()


def test_a_load_beyond_all_bounds_hides_no_other_channel() -> None:
    x = transformer(usual_load())
    x[:, LOAD] /= 1000
    x[700, LOAD] = 3e38
    found = scores(x)
    assert np.isfinite(found.score[BASELINE + 1 :]).all()
    assert (found.judged[BASELINE + 1 :] == 2).all()
    assert np.isfinite(found.observed[700, [OIL, GAS]]).all()
