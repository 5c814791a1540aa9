"""A distribution transformer whose own oil temperature alarm is to be foreseen (Kaggle, one transformer).

Protocol: nothing is fitted to alarms, whose columns are no input. An alarm begins when it is on after
`QUIET_H` without one. On the rows from 24 hours until one hour before that a score should be high, on all
others without an alarm low; the first `TAUGHT` rows teach and are left out. An episode that is on in those
hours foresees the alarm; one that is on in none of them is false.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from console.bench.detection.dummies import SEED
from console.bench.detection.event_view import event_view
from console.bench.detection.roc import roc_area
from console.bench.detection.series import SECOND_US, Decision, Series, instants, runs
from console.bench.result import Reading

OVERVIEW, ELECTRICAL = "Overview.csv", "CurrentVoltage.csv"
TIME, ALARM, ALARMS = "DeviceTimeStamp", "OTI_A", ("OTI_A", "OTI_T", "MOG_A")
HOTTEST_C = 150.0
"""Oil temperatures above this are no temperatures: the sensor says 246 when it fails."""

TAUGHT = 300
HOUR_US = 3600 * SECOND_US
QUIET_H, LEAD_H, LAST_H = 6, 24, 1

Floats = NDArray[np.float64]


def read(folder: Path) -> list[Series]:
    """The folder's one transformer, the first row of each instant; raises `ValueError` for another form."""
    tables = [_table(folder / name) for name in (OVERVIEW, ELECTRICAL)]
    columns = [name for header, _ in tables for name in header]
    times = sorted(set(tables[0][1]) & set(tables[1][1]))
    if len(times) <= TAUGHT:
        raise ValueError(
            f"{len(times)} instants are in both files, of which {TAUGHT} teach: none is left to score"
        )
    values = np.array([tables[0][1][time] + tables[1][1][time] for time in times])
    inputs = [k for k, name in enumerate(columns) if name not in ALARMS]
    x = values[:, inputs].astype(np.float32)
    oil = [columns[k] for k in inputs].index("OTI")
    x[x[:, oil] > HOTTEST_C, oil] = np.nan
    alarm = values[:, columns.index(ALARM)] > 0 if ALARM in columns else None
    return [Series(OVERVIEW, tuple(times), instants(times), x, alarm)]


def _table(path: Path) -> tuple[list[str], dict[str, list[float]]]:
    """The names of the columns but the time, and the values of each instant."""
    if not path.exists():
        raise ValueError(f"{path.name} is not in the folder: {OVERVIEW} and {ELECTRICAL} are needed")
    with path.open(newline="") as lines:
        header, *rows = csv.reader(lines)
    if header[:1] != [TIME] or (path.name == OVERVIEW and "OTI" not in header):
        raise ValueError(f"{path.name}: the first line must be {TIME},OTI,... or {TIME},...")
    found = dict[str, list[float]]()
    for row in rows:
        found.setdefault(row[0], [float(cell) if cell else np.nan for cell in row[1:]])
    return header[1:], found


def readings(series: Sequence[Series], decisions: Sequence[Decision]) -> Iterator[Reading]:
    """Area under the ROC curve beside the dummies', alarms foreseen, false episodes a day."""
    (one,), (decision,) = series, decisions
    if one.anomalous is None or not (begins := _begins(one.ts_us, one.anomalous)):
        return
    judged = ~one.anomalous & (np.arange(len(one.ts_us)) >= TAUGHT)
    begins = [begin for begin in begins if (_before(one.ts_us, begin) & judged).any()]
    ahead = np.zeros(len(one.ts_us), np.bool_)
    for begin in begins:
        ahead |= _before(one.ts_us, begin)
    if not ahead[judged].any() or ahead[judged].all():
        return
    yield Reading("auc", roc_area(np.nan_to_num(decision.score)[judged], ahead[judged]), "-")
    seen = event_view([(ahead[judged], decision.anomalous[judged])])
    leads = [lead for begin in begins if (lead := _lead_h(one.ts_us, decision.anomalous, begin)) is not None]
    days = max(len(np.unique(one.ts_us[judged] // (24 * HOUR_US))), 1)
    yield Reading("foreseen", len(leads), f"of {len(begins)} alarms")
    if leads:
        yield Reading("lead", median(leads), "h before the alarm, median of those foreseen")
    yield Reading("false_episodes", seen.false_episodes / days, "a day")
    for name, dummy in DUMMIES.items():
        yield Reading(f"auc, {name}", roc_area(dummy(one)[judged], ahead[judged]), "-")


def _begins(ts_us: NDArray[np.int64], alarm: NDArray[np.bool_]) -> list[int]:
    """Instants at which an alarm begins after a quiet time."""
    found, last = list[int](), None
    for on, off in runs(alarm):
        if last is None or ts_us[on] - last > QUIET_H * HOUR_US:
            found.append(int(ts_us[on]))
        last = ts_us[off - 1]
    return found


def _lead_h(ts_us: NDArray[np.int64], on: NDArray[np.bool_], begin: int) -> float | None:
    """Hours from the first row of the day before an alarm at which an episode was on; None without one."""
    seen = ts_us[on & _before(ts_us, begin)]
    return float(begin - seen[0]) / HOUR_US if len(seen) else None


def _before(ts_us: NDArray[np.int64], begin: int) -> NDArray[np.bool_]:
    return (ts_us >= begin - LEAD_H * HOUR_US) & (ts_us <= begin - LAST_H * HOUR_US)


DUMMIES: Mapping[str, Callable[[Series], Floats]] = {
    "oil temperature": lambda one: np.nan_to_num(one.x[:, 0].astype(np.float64)),
    "clock": lambda one: -one.ts_us.astype(np.float64),
    "hour of the day": lambda one: (one.ts_us // HOUR_US % 24).astype(np.float64),
    "random": lambda one: np.random.default_rng(SEED).random(len(one.ts_us)),
}


def cells(series: Series, decision: Decision) -> Iterator[Sequence[object]]:
    """The scores file's rows."""
    score, on = np.nan_to_num(decision.score).tolist(), decision.anomalous.astype(int).tolist()
    yield from zip(series.times, score, on, strict=True)
