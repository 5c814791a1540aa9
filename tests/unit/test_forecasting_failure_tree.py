"""Limits of a machine, found in what failed: they are kept by kind, and nobody learns from the label."""

import numpy as np
import pytest
from numpy.typing import NDArray

from forecasting.failure_tree import Conditions, FailureTree, LeakError, best_threshold
from forecasting.folds import stratified_folds

Floats = NDArray[np.float64]
LIMITS = {"L": 100.0, "H": 130.0}


def processes(n: int, seed: int = 1) -> tuple[Conditions, NDArray[np.bool_]]:
    """Two kinds, of which one bears more strain; and power has to stay between two limits."""
    rng = np.random.default_rng(seed)
    kind = np.where(rng.random(n) < 0.7, "L", "H")
    x = np.column_stack([rng.uniform(1.0, 9.0, n), rng.normal(size=n)])
    strain = rng.uniform(0.0, 150.0, n)
    failed = (strain > np.array([LIMITS[one] for one in kind.tolist()])) | (x[:, 0] < 1.4) | (x[:, 0] > 8.6)
    return Conditions(("power", "noise"), x, strain, kind), failed


def test_limits_are_found_by_kind() -> None:
    tree = FailureTree(*processes(3000))
    asked, failed = processes(1000, seed=2)
    assert (tree.failing(asked) == failed).mean() > 0.98
    same = Conditions(asked.names, np.full((2, 2), 5.0), np.array([115.0, 115.0]), np.array(["L", "H"]))
    assert tree.failing(same).tolist() == [True, False]


def test_a_kind_that_was_never_seen_has_the_limit_of_those_that_bear_most() -> None:
    tree = FailureTree(*processes(3000))
    new = Conditions(("power", "noise"), np.full((2, 2), 5.0), np.array([115.0, 148.0]), np.array(["X", "X"]))
    assert tree.failing(new).tolist() == [False, True]


def test_kinds_with_few_failures_learn_together() -> None:
    """Three each are too few for a leaf of their own."""
    seen, failed = processes(3000)
    few = np.zeros(3000, np.bool_)
    kind = np.where((seen.kind == "H") & (np.arange(3000) % 2 == 0), "M", seen.kind)
    for one in ("M", "H"):
        few[np.flatnonzero(failed & (kind == one) & (seen.strain > 135.0))[:3]] = True
    known = (kind == "L") | ~failed | few
    tree = FailureTree(Conditions(seen.names, seen.x, seen.strain, kind)[known], failed[known])
    same = Conditions(seen.names, np.full((4, 2), 5.0), np.array([120.0, 149.0] * 2), np.array([*"MMHH"]))
    assert tree.failing(same).tolist() == [False, True, False, True]


def test_what_fails_more_often_than_not_is_called_a_failure() -> None:
    seen, beyond = processes(3000)
    failed = beyond & (np.random.default_rng(9).random(3000) < 0.8)
    tree = FailureTree(seen, failed)
    assert (tree.failing(seen) == beyond).mean() > 0.95
    assert tree.probability(seen)[beyond].mean() == pytest.approx(0.8, abs=0.05)


def test_it_is_the_same_each_time_and_bears_what_is_missing() -> None:
    seen, failed = processes(800)
    gone = Conditions(
        seen.names, np.where(np.arange(1600).reshape(800, 2) % 31 == 0, np.nan, seen.x), *seen_rest(seen)
    )
    first, second = FailureTree(gone, failed), FailureTree(gone, failed)
    assert first.probability(gone).tolist() == second.probability(gone).tolist()
    assert first.threshold == second.threshold


def seen_rest(seen: Conditions) -> tuple[Floats, NDArray[np.str_]]:
    return seen.strain, seen.kind


@pytest.mark.parametrize("column", ["mode", "number"])
def test_a_column_that_knows_the_outcome_is_refused(column: str) -> None:
    seen, failed = processes(800)
    leak = {"mode": (failed & (seen.x[:, 1] > 0)).astype(float), "number": np.arange(800.0)}[column]
    leaky = Conditions((*seen.names, column), np.column_stack([seen.x, leak]), *seen_rest(seen))
    with pytest.raises(LeakError, match=f"leave {column} out") as caught:
        FailureTree(leaky, failed)
    assert [one.column for one in caught.value.leaks] == [column]


def test_too_few_failures_are_refused() -> None:
    seen, failed = processes(200)
    with pytest.raises(ValueError, match="20 failures"):
        FailureTree(seen, failed & (np.arange(200) < 10))


def test_the_threshold_is_where_f1_is_best() -> None:
    score = np.array([0.9, 0.8, 0.8, 0.3, 0.1])
    assert best_threshold(score, np.array([True, True, False, False, False])) == pytest.approx(0.55)
    assert best_threshold(score, np.array([True, False, False, False, False])) == pytest.approx(0.85)
    assert best_threshold(np.zeros(3), np.array([True, False, True])) == -np.inf
    with pytest.raises(ValueError, match="no positive"):
        best_threshold(score, np.zeros(5, np.bool_))


def test_folds_have_as_many_positive_ones_each() -> None:
    positive = np.arange(103) < 23
    fold = stratified_folds(positive, 5, 1)
    for mine in (positive, ~positive):
        counts = np.bincount(fold[mine], minlength=5)
        assert counts.max() - counts.min() <= 1
    assert (
        fold.tolist()
        == stratified_folds(positive, 5, 1).tolist()
        != stratified_folds(positive, 5, 2).tolist()
    )
