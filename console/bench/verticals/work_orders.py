"""Work orders of mining excavators (UWA; Hodkiewicz and Ho 2016): how long components last between repairs.

Protocol: a life is the days from one order of a component of a machine to its next. A repair (PM01) ends it
in failure; a planned service (another type, or one marked in `SuspSugg`) and the machine's last day on
record cut it short. Lives up to two thirds of the time on record teach, those that failed later are asked,
by component. The plan is the age at which a replacement pays at the default terms of a service and a
failure; it is judged by what the later lives would have cost. Nothing was chosen on them. An order without
a component, a machine or a date is left out.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np

from console.bench.result import Reading
from console.bench.verticals.table import Flags, Floats, Outcome, Rows, read_rows
from fleet.age_replacement import best_age, cost_rate
from fleet.service_terms import ServiceTerms
from forecasting.weibull import Lives, UnknownLife, fit, predictive, shape_interval

FILE = "excavators-cleaned.csv"
DAY, MACHINE, COMPONENT, KIND, SERVICE = "BscStartDate", "Asset", "MajorSystem", "PMType", "SuspSugg"
REPAIR = "PM01"
COLUMNS = (
    "component",
    "lives",
    "failures",
    "shape",
    "shape_low",
    "shape_high",
    "scale_days",
    "p10_days",
    "p50_days",
    "p90_days",
    "replace_at_days",
)

TAUGHT = 2 / 3
TAILS = np.array([0.1, 0.5, 0.9])
AGES = np.geomspace(0.01, 1e6, 4000)
NO_DUTY = np.zeros(0)


@dataclass(frozen=True, slots=True)
class Life:
    """Days from one order of a component to the next, and whether that was a repair."""

    begin: date
    days: float
    failed: bool


@dataclass(frozen=True, slots=True)
class Said:
    """Of a component, fitted on lives: quantiles (3,) of a life in days, and the age to replace it at."""

    lives: Lives
    quantiles: Floats
    replace_at: float | None


def run(folder: Path) -> Outcome:
    """Coverage and loss beside the dummies, the plan's cost, and a table by component of all on record."""
    found = read(folder)
    begin = min(life.begin for lives in found.values() for life in lives)
    span = max((life.begin - begin).days + life.days for lives in found.values() for life in lives)
    until = TAUGHT * span
    judged = dict[str, tuple[Said, Floats]]()
    for name, lives in found.items():
        said = _learn([cut for life in lives if (cut := _before(life, begin, until))])
        later = [life.days for life in lives if life.failed and (life.begin - begin).days >= until]
        if said and later:
            judged[name] = said, np.array(later)
    rows = [cells for name, lives in found.items() if (cells := _cells(name, lives))]
    if not rows:
        raise ValueError(f"{FILE}: no component has the three failures from which a life can be told")
    return Outcome(list(_readings(judged)), COLUMNS, rows)


def read(folder: Path) -> dict[str, list[Life]]:
    """Lives by component; raises `ValueError` without any."""
    rows = read_rows(folder / FILE, (DAY, MACHINE, COMPONENT, KIND), escape="\\")
    orders, last = _orders(rows)
    found = defaultdict(list)
    for (component, machine), days in sorted(orders.items()):
        for start, end in pairwise(sorted(days)):
            found[component].append(Life(start, float((end - start).days), days[end]))
        if (end := last[machine]) > (start := max(days)):
            found[component].append(Life(start, float((end - start).days), failed=False))
    if not found:
        raise ValueError(f"{FILE}: no order with a day, a machine and a component")
    return dict(found)


def _orders(rows: Rows) -> tuple[Mapping[tuple[str, str], dict[date, bool]], Mapping[str, date]]:
    """By component and machine the days with an order, and if one was a repair; each machine's last day."""
    orders = defaultdict[tuple[str, str], dict[date, bool]](dict)
    last = dict[str, date]()
    for row in rows:
        machine, day = row[MACHINE].strip(), _day(row[DAY])
        if day is None or not machine:
            continue
        last[machine] = max(day, last.get(machine, day))
        repair = row[KIND].strip() == REPAIR and row.get(SERVICE, "").strip() != "1"
        for component in filter(None, map(str.strip, row[COMPONENT].split("_"))):
            days = orders[component, machine]
            days[day] = days.get(day, False) or repair
    return orders, last


