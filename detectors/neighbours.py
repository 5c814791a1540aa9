"""Windows that machines showed when healthy, and how far later ones are from the nearest of them."""

import sys
from dataclasses import dataclass, fields
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from detectors.baseline import level_and_scatter
from detectors.contract import Scores
from detectors.kernels import kernel
from detectors.slots import grown, wider
from detectors.windows import FEATURES

Floats = NDArray[np.float32]
Steps = NDArray[np.int16]

NEIGHBOURS = 3
CUT = 20.0
"""Standardised features are cut here."""
STEP = 2.0**-8
"""Standardised features are kept in such steps: what a machine keeps is half as much, and sums of whole
numbers compile to vector instructions, which take a seventh of the time. The square of twice `CUT` fits into
32 bits."""
LEAST_SCATTER = 0.1
"""Least standard deviation of ln(distance) that is believed of a few dozen overlapping windows."""
DEGREES = 10
"""What those windows are worth as independent ones."""


@dataclass(slots=True)
class Neighbours:
    """Healthy windows by slot, in arrays that judge windows of many slots at once.

    fitted: (slots,) bool. windows: (slots, n, channels, FEATURES), standardised, in steps of `STEP`. level,
    scatter: (slots, channels, FEATURES), scatter 0 where not judged. centre, width: (slots,), of ln(distance)
    when healthy.
    """

    fitted: NDArray[np.bool_]
    windows: Steps
    level: NDArray[np.float64]
    scatter: NDArray[np.float64]
    centre: NDArray[np.float64]
    width: NDArray[np.float64]

    @classmethod
    def none(cls, channels: int, windows: int) -> "Neighbours":
        """No slot yet; each will have so many windows."""
        shape = (0, channels, FEATURES)
        learned = np.zeros((0, windows, channels, FEATURES), np.int16)
        return cls(np.zeros(0, np.bool_), learned, np.zeros(shape), np.zeros(shape), np.zeros(0), np.zeros(0))

    def reach(self, slots: int) -> None:
        """Make room for that many slots."""
        for each in fields(self):
            setattr(self, each.name, grown(getattr(self, each.name), slots, 0))

    def widen(self, channels: int) -> None:
        """Add channels, which fitted slots do not judge."""
        self.windows = wider(self.windows, 2, channels, 0)
        self.level = wider(self.level, 1, channels, np.nan)
        self.scatter = wider(self.scatter, 1, channels, 0.0)

    def fit(self, slot: int, windows: Floats, excess: float = 0.0) -> None:
        """Learn from the slot's windows (n, channels, FEATURES), of which there must be FEWEST or more.

        excess: squared distances count for one part in one and this.
        """
        level, scatter = _standards(windows)
        z = _standardised(windows, level, scatter)
        flat, half = z.reshape(len(z), -1), len(z) // 2
        ahead = np.log(_fitted(flat[:half]).decision_function(flat[half:]) + 1e-6)
        self.windows[slot], self.level[slot], self.scatter[slot] = in_steps(z), level, scatter
        self.centre[slot] = np.mean(ahead) + np.log1p(excess) / 2
        self.width[slot] = max(float(np.std(ahead)), LEAST_SCATTER)
        self.fitted[slot] = True

    def judge(
        self, features: Floats, which: NDArray[np.int64], slot: NDArray[np.int32], verdicts: Scores
    ) -> None:
        """Write the verdicts on the windows `which` of `features`, of these slots, where there is one."""
        able = np.isfinite(features[which]) & (self.scatter[slot] > 0)
        some = able.any(axis=(1, 2))
        which, slot, able = which[some], slot[some], able[some]
        if not len(which):
            return
        level, scatter = self.level[slot], self.scatter[slot]
        z = _standardised(features[which], level, scatter)
        distance = distances(_flat(in_steps(z)), slot, _flat(self.windows))
        odd = (np.log(distance + 1e-6) - self.centre[slot]) / self.width[slot]
        power = np.sum(z.astype(np.float64) ** 2, axis=2)
        share = power / np.maximum(power.sum(axis=1, keepdims=True), 1e-12)
        verdicts.score[which] = np.abs(np.log10(special.stdtr(DEGREES, -odd)))
        verdicts.statistic[which] = distance**2 / FEATURES
        verdicts.contribution[which] = share * (distance**2 / FEATURES)[:, None]
        verdicts.judged[which] = able.any(axis=2).sum(axis=1)
        verdicts.expected[which] = np.where(scatter[:, :, 0] > 0, level[:, :, 0], np.nan)
        verdicts.observed[which] = np.where(scatter[:, :, 0] > 0, features[which, :, 0], np.nan)


def _standards(windows: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    shape = windows.shape[1:]
    level, scatter = np.full(shape, np.nan), np.zeros(shape)
    for k in np.ndindex(shape):
        values = windows[(slice(None), *k)].astype(np.float64)
        values = values[np.isfinite(values)]
        if 2 * len(values) >= len(windows):
            level[k], scatter[k] = level_and_scatter(values)
    return level, scatter


def _standardised(windows: Floats, level: NDArray[np.float64], scatter: NDArray[np.float64]) -> Floats:
    """Of the shape of `windows`, 0 where missing or not judged."""
    z = (windows - level) / np.where(scatter > 0, scatter, np.inf)
    return np.clip(np.nan_to_num(z), -CUT, CUT).astype(np.float32)


def in_steps(z: Floats) -> Steps:
    """Standardised features in steps of `STEP`."""
    return np.asarray(np.rint(z / np.float32(STEP)), np.int16)


def _flat(features: Steps) -> Steps:
    """Channels and their features as one axis."""
    return features.reshape(*features.shape[:-2], -1)


@cache
def load_pyod() -> Any:
    """PyOD's module, whose import takes seconds: let a process call this before its first window comes.

    Scikit-learn would load pandas, 65 MB, only to recognise its frames; it does without if there is none.
    """
    hidden = {} if "pandas" in sys.modules else {"pandas": None}
    sys.modules.update(hidden)  # type: ignore[arg-type]  # None: importing it fails
    try:
        return import_module("pyod.models.knn")
    finally:
        for name in hidden:
            sys.modules.pop(name, None)  # another thread may have been first


def _fitted(z: Floats) -> Any:
    # the tree answers in one thread, brute force in as many as there are
    return load_pyod().KNN(n_neighbors=NEIGHBOURS, method="mean", algorithm="ball_tree").fit(z)


@kernel
def distances(z: Steps, slot: NDArray[np.int32], neighbours: Steps) -> NDArray[np.float64]:
    """Mean Euclidean distance of each of (m, features) from its slot's nearest `NEIGHBOURS`.

    z and neighbours (slots, n, features) are in steps of `STEP`, distances are not.
    """
    found = np.empty(len(z))
    nearest = np.empty(NEIGHBOURS, np.int64)
    for i in range(len(z)):
        asked, healthy = z[i], neighbours[slot[i]]
        nearest[:] = np.iinfo(np.int64).max
        for j in range(len(healthy)):
            square = np.int64(0)
            for k in range(len(asked)):
                off = np.int32(asked[k]) - np.int32(healthy[j, k])
                square += off * off
            at = NEIGHBOURS
            while at > 0 and nearest[at - 1] > square:
                at -= 1
            for later in range(NEIGHBOURS - 1, at, -1):
                nearest[later] = nearest[later - 1]
            if at < NEIGHBOURS:
                nearest[at] = square
        found[i] = STEP * np.mean(np.sqrt(nearest))
    return found
