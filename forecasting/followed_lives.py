"""Lives by their last row, as their rows come: what `LearnedLife` is asked about without the rows before."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.asset_features import PER_COLUMN, AssetFeatures
from forecasting.contract import History
from forecasting.points import in_order
from forecasting.stacked_life import Life, Regressions

Floats = NDArray[np.float64]
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Latest:
    """A life as it is now: `points` usable rows so far, of the last one the `level` of wear and the features.

    features: (f,). silent_h: hours since that row.
    """

    points: int
    level: float
    features: Floats
    silent_h: float = 0.0


class FollowedLives:
    """Lives by slot, each followed for one fitted model; the same row by row as all at once.

    columns: of the model, the level included.
    """

    def __init__(self, columns: int) -> None:
        self._bank = AssetFeatures(columns + 1)
        self.columns = columns
        self._last = np.zeros((0, 2))
        self._features = np.zeros((0, PER_COLUMN * (columns + 1) + 1))

    def begin(self, slot: int) -> None:
        """A new life in a slot, of which nothing is known yet; slots count from 0."""
        self._bank.grow(slot + 1)
        more = max(slot + 1 - len(self._last), 0)
        self._last = np.concatenate([self._last, np.zeros((more, 2))])
        self._features = np.concatenate([self._features, np.zeros((more, self._features.shape[1]))])
        self._bank.seen[slot], self._bank.mean[slot] = 0, 0.0
        self._last[slot], self._features[slot] = (-np.inf, 0.0), 0.0

    def take(self, slot: int, regressions: Regressions, rows: History) -> None:
        """Take in rows of the life; those that cannot be used are left out, as `LearnedLife` does."""
        life = usable(rows)
        later = life.age > self._last[slot, 0]
        life = Life(life.age[later], life.x[later], life.setting[later])
        if len(life.age):
            self._features[slot] = regressions.next_features(self._bank, slot, life)[-1]
            self._last[slot] = life.age[-1], life.x[-1, 0]

    def latest(self, slot: int, age_h: float) -> Latest:
        """The life as it is at an age."""
        age, level = self._last[slot].tolist()
        return Latest(int(self._bank.seen[slot]), level, self._features[slot].copy(), age_h - age)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that is needed to go on, one entry for each slot."""
        return {
            "seen": self._bank.seen,
            "mean": self._bank.mean,
            "last": self._last,
            "features": self._features,
        }

    def load(self, arrays: Arrays) -> None:
        """Go on from `arrays`."""
        self._bank.seen, self._bank.mean = arrays["seen"], arrays["mean"]
        self._last, self._features = arrays["last"], arrays["features"]


def usable(history: History) -> Life:
    """The rows of a history that can be used: finite, and older than all before them."""
    setting = np.empty((len(history.x), 0)) if history.setting is None else history.setting
    age, both = in_order(history.age_h, np.hstack([history.x, setting]))
    columns = history.x.shape[1]
    return Life(age, both[:, :columns], both[:, columns:])
