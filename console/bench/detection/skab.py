"""SKAB v0.9 and what is laid out like it: water-circulation experiments of twenty minutes, a fault in each.

Protocol: of each file the first 400 rows are healthy and teach, the others are scored, pooled over files.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from console.bench.detection.change_points import ChangePoints, change_score
from console.bench.detection.dummies import DUMMIES
from console.bench.detection.event_view import event_view
from console.bench.detection.row_accuracy import row_accuracy
from console.bench.detection.series import Bools, Decision, Series, instants, read_each
from console.bench.result import Reading
from fleet.vertical import Detection

HEALTHY_ROWS = 400
RULES = Detection(baseline_rows=HEALTHY_ROWS, false_per_day=24.0)
"""The defaults but for a promise of one false episode an hour, which twenty minutes are too short to tell."""

LABELS = ("anomaly", "changepoint")
HOUR_S = 3600

PUBLISHED = {"f1": ("Conv-AE", 0.78), "far": ("Conv-AE", 13.55), "mar": ("Conv-AE", 28.02)}
PUBLISHED_CHANGE = {"standard": ("MSCRED", 32.42), "low_fp": ("Conv-AE", 21.54), "low_fn": ("MSCRED", 40.28)}

GOALS = {"f1": ">= .86", "far": "<= 14", "change_standard": ">= 60", "change_low_fp": ">= 50"}


def read(folder: Path) -> list[Series]:
    """Every CSV file below the folder, in order of its name; raises `ValueError` for one of another form."""
    return read_each(folder, folder.rglob("*.csv"), _series)


def _series(path: Path, file: str) -> Series:
    with path.open(newline="") as lines:
        header, *rows = csv.reader(lines, delimiter=";")
    if header[:1] != ["datetime"] or len(header) < 2:
        raise ValueError("the first line must be datetime;CHANNEL;...[;anomaly;changepoint]")
    if len(rows) <= HEALTHY_ROWS:
        raise ValueError(f"{len(rows)} rows, of which the first {HEALTHY_ROWS} teach: none is left to score")
    if (LABELS[0] in header) is not (LABELS[1] in header):
        raise ValueError("it has one of the columns anomaly and changepoint: give it both or none")
    times = tuple(row[0] for row in rows)
    values = [k for k, name in enumerate(header) if k and name not in LABELS]
    x = np.array([[row[k] for k in values] for row in rows], np.float32)
    anomalous, change = (
        np.array([float(row[header.index(name)]) > 0 for row in rows]) if name in header else None
        for name in LABELS
    )
    return Series(file, times, instants(times), x, anomalous, change)


def readings(series: Sequence[Series], decisions: Sequence[Decision]) -> Iterator[Reading]:
    """The figures of labelled files and of the dummies, then false episodes of files without a fault."""
    labelled = [(s, d) for s, d in zip(series, decisions, strict=True) if s.anomalous is not None]
    if labelled:
        yield from _rows([_Scored(s, d.anomalous) for s, d in labelled])
        yield from _changes([_Scored(s, d.change) for s, d in labelled])
    for one, decision in zip(series, decisions, strict=True):
        if one.anomalous is None:
            yield from _without_fault(one, decision)


class _Scored:
    """The part of a series that is scored, and what is said about it."""

    def __init__(self, series: Series, said: Bools) -> None:
        assert series.anomalous is not None
        assert series.change is not None
        self.ts_us = series.ts_us[HEALTHY_ROWS:]
        self.anomalous, self.change = series.anomalous[HEALTHY_ROWS:], series.change[HEALTHY_ROWS:]
        self.said = said[HEALTHY_ROWS:]
        self.rows = len(series.ts_us)

    def by(self, dummy: Callable[[int, int], NDArray[np.float64]], number: int) -> Bools:
        """Where a dummy alarms in the same rows of the file of that number."""
        return dummy(self.rows, number)[HEALTHY_ROWS:] > 0.5


def _rows(files: Sequence[_Scored]) -> Iterator[Reading]:
    for name, said in _sayers(files).items():
        pairs = [(file.anomalous, rows) for file, rows in zip(files, said, strict=True)]
        found, seen = row_accuracy(pairs), event_view(pairs)
        hours = max(seen.healthy_rows / HOUR_S, 1 / HOUR_S)
        shown = {"f1": (found.f1, "-"), "far": (100 * found.far, "%"), "mar": (100 * found.mar, "%")}
        for measure, (value, unit) in shown.items():
            yield _reading(measure, name, value, unit, PUBLISHED[measure])
        yield _reading("events_found", name, seen.found, f"of {seen.events}")
        yield _reading("false_episodes", name, seen.false_episodes, f"in {hours:.2f} h")
        if seen.delay_rows is not None:
            yield _reading("delay", name, seen.delay_rows, "s")


def _changes(files: Sequence[_Scored]) -> Iterator[Reading]:
    for name, said in _sayers(files).items():
        found = change_score(
            ChangePoints(file.ts_us, file.change, rows) for file, rows in zip(files, said, strict=True)
        )
        for profile, value in found.by_profile.items():
            yield _reading(f"change_{profile}", name, value, "NAB", PUBLISHED_CHANGE[profile])
        yield _reading("change_false", name, found.false, "points")


def _sayers(files: Sequence[_Scored]) -> dict[str, list[Bools]]:
    dummies = {name: [file.by(dummy, k) for k, file in enumerate(files)] for name, dummy in DUMMIES.items()}
    return {"": [file.said for file in files], **dummies}


def _reading(
    measure: str, dummy: str, value: float, unit: str, published: tuple[str, float] | None = None
) -> Reading:
    if dummy:
        return Reading(f"{measure}, {dummy}", value, unit)
    rival, rival_value = published or (None, None)
    return Reading(measure, value, unit, rival and f"published: {rival}", rival_value, GOALS.get(measure))


def _without_fault(series: Series, decision: Decision) -> Iterator[Reading]:
    said = decision.anomalous[HEALTHY_ROWS:]
    seen = event_view([(np.zeros(len(said), np.bool_), said)])
    hours = seen.healthy_rows / HOUR_S
    yield Reading(f"false_episodes, {series.file}", seen.false_episodes / hours, "1/h", goal="<= 1")
    yield Reading(f"alarmed, {series.file}", 100 * float(said.mean()), "% of rows")
