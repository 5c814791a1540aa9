"""Power curve of a wind turbine from its ten-minute values (Yalova T1, 2018; no labels).

Protocol: the first half of the year teaches the curve, the second is expected by it; of that, rows count in
which the turbine runs, which the maker's own curve needs as well. Nothing was chosen on them.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from console.bench.result import Reading
from console.bench.verticals.table import Flags, Floats, Outcome, numbers, read_rows
from forecasting.power_curve import fit_power_curve

FILE, TIME = "T1.csv", "Date/Time"
POWER, WIND, MAKER = "ActivePower", "Wind Speed (m/s)", "TheoreticalPower"
COLUMNS = ("time", "expected_kw", "short_kw")
ROW_MIN = 10.0
TAUGHT = 0.5


def run(folder: Path) -> Outcome:
    """Error of the expected power beside the maker's curve and the dummies; what each row falls short by."""
    rows = read_rows(folder / FILE, (TIME, POWER, WIND))
    wind, power = (numbers(rows, name, FILE) for name in (WIND, POWER))
    taught = np.arange(len(rows)) < TAUGHT * len(rows)
    expected = fit_power_curve(wind[taught], power[taught], ROW_MIN).expected(wind)
    maker = numbers(rows, MAKER, FILE) if MAKER in rows[0] else np.full(len(rows), np.nan)
    said = (_cells(one) for one in (expected, expected - power))
    cells = zip((row[TIME] for row in rows), *said, strict=True)
    return Outcome(list(_readings(wind, power, expected, maker, taught)), COLUMNS, list(cells))


def _cells(values: Floats) -> list[str]:
    return ["" if np.isnan(value) else f"{value:.1f}" for value in values.tolist()]


def _readings(
    wind: Floats, power: Floats, expected: Floats, maker: Floats, taught: Flags
) -> Iterator[Reading]:
    runs = (power > 0) & np.isfinite(expected)
    seen, asked = runs & taught, runs & ~taught
    if not asked.any():
        return
    cube = np.polyfit(wind[seen] ** 3, power[seen], 1)
    dummies = {
        "the maker's curve": maker,
        "mean power": np.full(len(wind), power[seen].mean()),
        "a cube of the wind": np.clip(np.polyval(cube, wind**3), 0, power[seen].max()),
    }
    yield Reading("mean error", _error(power, expected, asked), "kW")
    for name, said in dummies.items():
        if np.isfinite(said[asked]).all():
            yield Reading(f"mean error, {name}", _error(power, said, asked), "kW")
    off = power[asked] - expected[asked]
    yield Reading("median error", float(np.median(np.abs(off))), "kW")
    yield Reading("short of the expected", -100 * float(off.sum() / expected[asked].sum()), "% of the energy")


def _error(power: Floats, said: Floats, asked: Flags) -> float:
    return float(np.abs(power - said)[asked].mean())
