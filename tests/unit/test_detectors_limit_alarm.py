"""Absolute limits: delays, deadband, rates, and nothing else moves them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.contract import Samples, StateError
from detectors.limit_alarm import Limit, LimitAlarm, LimitEvent

HOT = Limit(0, 80.0, deadband=5.0, on_delay_s=3.0, off_delay_s=2.0)
LOW_OIL = Limit(1, 1.0, above=False, deadband=0.2)
FAST = Limit(0, 10.0, per_s=True)


def samples(rows: list[tuple[int, float, float]], start: int = 0) -> Samples:
    """Slot and two channels, a row a second."""
    slots, *columns = zip(*rows, strict=True) if rows else ((), (), ())
    n = len(rows)
    return Samples(
        np.array(slots, np.int32),
        (start + np.arange(n, dtype=np.int64)) * 1_000_000,
        np.zeros(n, np.int16),
        np.array(columns, np.float32).T.reshape(n, 2),
    )


def told(limit: Limit, values: Sequence[float], column: int = 0) -> list[tuple[int, float, float | None]]:
    """Row, onset and end in seconds, of one slot."""
    rows = [(0, value, 9.0) if column == 0 else (0, 0.0, value) for value in values]
    found = LimitAlarm(2, (limit,)).check(samples(rows))
    return [(e.row, e.onset_us / 1e6, None if e.end_us is None else e.end_us / 1e6) for e in found]


def test_a_limit_is_passed_after_its_delay_and_began_before_it() -> None:
    assert told(HOT, [70, 81, 82, 81, 81, 81]) == [(4, 1, None)]
    assert told(HOT, [70, 81, 82, 81, 80, 81, 81, 81]) == []  # at the limit is within it


def test_it_is_kept_again_beyond_the_deadband_after_the_delay() -> None:
    values = [90, 90, 90, 90, 76, 74, 76, 74, 74, 74]
    assert told(HOT, values) == [(3, 0, None), (9, 0, 7)]


def test_a_low_limit_and_no_delay() -> None:
    assert told(LOW_OIL, [2.0, 0.9, 1.1, 1.3, 0.5], column=1) == [(1, 1, None), (3, 1, 3), (4, 4, None)]


def test_a_rate_is_taken_between_values_that_are_there() -> None:
    assert told(FAST, [0, 9, 18, 40, 41, 41]) == [(3, 3, None), (4, 3, 4)]
    assert told(FAST, [0, np.nan, np.nan, 29]) == []
    assert told(FAST, [0, np.nan, np.nan, 31]) == [(3, 3, None)]


def test_a_missing_value_neither_passes_nor_keeps() -> None:
    assert told(HOT, [90, np.nan, np.nan, np.nan, 90]) == [(4, 0, None)]
    assert told(LOW_OIL, [0.5, np.nan, np.nan, 0.5], column=1) == [(0, 0, None)]


ROWS = st.lists(
    st.tuples(
        st.integers(0, 2), st.sampled_from([0.0, 70.0, 78.0, 90.0, np.nan]), st.sampled_from([0.5, 1.1, 2.0])
    ),
    max_size=30,
)


@given(ROWS, st.lists(st.integers(0, 30), max_size=3))
def test_cuts_and_saved_state_change_nothing(rows: list[tuple[int, float, float]], cuts: list[int]) -> None:
    limits = (HOT, LOW_OIL, FAST)
    at_once = LimitAlarm(2, limits)
    wanted = [_when(event, 0) for event in at_once.check(samples(rows))]
    found, begin, saved = [], 0, LimitAlarm(2, limits).state()
    for end in [*sorted(cuts), len(rows)]:
        alarm = LimitAlarm(2, limits)
        alarm.load(saved)
        found += [_when(event, begin) for event in alarm.check(samples(rows[begin:end], begin))]
        begin, saved = max(begin, min(end, len(rows))), alarm.state()
    assert found == wanted
    assert saved == at_once.state()


def _when(event: LimitEvent, first: int) -> LimitEvent:
    return replace(event, row=event.row + first)


def test_it_says_how_far_the_value_went() -> None:
    begin, end = LimitAlarm(2, (HOT,)).check(
        samples([(0, value, 9.0) for value in [99, 70, 81, 85, 83, 84, 90, 78, 70, 71, 72]])
    )
    assert (begin.row, begin.peak, begin.peak_us) == (5, 85.0, 3_000_000)  # not the 99 that did not last
    assert (end.row, end.peak, end.peak_us) == (10, 90.0, 6_000_000)


def test_what_a_sensor_reports_at_the_limit_is_within_it() -> None:
    third = float(np.float32(0.3))  # a little above 0.3, as values are kept
    assert third > 0.3
    assert told(Limit(0, 0.3), [third, 0.31]) == [(1, 1, None)]


def test_other_limits_begin_anew_and_those_that_stay_go_on() -> None:
    before = LimitAlarm(2, (HOT, LOW_OIL))
    before.check(samples([(0, 90.0, 0.5)] * 4))
    after = LimitAlarm(2, (replace(HOT, at=85.0), FAST, LOW_OIL))
    after.load(before.state())
    found = after.check(samples([(0, 90.0, 2.0)] * 4, 4))
    assert [(e.limit, e.onset_us, e.end_us) for e in found] == [(2, 0, 4_000_000), (0, 4_000_000, None)]
    none = LimitAlarm(2, ())
    none.load(after.state())
    assert none.check(samples([(0, 99.0, 0.0)])) == []


def test_a_damaged_state_is_refused() -> None:
    with pytest.raises(StateError):
        LimitAlarm(2, (HOT,)).load(LimitAlarm(2, (HOT,)).state()[:-1])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Limit(0, 80.0, deadband=-1.0),
        lambda: Limit(0, float("nan")),
        lambda: LimitAlarm(2, (Limit(2, 1.0),)),
    ],
)
def test_limits_that_cannot_be_are_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="limit"):
        wrong()  # type: ignore[operator]
