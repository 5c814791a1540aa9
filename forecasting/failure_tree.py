"""Whether a machine is failing as it runs now: limits of its physics, found in instants with a known outcome.

One small decision tree (CART; Breiman et al. 1984): a part fails where a quantity passes a limit, or two of
them do together, which is what the branches of a tree say and a person can read. Boosted trees of the same
quantities were worse (`docs/results.md`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.folds import stratified_folds
from forecasting.leakage import Leak, label_leaks

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FEWEST = 20
"""Failures, and instants without one, from which limits can be learned."""

LEAVES, FEWEST_IN_LEAF = 10, 5
FOLDS, SEED = 5, 0

SURVIVED = 0.999
"""Quantile of the strain that a kind of machine has survived: one in a thousand may be a mistake."""


class LeakError(ValueError):
    """A column that knows the outcome; `leaks` says which and why."""

    def __init__(self, leaks: list[Leak]) -> None:
        super().__init__("; ".join(f"leave {leak.column} out: {leak.reason}" for leak in leaks))
        self.leaks = leaks


@dataclass(frozen=True, slots=True)
class Conditions:
    """n instants. x: (n, k) quantities, a column for each of `names`, NaN where missing.

    strain: (n,), a load above 0 whose limit differs by the `kind` (n,) of machine: a tool's overstrain.
    """

    names: tuple[str, ...]
    x: Floats
    strain: Floats
    kind: NDArray[np.str_]

    def __getitem__(self, rows: NDArray[np.generic]) -> "Conditions":
        return Conditions(self.names, self.x[rows], self.strain[rows], self.kind[rows])


class FailureTree:
    """A tree on the quantities and on the strain, by kind and as a share of what the kind has survived.

    The share lets kinds with few failures learn together, the strain itself lets one with many find its own
    limit. `threshold` is the probability above which an instant is called a failure: the one
    with which F1 is best on instants left out, in folds of what is learned from.
    """

    def __init__(self, seen: Conditions, failed: Flags) -> None:
        """Learn from instants with their outcome (n,).

        Raises `LeakError` for a column that knows it, `ValueError` where too little is known.
        """
        if found := label_leaks(seen.x, seen.names, failed):
            raise LeakError(found)
        if min(failed.sum(), (~failed).sum()) < FEWEST:
            raise ValueError(
                f"{failed.sum()} failures among {len(failed)} instants: {FEWEST} failures and {FEWEST} "
                "instants without one are needed"
            )
        self.threshold = best_threshold(_out_of_fold(seen, failed), failed)
        self._limits = _Limits(seen, failed)

    def probability(self, seen: Conditions) -> Floats:
        """(n,) that each instant is one of a failure: the share of failures in its leaf."""
        return self._limits.probability(seen)

    def failing(self, seen: Conditions) -> Flags:
        """(n,) whether each instant is called a failure."""
        return np.asarray(self.probability(seen) > self.threshold)


class _Limits:
    """The tree, and what each kind has survived."""

    def __init__(self, seen: Conditions, failed: Flags) -> None:
        self._survived = _survived(seen, failed)
        self._tree = (
            _trees()
            .DecisionTreeClassifier(max_leaf_nodes=LEAVES, min_samples_leaf=FEWEST_IN_LEAF, random_state=SEED)
            .fit(self._features(seen), failed)
        )

    def probability(self, seen: Conditions) -> Floats:
        return np.asarray(self._tree.predict_proba(self._features(seen))[:, 1])

    def _features(self, seen: Conditions) -> Floats:
        usual = max(self._survived.values())
        most = np.array([self._survived.get(kind, usual) for kind in seen.kind.tolist()])
        own = [np.where(seen.kind == kind, seen.strain, 0.0) for kind in self._survived]
        return np.column_stack([seen.x, seen.strain / most, *own])


def _survived(seen: Conditions, failed: Flags) -> Mapping[str, float]:
    """By kind, the most strain without a failure; a kind that is not here has the most of all."""
    known = ~failed & (seen.strain > 0)
    if not known.any():
        raise ValueError("no strain above 0 among the instants without a failure")
    kinds = np.unique(seen.kind[known]).tolist()
    return {kind: float(np.quantile(seen.strain[known & (seen.kind == kind)], SURVIVED)) for kind in kinds}


def _out_of_fold(seen: Conditions, failed: Flags) -> Floats:
    said, fold = np.empty(len(failed)), stratified_folds(failed, FOLDS, SEED)
    for number in range(FOLDS):
        taught, asked = fold != number, fold == number
        said[asked] = _Limits(seen[taught], failed[taught]).probability(seen[asked])
    return said


def best_threshold(score: Floats, positive: Flags) -> float:
    """The level above which F1 of (n,) positives is best: half-way between two scores, or below all of them.

    Where all levels are as good the highest counts. Raises `ValueError` without a positive one.
    """
    if not positive.any():
        raise ValueError("no positive one: no level can find it")
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    hits, called = np.cumsum(positive[order]), np.arange(1, len(score) + 1)
    f1 = np.where(np.diff(ranked, append=-np.inf) < 0, 2 * hits / (called + positive.sum()), 0.0)
    last = int(f1.argmax())
    return float((ranked[last] + ranked[last + 1]) / 2 if last + 1 < len(ranked) else -np.inf)


@cache
def _trees() -> Any:
    """Scikit-learn's trees: their import takes a second, which commands without one are spared."""
    return import_module("sklearn.tree")
