"""How long a part lasts if it goes on being used as it was: "at the load of the last 30 days", "at 110 %".

The past duty goes through the wear model itself, once to warm up and once to be measured, day by day.
Possible futures are made of those days, a week at a time so that what belongs together stays together (block
bootstrap, Künsch 1989). As a few weeks tell the usual week only roughly, each future draws its weeks from a
past that is itself drawn from the days on record: the band holds that, too. It holds nothing that the past
days do not show: no season, no other work. Seeded: the same past has the same outlook.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from forecasting.contract import Forecast, Verdict
from forecasting.wear.model import Floats, WearModel

DAY_US = 24 * 3600 * 1_000_000
WEEK = 7
FUTURES = 200
SEED = 13381

FEWEST_DAYS = 14
KNOWN_PART = 0.5
"""Days of which less than this is known are left out; in others the unknown hours count as the known ones."""

HORIZON_H = 20 * 365 * 24.0
"""Beyond this nothing is said."""


@dataclass(frozen=True, slots=True)
class Duty:
    """How a machine was used, from the first row on. ts_us: (n,) in order. x: (n, k), see `WearModel`.

    Raises `ValueError` for instants that are not in order, or not as many as rows.
    """

    ts_us: NDArray[np.int64]
    x: Floats

    def __post_init__(self) -> None:
        if len(self.ts_us) != len(self.x) or (np.diff(self.ts_us) < 0).any():
            raise ValueError("a duty needs an instant for each row, in order: sort it")

    def last(self, days: int) -> "Duty":
        """The last so many times 24 hours of it, or all if it is shorter."""
        if not len(self.ts_us):
            return self
        start = int(np.searchsorted(self.ts_us, self.ts_us[-1] - days * DAY_US, side="right")) - 1
        return Duty(self.ts_us[max(start, 0) :], self.x[max(start, 0) :])


@dataclass(frozen=True, slots=True)
class Outlook:
    """Hours until the counter reaches its warning and its limit, from the last row of the past duty on."""

    warning: Forecast
    limit: Forecast


def outlook(model: WearModel, past: Duty, value: float, load: float = 1.0) -> Outlook:
    """The outlook of a counter that stands at `value`, if the machine is used as in `past`.

    model: the part, whatever it has counted; it is not changed. load: 1.1 is 110 %, of the columns that grow
    with load. Each verdict is an estimate, `MORE_THAN` where the horizon of 20 years comes first, or
    `TOO_LITTLE_DATA`. Raises `ValueError` where the duty at that load is beyond what the model holds for.
    """
    days = worn_by_day(model, Duty(past.ts_us, _loaded(model, past.x, load)))
    basis = f"{len(days)} days of past duty" + (f" at {load:.0%} of their load" if load != 1 else "")
    if len(days) < FEWEST_DAYS:
        few = Forecast(Verdict.TOO_LITTLE_DATA, basis=f"{basis}, {FEWEST_DAYS} are needed")
        return Outlook(few, few)
    worn = np.cumsum(_futures(days), axis=1)
    warning, limit = model.lifetime.warning - value, model.lifetime.limit - value
    return Outlook(_forecast(_hours_until(worn, warning), basis), _forecast(_hours_until(worn, limit), basis))


def worn_by_day(model: WearModel, past: Duty) -> Floats:
    """(days,): what each whole day of the past, counted back from its last row, adds to the counter.

    Days of which too little is known are left out, so there may be fewer.
    """
    if len(past.ts_us) < 2:
        return np.empty(0)
    span = int(past.ts_us[-1] - past.ts_us[0])
    day = (past.ts_us[-1] - past.ts_us) // DAY_US
    slot = np.zeros(len(day), np.int32)
    again = model.fresh()
    again.update(slot, past.ts_us, past.x)
    # the first row stands where the last one stood: counters begin anew, and its step is of no length
    counted = again.update(slot, past.ts_us + span + 1, past.x)
    known_h = _known_h(model, past, day)
    worn = np.bincount(day, np.diff(counted, prepend=counted[0]), minlength=len(known_h))
    whole = slice(0, span // DAY_US)
    enough = known_h[whole] >= KNOWN_PART * 24
    return np.asarray((worn[whole][enough] / known_h[whole][enough] * 24)[::-1])


def _loaded(model: WearModel, x: Floats, load: float) -> Floats:
    """The duty with the columns that grow with load at so many times theirs."""
    if not load >= 0:
        raise ValueError(f"load is 0 or more, 1.1 for 110 %, not {load:g}")
    more: Floats = x * np.array([load if quantity.load else 1.0 for quantity in model.duty])
    if (model.knows(x) & ~model.knows(more)).any():
        names = ", ".join(quantity.name for quantity in model.duty if quantity.load)
        raise ValueError(f"at {load:.0%} the {names} is beyond what the model takes: ask for less")
    return more


def _known_h(model: WearModel, past: Duty, day: NDArray[np.int64]) -> Floats:
    """(days,): hours of each day in which the use is known, as the model has it."""
    known = np.flatnonzero(model.knows(past.x))
    step = np.diff(past.ts_us[known])
    step[step > model.LONGEST_STEP_US] = 0
    hours = np.bincount(day[known[1:]], step / 3.6e9, minlength=int(day[0]) + 1)
    return np.asarray(hours, np.float64)


def _futures(days: Floats) -> Floats:
    """(FUTURES, days of the horizon): what each day may add, from what past days added (days,)."""
    rng = np.random.default_rng(SEED)
    n, length = len(days), int(HORIZON_H / 24)
    pasts = days[_blocks(rng, n, n)]
    usual, overall = pasts.mean(axis=1, keepdims=True), float(days.mean())
    ratio = np.where(usual > 0, usual, overall or 1.0) / (overall or 1.0)
    widened = pasts * ratio ** (_widening(n / WEEK) - 1)
    return np.take_along_axis(widened, _blocks(rng, n, length), axis=1)


def _widening(weeks: float) -> float:
    """By how much a bootstrap of so few weeks is too sure of their mean: its variance is too small by one
    part in as many, and where a variance is estimated the quantiles are Student's."""
    return math.sqrt(weeks / (weeks - 1)) * float(t.ppf(0.9, weeks - 1) / norm.ppf(0.9))


