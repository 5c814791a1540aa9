"""A distribution transformer (Kaggle): its temperatures by IEC 60076-7, and its alarm foreseen.

Protocol: of the rows under load with a plausible oil temperature the first half teaches three numbers, the
current at which the oil would be 60 K over its surroundings, as the standard allows, the ratio of losses
and the oil's time constant: the plate is not known. All else is the standard's for distribution
transformers. The second half is asked for the oil temperature from load and ambient alone. The hot spot is
the measured oil, the modelled one where none is plausible, and the gradient that the load leads to; a
measured winding temperature teaches nothing. The alarm is what `bench detection --suite transformer`
decides, which sees no alarm.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from console.bench.detection import transformer as alarms
from console.bench.detection.live import decide
from console.bench.result import Reading
from console.bench.verticals.table import Flags, Floats, Outcome, numbers, read_rows
from fleet.vertical import Detection
from forecasting.wear.transformer import DISTRIBUTION, Transformer, temperatures

TIME, OIL, WINDING, AMBIENT = alarms.TIME, "OTI", "WTI", "ATI"
CURRENTS = ("IL1", "IL2", "IL3")
COLUMNS = ("time", "alarm", "hot_spot_c")

OIL_RISE, GRADIENT = 60.0, 1.2 * 23.0
"""K at rated load: the standard's limit of top oil, and H times gr of a distribution transformer."""

RATED_A = np.geomspace(100.0, 3000.0, 18)
LOSS_RATIOS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
OIL_MIN = (15.0, 30.0, 60.0, 120.0, 180.0)

LOADED_A = 5.0
"""Phase current from which on it is under load."""

LONGEST_MIN = 24 * 60.0
"""After a longer gap nothing is known of the temperatures before."""

TAUGHT = 0.5


@dataclass(frozen=True, slots=True)
class Record:
    """n rows. step_min: since the row before. All else as measured, NaN where it cannot be."""

    step_min: Floats
    current: Floats
    ambient: Floats
    oil: Floats
    winding: Floats

    @property
    def usable(self) -> Flags:
        """(n,) rows under load with an oil temperature."""
        return np.asarray((self.current > LOADED_A) & np.isfinite(self.oil))

    def modelled(self, rated_a: float, loss_ratio: float, oil_min: float) -> Floats:
        """(n, 2) top oil and hot spot in °C."""
        part = Transformer(replace(DISTRIBUTION, oil_min=oil_min), OIL_RISE, GRADIENT, loss_ratio)
        return temperatures(part, self.step_min, self.current / rated_a, self.ambient)


def run(folder: Path) -> Outcome:
    """Errors in K beside the dummies, alarms foreseen, and alarm and hot spot at each instant."""
    (series,) = alarms.read(folder)
    record = _record(folder, series.times, series.ts_us)
    decision = decide(series, Detection(baseline_rows=alarms.TAUGHT))
    usable = np.flatnonzero(record.usable)
    readings = [*alarms.readings([series], [decision])]
    modelled = np.full((len(series.times), 2), np.nan)
    if len(usable) > 1:
        taught, asked = np.split(usable, [int(TAUGHT * len(usable))])
        modelled = record.modelled(*_fitted(record, taught))
        readings = [*_oil_readings(record, modelled[:, 0], taught, asked), *readings]
    top_oil, hot_spot = modelled.T
    hot = np.where(np.isfinite(record.oil), record.oil, top_oil) + hot_spot - top_oil
    readings += _hot_readings(record, hot)
    said = ("" if np.isnan(one) else f"{one:.1f}" for one in hot.tolist())
    rows = list(zip(series.times, decision.anomalous.astype(int).tolist(), said, strict=True))
    return Outcome(readings, COLUMNS, rows)


def _record(folder: Path, times: tuple[str, ...], ts_us: np.ndarray) -> Record:
    found = dict[str, Floats]()
    for name, columns in ((alarms.OVERVIEW, (OIL, AMBIENT)), (alarms.ELECTRICAL, CURRENTS)):
        rows = read_rows(folder / name, (TIME, *columns))
        first = {row[TIME]: row for row in reversed(rows)}
        own = [first[time] for time in times]
        found |= {column: numbers(own, column, name) for column in (*columns, WINDING) if column in rows[0]}
    step = np.diff(ts_us, prepend=ts_us[0]) / 60e6
    return Record(
        np.where((step > LONGEST_MIN) | (np.arange(len(step)) == 0), np.inf, step),
        np.nan_to_num(np.sqrt(np.mean([found[name] ** 2 for name in CURRENTS], axis=0))),
        _held(_plausible(found[AMBIENT])),
        _plausible(found[OIL]),
        _plausible(found.get(WINDING, np.full(len(times), np.nan))),
    )


def _plausible(celsius: Floats) -> Floats:
    """Temperatures; 0 and what no oil has are what a sensor says that is not there or fails."""
    return np.where((celsius > 0) & (celsius <= alarms.HOTTEST_C), celsius, np.nan)


def _held(values: Floats) -> Floats:
    """Each missing value as the one before it, or the first known one; raises `ValueError` without any."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        raise ValueError(f"{alarms.OVERVIEW}: {AMBIENT} has no ambient temperature above 0")
    before = np.searchsorted(known, np.arange(len(values)), side="right") - 1
    return np.asarray(values[known[np.maximum(before, 0)]])


def _fitted(record: Record, taught: np.ndarray) -> tuple[float, float, float]:
    """The three numbers whose top oil is nearest to the measured, in least squares."""

    def off(plate: tuple[float, float, float]) -> float:
        return float(((record.modelled(*plate)[taught, 0] - record.oil[taught]) ** 2).mean())

    return min(product(RATED_A.tolist(), LOSS_RATIOS, OIL_MIN), key=off)


def _oil_readings(
    record: Record, top_oil: Floats, taught: np.ndarray, asked: np.ndarray
) -> Iterator[Reading]:
    oil, ambient = record.oil, record.ambient
    off = partial(_mean_error, oil[asked])
    line = np.polyfit(ambient[taught], oil[taught], 1)
    yield Reading("top oil: mean error", off(top_oil[asked]), "K", goal="below the dummies'")
    rise = float((oil - ambient)[taught].mean())
    yield Reading("top oil: mean error, ambient and the mean rise", off(ambient[asked] + rise), "K")
    yield Reading("top oil: mean error, a line on the ambient", off(np.polyval(line, ambient[asked])), "K")
    yield Reading("top oil: mean error, constant", off(np.full(len(asked), oil[taught].mean())), "K")


def _hot_readings(record: Record, hot: Floats) -> Iterator[Reading]:
    """Where a winding temperature was measured."""
    known = np.isfinite(record.winding) & np.isfinite(hot) & np.isfinite(record.oil)
    if not known.any():
        return
    off = partial(_mean_error, record.winding[known])
    yield Reading("hot spot: mean error", off(hot[known]), f"K at {known.sum()} instants")
    yield Reading("hot spot: mean error, the oil itself", off(record.oil[known]), "K")


def _mean_error(true: Floats, said: Floats) -> float:
    return float(np.abs(said - true).mean())
