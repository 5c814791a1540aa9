"""Lithium-ion cells: capacity that fades to a limit (CALCE, NASA), and cells with a table of features (HNEI).

Protocol: at half of its life a cell's end of life is forecast, in cycles; who learns has the other cells of
the data set. CALCE's CS2 cells end at .77 Ah and NASA's at 1.4 Ah (70 % of what is rated), for certain when
the median of five cycles is there; HNEI's where their record says that nothing is left. Of a cell that never
gets there the end is asked at half of its record, and nobody judges it; the others know that it lived so
long.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from console.bench.remaining_life.dummies import dummies
from console.bench.remaining_life.record import PROBABILITIES, Along, Fit, Floats, Record, Said, Tell
from console.bench.result import Reading
from forecasting.contract import History, Run
from forecasting.evaluation import coverage
from forecasting.scaled_life import ScaledLife

HALF = 0.5
SETTLED = 5
"""Cycles whose median counts as the capacity."""


@dataclass(frozen=True, slots=True)
class Layout:
    """pattern: of the files of a data set, a cell each. limit: the capacity (Ah) at the end of life."""

    pattern: str
    capacity: str
    limit: float


LAYOUTS = {"CALCE": Layout("CS2_*.csv", "capacity", 0.77), "NASA": Layout("B0*.csv", "capacity_Ah", 1.4)}
HNEI, HNEI_CYCLE, HNEI_LEFT = "Battery_RUL*.csv", "Cycle_Index", "RUL"
HNEI_OTHERS = ("cell", "Unnamed: 0")


def read(folder: Path) -> list[Record]:
    """The data sets in the folder and below it, each under the name of its origin."""
    found = [_capacities(name, layout, folder) for name, layout in LAYOUTS.items()]
    return [record for record in [*found, _hnei(folder)] if record.runs]


def _capacities(name: str, layout: Layout, folder: Path) -> Record:
    runs = {}
    for path in sorted(folder.rglob(layout.pattern)):
        capacity = np.array([row[layout.capacity] for row in _rows(path)])
        runs[path.stem] = _until(layout.limit, capacity[np.isfinite(capacity)])
    return Record(name, runs)


def _until(limit: float, capacity: Floats) -> Run:
    """The cell's life until its capacity is at the limit: the level is the part of the fade up to there."""
    median = np.median(np.lib.stride_tricks.sliding_window_view(capacity, SETTLED), axis=1)
    below = np.flatnonzero(median <= limit)
    end = int(below[0]) + SETTLED if len(below) else len(capacity)
    level = (median[0] - capacity[:end]) / (median[0] - limit)
    return Run(History(np.arange(1.0, end + 1), level[:, None]), failed=bool(len(below)))


def _hnei(folder: Path) -> Record:
    """Cells one below the other; no level is known, so that column is 0."""
    runs = {}
    for path in sorted(folder.rglob(HNEI)):
        rows = _rows(path)
        names = [name for name in rows[0] if name not in {*HNEI_OTHERS, HNEI_CYCLE, HNEI_LEFT}]
        for cell in dict.fromkeys(row["cell"] for row in rows):
            own = [row for row in rows if row["cell"] == cell and row[HNEI_LEFT] >= 0]
            x = np.array([[0.0, *(row[name] for name in names)] for row in own])
            runs[f"{cell:.0f}"] = Run(History(np.array([row[HNEI_CYCLE] for row in own]), x))
    return Record("HNEI", runs)


def _rows(path: Path) -> list[dict[str, float]]:
    with path.open(newline="") as lines:
        return [{name: float(cell or "nan") for name, cell in row.items()} for row in csv.DictReader(lines)]


def scaled(runs: Sequence[Run]) -> Along:
    """What the product's forecaster says at a history's last row, in the only row that it returns."""
    model = ScaledLife()
    model.fit(runs)
    return lambda history: model.ahead(history).quantiles(np.array(PROBABILITIES))[None]


def _of_failed(fit: Fit) -> Fit:
    """A dummy knows of ended lives alone."""
    return lambda runs: fit([run for run in runs if run.failed])


SAYERS: Mapping[str, Fit] = {
    "": scaled,
    **{who: _of_failed(fit) for who, fit in dummies(np.inf).items()},
}


def run(folder: Path, tell: Tell) -> tuple[list[Reading], list[Said]]:
    """Error and coverage of each data set, and a forecast for each cell; raises `ValueError` for a bad
    file."""
    readings, said = list[Reading](), list[Said]()
    for record in read(folder):
        for who, fit in SAYERS.items():
            tell(f"{record.name} {who}")
            found = dict(_at_half(record, fit))
            readings += _readings(record, who, found)
            if not who:
                said += _said(record, found)
    return readings, said


def _at_half(record: Record, fit: Fit) -> Iterator[tuple[str, Floats]]:
    """Quantiles (3,) for each cell at half of its life, from who learned from the other cells."""
    for name, own in record.runs.items():
        others = [run for other, run in record.runs.items() if other != name]
        yield name, fit(others)(_half(own))[-1]


def _half(run: Run) -> History:
    n = int(HALF * len(run.history.age_h))
    return History(run.history.age_h[:n], run.history.x[:n])


def _said(record: Record, found: Mapping[str, Floats]) -> Iterator[Said]:
    for name, quantiles in found.items():
        low, middle, high = quantiles.tolist()
        row = int(_half(record.runs[name]).age_h[-1])
        yield Said(record.name, name, row, (low, middle, high))


def _readings(record: Record, who: str, found: Mapping[str, Floats]) -> Iterator[Reading]:
    judged = [name for name, run in record.runs.items() if run.failed]
    ends = np.array([record.runs[name].history.age_h[-1] for name in judged])
    left = ends - [_half(record.runs[name]).age_h[-1] for name in judged]
    low, middle, high = np.array([found[name] for name in judged]).T
    given = np.isfinite(middle)
    of = f", {who}" if who else ""
    yield Reading(f"{record.name}: cells with a number{of}", int(given.sum()), f"of {len(judged)}")
    if not given.any():
        return
    error = np.abs(middle - left)[given]
    yield Reading(f"{record.name}: mean error{of}", float(error.mean()), "cycles")
    yield Reading(
        f"{record.name}: mean error of the end of life{of}", 100 * float((error / ends[given]).mean()), "%"
    )
    yield Reading(f"{record.name}: coverage{of}", coverage(low[given], high[given], left[given]), "of .9")
    yield Reading(f"{record.name}: width{of}", float((high - low)[given].mean()), "cycles")
