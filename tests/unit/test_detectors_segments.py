"""Rows cut into segments: only what was seen whole, and the same whatever the cut into updates."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.contract import StateError
from detectors.segments import Part, Segments, Take, Window

S = 1_000_000
MISSING = np.nan

TRIP = (
    Part(Take.SECONDS),
    Part(Take.MEAN, 1),
    Part(Take.TOTAL, 1),
    Part(Take.PEAK, 1),
    Part(Take.LAST, 1),
)
DOOR = (
    Part(Take.SECONDS, codes=(3,)),
    Part(Take.SECONDS, codes=(2,)),
    Part(Take.TIMES, codes=(3,)),
    Part(Take.MEAN, 1, (2, 3)),
)
MOTOR = (
    Part(Take.MEAN, 1, (3,), Window(0, 0.0, 1.0)),
    Part(Take.MEAN, 1, (3,), Window(0, 1.0, 9.0)),
    Part(Take.PEAK, 1, (2,), Window(1, 0.0, 1.0)),
    Part(Take.TOTAL, 1, (2,), Window(1, 1.0, 9.0)),
)


def trips(longest_s: float = 600.0) -> Segments:
    return Segments(0, (1, 2), TRIP, longest_s=longest_s)


def doors() -> Segments:
    return Segments(0, (1, 2, 3), DOOR, phases=True)


def motors() -> Segments:
    return Segments(0, (1, 2, 3), MOTOR, phases=True)


def told(
    segments: Segments, code: list[float], value: list[float] | None = None, at_s: list[float] | None = None
) -> tuple[list[int], list[list[float]]]:
    """Rows and features of the segments of one slot, a row a second unless `at_s` says when."""
    at = np.arange(len(code)) if at_s is None else np.array(at_s)
    x = np.stack([code, np.zeros(len(code)) if value is None else value], axis=1).astype(np.float32)
    row, found = segments.update(np.zeros(len(code), np.int32), (at * S).astype(np.int64), x)
    return row.tolist(), found.x.tolist()


def test_a_trip_is_told_as_a_whole_at_the_row_that_ends_it() -> None:
    row, x = told(trips(), [0, 1, 1, 1, 0], [9, 2, 6, 4, 9])
    assert row == [4]
    assert x == [[3.0, 4.0, 12.0, 6.0, 4.0]]


def test_a_door_that_turns_round_has_its_longest_closing_told_and_all_of_them() -> None:
    parts = Part(Take.LONGEST, codes=(2,)), Part(Take.SECONDS, codes=(2,)), Part(Take.TIMES, codes=(3,))
    turning = Segments(0, (1, 2, 3), parts, phases=True)
    _, x = told(turning, [0, 3, 1, 2, 3, 1, 2, 2, 2, 0, 3, 2, 2, 0])
    assert x == [[3.0, 4.0, 2.0], [2.0, 2.0, 1.0]]


def test_a_movement_is_told_by_the_time_since_it_began() -> None:
    _, x = told(motors(), [0, 3, 3, 3, 1, 2, 2, 0], [9, 5, 2, 4, 9, 6, 7, 9])
    assert x == [[5.0, 3.0, 6.0, 7.0]]
    _, x = told(motors(), [0, 3, 3, 3, 1, 2, 2, 0], [9, 5, 1, 4, 9, 6, 7, 9], [0, 0.5, 1, 2, 3, 4, 5, 6])
    assert x == [[3.0, 4.0, 6.0, 7.0]]


def test_a_movement_that_begins_midway_is_left_out_and_one_that_ends_there_is_not() -> None:
    _, x = told(motors(), [0, 3, 3, 1, 2, 3, 3, 1, 2, 2, 0], [9, 5, 2, 9, 4, 8, 8, 9, 6, 7, 9])
    assert x == [[5.0, 2.0, 6.0, 7.0]]
    _, x = told(motors(), [0, 3, 2, 2, 0], [9, 5, 8, 8, 9])
    np.testing.assert_array_equal(x, [[5.0, MISSING, MISSING, MISSING]])


def test_a_peak_may_be_below_zero() -> None:
    _, x = told(trips(), [0, 1, 1, 0], [9, -4, -2, 9])
    assert x == [[2.0, -3.0, -6.0, -2.0, -2.0]]


def test_rows_speak_of_the_time_before_them() -> None:
    _, x = told(trips(), [0, 1, 1, 0], [0, 1, 4, 0], at_s=[0, 2, 3, 5])
    assert x == [[3.0, 2.0, 6.0, 4.0, 4.0]]


def test_another_code_is_another_trip_and_a_segments_regime_is_its_code() -> None:
    slot, ts = np.zeros(6, np.int32), np.arange(6) * S
    x = np.array([[0, 0], [1, 0], [2, 0], [2, 0], [0, 0], [0, 0]], np.float32)
    row, found = trips().update(slot, ts, x)
    assert row.tolist() == [2, 4]
    assert found.regime.tolist() == [1, 2]
    assert found.ts_us.tolist() == [2 * S, 4 * S]
    assert found.x[:, 0].tolist() == [1.0, 2.0]


def test_phases_make_one_cycle_and_a_door_that_opens_again_shows_it() -> None:
    _, x = told(doors(), [0, 3, 3, 1, 2, 3, 1, 2, 2, 2, 0], [9, 1, 1, 9, 2, 2, 9, 2, 2, 2, 9])
    assert x == [[3.0, 4.0, 2.0, pytest.approx(12 / 7)]]


def test_what_was_not_seen_from_its_beginning_to_its_end_is_not_told() -> None:
    assert told(trips(), [1, 1, 0, 0])[0] == []  # began before the first row
    assert told(trips(), [0, 1, 1])[0] == []  # has not ended
    assert told(trips(), [0, 1, 1, 0], at_s=[0, 60, 61, 62])[0] == []  # began while nothing came
    assert told(trips(), [0, 1, 1, 0], at_s=[0, 1, 2, 60])[0] == []  # ended then
    assert told(trips(), [0, 1, 1, 1, 0], at_s=[0, 1, 2, 60, 61])[0] == []  # was interrupted
    assert told(trips(), [0, 1, 1, 0], at_s=[0, 3, 6, 9])[0] == [3]


def test_rows_a_minute_apart_have_no_segments() -> None:
    code = [0.0, 1.0, 1.0, 0.0, 2.0] * 50
    assert told(trips(), code, at_s=[60.0 * k for k in range(len(code))])[0] == []


def test_a_trip_that_takes_too_long_is_not_told_and_the_next_one_is() -> None:
    assert told(trips(longest_s=3), [0, 1, 1, 1, 1, 0, 1, 0])[0] == [7]
    assert told(trips(longest_s=3), [0, 1, 1, 1, 0])[0] == [4]


def test_a_missing_code_is_the_last_one_and_a_missing_value_is_left_out() -> None:
    row, x = told(trips(), [0, 1, MISSING, 1, MISSING, 0], [0, 2, 4, MISSING, 6, 0])
    assert row == [5]
    assert x == [[4.0, 4.0, 16.0, 6.0, 6.0]]
    _, nothing = told(trips(), [0, 1, 0], [0, MISSING, 0])
    np.testing.assert_array_equal(nothing, [[1.0, *[MISSING] * 4]])


def test_what_no_float_can_hold_is_missing() -> None:
    _, x = told(trips(), [0, 1, 1, 0], [0, 3e38, 3e38, 0])
    assert np.isfinite(x[0][:2]).all()
    assert np.isnan(x[0][2])
    row, _ = told(trips(), [0, 1, 3e38, 0, 1, -3e38, 0])
    assert row == [2, 5]


def test_a_phase_that_was_not_seen_is_missing() -> None:
    _, x = told(doors(), [0, 3, 1, 0])
    np.testing.assert_array_equal(x, [[1.0, MISSING, 1.0, 0.0]])


def test_a_code_that_is_none_of_a_segments_ends_it() -> None:
    assert told(trips(), [0, 1, 7, 1, -2, 0])[0] == [2, 4]


def fleet() -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]]:
    """Three machines whose rows come interleaved, with gaps, missing codes and missing values."""
    rng = np.random.default_rng(3)
    slot = rng.permutation(np.repeat(np.arange(3, dtype=np.int32), 700))
    ts = np.empty(len(slot), np.int64)
    x = np.empty((len(slot), 2), np.float32)
    for s in range(3):
        mine = np.flatnonzero(slot == s)
        ts[mine] = np.cumsum(np.where(rng.random(len(mine)) < 0.02, 9, 1)) * S
        x[mine, 0] = np.repeat(rng.integers(0, 4, len(mine) // 5), 5)
        x[mine, 1] = rng.normal(size=len(mine))
    x[rng.random(x.shape) < 0.03] = np.nan
    return slot, ts, x


@pytest.mark.parametrize("make", [trips, doors, motors])
@pytest.mark.parametrize("size", [1, 7, 500])
def test_cuts_and_restarts_change_nothing(make: Callable[[], Segments], size: int) -> None:
    slot, ts, x = fleet()
    whole = make()
    row, once = whole.update(slot, ts, x)
    assert len(row) > 50
    parts, rows, segments = [], [], make()
    for at in range(0, len(slot), size):
        cut = slice(at, at + size)
        found, part = segments.update(slot[cut], ts[cut], x[cut])
        rows += (at + found).tolist()
        parts.append(part)
        state = segments.state()
        segments = make()
        segments.load(state)
    assert rows == row.tolist()
    for name in ("slot", "ts_us", "regime", "x"):
        np.testing.assert_array_equal(
            np.concatenate([getattr(part, name) for part in parts]), getattr(once, name)
        )
    assert segments.state() == whole.state()


def test_a_slot_is_as_if_it_were_alone_and_its_state_does_not_grow() -> None:
    slot, ts, x = fleet()
    among, alone = doors(), doors()
    _, found = among.update(slot, ts, x)
    mine = slot == 2
    _, single = alone.update(np.zeros(mine.sum(), np.int32), ts[mine], x[mine])
    np.testing.assert_array_equal(found.x[found.slot == 2], single.x)
    size = len(among.state())
    among.update(slot, ts + ts.max(), x)
    assert len(among.state()) == size


def test_a_renewed_slot_leaves_out_the_segment_that_was_on() -> None:
    segments = trips()
    assert told(segments, [0, 1, 1])[0] == []
    segments.renew(0)
    segments.renew(9)  # of which nothing is known
    assert told(segments, [1, 0, 1, 0], at_s=[3, 4, 5, 6])[0] == [3]


def test_state_of_other_segments_or_damaged_is_refused() -> None:
    segments = trips()
    told(segments, [0, 1, 0])
    state = segments.state()
    for bad in (b"", state[:-3], doors().state()):
        with pytest.raises(StateError):
            trips().load(bad)


@pytest.mark.parametrize(
    ("codes", "parts", "apart_s"), [((), TRIP, 3.0), ((-1, 2), TRIP, 3.0), ((1,), (), 3.0), ((1,), TRIP, 0.0)]
)
def test_segments_of_nothing_are_refused(
    codes: tuple[int, ...], parts: tuple[Part, ...], apart_s: float
) -> None:
    with pytest.raises(ValueError, match="needs codes"):
        Segments(0, codes, parts, apart_s=apart_s)
