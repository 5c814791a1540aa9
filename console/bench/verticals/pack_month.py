"""A month of one pack's machines, simulated, through the worker's detection and forecasts, with the truth.

The machines have been learned from before the month, and one in ten fails within it. What is told of a
machine after its failure does not count, and what is told before its fault begins is false.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from console.bench.detection.simulated import START, blocks_of, fleet_of
from fleet.catalog import packs
from fleet.clock import microseconds
from fleet.finding import UNKNOWN
from fleet.model_scope import Scope
from forecasting.contract import Forecast, Verdict
from forecasting.robust_trend import RobustTrend
from storage.chunk_result import EpisodeRow
from streams.forecast_engine import FORECAST_EVERY_US
from streams.forecasters import CONDITION, Forecasters, to_failure
from streams.health_message import HealthMessage
from streams.rows import Scored
from streams.scorer import Scorer
from streams.simulator.fault import Fault
from streams.simulator.random_faults import random_faults
from streams.trajectory import Trajectory

LEARNED_D = {"wind-turbine": 25}
"""Days before the month of types that learn for longer than the others, as SCADA has a row in ten minutes."""

USUALLY_LEARNED_D = 16

MACHINE, LIMIT, SHIFT = "machine", "limit", "shift"

HOUR_US, MONTH_H = 3_600_000_000, 30 * 24.0


@dataclass(frozen=True, slots=True)
class Finding:
    """An episode of a machine: when it was raised, and the fault modes it was read as, likeliest first.

    `first` is the reading as it was raised, `last` the last one before the failure.
    """

    at_us: int
    first: tuple[str, ...]
    last: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A machine that fails, and what became of it before.

    finding: None if it was not found. limit_us: when a limit of the pack was first passed, None if none was.
    forecast: the first estimate of its remaining life after the finding, of which `left_h` is the truth.
    """

    fault: Fault
    failure_us: int
    finding: Finding | None
    limit_us: int | None
    forecast: Forecast | None
    left_h: float


@dataclass(frozen=True, slots=True)
class Month:
    """false: cases that were raised about machines without a fault, in so many months of machines."""

    cases: tuple[Case, ...]
    false: int
    machine_months: float


@dataclass(slots=True)
class Told:
    """What was told of one machine: its episodes, each by id as often as it was told, and its condition."""

    episodes: dict[UUID, list[EpisodeRow]] = field(default_factory=dict)
    condition: list[HealthMessage] = field(default_factory=list)


def month(kind: str, machines: int, days: int, seed: int) -> Month:
    """So many days of so many machines of a type; the same seed gives the same month."""
    learned = LEARNED_D.get(kind, USUALLY_LEARNED_D)
    begin_h, end_h = 24.0 * learned, 24.0 * (learned + days)
    faults = random_faults(fleet_of(kind, machines), begin_h, end_h, seed)
    scorer, told = Scorer(packs()[kind]), defaultdict[int, Told](Told)
    for block in blocks_of(kind, machines, learned + days, seed, faults):
        take(scorer.score(block, lambda number: ("t", f"m-{number}")), told)
    failing = {int(fault.asset.removeprefix("m-")): fault for fault in faults}
    sound_h = {k: failing[k].onset_h if k in failing else end_h for k in range(machines)}
    false = sum(false_cases(told[k], instant(begin_h), instant(until_h)) for k, until_h in sound_h.items())
    months = sum(until_h - begin_h for until_h in sound_h.values()) / MONTH_H
    return Month(tuple(case_of(kind, fault, told[k]) for k, fault in failing.items()), false, months)


def take(scored: Scored, told: Mapping[int, Told]) -> None:
    """Keep what was told, by machine."""
    for row in scored.episodes:
        told[row.asset_id].episodes.setdefault(row.episode_id, []).append(row)
    for message in scored.messages:
        told[message.asset_id].condition.append(message)


def instant(hours: float) -> int:
    """Microseconds, so many hours after the start of the simulation."""
    return microseconds(START) + round(hours * HOUR_US)


def _raised_us(rows: Sequence[EpisodeRow]) -> int:
    """A score's episode is told first at its first peak, which is the row that raised it."""
    return rows[0].peak_us if rows[0].kind == MACHINE else rows[0].onset_us


def false_cases(told: Told, begin_us: int, end_us: int) -> int:
    """Cases for somebody to look at that were raised between two instants; what became normal is none."""
    cases = (rows for rows in told.episodes.values() if rows[0].kind != SHIFT)
    return sum(begin_us <= _raised_us(rows) < end_us for rows in cases)


def case_of(kind: str, fault: Fault, told: Told) -> Case:
    """What became of a machine of a type between the onset of its fault and the failure."""
    failure_us = instant(fault.failure_h)
    found, limit = (
        _first_raised(told, each, instant(fault.onset_h), failure_us) for each in (MACHINE, LIMIT)
    )
    limit_us = _raised_us(limit) if limit else None
    if not found:
        return Case(fault, failure_us, None, limit_us, None, 0.0)
    finding = _finding(found, failure_us)
    forecasts = _forecasts(kind, told.condition, finding.at_us, failure_us)
    estimates = (one for one in forecasts if one[1].verdict is Verdict.ESTIMATE)
    at_us, says = next(estimates, (failure_us, None))
    return Case(fault, failure_us, finding, limit_us, says, (failure_us - at_us) / HOUR_US)


def _first_raised(told: Told, kind: str, begin_us: int, end_us: int) -> Sequence[EpisodeRow]:
    """Of a kind, the first episode raised between two instants, as often as it was told; () if none was."""
    of_kind = (rows for rows in told.episodes.values() if rows[0].kind == kind)
    return min(
        (rows for rows in of_kind if begin_us <= _raised_us(rows) < end_us), key=_raised_us, default=()
    )


def _finding(rows: Sequence[EpisodeRow], failure_us: int) -> Finding:
    last = [row for row in rows if row.peak_us < failure_us][-1]
    return Finding(_raised_us(rows), _modes(rows[0]), _modes(last))


def _modes(row: EpisodeRow) -> tuple[str, ...]:
    """Where no channel is odd enough, no mode is named at all."""
    return tuple(mode["code"] for mode in row.evidence["modes"]) or (UNKNOWN.code,)


def _forecasts(
    kind: str, condition: Sequence[HealthMessage], begin_us: int, end_us: int
) -> Iterator[tuple[int, Forecast]]:
    """The worker's forecasts between two instants, each with its own."""
    forecasters, trajectory, before_us = Forecasters(RobustTrend()), Trajectory(), begin_us
    for message in condition:
        trajectory.add(message.ts_us, message.levels[CONDITION])
        due = message.ts_us // FORECAST_EVERY_US != before_us // FORECAST_EVERY_US
        before_us = message.ts_us
        if due and begin_us <= message.ts_us < end_us:
            history = trajectory.history()
            worn = to_failure(packs()[kind], message.mode, history)
            says = forecasters.forecast(Scope(kind, "t"), CONDITION, history, to_failure=worn)[1]
            yield message.ts_us, says
