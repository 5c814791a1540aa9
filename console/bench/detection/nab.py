"""NAB v1.1 and what is laid out like it: univariate streams, labelled windows, one threshold for all.

Protocol: streaming; each detector as it comes, for all series alike. The folder has data/**/*.csv and
labels/combined_windows.json; a series that is not named there is not scored.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from console.bench.detection.dummies import DUMMIES
from console.bench.detection.nab_score import PROFILES, NabSeries, nab_score
from console.bench.detection.series import Decision, Series, instants, read_each, runs
from console.bench.result import Reading

PUBLISHED = {"standard": ("HTM", 70.1), "low_fp": ("HTM", 62.6), "low_fn": ("HTM", 75.2)}
"""Over the whole corpus of 58 series (NAB README); Numenta's HTM, ARTime reaches 74.9."""

GOALS = {"standard": ">= 68"}


def read(folder: Path) -> list[Series]:
    """Every CSV file below data/. Raises `ValueError` for what is none of NAB's."""
    windows = _windows(folder)
    data = folder / "data"
    return read_each(data, data.rglob("*.csv"), partial(_series, windows=windows))


def _windows(folder: Path) -> dict[str, list[tuple[str, str]]]:
    path = folder / "labels" / "combined_windows.json"
    found: dict[str, list[tuple[str, str]]] = json.loads(path.read_text()) if path.is_file() else {}
    return found


def _series(path: Path, file: str, windows: dict[str, list[tuple[str, str]]]) -> Series:
    with path.open(newline="") as lines:
        header, *rows = csv.reader(lines)
    if header != ["timestamp", "value"]:
        raise ValueError("the first line must be timestamp,value")
    times = tuple(row[0] for row in rows)
    ts_us = instants(times)
    x = np.array([[row[1]] for row in rows], np.float32)
    anomalous = None
    if file in windows:
        anomalous = np.zeros(len(rows), np.bool_)
        for first, last in map(instants, windows[file]):
            anomalous |= (ts_us >= first) & (ts_us <= last)
    return Series(file, times, ts_us, x, anomalous)


def readings(series: Sequence[Series], decisions: Sequence[Decision]) -> Iterator[Reading]:
    """NAB's score by profile for the labelled series, the dummies' after it."""
    labelled = [
        (runs(one.anomalous), detections(decision))
        for one, decision in zip(series, decisions, strict=True)
        if one.anomalous is not None
    ]
    if not labelled:
        return
    for name, corpus in _sayers(labelled).items():
        for profile, costs in PROFILES.items():
            yield _reading(profile, name, nab_score(corpus, costs).score)


def detections(decision: Decision) -> NDArray[np.float64]:
    """The score where it was told, 0 elsewhere: NAB counts each row above the threshold as an alarm."""
    return np.where(decision.anomalous, np.nan_to_num(decision.score), 0.0).astype(np.float64)


def _sayers(
    labelled: Sequence[tuple[list[tuple[int, int]], NDArray[np.float64]]],
) -> dict[str, list[NabSeries]]:
    windows = [[(begin, end - 1) for begin, end in found] for found, _ in labelled]
    said = {"": [score for _, score in labelled]}
    for name, dummy in DUMMIES.items():
        said[name] = [dummy(len(score), k) for k, (_, score) in enumerate(labelled)]
    return {name: list(map(NabSeries, scores, windows)) for name, scores in said.items()}


def _reading(profile: str, dummy: str, value: float) -> Reading:
    if dummy:
        return Reading(f"{profile}, {dummy}", value, "NAB")
    rival, rival_value = PUBLISHED[profile]
    return Reading(profile, value, "NAB", f"published: {rival}", rival_value, GOALS.get(profile))
