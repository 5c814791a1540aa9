"""EWMA-T² and the episode tracker on SKAB valve1: 16 files of one fault each, in a water circulation rig.

Protocol of SKAB v0.9: rows 0-399 of a file are healthy and teach, the rest is scored, pooled over files.
Everything is causal. Nothing is fitted to labels: an episode is asked for at a score of 3, which promises one
healthy row in a thousand, five rows in a row, and the tracker's other parameters are its defaults but for an
off-delay of 10 s, because the faults last six minutes. The shape of the detector itself (mean instead of
median, the variance "as foreseen") was settled with these files in view, so this is no blind test; a guard
against getting worse is what it is.

Accuracy by row rewards calling everything anomalous, so that dummy and a clock that knows when the
experimenters act stand beside the result, and events are counted too.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.contract import Samples
from detectors.episodes import Change, EpisodeTracker
from detectors.ewma_t2 import EwmaT2

VALVE1 = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "skab" / "valve1"
HEALTHY = 400
SECOND = 1_000_000

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Experiment:
    """x: (n, 8). anomalous: (n,), one run of True."""

    x: NDArray[np.float32]
    anomalous: Bools


@pytest.fixture(scope="module")
def experiments() -> list[Experiment]:
    if not VALVE1.is_dir():
        pytest.skip("SKAB is not in ../shared/data")
    return [_read(path) for path in sorted(VALVE1.glob("*.csv"))]


def _read(path: Path) -> Experiment:
    with path.open(newline="") as file:
        _, *lines = csv.reader(file, delimiter=";")
    x = np.array([line[1:9] for line in lines], np.float32)
    return Experiment(x, np.array([float(line[9]) > 0 for line in lines]))


@pytest.fixture(scope="module")
def episodes(experiments: list[Experiment]) -> list[list[tuple[int, int]]]:
    """Of each file, rows from which and before which an episode was on, as an operator saw it then."""
    lengths = [len(each.x) for each in experiments]
    slot = np.repeat(np.arange(len(experiments)), lengths).astype(np.int32)
    row = np.concatenate([np.arange(n) for n in lengths])
    x = np.concatenate([each.x for each in experiments])
    scores = EwmaT2(8, baseline=HEALTHY).update(Samples(slot, row * SECOND, np.zeros(len(x), np.int16), x))
    tracker = EpisodeTracker(threshold=3.0, persistence=5, off_s=10)
    found: list[list[tuple[int, int]]] = [[] for _ in experiments]
    for event in tracker.update(slot, row * SECOND, scores.score):
        if event.change is Change.OPENED:
            found[event.slot].append((int(row[event.row]), lengths[event.slot]))
        elif event.change is Change.CLOSED:
            found[event.slot][-1] = (found[event.slot][-1][0], int(row[event.row]))
    return found


@dataclass(frozen=True)
class Accuracy:
    """F1, false alarm rate and missed alarm rate by row."""

    f1: float
    far: float
    mar: float

    @classmethod
    def of(cls, experiments: list[Experiment], alarm: Callable[[int, Experiment], Bools]) -> "Accuracy":
        said = np.concatenate([alarm(k, each)[HEALTHY:] for k, each in enumerate(experiments)])
        true = np.concatenate([each.anomalous[HEALTHY:] for each in experiments])
        hits, false, missed = (said & true).sum(), (said & ~true).sum(), (~said & true).sum()
        return cls(2 * hits / (2 * hits + false + missed), false / (~true).sum(), missed / true.sum())


def _between(n: int, spans: list[tuple[int, int]]) -> Bools:
    on = np.zeros(n, np.bool_)
    for start, end in spans:
        on[start:end] = True
    return on


def test_rows(experiments: list[Experiment], episodes: list[list[tuple[int, int]]]) -> None:
    found = Accuracy.of(experiments, lambda k, each: _between(len(each.x), episodes[k]))
    always = Accuracy.of(experiments, lambda k, each: np.ones(len(each.x), np.bool_))
    clock = Accuracy.of(experiments, lambda k, each: _between(len(each.x), [(570, 950)]))
    for name, accuracy in {"found": found, "always on": always, "clock": clock}.items():
        print(f"{name:>10}: F1 {accuracy.f1:.3f}, FAR {accuracy.far:.1%}, MAR {accuracy.mar:.1%}")
    assert found.f1 >= 0.80 > always.f1
    assert found.far <= 0.20
    assert found.mar <= 0.25


def test_events(experiments: list[Experiment], episodes: list[list[tuple[int, int]]]) -> None:
    spans = [np.flatnonzero(each.anomalous)[[0, -1]] for each in experiments]
    delays = [
        min((max(on - start, 0) for on, off in mine if off > start and on <= end), default=None)
        for mine, (start, end) in zip(episodes, spans, strict=True)
    ]
    caught = [delay for delay in delays if delay is not None]
    false = sum(
        not (off > start and on <= end)
        for mine, (start, end) in zip(episodes, spans, strict=True)
        for on, off in mine
    )
    hours = sum((~each.anomalous[HEALTHY:]).sum() for each in experiments) / 3600
    print(f"{len(caught)} of {len(spans)} events, median delay {np.median(caught):.0f} s")
    print(f"{false} false episodes in {hours:.1f} h without a fault")
    assert len(caught) >= 14
    assert np.median(caught) <= 60
    assert false / hours <= 2
