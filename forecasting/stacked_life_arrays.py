"""A `StackedLife` as named arrays, and back."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.asset_features import PER_COLUMN
from forecasting.boosted_trees import load_trees
from forecasting.intervals import GROUPS, LEVELS, Intervals
from forecasting.kernel_ridge import KernelRidge
from forecasting.regimes import Regimes
from forecasting.signals import Signals
from forecasting.stacked_life import SMOOTH, Regressions, StackedLife

Arrays = Mapping[str, NDArray[Any]]

SHAPES: dict[str, NDArray[Any]] = {
    "span": np.zeros(3),
    "setting": np.zeros((2, 0)),
    "regime": np.zeros((0, 0)),
    "mean": np.zeros((0, 0)),
    "scale": np.zeros((0, 0)),
    "index": np.zeros(0),
    "trees": np.zeros(0, np.uint8),
    "moments": np.zeros((2, 0)),
    "centre": np.zeros((0, 0)),
    "kernel": np.zeros(0),
    "weight": np.zeros(4),
    "typical": np.zeros((3, 0)),
    "surprise": np.zeros((0, 0)),
}
"""Of an unfitted one."""


def to_arrays(model: StackedLife) -> dict[str, NDArray[Any]]:
    """The model's arrays by name."""
    inner, regimes = model.regressions, model.regressions.signals.regimes
    return {
        "span": model.span,
        "setting": regimes.setting,
        "regime": regimes.centre,
        "mean": regimes.mean,
        "scale": regimes.scale,
        "index": inner.signals.weight,
        "trees": inner.trees.saved(),
        "moments": inner.moments,
        "centre": inner.kernel.centre,
        "kernel": inner.kernel.weight,
        "weight": model.weight,
        "typical": model.intervals.typical,
        "surprise": model.intervals.surprise,
    }


def from_arrays(a: Arrays) -> StackedLife:
    """The model of `to_arrays`; raises `ValueError` for arrays that do not belong together."""
    _check(a)
    regimes = Regimes(a["setting"], a["regime"], a["mean"], a["scale"])
    trees = load_trees(a["trees"])
    features = PER_COLUMN * (len(a["index"]) + 1) + 1
    if any(model.num_feature() != features for model in trees.models):
        raise ValueError(f"the trees are not of {features} features")
    kernel = KernelRidge(a["centre"], a["kernel"])
    regressions = Regressions(Signals(regimes, a["index"]), trees, a["moments"], kernel)
    weight = np.resize(a["weight"], 4)  # an earlier release had the same two at failure and at the horizon
    return StackedLife(a["span"], regressions, weight, Intervals(a["typical"], a["surprise"]))


def _check(a: Arrays) -> None:
    (regimes, settings), columns, centres = a["regime"].shape, len(a["index"]), len(a["centre"])
    smooth, bins = len(SMOOTH) * (columns + 1) + 1, a["typical"].shape[1]
    wanted = {
        "span": (3,),
        "setting": (2, settings),
        "regime": (regimes, settings),
        "mean": (regimes, columns),
        "scale": (regimes, columns),
        "index": (columns,),
        "moments": (2, smooth),
        "centre": (centres, smooth),
        "kernel": (centres + smooth + 1,),
        "weight": (2,) if len(a["weight"]) == 2 else (4,),
        "typical": (3, bins),
        "surprise": (GROUPS, 1 + len(LEVELS)),
    }
    for name, shape in wanted.items():
        empty = not a[name].size and name not in {"setting", "regime"}
        if empty or a[name].shape != shape:
            raise ValueError(f"{name} is {a[name].shape} and not {shape}")
        if not np.isfinite(a[name]).all():
            raise ValueError(f"{name} is not finite")
