"""Two models are told apart where both were asked the same, and each life counts once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.comparison import by_life, compare
from forecasting.evaluation import Answers

LEFT = np.array([30.0, 20.0, 10.0, 25.0])
LIFE = np.array([0, 0, 0, 1])


def answers(*p50_h: float) -> Answers:
    said = np.array(p50_h)
    return Answers(LIFE, LEFT, said, said, said, said)


def test_only_instants_at_which_both_answered_count_and_each_life_once() -> None:
    found = compare(answers(30, 20, np.nan, 35), answers(34, 26, 10, 25))
    assert (found.lives, found.mae_h, found.champion_mae_h) == (2, (0 + 10) / 2, (5 + 0) / 2)
    one_less = compare(answers(30, 20, 14, 35), answers(34, 26, np.nan, 25))
    assert one_less == found


def test_a_champion_that_never_answers_loses() -> None:
    found = compare(answers(30, 20, 10, 26), answers(*[np.nan] * 4))
    assert (found.lives, found.mae_h, found.champion_mae_h) == (2, 0.5, np.inf)


def test_without_an_instant_in_common_there_is_nothing_to_compare() -> None:
    assert compare(answers(30, np.nan, np.nan, np.nan), answers(np.nan, 20, 10, 25)).lives == 0


def test_other_rows_are_no_comparison() -> None:
    with pytest.raises(ValueError, match="were not asked the same"):
        compare(answers(30, 20, 10, 25).of([0]), answers(30, 20, 10, 25))


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 1e4)), min_size=1), st.integers(1, 9))
def test_repeating_what_was_said_of_a_life_changes_nothing(rows: list[tuple[int, float]], times: int) -> None:
    life, error = np.array([n for n, _ in rows]), np.array([e for _, e in rows])
    once = by_life(life, error, 2 * error)
    again = by_life(np.repeat(life, times), np.repeat(error, times), np.repeat(2 * error, times))
    assert once.lives == again.lives == len(set(life.tolist()))
    assert once.mae_h == pytest.approx(again.mae_h)
    assert once.champion_mae_h == pytest.approx(2 * once.mae_h)
