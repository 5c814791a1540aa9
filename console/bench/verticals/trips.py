"""Elevator trips, taught by those that are labelled OK: what `bench detection` has, among the verticals."""

from pathlib import Path

from console.bench.detection import trips
from console.bench.detection.suites import SUITES
from console.bench.verticals.table import Outcome


def run(folder: Path) -> Outcome:
    """Figures beside the dummies, and each trip's score; protocol and errors as `detection.trips` has."""
    series = trips.read(folder)
    if not series:
        raise ValueError(f"{folder}: no CSV file of a trip there")
    decisions = list(trips.decide_trips(series))
    rows = [row for one, said in zip(series, decisions, strict=True) for row in trips.cells(one, said)]
    return Outcome(list(trips.readings(series, decisions)), SUITES["elevator-trips"].columns, rows)
