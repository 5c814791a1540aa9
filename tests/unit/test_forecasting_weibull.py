"""Weibull lives: published fits, what cannot be told, and predictions as sure as they may be."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.weibull import Floats, Lives, UnknownLife, fit, predictive, shape_interval

NO_DUTY = np.zeros(0)

# Ball bearings, 10^6 revolutions to failure (Lieblein and Zelen 1956, as in Lawless 2003).
BEARINGS = np.array(
    [
        *(17.88, 28.92, 33.00, 41.52, 42.12, 45.60, 48.48, 51.84, 51.96, 54.12, 55.56, 67.80),
        *(68.64, 68.64, 68.88, 84.12, 93.12, 98.64, 105.12, 105.84, 127.92, 128.04, 173.40),
    ]
)

# Weeks of remission, 6-mercaptopurine (21, of which 12 censored) and placebo (21) (Freireich et al. 1963).
TREATED = [6, 6, 6, 7, 10, 13, 16, 22, 23], [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def lives(ended: Floats, running: Floats = NO_DUTY, entry: float = 0.0) -> Lives:
    end = np.concatenate([ended, running])
    failed = np.arange(len(end)) < len(ended)
    return Lives(np.full(len(end), entry), end, failed, np.zeros((len(end), 0)))


def remission() -> Lives:
    end = np.array([*TREATED[0], *TREATED[1], *PLACEBO], np.float64)
    failed = np.array([True] * 9 + [False] * 12 + [True] * 21)
    return Lives(np.zeros(42), end, failed, np.repeat([0.0, 1.0], 21)[:, None])


def staggered_fleet(seed: int, failures: int) -> Lives:
    """As many machines again still run; entered at any time, lives of shape 2 and scale 1."""
    rng = np.random.default_rng([11, failures, seed])
    while True:
        life, seen = rng.weibull(2.0, 2 * failures), rng.uniform(0.0, 1.75, 2 * failures)
        if (life <= seen).sum() == failures:
            order = np.argsort(life > seen, kind="stable")
            return lives(np.minimum(life, seen)[order][:failures], seen[order][failures:])


def test_ball_bearings_have_the_published_shape_and_scale() -> None:
    law = fit(lives(BEARINGS))
    assert law.shape == pytest.approx(2.102, abs=0.001)
    assert law.scale == pytest.approx(81.88, abs=0.02)


def test_remission_has_the_published_scale_and_effect_of_the_placebo() -> None:
    """Venables and Ripley 2002, chapter 13 (survreg): intercept 3.516, placebo -1.267, scale 0.732."""
    law = fit(remission(), ridge=0.0)
    assert np.log(law.scale) == pytest.approx(3.516, abs=0.001)
    assert law.effect[0] == pytest.approx(-1.267, abs=0.001)
    assert 1 / law.shape == pytest.approx(0.732, abs=0.001)


def test_a_penalty_draws_effects_towards_none() -> None:
    effects = [float(fit(remission(), ridge).effect[0]) for ridge in (0.0, 1.0, 100.0, 1e6)]
    assert effects == sorted(effects)
    assert effects[0] < -1.2
    assert effects[-1] == pytest.approx(0.0, abs=0.01)


def test_survival_at_the_scale_is_one_in_e() -> None:
    law = fit(remission())
    at = law.scale * np.exp(law.effect[0])
    assert law.survival(np.array([at]), np.array([1.0]))[0] == pytest.approx(np.exp(-1))


def test_the_interval_of_the_shape_holds_the_true_one_as_often_as_it_says() -> None:
    held = [low <= 2.0 <= high for low, high in (shape_interval(staggered_fleet(k, 10)) for k in range(200))]
    assert 0.84 <= np.mean(held) <= 0.95


def test_an_interval_of_the_shape_narrows_with_the_failures() -> None:
    few, many = shape_interval(staggered_fleet(1, 5)), shape_interval(staggered_fleet(1, 60))
    assert many[1] / many[0] < 0.5 * few[1] / few[0]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lives(BEARINGS[:2], BEARINGS[2:]), "2 of 3 failures on record"),
        (lives(np.zeros(0)), "0 of 3 failures on record"),
        (lives(np.full(4, 500.0), np.full(3, 100.0)), "all 4 failures at the same age"),
        (
            replace(lives(BEARINGS), covariate=np.ones((23, 5))),
            "23 of 25 failures on record for 5 duty columns",
        ),
    ],
)
def test_what_cannot_be_told_is_refused_with_the_reason(wrong: Lives, says: str) -> None:
    for learn in (fit, predictive, shape_interval):
        with pytest.raises(UnknownLife, match=says):
            learn(wrong)


def test_failures_at_one_age_that_others_outlive_can_be_told() -> None:
    assert fit(lives(np.full(4, 500.0), np.full(3, 900.0))).shape > 0.2


@given(st.floats(1e-3, 1e6), st.integers(0, 20))
def test_the_unit_of_age_does_not_matter(unit: float, seed: int) -> None:
    one = staggered_fleet(seed, 5)
    other = Lives(one.entry * unit, one.end * unit, one.failed, one.covariate)
    at = np.array([0.1, 0.5, 1.0, 3.0])
    mine, theirs = (
        predictive(one).survival(at, NO_DUTY, 0.3),
        predictive(other).survival(at * unit, NO_DUTY, 0.3 * unit),
    )
    np.testing.assert_allclose(mine, theirs, rtol=1e-3)
    assert (np.diff(mine) <= 0).all()


@given(
    st.lists(st.tuples(st.floats(1e-6, 1e9), st.booleans(), st.floats(0.0, 0.99)), min_size=3, max_size=12),
    st.floats(0.0, 0.9),
)
def test_any_runs_give_a_survival_that_falls_or_a_reason(
    runs: list[tuple[float, bool, float]], part: float
) -> None:
    end, failed, entry = (np.array(each) for each in zip(*runs, strict=True))
    record = Lives(end * entry, end, failed, np.zeros((len(end), 0)))
    try:
        known = predictive(record)
    except UnknownLife:
        return
    ages = np.geomspace(0.5, 1.0, 20) * end.max()
    alive = known.survival(np.append(part * ages[0], ages), NO_DUTY, part * ages[0])
    assert alive[0] == pytest.approx(1.0)
    assert np.isfinite(alive).all()
    assert (np.diff(alive) <= 1e-12).all()


def test_who_is_seen_from_an_age_on_tells_nothing_of_the_time_before() -> None:
    """Machines that came second-hand: those that failed before were never seen (left truncation)."""
    life = 1000.0 * np.random.default_rng(5).weibull(3.0, 4000)
    late = life[life > 800.0]
    assert fit(lives(late, entry=800.0)).scale == pytest.approx(1000.0, rel=0.05)
    assert fit(lives(late)).scale > 1050.0


def held(seed: int, failures: int, survived: float) -> tuple[float, float]:
    """The chance that a new life is between P10 and P90: as predicted, and with the best fit plugged in."""
    record = staggered_fleet(seed, failures)
    law, known = fit(record), predictive(record)
    ages = np.geomspace(1e-3, 1e3, 400) + survived
    chance = 1 - known.survival(ages, NO_DUTY, survived)
    plugged = 1 - law.survival(ages, NO_DUTY) / law.survival(np.array([survived]), NO_DUTY)
    true = 1 - np.exp(survived**2 - ages**2)
    mine, theirs = (
        np.diff(np.interp(np.interp([0.1, 0.9], p, ages), ages, true))[0] for p in (chance, plugged)
    )
    return float(mine), float(theirs)


@pytest.mark.parametrize("survived", [0.0, 0.7])
@pytest.mark.parametrize("failures", [3, 10])
def test_few_failures_widen_the_interval_until_it_holds_what_it_says(failures: int, survived: float) -> None:
    mine, plugged = np.mean([held(seed, failures, survived) for seed in range(50)], axis=0)
    assert 0.77 <= mine <= 0.88
    assert plugged < mine - 0.03


def test_the_prediction_is_the_likelihoods_integral_over_shape_and_rate() -> None:
    """By brute force: a fine grid of both, under the prior d(log scale) d(1 / shape) * shape."""
    record = lives(np.array([0.6, 0.9, 1.3]), np.array([0.8, 1.4]))
    log_shape, log_scale = np.linspace(np.log(0.2), np.log(50), 1500)[:, None], np.linspace(-6, 12, 3000)
    shape, total = np.exp(log_shape), np.zeros((1500, 3000))
    for end, failed in zip(record.end, record.failed, strict=True):
        total += failed * (log_shape + (shape - 1) * np.log(end) - shape * log_scale)
        total -= np.exp(np.minimum(shape * (np.log(end) - log_scale), 600.0))
    weight = np.exp(total - total.max())
    ages = np.array([0.3, 1.0, 2.0, 8.0])
    alive = [np.exp(-np.exp(np.minimum(shape * (np.log(t) - log_scale), 600.0))) for t in ages]
    exact = [(weight * each).sum() / (weight * alive[0]).sum() for each in alive]
    np.testing.assert_allclose(predictive(record).survival(ages, NO_DUTY, 0.3), exact, rtol=0.01)


def test_a_duty_that_halves_lives_is_seen_and_used() -> None:
    rng = np.random.default_rng(3)
    hard = rng.integers(0, 2, 60).astype(float)
    record = Lives(np.zeros(60), rng.weibull(3.0, 60) * 0.5**hard, np.ones(60, np.bool_), hard[:, None])
    at = np.array([0.6])
    easy, worked = (predictive(record).survival(at, np.array([duty]))[0] for duty in (0.0, 1.0))
    assert easy == pytest.approx(np.exp(-(0.6**3)), abs=0.1)
    assert worked == pytest.approx(np.exp(-(1.2**3)), abs=0.1)
