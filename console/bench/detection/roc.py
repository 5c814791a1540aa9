"""How well a score tells two classes apart, whatever the level."""

import numpy as np
from numpy.typing import NDArray

from console.bench.detection.series import Bools


def roc_area(score: NDArray[np.floating], positive: Bools) -> float:
    """How often a positive one has the higher score of a pair, ties half (Mann-Whitney)."""
    ranked = np.sort(score[~positive])
    below = np.searchsorted(ranked, score[positive], "left")
    not_above = np.searchsorted(ranked, score[positive], "right")
    return float(np.mean(below + not_above) / 2 / len(ranked))
