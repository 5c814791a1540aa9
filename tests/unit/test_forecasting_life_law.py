"""The law of few lives: as wide as they leave it open, conditional on the age, longer for those that run."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from forecasting.life_law import USUAL_SPREAD, LifeLaw, life_law

Floats = NDArray[np.float64]

SHARES = np.array([0.1, 0.5, 0.9])


def law(*lives: float, running: tuple[float, ...] = (), since: float = 0.0) -> LifeLaw:
    end = np.array([*lives, *running])
    return life_law(np.full(len(end), since), end, np.arange(len(end)) < len(lives))


@pytest.mark.parametrize("failures", [3, 5, 10])
@pytest.mark.parametrize("spread", [0.2, 0.6])
def test_a_new_life_lies_between_p10_and_p90_as_often_as_said(failures: int, spread: float) -> None:
    rng = np.random.default_rng([failures, round(10 * spread)])
    held = []
    for _ in range(200):
        *lives, new = np.exp(spread * rng.normal(size=failures + 1)).tolist()
        low, _, high = law(*lives).ages(0.0, SHARES)
        held.append(low <= new <= high)
    assert 0.7 <= np.mean(held) <= 0.9


def test_many_lives_are_told_as_they_were() -> None:
    log = 7.0 + 0.3 * np.random.default_rng(1).normal(size=200)
    said = law(*np.exp(log).tolist()).ages(0.0, SHARES)
    assert said == pytest.approx(np.exp(log.mean() + log.std() * ndtri(SHARES)), rel=0.01)


def test_it_is_the_mean_over_all_laws() -> None:
    centre, spread = np.meshgrid(np.linspace(0.0, 9.0, 601), np.geomspace(0.003, 3.0, 200), indexing="ij")
    z = (np.log([80.0, 100.0, 150.0])[:, None, None] - centre) / spread
    likely = np.exp(-0.5 * (z**2).sum(axis=0)) / spread**3
    weight = likely * spread / (1 + (spread / USUAL_SPREAD) ** 2)  # of even steps of the logarithm
    failed = (weight * ndtr((np.log(130.0) - centre) / spread)).sum() / weight.sum()
    assert law(80.0, 100.0, 150.0).ages(0.0, np.array([failed])) == pytest.approx([130.0], rel=0.005)


def test_what_is_survived_is_over() -> None:
    found = law(90.0, 100.0, 110.0)
    assert found.ages(104.0, np.array([0.0, 0.5, 0.99])).tolist() == sorted(
        found.ages(104.0, np.array([0.0, 0.5, 0.99]))
    )
    assert found.ages(104.0, np.zeros(1)).tolist() == [104.0]
    assert found.ages(104.0, SHARES)[1] > found.ages(0.0, SHARES)[1]
    assert (found.ages(400.0, SHARES) > 400.0).all()


def test_those_that_still_run_make_lives_longer() -> None:
    assert law(90.0, 110.0, running=(150.0,)).ages(0.0, SHARES)[1] > law(90.0, 110.0).ages(0.0, SHARES)[1]
    seen_late = law(90.0, 110.0, running=(150.0,), since=80.0)
    assert seen_late.ages(0.0, SHARES)[1] < law(90.0, 110.0, running=(150.0,)).ages(0.0, SHARES)[1]


def test_two_equal_lives_do_not_promise_a_third() -> None:
    low, _, high = law(100.0, 100.0).ages(0.0, SHARES)
    assert low < 97.0
    assert high > 103.0


def test_without_a_failure_nothing_is_known() -> None:
    with pytest.raises(ValueError, match="no failure"):
        law(running=(10.0, 20.0))
