"""A life followed row by row is forecast as the whole of it would be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contract import Forecast, History, Run, Verdict
from forecasting.followed_lives import FollowedLives
from forecasting.learned_life import LONGEST_SILENCE_H, LearnedLife


def machine(seed: int) -> Run:
    """Hours in two regimes; one channel rises from an onset on, another says nothing."""
    rng = np.random.default_rng([7, seed])
    healthy, failing = rng.integers(60, 140, 2)
    n = int(healthy + failing)
    wear = np.clip((np.arange(n) - healthy) / failing, 0.0, 1.0) ** 1.5
    regime = rng.integers(0, 2, n).astype(np.float64)
    x = np.column_stack([0.9 * wear, 5.0 * wear + 20.0 * regime + rng.normal(0, 0.5, n), rng.normal(0, 1, n)])
    return Run(History(np.arange(float(n)), x, regime[:, None]))


MODEL = LearnedLife()
MODEL.fit([machine(seed) for seed in range(12)])


def part(history: History, rows: slice) -> History:
    assert history.setting is not None
    return History(history.age_h[rows], history.x[rows], history.setting[rows])


def follow(lives: FollowedLives, slot: int, rows: History) -> None:
    assert MODEL.regressions is not None
    lives.take(slot, MODEL.regressions, rows)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 100), max_size=6), st.integers(0, 99))
def test_no_cut_and_no_restart_changes_a_forecast(cuts: list[int], seed: int) -> None:
    history = machine(100 + seed).history
    history.x[::9, 2] = np.nan  # hours in which a channel was not heard of
    lives, at = FollowedLives(3), 0
    lives.begin(0)
    lives.begin(1)
    follow(lives, 0, machine(3).history)
    for end in [*sorted(cuts), 110]:
        follow(lives, 1, part(history, slice(at, end)))
        saved, lives, at = lives.arrays(), FollowedLives(3), end
        lives.load(saved)
    age = history.age_h[109]
    assert MODEL.at([lives.latest(1, age)]) == MODEL.predict([part(history, slice(0, 110))])


def test_rows_that_come_again_or_cannot_be_used_change_nothing() -> None:
    history = machine(50).history
    lives = FollowedLives(3)
    lives.begin(0)
    follow(lives, 0, part(history, slice(0, 80)))
    before = MODEL.at([lives.latest(0, 79.0)])
    follow(lives, 0, part(history, slice(20, 80)))
    follow(lives, 0, History(np.array([80.0]), np.full((1, 3), np.nan), np.zeros((1, 1))))
    assert MODEL.at([lives.latest(0, 79.0)]) == before


def test_a_life_that_begins_anew_knows_nothing_of_the_one_before() -> None:
    lives = FollowedLives(3)
    lives.begin(0)
    follow(lives, 0, machine(50).history)
    lives.begin(0)
    (says,) = MODEL.at([lives.latest(0, 0.0)])
    assert says == Forecast(Verdict.TOO_LITTLE_DATA, basis="0 of 5 points")
    history = machine(51).history
    follow(lives, 0, part(history, slice(0, 60)))
    assert MODEL.at([lives.latest(0, 59.0)]) == MODEL.predict([part(history, slice(0, 60))])


def test_a_life_of_which_nothing_was_heard_for_long_gets_no_number() -> None:
    lives = FollowedLives(3)
    lives.begin(0)
    follow(lives, 0, part(machine(50).history, slice(0, 80)))
    now, late = (79.0 + LONGEST_SILENCE_H + more for more in (0.0, 1.0))
    assert MODEL.at([lives.latest(0, now)])[0].verdict is Verdict.ESTIMATE
    (says,) = MODEL.at([lives.latest(0, late)])
    assert says == Forecast(Verdict.TOO_LITTLE_DATA, basis="no hour with all channels of the model for 13 h")


@pytest.mark.parametrize("failures", [0, 7])
def test_without_a_fitted_model_there_is_nothing_to_follow(failures: int) -> None:
    unfitted = LearnedLife()
    unfitted.fit([machine(seed) for seed in range(failures)])
    assert unfitted.regressions is None
    lives = FollowedLives(3)
    lives.begin(0)
    assert unfitted.at([lives.latest(0, 0.0)]) == unfitted.predict([machine(0).history])
