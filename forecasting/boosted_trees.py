"""Boosted regression trees (LightGBM; Ke et al. 2017), equal to the bit for equal data, saved as text."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lightgbm import Booster

Floats = NDArray[np.float64]

DIGEST = 32
"""Bytes of the checksum before the saved text."""

ROUNDS = 150
SETTINGS = {
    "objective": "regression",
    "learning_rate": 0.1,
    "num_leaves": 15,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "max_bin": 63,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
"""Chosen on C-MAPSS' training engines, left out in turn; leaves of 31, other shares of columns and a slower
rate move the error by 1 %."""


@dataclass(frozen=True, slots=True)
class BoostedTrees:
    """The mean of models that differ in their random draws only."""

    models: "tuple[Booster, ...]"

    def predict(self, features: Floats) -> Floats:
        """(n,) from features (n, f); what is said of a row does not depend on the others."""
        said = [np.asarray(model.predict(features, num_threads=1), np.float64) for model in self.models]
        return np.asarray(np.mean(said, axis=0))

    def saved(self) -> NDArray[np.uint8]:
        """The models as a checksum and text: LightGBM's reader ends the process at damaged text."""
        text = "\0".join(model.model_to_string() for model in self.models).encode()
        return np.frombuffer(sha256(text).digest() + text, np.uint8)


def fit_trees(features: Floats, y: Floats, seeds: Sequence[int]) -> BoostedTrees:
    """Learn y (n,) from features (n, f), once for each seed."""
    lgb = _lightgbm()
    rows = lgb.Dataset(features, y, params=dict(SETTINGS))
    return BoostedTrees(tuple(lgb.train(SETTINGS | {"seed": seed}, rows, ROUNDS) for seed in seeds))


def load_trees(saved: NDArray[np.uint8]) -> BoostedTrees:
    """What `saved` gave; raises `ValueError` for other bytes."""
    found = saved.tobytes()
    checksum, text = found[:DIGEST], found[DIGEST:]
    if sha256(text).digest() != checksum:
        raise ValueError("the trees are damaged")
    return BoostedTrees(tuple(_lightgbm().Booster(model_str=one) for one in text.decode().split("\0")))


@cache
def _lightgbm() -> Any:
    """LightGBM: its import takes 1.7 CPU seconds and 100 MB, which a worker without trees is spared."""
    return import_module("lightgbm")
