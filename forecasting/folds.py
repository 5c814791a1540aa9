"""Folds of examples of two classes, each with its share of both."""

import numpy as np
from numpy.typing import NDArray


def stratified_folds(positive: NDArray[np.bool_], folds: int, seed: int) -> NDArray[np.int64]:
    """(n,) the fold of each example, from 0: at random, of either class as many in each as can be."""
    fold = np.empty(len(positive), np.int64)
    rng = np.random.default_rng(seed)
    for mine in (positive, ~positive):
        fold[mine] = rng.permutation(int(mine.sum())) % folds
    return fold
