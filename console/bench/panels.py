"""`faultline bench dashboards`: every panel's query on a month of 1 000 machines, as Grafana sends it."""

import time
from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from console.bench.customers import Connection, viewers
from console.bench.result import Reading
from console.bench.trial import Measure, Trial
from dashboards.board import Audience, Dashboard
from dashboards.catalog import catalog
from dashboards.grafana_sql import expanded
from dashboards.panel import Json
from dashboards.text import Language

CALLS = 50
"""Of each query, by all that look."""

Variables = Mapping[str, str | list[str]]
Times = dict[str, list[float]]
"""Milliseconds of the calls of each query."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a dashboard: the time range that it opens with, up to `end`."""

    board: Dashboard
    end: datetime

    @property
    def start(self) -> datetime:
        """When the range begins: `since` is as many days or hours before `now`."""
        count, unit = int(self.board.since[4:-1]), self.board.since[-1]
        return self.end - timedelta(**{{"d": "days", "h": "hours"}[unit]: count})

    def sql(self, sql: str, variables: Variables) -> bytes:
        """A statement as the database gets it."""
        return expanded(sql, self.start, self.end, variables).encode()

    def choices(self, conn: Connection) -> Iterator[Variables]:
        """The variables: all where several may be chosen, else one after the other for the last of them."""
        found: dict[str, str | list[str]] = {}
        dashboard = self.board.json(Language.EN)
        *firsts, last = dashboard["templating"]["list"] or [None]
        for variable in firsts:
            values = self._values(conn, variable, found)
            found[variable["name"]] = values if variable["multi"] else values[0]
        if last is None:
            yield found
        elif last["multi"]:
            yield found | {last["name"]: self._values(conn, last, found)}
        else:
            for value in self._values(conn, last, found):
                yield found | {last["name"]: value}

    def _values(self, conn: Connection, variable: Json, found: Variables) -> list[str]:
        return [str(row[-1]) for row in conn.execute(self.sql(variable["query"], found)).fetchall()]

    def queries(self) -> Iterator[tuple[str, str]]:
        """Name and SQL of each panel's queries."""
        panels = self.board.json(Language.EN)["panels"]
        for panel, made in zip(self.board.panels(), panels, strict=True):
            for target in made["targets"]:
                yield f"{self.board.code} {panel.key}", target["rawSql"]


def _measure(name: str, boards: Sequence[Dashboard], goal_ms: int) -> Measure:
    def measured(trial: Trial) -> Generator[list[Reading], None, None]:
        with viewers(trial) as found:
            looking = [found.maker] if name == "maker" else found.customers
            calls = trial.size(CALLS, 2) // len(looking) + 1
            while True:
                times: Times = defaultdict(list)
                for conn in looking:
                    _time(times, conn, boards, found.month.end, calls)
                yield _readings(name, times, goal_ms)

    return measured


def _time(times: Times, conn: Connection, boards: Sequence[Dashboard], end: datetime, calls: int) -> None:
    """Add the milliseconds of so many calls of each query and choice, after one to warm the cache."""
    for board in boards:
        look = Look(board, end)
        for variables in look.choices(conn):
            for name, sql in look.queries():
                statement = look.sql(sql, variables)
                conn.execute(statement).fetchall()
                for _ in range(calls):
                    started = time.perf_counter()
                    conn.execute(statement).fetchall()
                    times[name].append((time.perf_counter() - started) * 1000)


def _readings(measure: str, times: Times, goal_ms: int) -> list[Reading]:
    """Each query's p95, the slowest first."""
    p95 = {query: float(np.quantile(found, 0.95)) for query, found in times.items()}
    return [
        Reading(f"{measure} {query}", value, "ms (p95)", goal=f"<= {goal_ms}")
        for query, value in sorted(p95.items(), key=lambda each: -each[1])
    ]


_MACHINES = [board for board in catalog() if board.equipment_type is not None]
_FLEET = [
    board for board in catalog() if board not in _MACHINES and Audience.OPERATIONS not in board.audience
]

MEASURES: Mapping[str, Measure] = {
    "asset": _measure("asset", _MACHINES, 50),
    "customer": _measure("customer", _FLEET, 250),
    "maker": _measure("maker", [board for board in _FLEET if Audience.MAKER in board.audience], 250),
}
"""A customer has ten machines and looks at all dashboards, the maker of all machines at the maker's."""
