"""The detection that a worker does, over a recorded series: quality, both detectors, episodes; causal."""

import numpy as np

from console.bench.detection.series import Bools, Decision, Series
from detectors.contract import Samples
from detectors.episodes import Change, EpisodeEvent, EpisodeTracker
from fleet.vertical import Detection
from streams.scorer import detectors_for, higher


def decide(series: Series, rules: Detection) -> Decision:
    """Decide about each instant of one machine in one regime, with these rules and nothing learned before."""
    n, channels = series.x.shape
    slot = np.zeros(n, np.int32)
    samples = Samples(slot, series.ts_us, np.zeros(n, np.int16), series.x)
    t2, knn = detectors_for(rules, channels)
    score = higher(t2.update(samples), knn.update(samples)).score
    tracker = EpisodeTracker(rules.on_score, rules.persistence, off_s=rules.off_delay_s)
    events = tracker.update(slot, series.ts_us, score)
    return Decision(score, _on(events, n), _opened(events, n))


def _on(events: list[EpisodeEvent], n: int) -> Bools:
    """Rows at which an operator saw an episode on, from the row that opened it."""
    on = np.zeros(n, np.bool_)
    for event in events:
        if event.change is not Change.PEAK:
            on[event.row :] = event.change is Change.OPENED
    return on


def _opened(events: list[EpisodeEvent], n: int) -> Bools:
    opened = np.zeros(n, np.bool_)
    opened[[event.row for event in events if event.change is Change.OPENED]] = True
    return opened
