"""EWMA-T² against a plain reference, and what it makes of gaps, late and constant channels, and outliers."""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from detectors.baseline import CLIP, learn
from detectors.contract import Samples, Scores
from detectors.ewma_t2 import DEGREES, EwmaT2
from detectors.moving_normal import LONG, step

Floats = NDArray[np.float64]
W, WEIGHT = 200, 0.05


def samples(x: Floats, regime: Any = 0) -> Samples:
    n = len(x)
    return Samples(
        np.zeros(n, np.int32),
        np.arange(n) * 1_000_000,
        np.broadcast_to(np.asarray(regime, np.int16), n).copy(),
        x.astype(np.float32),
    )


def scored(x: Floats, regime: Any = 0) -> Scores:
    return EwmaT2(x.shape[1], baseline=W, weight=WEIGHT).update(samples(x, regime))


def correlated(n: int, channels: int = 4, seed: int = 1) -> Floats:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, channels)) @ rng.normal(size=(channels, channels)) + 10 * np.arange(channels)


def ewmas(x: Floats) -> Floats:
    """Deviations from the baseline of the first W rows, smoothed by a plain loop from row W on."""
    normal = learn(x[:W].astype(np.float32), WEIGHT)
    z = np.clip((x[W:] - normal.location) / normal.scale, -CLIP, CLIP)
    e = np.zeros_like(z)
    last = np.zeros(x.shape[1])
    for i in range(len(z)):
        last = np.where(np.isnan(z[i]), last, last + WEIGHT * (z[i] - last))
        e[i] = last
    return e


def test_the_departure_is_t2_about_the_level_as_first_learned() -> None:
    x = correlated(2000)
    precision = learn(x[:W].astype(np.float32), WEIGHT).precision
    found, e = scored(x), ewmas(x)
    t2 = np.sum(e * (e @ precision), axis=1)
    np.testing.assert_allclose(found.departure[W:], t2, rtol=1e-3, atol=1e-3)
    assert np.abs(found.statistic[W:] - t2).max() > 1  # the level has moved since


@pytest.mark.parametrize("channels", [1, 2, 4, 7, 9])
def test_the_statistic_is_t2_and_the_contributions_are_its_terms(channels: int) -> None:
    x = correlated(W + step(W), channels)  # nothing has moved yet
    precision = learn(x[:W].astype(np.float32), WEIGHT).precision
    found, e = scored(x), ewmas(x)
    np.testing.assert_allclose(found.statistic[W:], np.sum(e * (e @ precision), axis=1), rtol=1e-3)
    np.testing.assert_allclose(found.contribution[W:], e * (e @ precision), rtol=1e-2, atol=1e-3)
    assert (found.judged[W:] == channels).all()
    assert np.isnan(found.score[:W]).all()


def test_the_score_is_the_tail_of_f() -> None:
    found = scored(correlated(600) + np.linspace(0, 3, 600)[:, None])
    t2 = found.statistic[W:].astype(np.float64)
    np.testing.assert_allclose(
        found.score[W:], -stats.f.logsf(t2 / 4, 4, DEGREES) / np.log(10), rtol=0.02, atol=2e-3
    )


@pytest.mark.parametrize("missing", [[0], [1, 3], [0, 1, 2]])
def test_a_missing_value_leaves_the_t2_of_the_channels_present(missing: list[int]) -> None:
    x = correlated(1500)
    x[W:][::3, missing] = np.nan
    covariance = np.linalg.inv(learn(x[:W].astype(np.float32), WEIGHT).precision)
    found, e = scored(x), ewmas(x)
    present = [k for k in range(4) if k not in missing]
    alone = e[::3][:, present] @ np.linalg.inv(covariance[np.ix_(present, present)])
    t2 = np.sum(alone * e[::3][:, present], axis=1)
    unmoved = step(W) // 3
    np.testing.assert_allclose(found.statistic[W:][::3][:unmoved], t2[:unmoved], rtol=5e-3, atol=1e-3)
    np.testing.assert_allclose(found.departure[W:][::3], t2, rtol=5e-3, atol=1e-3)
    assert (found.contribution[W:][::3][:, missing] == 0).all()
    assert (found.judged[W:][::3] == len(present)).all()


def test_without_any_value_there_is_no_score() -> None:
    x = correlated(600)
    x[500:] = np.nan
    found = scored(x)
    assert np.isnan(found.score[500:]).all()
    assert not found.contribution[500:].any()


def test_a_channel_that_appears_late_is_learned_when_it_does() -> None:
    x = correlated(1200)
    x[:500, 2] = np.nan
    x[1000:, 2] += 8
    found = scored(x)
    assert (found.judged[W : 500 + W] == 3).all()
    assert (found.judged[500 + W :] == 4).all()
    assert found.score[1050:].min() > 4
    assert (found.contribution[1050:].argmax(axis=1) == 2).all()


def test_a_late_channel_is_independent_of_the_others_and_leaves_them_alone() -> None:
    x = correlated(1000)
    x[:500, 2] = np.nan
    without = x.copy()
    without[:, 2] = np.nan
    others = [0, 1, 3]
    np.testing.assert_allclose(
        scored(x).contribution[:, others], scored(without).contribution[:, others], rtol=1e-4, atol=1e-5
    )
    np.testing.assert_array_equal(scored(x).expected[W:, others], scored(without).expected[W:, others])


