"""The two detectors that watch a machine together, and what their verdicts are worth as one."""

import numpy as np

from detectors.contract import Scores
from detectors.ewma_t2 import EwmaT2
from detectors.window_knn import WindowKnn


def detectors_for(channels: int, baseline_rows: int) -> tuple[EwmaT2, WindowKnn]:
    """Both with nothing learned yet; so many rows teach each machine's normal."""
    window = max(10, baseline_rows // 40)
    return EwmaT2(channels, baseline=baseline_rows), WindowKnn(channels, length=max(30, window), hop=window)


def combined(one: Scores, other: Scores) -> Scores:
    """Row by row the mean score, so the geometric mean of both probabilities, and the higher one's evidence.

    One that is unknown leaves the other's. Where both see the same a little, that is more than either; where
    one sees what the other cannot, it must see twice as much. The statistic is that of `one`.
    """
    both = np.isfinite(one.score) & np.isfinite(other.score)
    second = np.nan_to_num(other.score, nan=-1.0) > np.nan_to_num(one.score, nan=-1.0)
    wide = second[:, None]
    return Scores(
        np.where(both, (one.score + other.score) / 2, np.where(second, other.score, one.score)),
        np.where(wide, other.contribution, one.contribution),
        np.where(wide, other.expected, one.expected),
        np.where(wide, other.observed, one.observed),
        one.statistic,
        one.judged,
    )
