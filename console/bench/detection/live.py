"""Detection over a recorded series, causal: what a worker does with change points beside it, or novelties."""

import numpy as np
from numpy.typing import NDArray

from console.bench.detection.series import Bools, Decision, Series
from detectors.contract import Samples
from detectors.ensemble import by_windows, combined, detectors_for
from detectors.episodes import Change, EpisodeEvent, EpisodeTracker
from detectors.mosum import Mosum
from detectors.novelty import Novelty
from detectors.promised_level import PromisedLevel
from fleet.vertical import Detection

CHANGE_SCORE = 2.65
"""SKAB's budget is 200 false ones in seven hours: this tells 22 an hour on its file without a fault."""

TOLD_ROWS = 100
"""Rows in which what an operator was told of a novelty fades to 1/e."""


def decide(series: Series, rules: Detection) -> Decision:
    """Decide about each instant of one machine in one regime, with these rules and nothing learned before."""
    n, channels = series.x.shape
    slot = np.zeros(n, np.int32)
    samples = Samples(slot, series.ts_us, np.zeros(n, np.int16), series.x)
    t2, knn = detectors_for(channels, rules.baseline_rows)
    by_t2 = t2.update(samples)
    score = combined(by_t2, by_windows(knn, samples, t2.moved)).score
    alarm = rules.on_score, rules.persistence
    level = PromisedLevel(rules.false_per_day, *alarm, off_s=rules.off_delay_s)
    levels = level.update(slot, series.ts_us, score)
    events = EpisodeTracker(*alarm, off_s=rules.off_delay_s).update(slot, series.ts_us, score, levels)
    return Decision(score, _on(events, n), _changes(samples, rules.baseline_rows))


def _on(events: list[EpisodeEvent], n: int) -> Bools:
    """Rows at which an operator saw an episode on, from the row that opened it."""
    on = np.zeros(n, np.bool_)
    for event in events:
        if event.change is not Change.PEAK:
            on[event.row :] = event.change is Change.OPENED
    return on


def _changes(samples: Samples, baseline: int) -> Bools:
    changed = np.zeros(len(samples.slot), np.bool_)
    found = Mosum(samples.x.shape[1], baseline=baseline, score=CHANGE_SCORE).update(samples)
    changed[[point.row for point in found]] = True
    return changed


def decide_novelties(series: Series) -> Decision:
    """Say what one machine shows that it never showed before, once: again only when it gets odder."""
    n, channels = series.x.shape
    samples = Samples(np.zeros(n, np.int32), series.ts_us, np.zeros(n, np.int16), series.x)
    score = Novelty(channels).update(samples).score
    return Decision(score, _told(score), np.zeros(n, np.bool_))


def _told(score: NDArray[np.float32]) -> Bools:
    """Rows that are odder than what is left of those that were told."""
    told = np.zeros(len(score), np.bool_)
    level = 0.0
    for i, odd in enumerate(np.nan_to_num(score).tolist()):
        told[i] = odd > level
        level = odd if told[i] else level * (1 - 1 / TOLD_ROWS)
    return told