def test_channels_that_stop_moving_together_are_odd() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(600, 1)) + 0.3 * rng.normal(size=(600, 2))
    together, apart = x.copy(), x.copy()
    together[W + 100 :] += 1
    apart[W + 100 :] += [1, -1]
    assert np.median(scored(apart).score[W + 200 :]) > 3 + np.median(scored(together).score[W + 200 :])


def test_its_own_baseline_takes_over_from_the_prior_at_once() -> None:
    rng = np.random.default_rng(3)
    detector = EwmaT2(2, baseline=W)
    detector.fit(rng.normal(size=(1000, 2)).astype(np.float32), np.zeros(1000, np.int16))
    found = detector.update(samples(5 + rng.normal(size=(2 * W, 2))))
    assert found.score[W - 1] > 4
    assert found.score[W:].max() < 3


def test_a_constant_channel_is_not_judged_until_it_moves() -> None:
    x = correlated(900)
    x[:600, 1] = 5.0
    found = scored(x)
    assert not found.contribution[: 600 + W, 1].any()
    assert (found.judged[W : 600 + W] == 3).all()
    assert (found.judged[600 + W :] == 4).all()


def test_outliers_in_the_baseline_hardly_move_it() -> None:
    clean = correlated(600)
    dirty = clean.copy()
    dirty[np.arange(5, W, 25)] *= 1000  # 4 % of the rows
    a, b = learn(clean[:W], WEIGHT), learn(dirty[:W], WEIGHT)
    assert np.abs((a.location - b.location) / a.scale).max() < 1.0
    assert (b.scale / a.scale).max() < 2.5  # 7 sigma each, not 1000


def test_one_wild_sample_is_no_alarm_and_a_shift_is_one_for_long() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(600 + LONG * W, 3))
    wild = x.copy()
    wild[700, 1] = 1e9
    assert np.nanmax(scored(wild).score) < 4
    shifted = x.copy()
    shifted[600:, 1] += 2
    assert scored(shifted).score[700:].min() > 4, "the baseline must not follow the machine"


def test_each_regime_has_its_own_baseline() -> None:
    rng = np.random.default_rng(5)
    regime = np.arange(1200) // 100 % 2
    x = rng.normal(size=(1200, 2)) + np.where(regime, 50, 0)[:, None]
    found = scored(x, regime)
    assert np.nanmax(found.score) < 4
    np.testing.assert_allclose(np.unique(found.expected[800:, 0].round()), [0, 50])
    assert np.isnan(found.score[:W]).all()


def test_regimes_beyond_the_last_share_its_baseline() -> None:
    x = np.random.default_rng(6).normal(size=(600, 2))
    several = scored(x, 15 + np.arange(600) % 40)
    assert np.array_equal(several.score, scored(x, 15).score, equal_nan=True)


def test_noise_with_memory_does_not_break_the_promise() -> None:
    rng = np.random.default_rng(8)
    noise = rng.normal(size=(60, 3000, 2))
    for i in range(1, 3000):
        noise[:, i] += 0.8 * noise[:, i - 1]
    score = np.concatenate([scored(series).score[W:] for series in noise])
    assert (score > 2).mean() < 0.03
    assert (score > 3).mean() < 0.006


def test_a_wandering_channel_counts_for_less_than_a_steady_one() -> None:
    rng = np.random.default_rng(9)
    x = rng.normal(size=(400, 2))
    x[:, 0] += np.linspace(0, 3, 400)
    precision = learn(x, WEIGHT).precision
    assert precision[0, 0] < precision[1, 1] / 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"channels": 0}, "channel"),
        ({"channels": 1, "baseline": 5}, "baseline"),
        ({"channels": 1, "weight": 0}, "weight"),
    ],
)
def test_parameters_that_cannot_be_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EwmaT2(**arguments)


def test_rows_that_cannot_be_are_refused() -> None:
    detector = EwmaT2(2)
    good = samples(np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"\(rows, 2\)"):
        detector.update(samples(np.zeros((3, 1))))
    with pytest.raises(ValueError, match="regimes count from 0"):
        detector.update(samples(np.zeros((3, 2)), -1))
    with pytest.raises(ValueError, match="slots count from 0"):
        detector.update(Samples(np.array([0, -1, 0], np.int32), good.ts_us, good.regime, good.x))
    with pytest.raises(ValueError, match="one entry for each row"):
        detector.update(Samples(good.slot[:2], good.ts_us, good.regime, good.x))


@pytest.mark.parametrize("size", [1, 7, 97])
def test_no_cut_changes_a_bit_of_a_wide_machine(size: int) -> None:
    """Runs of other lengths take other loops: vector instructions, what is left over, fours of channels."""
    x = correlated(900, channels=9)
    x[:, 4] = 1.0  # never judged
    x[np.random.default_rng(10).random(x.shape) < 0.01] = np.nan
    whole, detector = scored(x), EwmaT2(9, baseline=W, weight=WEIGHT)
    found = [detector.update(samples(x).take(slice(at, at + size))) for at in range(0, len(x), size)]
    for each in fields(Scores):
        assert np.array_equal(
            getattr(whole, each.name), getattr(Scores.joined(found), each.name), equal_nan=True
        )
