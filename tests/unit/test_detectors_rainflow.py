"""Cycles as the standard counts them, whatever the pieces, and what they do to a weld."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.rainflow import Cycles, SnCurve, count, damage, open_half_cycles

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


def test_the_curve_of_a_weld() -> None:
    """EN 1993-1-9: the category at 2 million cycles, .737 of it at 5, .549 of that at 100."""
    curve = SnCurve(71.0)
    assert curve.knee == pytest.approx(0.737 * 71, rel=1e-3)
    assert curve.cut_off == pytest.approx(0.549 * curve.knee, rel=1e-3)
    lives = curve.life(np.array([71.0, curve.knee, curve.cut_off, 0.999 * curve.cut_off, 0.0]))
    assert lives == pytest.approx([2e6, 5e6, 1e8, np.inf, np.inf])


@pytest.mark.parametrize(("stress", "factor"), [(100.0, 1.33), (45.0, 1.61)])
def test_a_tenth_more_stress(stress: float, factor: float) -> None:
    """The slope decides: 1.1³ above the knee, 1.1⁵ below."""
    curve, one = SnCurve(71.0), np.ones(1)
    normal, more = (damage(Cycles(one * s, one, one), curve) for s in (stress, 1.1 * stress))
    assert more / normal == pytest.approx(factor, abs=0.005)


def test_damage_adds_up_to_one_at_the_end_of_life() -> None:
    curve = SnCurve(71.0)
    cycles = Cycles(np.array([71.0, 71.0]), np.zeros(2), np.array([1e6, 1e6]))
    assert damage(cycles, curve) == pytest.approx(1.0)
