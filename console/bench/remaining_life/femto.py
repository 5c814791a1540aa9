"""Bearings run to failure on PRONOSTIA (Nectoux et al. 2012; the IEEE PHM 2012 challenge).

Protocol: learn from the six bearings of the learning set, forecast each of the eleven test bearings at the
last snapshot that the challenge showed, score by the challenge's formula. Out of fold: each bearing of the
learning set by the five others, at parts of its life. Where the test bearings' ends are given (`rul_truth_s`
in bearings.csv, or files that go on), they are scored; nothing is chosen by them. A row is a snapshot each
10 s.

The score takes one number, and half of it is lost by 5 % too long or 20 % too short: so the middle of a
forecast is here the life with the highest score to be expected, not the median.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from console.bench.remaining_life.record import PROBABILITIES, Floats, Record, Said, Tell
from console.bench.result import Reading
from forecasting.contract import History, Run
from forecasting.evaluation import coverage, phm2012_points, phm2012_score
from forecasting.scaled_life import ScaledLife
from forecasting.scaled_lives import Ahead

LEARNING, LIST = "Learning_set", "bearings.csv"
SNAPSHOT_S = 10.0
PARTS = np.linspace(0.5, 0.95, 10)
"""Of its life, at which a bearing of the learning set is asked."""

FIRST_S = 600.0
"""What is normal for a bearing: the median of its first ten minutes."""

AXES, ABOVE_6_KHZ = ("h", "v"), ("band4", "band5")
"""Horizontal and vertical; shares of the energy from 6 to 9 and to 12.8 kHz, where damage shows early."""

SETTLED = 0.4
"""Bearings are asked from half of their life on: a life of which this part is not over is not believed."""

PUBLISHED = ("challenge winner (from memory)", 0.31)


def read(folder: Path) -> Record:
    """Raises `ValueError` for a folder of another form."""
    path = folder / LIST
    if not path.exists():
        raise ValueError(f"{LIST} is not in the folder: it says which bearings are for learning")
    with path.open(newline="") as lines:
        listed = {row["bearing"]: row for row in csv.DictReader(lines)}
    runs, asked, left = dict[str, Run](), dict[str, History](), dict[str, float]()
    for bearing, row in listed.items():
        whole = _history(folder / f"{bearing}.csv")
        if row["set"] == LEARNING:
            runs[bearing] = Run(whole)
            continue
        n = int(float(row["snapshots_visible_in_Test_set"]))
        asked[bearing] = History(whole.age_h[:n], whole.x[:n])
        if row.get("rul_truth_s"):
            left[bearing] = float(row["rul_truth_s"])
        elif n < len(whole.age_h):
            left[bearing] = float(whole.age_h[-1] - whole.age_h[n - 1])
    return Record("FEMTO", runs, asked, left)


def _history(path: Path) -> History:
    """Seconds stand for hours; the columns are logarithms of the vibration above 6 kHz over the bearing's own
    first one, after one for a level, which is not known."""
    with path.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    high = np.array([[_above_6_khz(row, axis) for axis in AXES] for row in rows])
    age = SNAPSHOT_S * np.arange(1.0, len(rows) + 1)
    grown = np.log(high / np.median(high[age <= FIRST_S], axis=0))
    return History(age, np.column_stack([np.zeros(len(age)), grown]))


def _above_6_khz(row: Mapping[str, str], axis: str) -> float:
    """RMS, in the unit of the whole."""
    share = sum(float(row[f"{axis}_{band}"]) for band in ABOVE_6_KHZ)
    return float(row[f"{axis}_rms"]) * float(np.sqrt(share))


def scaled(runs: Sequence[Run], history: History) -> Floats:
    """(3,) what the product's forecaster says, its middle made for the score."""
    model = ScaledLife()
    model.fit(runs)
    ahead, age = model.ahead(history), history.age_h[-1]
    left = (ahead.hours[1:] + ahead.hours[:-1]) / 2
    chance = np.where(age >= SETTLED * (age + left), ahead.chance, 0.0)
    low, high = Ahead(ahead.hours, chance / chance.sum()).quantiles(np.array([0.05, 0.95]))
    expected = phm2012_points(left[:, None], left) @ chance
    return np.array([low, np.clip(left[np.argmax(expected)], low, high), high])


def part_of_the_age(runs: Sequence[Run], history: History) -> Floats:
    """Three tenths of the age, whatever the bearing does, give or take a factor of ten."""
    return np.asarray(history.age_h[-1] * np.array([0.03, 0.3, 3.0]))


def age_only(runs: Sequence[Run], history: History) -> Floats:
    """What was left to the others that reached this age, or half of the age where none did."""
    age = history.age_h[-1]
    left = [run.history.age_h[-1] - age for run in runs if run.history.age_h[-1] > age]
    return np.asarray(np.quantile(left or [0.5 * age], PROBABILITIES))


SAYERS = {"": scaled, "part of the age": part_of_the_age, "age only": age_only}


def run(folder: Path, tell: Tell) -> tuple[list[Reading], list[Said]]:
    """The score out of fold, that of the test bearings if their ends are given, and a forecast for each of
    them."""
    record, readings, said = read(folder), list[Reading](), list[Said]()
    for who, say in SAYERS.items():
        tell(f"learning set {who}")
        cut = [(name, _cut(own, part)) for name, own in record.runs.items() for part in PARTS]
        found = np.array([say(_others(record, name), history) for name, history in cut])
        true = np.array([record.runs[name].history.age_h[-1] - history.age_h[-1] for name, history in cut])
        readings += _readings("out of fold", who, found, true)
        tell(f"test set {who}")
        asked = {name: say(list(record.runs.values()), history) for name, history in record.asked.items()}
        judged = [name for name in asked if name in record.left]
        if judged:
            true = np.array([record.left[name] for name in judged])
            readings += _readings("test", who, np.array([asked[name] for name in judged]), true)
        if not who:
            said += _said(record, asked)
    return readings, said


def _others(record: Record, name: str) -> list[Run]:
    return [own for other, own in record.runs.items() if other != name]


def _cut(own: Run, part: float) -> History:
    n = int(part * len(own.history.age_h))
    return History(own.history.age_h[:n], own.history.x[:n])


def _said(record: Record, asked: Mapping[str, Floats]) -> Iterator[Said]:
    for name, quantiles in asked.items():
        low, middle, high = quantiles.tolist()
        yield Said(record.name, name, len(record.asked[name].age_h), (low, middle, high))


def _readings(which: str, who: str, found: Floats, true: Floats) -> Iterator[Reading]:
    low, middle, high = found.T
    of = f", {who}" if who else ""
    rival = (f"published: {PUBLISHED[0]}", PUBLISHED[1], ">= .40") if not who else (None, None, None)
    yield Reading(f"{which}: PHM 2012 score{of}", phm2012_score(middle, true), "-", *rival)
    yield Reading(f"{which}: median error{of}", float(np.median(np.abs(middle - true))), "s")
    yield Reading(f"{which}: coverage{of}", coverage(low, high, true), "of .9")
    yield Reading(f"{which}: width{of}", float(np.median(high - low)), "s, median")
