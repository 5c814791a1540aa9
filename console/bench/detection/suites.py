"""The suites of `faultline bench detection`: a published layout, a detection, the figures."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from console.bench.detection import nab, skab, transformer, trips
from console.bench.detection.live import decide, decide_novelties
from console.bench.detection.series import Decision, Series
from console.bench.result import Reading
from fleet.vertical import Detection

Cells = Sequence[object]


@dataclass(frozen=True, slots=True)
class Suite:
    """`decide` has its detectors' defaults but for what the protocol says. `columns`: of the scores file."""

    read: Callable[[Path], list[Series]]
    decide: Callable[[Sequence[Series]], Iterator[Decision]]
    readings: Callable[[Sequence[Series], Sequence[Decision]], Iterator[Reading]]
    columns: tuple[str, ...]
    cells: Callable[[Series, Decision], Iterator[Cells]]


def _skab_cells(series: Series, decision: Decision) -> Iterator[Cells]:
    score = np.nan_to_num(decision.score).tolist()
    on, change = decision.anomalous.astype(int).tolist(), decision.change.astype(int).tolist()
    for time, *said in zip(series.times, score, on, change, strict=True):
        yield series.file, time, *said


def _nab_cells(series: Series, decision: Decision) -> Iterator[Cells]:
    for time, score in zip(series.times, nab.detections(decision).tolist(), strict=True):
        yield series.file, time, score


SUITES: Mapping[str, Suite] = {
    "skab": Suite(
        skab.read,
        partial(map, partial(decide, rules=skab.RULES)),
        skab.readings,
        ("file", "datetime", "score", "anomaly", "changepoint"),
        _skab_cells,
    ),
    "nab": Suite(
        nab.read, partial(map, decide_novelties), nab.readings, ("file", "timestamp", "score"), _nab_cells
    ),
    "elevator-trips": Suite(
        trips.read, trips.decide_trips, trips.readings, ("file", "score", "anomaly"), trips.cells
    ),
    "transformer": Suite(
        transformer.read,
        partial(map, partial(decide, rules=Detection(baseline_rows=transformer.TAUGHT))),
        transformer.readings,
        ("time", "score", "anomaly"),
        transformer.cells,
    ),
}


def run(
    suite: Suite, folder: Path, scores: Path | None, tell: Callable[[str, int, int], None]
) -> list[Reading]:
    """The suite's figures on a folder laid out like the published one; `scores` gets what was decided.

    `tell` hears the file, its number and how many there are. Raises `ValueError` for a folder without data or
    a file of another form.
    """
    series = suite.read(folder)
    if not series:
        raise ValueError(f"{folder}: no CSV file of this suite there")
    decisions: list[Decision] = []
    deciding = suite.decide(series)
    for number, one in enumerate(series):
        tell(one.file, number, len(series))
        decisions.append(next(deciding))
    if scores is not None:
        with scores.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(suite.columns)
            for one, decision in zip(series, decisions, strict=True):
                writer.writerows(suite.cells(one, decision))
    return list(suite.readings(series, decisions))
