"""When a machine's clock is to be asked, and when late rows are only late."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors.clock import Clock, ClockFault
from detectors.contract import StateError

MINUTE = 60_000_000
Ints = NDArray[np.int64]


def minutes(start: int, end: int) -> Ints:
    return np.arange(start, end, dtype=np.int64)


def check(clock: Clock, minute: Ints, slot: int = 0) -> tuple[list[bool], list[ClockFault]]:
    on_time, faults = clock.check(np.full(len(minute), slot, np.int32), minute * MINUTE)
    return on_time.tolist(), faults


def test_a_row_is_on_time_if_it_is_later_than_all_before() -> None:
    assert check(Clock(), np.array([3, 1, 3, 4, 2])) == ([True, False, False, True, False], [])


def test_a_clock_set_back_by_an_hour_is_a_fault_until_it_has_caught_up() -> None:
    _, (begins, ends) = check(Clock(), np.concatenate([minutes(0, 200), minutes(140, 300)]))
    assert begins == ClockFault(0, 140 * MINUTE, None, 59 * MINUTE)
    assert ends == ClockFault(0, 140 * MINUTE, 200 * MINUTE, 59 * MINUTE)


def test_a_few_rows_out_of_order_are_no_fault() -> None:
    clock = Clock()
    for start in range(0, 1000, 50):
        now = np.concatenate([minutes(start, start + 50), minutes(start + 20, start + 49)])
        assert check(clock, now)[1] == []


def test_rows_that_were_held_back_belong_in_a_pause_and_are_no_fault() -> None:
    clock = Clock()
    assert check(clock, np.concatenate([minutes(0, 100), minutes(500, 600)]))[1] == []
    on_time, faults = check(clock, minutes(100, 500))
    assert not any(on_time)
    assert faults == []
    assert len(check(clock, minutes(550, 590))[1]) == 1


def test_another_machines_rows_neither_count_nor_interrupt() -> None:
    clock = Clock()
    check(clock, minutes(0, 100), slot=0)
    check(clock, minutes(0, 100), slot=1)
    assert check(clock, minutes(60, 80), slot=0)[1] == []
    assert check(clock, minutes(100, 200), slot=1)[1] == []
    assert [fault.slot for fault in check(clock, minutes(80, 90), slot=0)[1]] == [0]


@given(st.integers(0, 10**6), st.integers(1, 60))
@settings(max_examples=40, deadline=None)
def test_cuts_and_saved_state_change_nothing(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    parts = [minutes(start, start + n) for start, n in rng.integers((0, 1), (200, 80), (8, 2)).tolist()]
    ts_us = np.concatenate([minutes(0, 200), *parts, minutes(300, 320)]) * MINUTE
    slot = rng.integers(0, 2, len(ts_us)).astype(np.int32)
    whole, cut = Clock(), Clock()
    at_once, at_once_faults = whole.check(slot, ts_us)
    on_time: list[bool] = []
    faults: list[ClockFault] = []
    for start in range(0, len(ts_us), size):
        part, found = cut.check(slot[start : start + size], ts_us[start : start + size])
        on_time += part.tolist()
        faults += found
        fresh = Clock()
        fresh.load(cut.state())
        cut = fresh
    assert on_time == at_once.tolist()
    assert faults == at_once_faults
    assert whole.state() == cut.state()


def test_state_of_something_else_is_refused() -> None:
    with pytest.raises(StateError):
        Clock().load(b"no clock")
