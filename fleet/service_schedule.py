"""Which day each service gets, within the crews' hours, visits being shared: a mixed integer program.

Variables: x[task, day], begun on that day, the last column meaning later; y[site, day], the site is visited.
Solved by HiGHS (Huangfu and Hall 2018) through scipy, then bettered by single moves (`fleet.service_moves`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from fleet.service_moves import Moves, Task
from fleet.service_terms import Crews

Floats = NDArray[np.float64]

GAP = 0.01
"""The schedule's cost is at most this share above the best one's, unless the time ran out ..."""

SOLVE_WITHIN_S = 60.0
"""... when it is the best one found so far, for 500 services a tenth above that: moves better it."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The day of each task (None: later), how many visits to sites that takes, and what it all costs."""

    days: tuple[int | None, ...]
    visits: int
    cost: float


def schedule(tasks: Sequence[Task], crews: Crews, days: int) -> Schedule:
    """A cheap schedule, which no single move makes cheaper: what is left for later has no room on a day."""
    if not tasks:
        return Schedule((), 0, 0.0)
    moves = Moves(tasks, crews, days, _solved(tasks, crews, days))
    begun = moves.settle()
    return Schedule(tuple(at if at < days else None for at in begun), moves.visits, moves.cost)


def _solved(tasks: Sequence[Task], crews: Crews, days: int) -> list[int]:
    """The day of each task, `days` for later; later for all if nothing was found in time."""
    program = _Program(tasks, crews, days)
    solved = milp(
        program.cost(),
        integrality=np.ones(program.columns),
        bounds=Bounds(0, 1),
        constraints=[
            LinearConstraint(program.begun(), 1, 1),
            LinearConstraint(program.unvisited(), -np.inf, 0),
            LinearConstraint(program.crew_hours(), -np.inf, crews.crews * crews.hours_per_day),
        ],
        options={"mip_rel_gap": GAP, "time_limit": SOLVE_WITHIN_S},
    )
    if solved.x is None:
        return [days] * len(tasks)
    begun = solved.x[: program.first_visit].reshape(len(tasks), days + 1)
    return [int(at) for at in begun.argmax(axis=1)]


class _Program:
    """The matrices of the program; each row or column is one of the variables above."""

    def __init__(self, tasks: Sequence[Task], crews: Crews, days: int) -> None:
        self._tasks, self._crews, self._days = tasks, crews, days
        self._sites = sorted({task.site for task in tasks})
        self.first_visit = len(tasks) * (days + 1)
        self.columns = self.first_visit + len(self._sites) * days

    def cost(self) -> Floats:
        tasks = [np.append(task.cost, task.later) for task in self._tasks]
        visits = np.full(len(self._sites) * self._days, self._crews.visit_cost)
        return np.concatenate([*tasks, visits])

    def begun(self) -> coo_array:
        """Each task is begun once."""
        at = np.arange(self.first_visit)
        shape = len(self._tasks), self.columns
        return coo_array((np.ones(len(at)), (at // (self._days + 1), at)), shape=shape)

    def unvisited(self) -> coo_array:
        """x[task, day] - y[site of the task, day]: 1 where a task is begun at a site that nobody visits."""
        task, day = np.divmod(np.arange(len(self._tasks) * self._days), self._days)
        site = np.array([self._sites.index(task.site) for task in self._tasks])[task]
        x, y = task * (self._days + 1) + day, self.first_visit + site * self._days + day
        rows, ones = np.arange(len(x)), np.ones(len(x))
        where = np.concatenate([rows, rows]), np.concatenate([x, y])
        return coo_array((np.concatenate([ones, -ones]), where), shape=(len(x), self.columns))

    def crew_hours(self) -> coo_array:
        """Hours taken on each day; what is longer than a day takes a crew on the following days too."""
        hours, day, column = [], [], []
        for number, task in enumerate(self._tasks):
            for offset, part in enumerate(self._crews.hours_by_day(task.service_h)):
                begins = np.arange(self._days - offset)
                hours.append(np.full(len(begins), part))
                day.append(begins + offset)
                column.append(number * (self._days + 1) + begins)
        visits = np.arange(len(self._sites) * self._days)
        hours.append(np.full(len(visits), self._crews.travel_h))
        day.append(visits % self._days)
        column.append(self.first_visit + visits)
        where = np.concatenate(day), np.concatenate(column)
        return coo_array((np.concatenate(hours), where), shape=(self._days, self.columns))
