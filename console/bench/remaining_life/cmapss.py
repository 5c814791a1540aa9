"""Turbofan engines of NASA's simulator C-MAPSS, FD001 to FD004 (Saxena, Goebel, Simon and Eklund, PHM 2008).

Protocol: train on train_FD00x; one forecast for each test engine at its last cycle; forecast and truth cut
at 125 cycles, as a healthy engine does not show how long it will last (Heimes 2008). Papers differ on
whether the truth is cut, so both figures are given. Out of fold means the training engines, five times four
fifths of them being learned from, at each cycle from the 30th on, each engine counting as one. Nothing is
chosen by a test engine's truth.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from console.bench.remaining_life.dummies import dummies
from console.bench.remaining_life.record import (
    PROBABILITIES,
    Along,
    Fit,
    Floats,
    Record,
    Said,
    Tell,
    left_along,
    out_of_fold,
)
from console.bench.result import Reading
from forecasting.contract import History, Run
from forecasting.evaluation import (
    alpha_lambda,
    coverage,
    nasa_score,
    prognostic_horizon,
    relative_accuracy,
    rmse,
)
from forecasting.learned_life import LearnedLife

CAP = 125.0
FIRST_CYCLE = 30
SOON, LAST = 50.0, 30.0
ALPHA, LAMBDA, WITHIN = 0.2, 0.5, 10.0

SETTINGS, SENSORS = slice(2, 5), slice(5, 26)
COLUMNS = 26

PUBLISHED = {
    "FD001": ("STAR", 10.61, "<= 10.5"),
    "FD002": ("FFVE", 12.55, "<= 10.0"),
    "FD003": ("STAR", 10.71, "<= 9.7"),
    "FD004": ("FFVE", 14.08, "<= 10.8"),
}
PUBLISHED_SCORE = {"FD001": ("MTSTAN", 175.4, "<= 165"), "FD002": ("FFVE", 772.0, "<= 450")}
"""Truth cut at 125 cycles as far as the papers say (LLerDagu/RUL-FFVE, Benchmark.md; STAR 2024)."""


def read(folder: Path) -> list[Record]:
    """The subsets that are there; raises `ValueError` for a file of another form."""
    names = sorted(path.stem.removeprefix("train_") for path in folder.glob("train_*.txt"))
    return [_record(folder, name) for name in names]


def _record(folder: Path, name: str) -> Record:
    runs = {unit: Run(history) for unit, history in _engines(folder / f"train_{name}.txt").items()}
    test, truth = folder / f"test_{name}.txt", folder / f"RUL_{name}.txt"
    asked = _engines(test) if test.exists() else {}
    left = np.loadtxt(truth, ndmin=1).tolist() if truth.exists() else []
    if left and len(left) != len(asked):
        raise ValueError(f"{truth.name} has {len(left)} lives for the {len(asked)} engines of {test.name}")
    return Record(name, runs, asked, dict(zip(asked, left, strict=bool(left))))


def _engines(path: Path) -> dict[str, History]:
    rows = np.loadtxt(path, ndmin=2)
    if rows.shape[1] != COLUMNS:
        raise ValueError(f"{path.name} has {rows.shape[1]} columns, not {COLUMNS}")
    engines = (rows[rows[:, 0] == unit] for unit in np.unique(rows[:, 0]))
    return {f"{own[0, 0]:.0f}": _history(own) for own in engines}


def _history(rows: Floats) -> History:
    """Hours stand for cycles; no engine has a level of its own, so that column is 0."""
    level = np.zeros((len(rows), 1))
    return History(rows[:, 1], np.hstack([level, rows[:, SENSORS]]), rows[:, SETTINGS])


def learned(runs: Sequence[Run]) -> Along:
    """What is under test."""
    model = LearnedLife(horizon_h=CAP)
    model.fit(runs)
    return lambda history: model.along(history, PROBABILITIES)


SAYERS: Mapping[str, Fit] = {"": learned, **dummies(CAP)}


def run(folder: Path, tell: Tell) -> tuple[list[Reading], list[Said]]:
    """All figures, and a forecast for each test engine; raises `ValueError` for a folder without data."""
    readings, said = list[Reading](), list[Said]()
    for record in read(folder):
        tell(f"{record.name}: test engines")
        begin = time.process_time()
        model = learned(list(record.runs.values()))
        readings.append(Reading(f"{record.name}, fit", time.process_time() - begin, "CPU s"))
        said += [_said(record, unit, model(history)[-1]) for unit, history in record.asked.items()]
        readings += _test_readings(record, model)
        tell(f"{record.name}: training engines, left out in turn")
        readings += _out_of_fold_readings(record)
    return readings, said


def _said(record: Record, unit: str, quantiles: Floats) -> Said:
    low, middle, high = quantiles.tolist()
    return Said(record.name, unit, len(record.asked[unit].age_h), (low, middle, high))


def _test_readings(record: Record, model: Along) -> Iterator[Reading]:
    """Of the last cycles of the test engines, where their truth is given."""
    if not record.left:
        return
    raw = np.array([record.left[unit] for unit in record.asked])
    true, name = np.minimum(raw, CAP), f"{record.name}, test"
    runs = list(record.runs.values())
    for who, fit in SAYERS.items():
        say, of = (fit(runs), f", {who}") if who else (model, "")
        low, middle, high = np.array([say(history)[-1] for history in record.asked.values()]).T
        best, score = ({}, {}) if who else (PUBLISHED, PUBLISHED_SCORE)
        yield _published(f"{name}: RMSE{of}", rmse(middle, true), "cycles", best, record.name)
        yield Reading(f"{name}: RMSE, truth not cut{of}", rmse(middle, raw), "cycles")
        yield _published(f"{name}: NASA score{of}", nasa_score(middle, true), "-", score, record.name)
        yield Reading(f"{name}: NASA score, truth not cut{of}", nasa_score(middle, raw), "-")
        yield Reading(f"{name}: coverage{of}", coverage(low, high, true), "of .9")
        yield Reading(f"{name}: width{of}", float((high - low).mean()), "cycles")


def _published(
    measure: str, value: float, unit: str, table: Mapping[str, tuple[str, float, str]], name: str
) -> Reading:
    if name not in table:
        return Reading(measure, value, unit)
    rival, rival_value, goal = table[name]
    return Reading(measure, value, unit, f"published: {rival}", rival_value, goal)


def _out_of_fold_readings(record: Record) -> Iterator[Reading]:
    for who, fit in SAYERS.items():
        said = out_of_fold(record, fit)
        of = f", {who}" if who else ""
        for measure, value, unit, goal in _figures(record, said):
            yield Reading(
                f"{record.name}, out of fold: {measure}{of}", value, unit, goal=None if who else goal
            )


def _figures(record: Record, said: Mapping[str, Floats]) -> Iterator[tuple[str, float, str, str | None]]:
    """Measure, value, unit and goal of forecasts along the training engines."""
    lives = [(quantiles, left_along(record.runs[unit], CAP)) for unit, quantiles in said.items()]
    lives = [(quantiles[FIRST_CYCLE - 1 :], true[FIRST_CYCLE - 1 :]) for quantiles, true in lives]
    each = [_pooled(quantiles, true) for quantiles, true in lives]
    square, cost, held, width = np.mean(each, axis=0).tolist()
    yield "RMSE", square**0.5, "cycles", PUBLISHED.get(record.name, ("", 0.0, None))[2]
    yield "NASA score", cost * 100, "per 100 engines", None
    yield "coverage", held, "of .9", ".88 to .94"
    yield "width", width, "cycles", "<= 25"
    rows = np.vstack([np.column_stack([quantiles, true]) for quantiles, true in lives])
    soon, last = rows[rows[:, 3] <= SOON], rows[rows[:, 3] <= LAST]
    yield f"width, life <= {SOON:.0f}", float((soon[:, 2] - soon[:, 0]).mean()), "cycles", "<= 14"
    yield f"bias, life <= {LAST:.0f}", float((last[:, 1] - last[:, 3]).mean()), "cycles", "< 1.5"
    hits = [alpha_lambda(quantiles[:, 1], true, ALPHA, LAMBDA) for quantiles, true in lives]
    yield "alpha-lambda (.2, .5)", float(np.mean(hits)), "of engines", ">= .8"
    horizons = [prognostic_horizon(quantiles[:, 1], true, WITHIN) for quantiles, true in lives]
    yield f"horizon +-{WITHIN:.0f}", float(np.median(horizons)), "cycles", ">= 60"
    accuracies = [relative_accuracy(quantiles[:, 1], true) for quantiles, true in lives]
    yield "relative accuracy", float(np.mean(accuracies)), "-", None


def _pooled(quantiles: Floats, true: Floats) -> tuple[float, float, float, float]:
    """Of one engine: squared error, NASA score of an instant, coverage, width."""
    low, middle, high = quantiles.T
    return (
        rmse(middle, true) ** 2,
        nasa_score(middle, true) / len(true),
        coverage(low, high, true),
        float((high - low).mean()),
    )
