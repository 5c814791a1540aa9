"""Cycles as the standard counts them, whatever the pieces."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forecasting.rainflow import MOST_OPEN, Cycles, Residues, count, open_half_cycles

HISTORIES = st.lists(st.integers(-20, 20), max_size=40)


def whole(series: list[int]) -> Cycles:
    """All cycles of a history that ends."""
    closed, residue = count(np.array(series, np.float64))
    left = open_half_cycles(residue)
    parts = [(getattr(closed, name), getattr(left, name)) for name in ("range", "mean", "count")]
    return Cycles(*map(np.concatenate, parts))


def by_range(cycles: Cycles) -> dict[float, float]:
    found = defaultdict[float, float](float)
    for size, share in zip(cycles.range.tolist(), cycles.count.tolist(), strict=True):
        found[size] += share
    return dict(found)


def test_the_example_of_the_standard() -> None:
    """ASTM E1049-85, figure 6."""
    found = whole([-2, 1, -3, 5, -1, 3, -4, 4, -2])
    assert by_range(found) == {3: 0.5, 4: 1.5, 6: 0.5, 8: 1.0, 9: 0.5}
    full = found.count == 1.0
    assert list(zip(found.range[full], found.mean[full], strict=True)) == [(4, 1)]


def slow(series: list[int]) -> dict[float, float]:
    """The standard's text (5.4.4), read literally, over a list of turning points."""
    points = [v for k, v in enumerate(series) if k == 0 or v != series[k - 1]]
    turns = [
        v
        for k, v in enumerate(points)
        if k in (0, len(points) - 1) or (points[k - 1] - v) * (points[k + 1] - v) > 0
    ]
    found, stack = defaultdict[float, float](float), list[float]()
    for turn in turns:
        stack.append(turn)
        while len(stack) >= 3 and abs(stack[-1] - stack[-2]) >= abs(stack[-2] - stack[-3]):
            size = float(abs(stack[-2] - stack[-3]))
            if len(stack) == 3:
                found[size] += 0.5
                del stack[0]
            else:
                found[size] += 1.0
                del stack[-3:-1]
    for a, b in pairwise(stack):
        found[float(abs(a - b))] += 0.5
    return dict(found)


@given(HISTORIES)
def test_any_history_is_counted_as_the_text_says(series: list[int]) -> None:
    assert by_range(whole(series)) == slow(series)


@given(HISTORIES, st.lists(st.integers(0, 40), max_size=3))
def test_pieces_change_nothing(series: list[int], cuts: list[int]) -> None:
    at_once, residue = count(np.array(series, np.float64))
    rest, ranges = np.empty(0), list[float]()
    for piece in np.split(np.array(series, np.float64), sorted(cuts)):
        found, rest = count(piece, rest)
        ranges += found.range.tolist()
    assert ranges == at_once.range.tolist()
    assert rest.tolist() == residue.tolist()


def test_what_is_missing_is_left_out() -> None:
    assert by_range(count(np.array([0, np.nan, 4, np.nan, 1, 3, np.nan, 0]))[0]) == {2: 1.0, 4: 0.5}


@given(st.lists(HISTORIES, min_size=1, max_size=4))
def test_many_histories_side_by_side_are_counted_as_each_alone(histories: list[list[int]]) -> None:
    slot = np.concatenate([np.full(len(series), k, np.int32) for k, series in enumerate(histories)])
    order = np.random.default_rng(len(slot)).permutation(len(slot))
    order = order[
        np.argsort(slot[order], kind="stable")
    ]  # not by time within a history, but so for both ways
    values = np.concatenate([np.array(series, np.float64) for series in histories])[order]
    residues = Residues.empty(len(histories))
    found, by = residues.count(slot[order], values)
    for k in range(len(histories)):
        alone, residue = count(values[slot[order] == k])
        assert found.range[slot[order][by] == k].tolist() == alone.range.tolist()
        assert residues.points[k, : residues.depth[k]].tolist() == residue.tolist()


def test_more_open_swings_than_are_kept_count_half() -> None:
    swings = np.array([(-1.0) ** k * (500 - k) for k in range(MOST_OPEN + 3)])
    residues = Residues.empty(1)
    found, by = residues.count(np.zeros(len(swings), np.int32), swings)
    assert residues.depth.tolist() == [MOST_OPEN]
    assert found.range.tolist() == [999.0, 997.0, 995.0]
    assert found.count.tolist() == [0.5] * 3
    assert by.tolist() == [MOST_OPEN, MOST_OPEN + 1, MOST_OPEN + 2]
