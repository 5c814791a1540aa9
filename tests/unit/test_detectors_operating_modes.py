"""Operating modes: code and bands as one number, carried over gaps, settled some time after a switch."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.operating_modes import Modes, OperatingModes

NAN = np.nan
SECOND_US = 1_000_000


def modes() -> OperatingModes:
    """Column 0 is the code, column 2 a set-point with bands from 10 and 20 on."""
    return OperatingModes(0, 3, [(2, (10.0, 20.0))], settle_s=2)


def follow(rows: list[list[float]], tracker: OperatingModes | None = None) -> Modes:
    n = len(rows)
    values = np.array(rows, np.float32).reshape(n, 3)
    return (tracker or modes()).update(np.zeros(n, np.int32), np.arange(n) * SECOND_US, values)


def test_a_regime_is_a_code_and_a_band() -> None:
    found = follow([[0, 9, 5], [1, 9, 5], [2, 9, 10], [0, 9, 19.9], [1, 9, 20], [7, 9, 99]])
    assert found.code.tolist() == [0, 1, 2, 0, 1, 2]
    assert found.regime.tolist() == [0, 1, 3 + 2, 3, 6 + 1, 6 + 2]


def test_what_is_missing_is_as_it_was() -> None:
    found = follow([[NAN, 1, NAN], [2, 1, 15], [NAN, 1, NAN], [NAN, 1, 25]])
    assert found.regime.tolist() == [0, 5, 5, 8]


def test_after_a_switch_it_takes_a_while_to_settle() -> None:
    found = follow(
        [[0, 1, 1], [0, 1, 1], [1, 1, 1], [1, 1, 1], [1, 1, 1], [1, 1, 15], [1, 1, 15], [1, 1, 15]]
    )
    assert found.settled.tolist() == [True, True, False, False, True, False, False, True]


def test_without_code_or_set_point_there_is_one_mode_and_it_is_settled() -> None:
    found = follow([[3, 1, 2], [5, 1, 2]], OperatingModes(None, 1, [], settle_s=10))
    assert found.regime.tolist() == [0, 0]
    assert found.settled.all()


def test_a_set_point_more_leaves_the_numbers_of_its_lowest_band() -> None:
    before = OperatingModes(0, 3, [], settle_s=0)
    follow([[2, 1, 15]], before)
    found = follow([[NAN, 1, NAN], [NAN, 1, 15]], modes().widened(before))
    assert found.regime.tolist() == [2, 5]


@given(
    st.lists(st.tuples(st.integers(0, 2), *[st.sampled_from([NAN, 0.0, 1.0, 12.0, 30.0])] * 3), max_size=30),
    st.integers(1, 7),
)
def test_no_cut_and_no_restart_changes_anything(
    rows: list[tuple[int, float, float, float]], size: int
) -> None:
    slot = np.array([row[0] for row in rows], np.int32)
    ts_us = np.arange(len(rows)) * SECOND_US
    values = np.array([row[1:] for row in rows], np.float32).reshape(-1, 3)
    whole, parts = modes(), modes()
    at_once = whole.update(slot, ts_us, values)
    regime, settled = list[int](), list[bool]()
    for at in range(0, len(rows), size):
        part = slice(at, at + size)
        found = parts.update(slot[part], ts_us[part], values[part])
        regime += found.regime.tolist()
        settled += found.settled.tolist()
        fresh = modes()
        fresh.load(parts.state())
        parts = fresh
    assert (regime, settled) == (at_once.regime.tolist(), at_once.settled.tolist())
    assert parts.state() == whole.state()
