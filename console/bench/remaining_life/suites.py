"""The suites of `faultline bench remaining-life`: a published layout, forecasts, the figures."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from console.bench.remaining_life import battery, cmapss, femto
from console.bench.remaining_life.record import Said, Tell
from console.bench.result import Reading

QUANTILE_COLUMNS = ("p05", "p50", "p95")


@dataclass(frozen=True, slots=True)
class Suite:
    """columns, cells: of the predictions file, before the quantiles."""

    run: Callable[[Path, Tell], tuple[list[Reading], list[Said]]]
    columns: tuple[str, ...]
    cells: Callable[[Said], Sequence[object]]


def _all(said: Said) -> Sequence[object]:
    return said.record, said.asset, said.row


SUITES: Mapping[str, Suite] = {
    "cmapss": Suite(cmapss.run, ("dataset", "unit", "cycle"), _all),
    "femto": Suite(femto.run, ("bearing", "snapshot"), lambda said: (said.asset, said.row)),
    "battery": Suite(battery.run, ("dataset", "unit", "cycle"), _all),
}


def run(suite: Suite, folder: Path, predictions: Path | None, tell: Tell) -> list[Reading]:
    """The suite's figures on a folder laid out like the published one; `predictions` gets what was forecast.

    Raises `ValueError` for a folder without data or a file of another form.
    """
    readings, said = suite.run(folder, tell)
    if not readings:
        raise ValueError(f"{folder}: no data of this suite there")
    if predictions is not None:
        with predictions.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow((*suite.columns, *QUANTILE_COLUMNS))
            writer.writerows(
                (*suite.cells(one), *(f"{value:.4f}" for value in one.quantiles)) for one in said
            )
    return readings
