"""Damaged bearings of simulated machines that are sampled: found how much earlier than without the waveforms.

Protocol: as of `pack_month`, but two of three machines fail, all of a bearing that the pack has a measuring
point for. The seed draws which, when, how fast, how plainly, and which part of the bearing it is. Each row of
a machine that turns comes with a block. The rival gets the same rows without what the blocks show: the level
of the vibration, and for a machine tool that of the envelope, are in them, as a transmitter measures them.
Nothing was chosen on the seeds from 1 on.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from console.bench.detection.simulated import blocks_of
from console.bench.result import Reading
from console.bench.verticals.pack_month import (
    HOUR_US,
    LEARNED_D,
    MONTH_H,
    USUALLY_LEARNED_D,
    Case,
    Told,
    case_of,
    false_cases,
    instant,
    take,
)
from fleet.catalog import packs
from fleet.rating import Ratings
from streams.rows import Rows
from streams.scorer import Scorer
from streams.simulator.fault import Fault
from streams.simulator.random_faults import random_fault
from streams.simulator.sampled import SENSORS

RATINGS: Mapping[str, Ratings] = {
    "machine-tool": {
        "spindle_bearing_rollers": 19.0,
        "spindle_bearing_roller_diameter": 9.525,
        "spindle_bearing_pitch_diameter": 92.5,
        "spindle_bearing_contact_angle": 15.0,
    },
    "wind-turbine": {
        "main_bearing_rollers": 28.0,
        "main_bearing_roller_diameter": 72.0,
        "main_bearing_pitch_diameter": 710.0,
        "main_bearing_contact_angle": 10.0,
        "generator_bearing_bpfo": 3.58,
        "generator_bearing_bpfi": 5.42,
        "generator_bearing_bsf": 2.36,
        "gear_ratio": 98.5,
    },
}
"""Bearings of about such machines; the generator turns some 1500 times a minute."""

TRANSMITTED = {
    "spindle_vibration",
    "spindle_envelope",
    "main_bearing_vibration",
    "generator_vibration",
}
"""Levels that simulated machines measure without a waveform, too."""

DAYS = 20
"""That are judged: a block with each row takes its time."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What became of the machines that fail, and false cases of all, in so many months of machines."""

    cases: Sequence[Case]
    false: int
    machine_months: float


def readings(kind: str, machines: int, seed: int, tell: Callable[[str], None]) -> Iterator[Reading]:
    """The figures of one month of so many machines."""
    tell(f"{kind}: seed {seed}, {machines} machines")
    return readings_of(kind, *watched(kind, machines, seed))


def readings_of(kind: str, ours: Watched, rival: Watched) -> Iterator[Reading]:
    """With waveforms, beside the same rows without."""
    dummy, of = "without waveforms", f"of {len(ours.cases)} damaged bearings"
    yield Reading(f"{kind}: found before failure", _found(ours), of, dummy, _found(rival))
    early, late = _days(ours), _days(rival)
    yield Reading(f"{kind}: lead time, median", _middle(early), "days", dummy, _middle(late))
    yield Reading(f"{kind}: lead time, least", min(early, default=0.0), "days", dummy, min(late, default=0.0))
    yield Reading(f"{kind}: right mode first", _named(ours), of, dummy, _named(rival))
    false, theirs = (each.false / each.machine_months for each in (ours, rival))
    yield Reading(f"{kind}: false cases", false, "a machine and month", dummy, theirs)


def watched(kind: str, machines: int, seed: int) -> tuple[Watched, Watched]:
    """With waveforms and without."""
    learned = LEARNED_D.get(kind, USUALLY_LEARNED_D)
    begin_h, end_h = 24.0 * learned, 24.0 * (learned + DAYS)
    rng, modes = (
        np.random.default_rng([seed, machines]),
        [s.mode for (of, _), s in SENSORS.items() if of == kind],
    )
    faults = [random_fault(f"m-{k}", modes, begin_h, end_h, rng) for k in range(machines - machines // 3)]
    scorers, told = (Scorer(packs()[kind]), Scorer(packs()[kind])), (_nothing(), _nothing())
    for rows in blocks_of(kind, machines, learned + DAYS, seed, faults, RATINGS[kind]):
        for scorer, said, seen in zip(scorers, told, (rows, without(kind, rows)), strict=True):
            take(scorer.score(seen, lambda number: ("t", f"m-{number}")), said)
    with_blocks, alone = (outcome_of(kind, machines, faults, said, begin_h, end_h) for said in told)
    return with_blocks, alone


def _nothing() -> defaultdict[int, Told]:
    return defaultdict(Told)


def without(kind: str, rows: Rows) -> Rows:
    """The rows as a machine sends them that is not sampled."""
    pack, values = packs()[kind], rows.values.copy()
    for name in pack.of_waveforms - TRANSMITTED:
        values[:, pack.equipment_type.column(name)] = np.nan
    return replace(rows, values=values)


def outcome_of(
    kind: str, machines: int, faults: Sequence[Fault], told: Mapping[int, Told], begin_h: float, end_h: float
) -> Watched:
    """What was told of machines of which the first ones fail, judged between two instants."""
    sound_h = [fault.onset_h for fault in faults] + [end_h] * (machines - len(faults))
    false = sum(false_cases(told[k], instant(begin_h), instant(until)) for k, until in enumerate(sound_h))
    months = sum(until - begin_h for until in sound_h) / MONTH_H
    return Watched([case_of(kind, fault, told[k]) for k, fault in enumerate(faults)], false, months)


def _found(of: Watched) -> float:
    return sum(case.finding is not None for case in of.cases) / len(of.cases)


def _days(of: Watched) -> list[float]:
    """Before the failure, of each that was found."""
    return [(case.failure_us - case.finding.at_us) / (24 * HOUR_US) for case in of.cases if case.finding]


def _middle(days: Sequence[float]) -> float:
    return float(np.median(days)) if days else 0.0


def _named(of: Watched) -> float:
    """Of all, whose finding named the true mode first as it was last read."""
    return sum(case.fault.mode in case.finding.last[:1] for case in of.cases if case.finding) / len(of.cases)
