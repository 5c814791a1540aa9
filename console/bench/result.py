"""What a benchmark says: medians of several runs, each beside its rival or limit, in one JSON form."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Reading:
    """What one run showed of one measure. `rival_value` is in the same unit, from the same run."""

    measure: str
    value: float
    unit: str
    rival: str | None = None
    rival_value: float | None = None
    goal: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One measure over all runs; `runs` and `rival_runs` are in their order."""

    measure: str
    unit: str
    runs: tuple[float, ...]
    rival: str | None = None
    rival_runs: tuple[float, ...] = ()
    goal: str | None = None

    @property
    def value(self) -> float:
        """The median of the runs."""
        return median(self.runs)

    @property
    def rival_value(self) -> float | None:
        """The median of the rival's runs; None without a rival."""
        return median(self.rival_runs) if self.rival_runs else None

    @property
    def ratio(self) -> float | None:
        """Our median over the rival's; None without a rival, or where the rival's is 0."""
        return self.value / self.rival_value if self.rival_value else None

    def plain(self) -> dict[str, Any]:
        """The row as JSON has it."""
        return {
            "measure": self.measure,
            "value": self.value,
            "unit": self.unit,
            "runs": list(self.runs),
            "rival": self.rival,
            "rival_value": self.rival_value,
            "rival_runs": list(self.rival_runs),
            "ratio": self.ratio,
            "goal": self.goal,
        }


def rows_of(runs: Sequence[Sequence[Reading]]) -> list[Row]:
    """The readings of several runs, a row for each measure, in the order in which they first came."""
    by_measure: dict[str, list[Reading]] = {}
    for reading in (reading for run in runs for reading in run):
        by_measure.setdefault(reading.measure, []).append(reading)
    return [_row(readings) for readings in by_measure.values()]


def _row(readings: Sequence[Reading]) -> Row:
    first = readings[0]
    rivals = tuple(reading.rival_value for reading in readings if reading.rival_value is not None)
    runs = tuple(reading.value for reading in readings)
    return Row(first.measure, first.unit, runs, first.rival, rivals, first.goal)
