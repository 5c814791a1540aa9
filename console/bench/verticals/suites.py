"""The suites of `faultline bench verticals`: a published layout, the figures, what was predicted."""

from collections.abc import Callable, Mapping
from pathlib import Path

from console.bench.result import Reading
from console.bench.verticals import ai4i, bearings, cnc_mill, transformer, trips, wind, work_orders
from console.bench.verticals.table import Outcome, write_table

SUITES: Mapping[str, Callable[[Path], Outcome]] = {
    "transformer": transformer.run,
    "cnc-mill": cnc_mill.run,
    "ai4i": ai4i.run,
    "work-orders": work_orders.run,
    "trips": trips.run,
    "wind": wind.run,
    "bearings": bearings.run,
}


def run(suite: Callable[[Path], Outcome], folder: Path, predictions: Path | None) -> list[Reading]:
    """The suite's figures on a folder laid out like the published one; `predictions` gets what was predicted.

    Raises `ValueError` for a folder without data, a file of another form, or too few labels to learn from.
    """
    found = suite(folder)
    if predictions is not None:
        write_table(predictions, found.columns, found.rows)
    return list(found.readings)
