"""The fleet's prior: what machines have in common, and how a machine's own rows move away from it."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.baseline import Baseline, learn
from detectors.contract import Samples, Scores
from detectors.ewma_t2 import EwmaT2
from detectors.fleet_prior import FleetPrior, empty, plain, restored

Floats = NDArray[np.float64]

W, WEIGHT, MACHINES = 400, 0.05, 12
LEVELS = np.array([50.0, 5.0])
"""Of the two channels; machines differ by 2 and 0.1 about them, rows by 1 each."""


def machine(seed: int, n: int = W) -> Floats:
    rng = np.random.default_rng(seed)
    return LEVELS + rng.normal(0, [2.0, 0.1]) + rng.normal(size=(n, 2))


def baselines(machines: int = MACHINES) -> list[Baseline]:
    return [learn(machine(seed), WEIGHT) for seed in range(machines)]


def prior(found: list[Baseline] | None = None) -> FleetPrior | None:
    known = baselines() if found is None else found
    return FleetPrior.pooled(
        np.array([each.location for each in known]),
        np.array([each.scale for each in known]),
        np.array([each.precision for each in known]),
    )


def test_it_is_the_mean_machine_and_how_machines_differ() -> None:
    found = prior()
    assert found is not None
    np.testing.assert_allclose(found.location, LEVELS, atol=2.5)
    assert 1.0 < found.between[0] < 12.0
    assert found.between[1] < 0.1
    np.testing.assert_allclose(found.within, 1.0, rtol=0.2)
    alone = found.baseline(2)
    np.testing.assert_allclose(alone.scale**2, found.within + found.between)
    covariance = np.linalg.inv(alone.precision) * np.outer(alone.scale, alone.scale)
    np.testing.assert_allclose(covariance, found.smooth + np.diag(found.between))


def test_two_machines_say_nothing_and_neither_do_channels_that_few_have() -> None:
    assert prior(baselines(2)) is None
    nobody = np.zeros((0, 2))
    assert FleetPrior.pooled(nobody, nobody, np.zeros((0, 2, 2))) is None
    known = [learn(np.column_stack([machine(s), np.full(W, np.nan)]), WEIGHT) for s in range(MACHINES)]
    found = prior(known)
    assert found is not None
    assert found.channels.tolist() == [0, 1]
    assert found.baseline(3).scale[2] == 0
    assert np.isnan(found.baseline(3).location[2])


def test_own_rows_move_it_the_further_the_more_there_are_and_the_more_machines_differ() -> None:
    found = prior()
    assert found is not None
    rows = machine(99)
    own = rows.mean(axis=0)
    left = [np.abs(found.shrunk(rows[:n], W).location - own) for n in (0, 25, 400)]
    assert left[0][0] > left[1][0] > left[2][0]
    assert left[2][0] < 0.05 * left[0][0]
    scales = [found.shrunk(rows[:n], W).scale[0] for n in (0, 25, 100, 400)]
    assert scales == sorted(scales, reverse=True)
    odd = LEVELS + 1.0 + 0 * rows[:100]
    moved = (
        found.shrunk(odd + np.random.default_rng(0).normal(size=odd.shape), W).location - found.location
    ) / (LEVELS + 1.0 - found.location)
    assert moved[0] > 0.7 > 0.5 > moved[1]


def test_it_survives_being_saved() -> None:
    found = prior()
    assert found is not None
    again = restored(plain([None, found], 2))
    assert again[0] is None
    assert again[1] is not None
    for one, other in zip(
        found.shrunk(machine(5), W).precision, again[1].shrunk(machine(5), W).precision, strict=True
    ):
        np.testing.assert_array_equal(one, other)
    assert restored(empty(3, 2)) == [None] * 3


# What the T² chart makes of it


def fleet_that_shared() -> EwmaT2:
    chart = EwmaT2(2, baseline=W, weight=WEIGHT)
    for seed in range(MACHINES):
        update(chart, seed, machine(seed, W + 1))
    chart.share()
    return chart


def update(chart: EwmaT2, slot: int, x: Floats, start: int = 0) -> Scores:
    n = len(x)
    instants = (start + np.arange(n)) * 1_000_000
    return chart.update(
        Samples(np.full(n, slot, np.int32), instants, np.zeros(n, np.int16), x.astype(np.float32))
    )


def test_a_newcomer_is_judged_at_once_and_less_sharply_than_a_machine_that_is_known() -> None:
    chart = fleet_that_shared()
    newcomer, known = machine(77, 50), machine(3, W + 50)[W:]
    newcomer[:, 0] += 10
    known[:, 0] += 10
    found, by_own = update(chart, MACHINES, newcomer), update(chart, 3, known, W + 1)
    assert np.isfinite(found.score).all()
    assert np.isnan(found.statistic).all()
    assert found.score[-1] > 3
    assert by_own.score[-1] > 1.5 * found.score[-1]


def test_healthy_newcomers_raise_nothing_while_they_are_learned() -> None:
    chart = fleet_that_shared()
    found = [update(chart, MACHINES + k, machine(200 + k, W)) for k in range(20)]
    assert max(each.score.max() for each in found) < 4
    assert np.mean([np.mean(each.score > 2) for each in found]) < 0.01


def test_a_fault_from_the_beginning_is_not_learned_as_normal_until_long_after() -> None:
    chart = fleet_that_shared()
    broken = machine(77, 4 * W)
    broken[:, 1] += 4
    found = update(chart, MACHINES, broken)
    assert found.score[100 : 2 * W - 50].min() > 4
    assert found.score[-W:].max() < 3, "what never changes is normal in the end"


def test_a_machine_that_has_its_own_baseline_is_not_touched() -> None:
    chart, other = fleet_that_shared(), EwmaT2(2, baseline=W, weight=WEIGHT)
    for seed in range(MACHINES):
        update(other, seed, machine(seed, W + 1))
    more = machine(4, W + 100)[W:]
    np.testing.assert_array_equal(update(chart, 4, more, W + 1).score, update(other, 4, more, W + 1).score)


@pytest.mark.parametrize("size", [1, 7, 100])
def test_neither_cuts_nor_a_restart_change_what_a_newcomer_is_told(size: int) -> None:
    whole, parts = fleet_that_shared(), fleet_that_shared()
    x = machine(77, W + 50)
    x[::9, 1] = np.nan
    at_once, found = update(whole, MACHINES, x).score, []
    for at in range(0, len(x), size):
        found.append(update(parts, MACHINES, x[at : at + size], at).score)
        if at % 3 == 0:
            fresh = EwmaT2(2, baseline=W, weight=WEIGHT)
            fresh.load(parts.state())
            parts = fresh
    np.testing.assert_array_equal(np.concatenate(found), at_once)
    assert parts.state() == whole.state()


ODD: Mapping[str, Callable[[Floats], Floats]] = {
    "tiny": lambda noise: noise * 1e-30,
    "huge": lambda noise: noise * 1e30,
    "constant": lambda noise: np.full_like(noise, 7.0),
    "half missing": lambda noise: np.where(noise > 0, noise, np.nan),
    "dead": lambda noise: np.full_like(noise, np.nan),
    "at the ends": lambda noise: np.sign(noise) * 3e38,
    "alike": lambda noise: noise[:, :1] + 0 * noise,
}


@pytest.mark.parametrize("kind", ODD)
def test_whatever_machines_show_nothing_becomes_infinite(kind: str) -> None:
    chart, rng = EwmaT2(2, baseline=40, weight=WEIGHT), np.random.default_rng(1)
    for slot in range(5):
        update(chart, slot, ODD[kind](rng.normal(size=(60, 2))))
    chart.share()
    found = update(chart, 5, ODD[kind](rng.normal(size=(130, 2))))
    for values in (found.score, found.contribution, found.expected, found.observed):
        assert not np.isinf(values).any()
    fresh = EwmaT2(2, baseline=40, weight=WEIGHT)
    fresh.load(chart.state())
    assert fresh.state() == chart.state()
