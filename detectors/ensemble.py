"""The two detectors that watch a machine together, and what their verdicts are worth as one."""

from collections.abc import Sequence

import numpy as np

from detectors.contract import Samples, Scores
from detectors.ewma_t2 import EwmaT2
from detectors.moving_normal import Moved
from detectors.window_knn import WindowKnn


def detectors_for(channels: int, baseline_rows: int, given: Sequence[int] = ()) -> tuple[EwmaT2, WindowKnn]:
    """Both with nothing learned yet; so many rows teach each machine's normal.

    The chart sees all channels, of which some are `given`, the windows see the others alone.
    """
    window = max(10, baseline_rows // 40)
    return (
        EwmaT2(channels, baseline=baseline_rows, given=given),
        WindowKnn(channels - len(given), length=max(30, window), hop=window),
    )


def by_windows(knn: WindowKnn, samples: Samples, moved: Sequence[Moved]) -> Scores:
    """The windows' verdict; one whose normal level jumped learns its windows anew from that row on.

    A learning period is too short for those to show how far the machine strays, so they are told.
    """
    parts, done = [], 0
    for each in moved:
        if each.jumped:
            parts.append(knn.update(samples.take(slice(done, each.row))))
            knn.relearn(each.slot, each.excess)
            done = each.row
    return Scores.joined([*parts, knn.update(samples.take(slice(done, None)))])


def combined(one: Scores, other: Scores) -> Scores:
    """Row by row the mean score, so the geometric mean of both probabilities, with the higher's evidence.

    Where both see the same a little, that is more than either; where one sees what the other cannot, it must
    see twice as much. That goes for one that is still learning too, or a machine would raise more false
    alarms as long as a single one watches it. Statistic and departure are those of `one`.
    """
    neither = np.isnan(one.score) & np.isnan(other.score)
    first, last = np.nan_to_num(one.score), np.nan_to_num(other.score)
    second = np.isfinite(other.score) & ((last > first) | np.isnan(one.score))
    wide = second[:, None]
    return Scores(
        np.where(neither, np.float32(np.nan), (first + last) / 2),
        np.where(wide, other.contribution, one.contribution),
        np.where(wide, other.expected, one.expected),
        np.where(wide, other.observed, one.observed),
        one.statistic,
        one.judged,
        one.departure,
        np.where(second, other.shown, one.shown),
    )