def _blocks(rng: np.random.Generator, days: int, length: int) -> NDArray[np.int64]:
    """(FUTURES, length): runs of a week from so many days, which go round."""
    starts = rng.integers(days, size=(FUTURES, -(-length // WEEK)))
    return ((starts[:, :, None] + np.arange(WEEK)) % days).reshape(FUTURES, -1)[:, :length]


def _hours_until(worn: Floats, left: float) -> Floats:
    """(futures,): when what is worn, (futures, days) summed up, reaches what is left; infinite if never."""
    day = (worn < left).sum(axis=1)
    reached = day < worn.shape[1]
    at = np.minimum(day, worn.shape[1] - 1)[:, None]
    after = np.take_along_axis(worn, at, axis=1)[:, 0]
    before = np.where(at[:, 0] > 0, np.take_along_axis(worn, np.maximum(at - 1, 0), axis=1)[:, 0], 0.0)
    part = (left - before) / np.where(after > before, after - before, 1.0)
    return np.where(reached, (day + np.clip(part, 0.0, 1.0)) * 24, np.inf)


def _forecast(hours: Floats, basis: str) -> Forecast:
    """Deciles and median of the futures; where not all of the band is within the horizon, its lower end."""
    ranked = np.sort(hours)
    p10, p50, p90 = (float(ranked[int(part * (len(ranked) - 1))]) for part in (0.1, 0.5, 0.9))
    if np.isinf(p90):
        return Forecast(Verdict.MORE_THAN, p10_h=min(p10, HORIZON_H), basis=basis)
    return Forecast(Verdict.ESTIMATE, p10, p50, p90, basis)
