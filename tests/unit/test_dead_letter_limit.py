"""A partition stops when the fault is no longer the record's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.dead_letter_limit import WINDOW, DeadLetterLimit, TooManyDeadLetters


def test_a_run_of_dead_letters_stops() -> None:
    limit = DeadLetterLimit(share=1.0, run=5)
    limit.observe([True] * 4 + [False] + [True] * 4)
    with pytest.raises(TooManyDeadLetters, match="5 dead letters in a row"):
        limit.observe([True])


def test_a_share_of_dead_letters_stops_once_there_are_enough_records_to_speak_of_one() -> None:
    limit = DeadLetterLimit(share=0.5, run=WINDOW)
    limit.observe([True, True, False] * 300)
    with pytest.raises(TooManyDeadLetters, match="67%"):
        limit.observe([True, True, False] * 100)


@given(st.lists(st.booleans(), max_size=300))
def test_fewer_than_both_limits_never_stop(dead: list[bool]) -> None:
    DeadLetterLimit(share=0.01, run=301).observe(dead)
