"""Betters a schedule by moving services, and whole visits, to cheaper days: a local search."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleet.service_terms import Crews

Floats = NDArray[np.float64]

SWEEPS = 50
"""Over all services and visits; each makes the schedule cheaper, and a few settle 500 services."""

EPS = 1e-6


@dataclass(frozen=True, slots=True)
class Task:
    """A service of `service_h` crew hours at a `site`: its `cost` (d,) on each day, and `later` than all."""

    site: tuple[str, str]
    service_h: float
    cost: Floats
    later: float

    def better_now(self, crews: Crews) -> bool:
        """Whether it would be done within the days if crews had the time."""
        return bool(self.cost.min() + crews.visit_cost < self.later)


class Moves:
    """The day of each task, the last one (`days`) meaning later, and what that leaves of the crews' hours."""

    def __init__(self, tasks: Sequence[Task], crews: Crews, days: int, begun: Sequence[int]) -> None:
        sites = sorted({task.site for task in tasks})
        self._crews, self._days = crews, days
        self._site = np.array([sites.index(task.site) for task in tasks])
        self._cost = np.array([[*task.cost, task.later] for task in tasks])
        parts = [crews.hours_by_day(task.service_h) for task in tasks]
        longest = max(map(len, parts))
        self._parts = np.array([part + [0.0] * (longest - len(part)) for part in parts])
        self._free = np.full(days + longest, np.inf)  # beyond the days nobody counts hours
        self._free[:days] = crews.crews * crews.hours_per_day
        self._here = np.zeros((len(sites), days + 1), np.int64)
        self.begun = np.full(len(tasks), days)
        for number, day in enumerate(begun):
            self._put([number], day)

    def settle(self) -> list[int]:
        """The day of each task once no single move makes it cheaper, those that gain most choosing first."""
        order = np.argsort(self._cost[:, :-1].min(axis=1) - self._cost[:, -1], kind="stable").tolist()
        for _ in range(SWEEPS):
            moved = [self._move([number]) for number in order]
            moved += [self._move(visit) for visit in self._visits()]
            if not any(moved):
                break
        days: list[int] = self.begun.tolist()
        return days

    @property
    def visits(self) -> int:
        """How many visits to sites that takes."""
        return int((self._here[:, :-1] > 0).sum())

    @property
    def cost(self) -> float:
        """What it costs, visits included."""
        tasks = self._cost[np.arange(len(self.begun)), self.begun].sum()
        return float(tasks + self._crews.visit_cost * self.visits)

    def _visits(self) -> list[list[int]]:
        """The tasks of each visit with more than one."""
        where = self._site * (self._days + 1) + self.begun
        together = [np.flatnonzero(where == one) for one in np.unique(where[self.begun < self._days])]
        return [tasks.tolist() for tasks in together if len(tasks) > 1]

    def _move(self, tasks: list[int]) -> bool:
        """Begin tasks of one site, now of one day, on the cheapest day for all of them; whether it is new."""
        was = int(self.begun[tasks[0]])
        self._put(tasks, was, -1)
        price = self._prices(tasks)
        best = int(price.argmin())
        moved = bool(price[best] < price[was] - EPS)
        self._put(tasks, best if moved else was)
        return moved

    def _prices(self, tasks: list[int]) -> Floats:
        """(days + 1,): what beginning the tasks on each day costs, infinite where crews have no time."""
        new = self._here[self._site[tasks[0]], :-1] == 0
        hours = self._parts[tasks].sum(axis=0) + np.zeros((self._days, 1))
        hours[:, 0] += self._crews.travel_h * new
        ahead = np.lib.stride_tricks.sliding_window_view(self._free, hours.shape[1])[: self._days]
        price: Floats = self._cost[tasks].sum(axis=0)
        price[:-1] += self._crews.visit_cost * new
        price[:-1][(hours > ahead + EPS).any(axis=1)] = np.inf
        return price

    def _put(self, tasks: list[int], day: int, sign: int = 1) -> None:
        """Begin tasks of one site on a day, or (`sign` -1) take them out of it."""
        self.begun[tasks] = day
        if day == self._days:
            return
        before = self._here[self._site[tasks[0]], day]
        after = before + sign * len(tasks)
        hours = sign * self._parts[tasks].sum(axis=0)
        hours[0] += self._crews.travel_h * (int(after > 0) - int(before > 0))
        self._free[day : day + len(hours)] -= hours
        self._here[self._site[tasks[0]], day] = after
