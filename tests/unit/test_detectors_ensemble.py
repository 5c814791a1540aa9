"""Two verdicts as one."""

import numpy as np

from detectors.contract import Scores
from detectors.ensemble import combined


def verdict(score: list[float], blamed: float) -> Scores:
    """Verdicts on one channel that all blame it so much."""
    n = len(score)
    column = np.full((n, 1), blamed, np.float32)
    said = np.array(score, np.float32), column, column, column, column[:, 0], np.ones(n, np.int16)
    return Scores(*said, column[:, 0], np.full(n, int(blamed), np.int32))


def test_two_verdicts_are_worth_their_geometric_mean_and_the_higher_one_gives_the_evidence() -> None:
    nan = np.nan
    found = combined(verdict([1, 5, nan, 4, nan], blamed=1.0), verdict([3, 1, 2, nan, nan], blamed=2.0))
    np.testing.assert_array_equal(found.score, [2, 3, 1, 2, nan])
    np.testing.assert_array_equal(found.contribution[:, 0], [2, 1, 2, 1, 1])
    np.testing.assert_array_equal(found.shown, [2, 1, 2, 1, 1])
    np.testing.assert_array_equal(found.statistic, np.ones(5))