def _day(cell: str) -> date | None:
    try:
        return date.fromisoformat(cell.strip()[:10])
    except ValueError:
        return None


def _before(life: Life, begin: date, until: float) -> Life | None:
    """The life as it was known so many days after the beginning; None if it had not begun."""
    left = until - (life.begin - begin).days
    if left <= 0:
        return None
    return Life(life.begin, min(life.days, left), life.failed and life.days <= left)


def _learn(lives: Sequence[Life]) -> Said | None:
    """None where too few failed."""
    end = np.array([life.days for life in lives])
    known = Lives(
        np.zeros(len(lives)),
        end,
        np.array([life.failed for life in lives], np.bool_),
        np.zeros((len(lives), 0)),
    )
    try:
        gone = 1.0 - predictive(known).survival(AGES, NO_DUTY)
        replace_at = best_age(fit(known), ServiceTerms().planned, ServiceTerms().failed)
    except UnknownLife:
        return None
    return Said(known, np.interp(TAILS, gone, AGES), replace_at)


def _cells(name: str, lives: Sequence[Life]) -> tuple[object, ...] | None:
    if not (said := _learn(lives)):
        return None
    law, (low, high) = fit(said.lives), shape_interval(said.lives)
    figures = (law.shape, low, high, law.scale, *said.quantiles.tolist())
    replace = "" if said.replace_at is None else f"{said.replace_at:.1f}"
    return name, len(lives), int(said.lives.failed.sum()), *(f"{one:.3f}" for one in figures), replace


def _readings(judged: Mapping[str, tuple[Said, Floats]]) -> Iterator[Reading]:
    count = sum(len(later) for _, later in judged.values())
    if not count:
        return
    pooled = np.concatenate([said.lives.end[said.lives.failed] for said, _ in judged.values()])
    sayers: Mapping[str, Callable[[Said], Floats]] = {
        "": lambda said: said.quantiles,
        ", quantiles of the past": lambda said: np.quantile(said.lives.end[said.lives.failed], TAILS),
        ", exponential": lambda said: -_mean_life(said) * np.log(1 - TAILS),
        ", all components alike": lambda said: np.quantile(pooled, TAILS),
    }
    for who, say in sayers.items():
        inside = sum(int(_inside(say(said), later).sum()) for said, later in judged.values())
        loss = sum(float(_pinball(say(said), later).sum()) for said, later in judged.values())
        of = f"of {count} lives of {len(judged)} components"
        yield Reading(f"P10 to P90 holds{who}", inside / count, of, goal=None if who else ".80")
        yield Reading(f"pinball loss{who}", loss / count, "days")
    yield from _plan_readings(judged)


def _mean_life(said: Said) -> float:
    return float(said.lives.end.sum() / said.lives.failed.sum())


def _inside(quantiles: Floats, lives: Floats) -> Flags:
    return np.asarray((quantiles[0] <= lives) & (lives <= quantiles[-1]))


def _pinball(quantiles: Floats, lives: Floats) -> Floats:
    """(n,) mean over the quantiles."""
    over = lives[:, None] - quantiles
    return np.asarray(np.maximum(TAILS * over, (TAILS - 1) * over).mean(axis=1))


def _plan_readings(judged: Mapping[str, tuple[Said, Floats]]) -> Iterator[Reading]:
    planned, failed = ServiceTerms().planned, ServiceTerms().failed
    plans: Mapping[str, Callable[[Said], float | None]] = {
        "the plan": lambda said: said.replace_at,
        "until it fails": lambda said: None,
        "at half of the mean life": lambda said: _mean_life(said) / 2,
    }
    replaced = sum(said.replace_at is not None for said, _ in judged.values())
    for name, age in plans.items():
        rates = [cost_rate(later, age(said), planned, failed) for said, later in judged.values()]
        yield Reading(f"cost, {name}", float(np.sum(rates)), "a day")
    yield Reading("components that the plan replaces by age", replaced, f"of {len(judged)}")
