"""When to service what: the risk of waiting against the life given away.

Each service has an expected cost on each day: its own, what a failure before it would cost on top times the
probability of that, and the worth of the life that is given away (age replacement, Barlow and Hunter 1960).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from fleet.asset import FleetError
from fleet.service_moves import Task
from fleet.service_schedule import schedule
from fleet.service_terms import Crews, ServiceTerms
from forecasting.life_distribution import LifeDistribution

Floats = NDArray[np.float64]

LATER = 7.0 * np.arange(52)
"""Days beyond the horizon on which a service that can wait is looked at: weekly, for a year."""

POSTPONED_WEEKS = (1, 2, 3, 4)

DAY_H = 24.0

NEGLIGIBLE = 0.01
"""What fails within the horizon with less than this probability needs no service in it."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something that runs out. `life` counts from a forecast that is `survived_h` hours old now.

    `age_h` are the hours in service until now, since it was new or last restored.
    """

    site: tuple[str, str]
    asset: str
    target: str
    life: LifeDistribution
    survived_h: float
    age_h: float
    terms: ServiceTerms

    @property
    def left_h(self) -> tuple[float, float, float]:
        """P10, P50 and P90 of the hours left from now, as they were forecast."""
        life, gone = self.life, self.survived_h
        return max(life.p10_h - gone, 0.0), max(life.p50_h - gone, 0.0), max(life.p90_h - gone, 0.0)

    def failed_by(self, hours: Floats) -> Floats:
        """Probability (n,) of a failure within each of `hours` (n,) from now."""
        return self.life.failed_by(hours + self.survived_h, self.survived_h)

    def cost(self, hours: Floats) -> Floats:
        """Expected cost (n,) of a service after each of `hours` (n,) from now, without the visit.

        A machine is taken to stand still while it waits, as far as it is likely to fail within a day: where
        the life is over already, every day would be as bad as the next otherwise, and it is to come first.
        """
        ends = np.concatenate([[0.0], hours]) + self.survived_h
        left, *unused = self.life.unused(ends, self.survived_h)
        given_away = self.terms.planned * np.array(unused) / max(self.age_h + float(left), 1.0)
        on_top = (self.terms.failed - self.terms.planned) * self.failed_by(hours)
        over = self.failed_by(np.array([DAY_H])) * self.terms.downtime_cost_per_h * hours
        return np.asarray(self.terms.planned + on_top + given_away + over)


@dataclass(frozen=True, slots=True)
class Postponed:
    """What waiting `weeks` more than planned does: `risk` of a failure by then, `cost` on top."""

    weeks: int
    risk: float
    cost: float


@dataclass(frozen=True, slots=True)
class Service:
    """A planned service and the `risk` of a failure before it."""

    day: date
    need: Need
    risk: float
    postponed: tuple[Postponed, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """No service within the horizon, at a `risk` of failing in it; `no_crew`: it is due, but all are busy."""

    need: Need
    risk: float
    no_crew: bool = False


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """Services by day, what waits, riskiest first, the visits to sites and the expected cost of it all."""

    services: tuple[Service, ...]
    waiting: tuple[Waiting, ...]
    visits: int
    cost: float


def plan(needs: Sequence[Need], crews: Crews, today: date, days: int) -> ServicePlan:
    """The cheapest plan for the `days` days after today; raises `FleetError` if none of them is worked on."""
    work_days = crews.work_days(today + timedelta(1), days)
    if not work_days:
        raise FleetError(f"nobody works within {days} days: give a longer horizon")
    risks = [float(need.failed_by(np.array([DAY_H * days]))[0]) for need in needs]
    due = [need for need, risk in zip(needs, risks, strict=True) if risk >= NEGLIGIBLE]
    hours = np.array([DAY_H * (day - today).days for day in work_days])
    tasks = [_task(need, crews, hours, days) for need in due]
    made = schedule(tasks, crews, len(work_days))
    services = [
        _service(need, work_days[at], hours[at])
        for need, at in zip(due, made.days, strict=True)
        if at is not None
    ]
    late = {
        id(need): task.better_now(crews)
        for need, task, at in zip(due, tasks, made.days, strict=True)
        if at is None
    }
    waiting = [
        Waiting(need, risk, late.get(id(need), False))
        for need, risk in zip(needs, risks, strict=True)
        if risk < NEGLIGIBLE or id(need) in late
    ]
    services.sort(key=lambda one: (one.day, one.need.site, one.need.asset, one.need.target))
    waiting.sort(key=lambda one: -one.risk)
    return ServicePlan(tuple(services), tuple(waiting), made.visits, made.cost)


def _task(need: Need, crews: Crews, hours: Floats, days: int) -> Task:
    """What each day costs; later on the best day, with a visit of its own."""
    later = float(need.cost(np.asarray(DAY_H * (days + LATER))).min()) + crews.visit_cost
    return Task(need.site, need.terms.service_h, need.cost(hours), later)


def _service(need: Need, day: date, hours: float) -> Service:
    later = hours + 7 * DAY_H * np.array([0, *POSTPONED_WEEKS])
    risk, cost = need.failed_by(later), need.cost(later)
    postponed = zip(POSTPONED_WEEKS, risk[1:].tolist(), (cost[1:] - cost[0]).tolist(), strict=True)
    return Service(day, need, float(risk[0]), tuple(Postponed(*one) for one in postponed))
