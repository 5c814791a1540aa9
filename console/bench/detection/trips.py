"""Elevator trips that are labelled as a whole: OK or KO in the name of the file (Milan metro, line M5).

Protocol: OK trips teach, KO trips never. An OK trip is judged by the OK trips of the other fifths of its
elevator's time; every other trip by all OK trips of its elevator, or of all elevators if those are too few.
Without a label in the names the trips of a folder teach each other: most are taken to be well.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from console.bench.detection.dummies import SEED
from console.bench.detection.roc import roc_area
from console.bench.detection.series import Bools, Decision, Series, read_each
from console.bench.result import Reading
from detectors.baseline import FEWEST
from detectors.segment_knn import SegmentKnn, segment_features

FOLDS = 5
BUDGET = 0.1
"""False alarms that are allowed, as a share of the trips that are well."""

COLUMNS = ("timeStamp", "x", "y", "z")
PUBLISHED = ("within one elevator", 0.82)

Floats = NDArray[np.float64]


def read(folder: Path) -> list[Series]:
    """Every CSV file below the folder, in order of its name; raises `ValueError` for one of another form."""
    return read_each(folder, folder.rglob("*.csv"), _series)


def _series(path: Path, file: str) -> Series:
    with path.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    if not rows or any(name not in rows[0] for name in COLUMNS):
        raise ValueError(f"the first line must have the columns {', '.join(COLUMNS)}")
    x = np.array([[row[name] for name in COLUMNS[1:]] for row in rows], np.float32)
    times = tuple(row[COLUMNS[0]] for row in rows)
    ts_us = np.array([float(time) * 1000 for time in times]).astype(np.int64)
    said = {"OK", "KO"}.intersection(re.split("[^A-Za-z]+", path.stem))
    faulty = np.full(len(rows), said == {"KO"}) if len(said) == 1 else None
    return Series(file, times, ts_us, x, faulty, machine=rows[0].get("name", ""))


def decide_trips(series: Sequence[Series]) -> Iterator[Decision]:
    """One decision for each trip: its score, and whether that is above what the budget allows."""
    if not series:
        return
    features = np.array([_features(trip) for trip in series])
    faulty = _faulty(series)
    well = ~faulty if faulty is not None else np.ones(len(series), np.bool_)
    for number in range(len(series)):
        teachers = _teachers(series, well, number)
        score = SegmentKnn(features[teachers]).score(features[[number]]).astype(np.float32)
        yield Decision(score, score > -np.log10(BUDGET), np.zeros(1, np.bool_))


def _features(trip: Series) -> Floats:
    try:
        return segment_features(trip.x)
    except ValueError as error:
        raise ValueError(f"{trip.file}: {error}") from error


def _teachers(series: Sequence[Series], well: Bools, number: int) -> NDArray[np.int64]:
    """Trips to judge that one by; raises `ValueError` if there are too few."""
    begin = np.array([trip.ts_us[0] for trip in series])
    mine = np.array([trip.machine == series[number].machine for trip in series])
    for known in (np.flatnonzero(well & mine), np.flatnonzero(well)):
        ordered = known[np.argsort(begin[known], kind="stable")]
        fold = np.arange(len(ordered)) * FOLDS // max(len(ordered), 1)
        others = ordered[fold != fold[ordered == number]] if number in ordered else ordered
        if len(others) >= FEWEST:
            return np.asarray(others)
    raise ValueError(f"{series[number].file}: {FEWEST} other trips that were well are needed to judge it")


def _faulty(series: Sequence[Series]) -> Bools | None:
    """Of each trip whether it is labelled KO; None without labels, `ValueError` if only some have one."""
    labels = [trip.anomalous[0] for trip in series if trip.anomalous is not None]
    unnamed = [trip.file for trip in series if trip.anomalous is None]
    if labels and unnamed:
        raise ValueError(f"{unnamed[0]}: its name says neither OK nor KO, others do: name all or none")
    return np.array(labels) if labels else None


def readings(series: Sequence[Series], decisions: Sequence[Decision]) -> Iterator[Reading]:
    """The area under the ROC curve, and at the budget KO trips found and OK trips that alarmed."""
    faulty = _faulty(series)
    if faulty is None or faulty.all() or not faulty.any():
        return
    score = np.array([decision.score[0] for decision in decisions], np.float64)
    alarm = np.array([decision.anomalous[0] for decision in decisions])
    yield Reading("auc", roc_area(score, faulty), "-", f"published: {PUBLISHED[0]}", PUBLISHED[1], "> .82")
    yield Reading("found", 100 * float(alarm[faulty].mean()), f"% of {faulty.sum()} KO trips")
    yield Reading("false_alarms", 100 * float(alarm[~faulty].mean()), f"% of {(~faulty).sum()} OK trips")
    for name, dummy in DUMMIES.items():
        yield Reading(f"auc, {name}", roc_area(dummy(series), faulty), "-")


DUMMIES: Mapping[str, Callable[[Sequence[Series]], Floats]] = {
    "all positive": lambda series: np.ones(len(series)),
    "clock": lambda series: np.array([-float(trip.ts_us[0]) for trip in series]),
    "random": lambda series: np.random.default_rng(SEED).random(len(series)),
}
"""The clock knows that KO trips are the earlier ones: a repair lies in between."""


def cells(series: Series, decision: Decision) -> Iterator[Sequence[object]]:
    """The scores file's row of a trip."""
    yield series.file, float(decision.score[0]), int(decision.anomalous[0])
