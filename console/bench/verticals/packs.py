"""Every vertical pack over a simulated month: what is found, named and foretold, beside who knows nothing.

Protocol: `pack_month`. Which machines fail, of what, when, how fast and how plainly is drawn by the seed.
Nothing was chosen on the seeds from 1 on. The dummies: of faults found, the pack's limits alone; of fault
modes named, a guess among the pack's; of remaining lives, the quantiles of the other cases' true ones.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from console.bench.result import Reading
from console.bench.verticals.pack_month import HOUR_US, Case, Finding, Month, month
from fleet.catalog import packs

COLUMNS = (
    "pack",
    "seed",
    "asset",
    "mode",
    "severity",
    "onset_day",
    "failure_day",
    "found_days_before",
    "first",
    "second",
    "third",
    "left_h",
    "p10_h",
    "p50_h",
    "p90_h",
)

NOT_FOUND = "not found"
QUANTILES = np.array([0.1, 0.5, 0.9])

Floats = NDArray[np.float64]
Confusion = Mapping[str, Mapping[str, int]]
"""By true mode, how often it was read first as each, or not found."""


@dataclass(frozen=True, slots=True)
class Proof:
    """readings: of each seed. confusion: by pack, of all seeds. rows: one for each case, as `COLUMNS`."""

    readings: Sequence[Sequence[Reading]]
    confusion: Mapping[str, Confusion]
    rows: Sequence[Sequence[object]]


def run(kinds: Sequence[str], machines: int, days: int, seeds: int, tell: Callable[[str], None]) -> Proof:
    """A month of each type for each of the seeds 1, 2, ..."""
    found = dict[tuple[int, str], Month]()
    for seed in range(1, seeds + 1):
        for kind in kinds:
            tell(f"{kind}: seed {seed} of {seeds}")
            found[seed, kind] = month(kind, machines, days, seed)
    readings = [
        [reading for kind in kinds for reading in readings_of(kind, found[seed, kind])]
        for seed in range(1, seeds + 1)
    ]
    tables = {
        kind: confusion(kind, [case for (_, of), each in found.items() if of == kind for case in each.cases])
        for kind in kinds
    }
    rows = [_cells(kind, seed, case) for (seed, kind), each in found.items() for case in each.cases]
    return Proof(readings, tables, rows)


def readings_of(kind: str, of: Month) -> Iterator[Reading]:
    """The figures of one month; those of findings only if there are any."""
    yield from _found(kind, of)
    yield from _named(kind, of.cases)
    yield from _lives(kind, of.cases)


def _found(kind: str, of: Month) -> Iterator[Reading]:
    ours = [_days_before(case, case.finding.at_us) for case in of.cases if case.finding]
    theirs = [_days_before(case, case.limit_us) for case in of.cases if case.limit_us is not None]
    count, dummy = len(of.cases), "its limits alone"
    share = len(theirs) / count
    yield Reading(f"{kind}: found before failure", len(ours) / count, f"of {count} faults", dummy, share)
    if ours:
        rival = float(np.median(theirs)) if theirs else None
        yield Reading(f"{kind}: lead time, median", float(np.median(ours)), "days", dummy, rival)
    false = of.false / of.machine_months
    yield Reading(f"{kind}: false cases", false, "a machine and month", goal="<= .2")


def _named(kind: str, cases: Sequence[Case]) -> Iterator[Reading]:
    found = [(case.fault.mode, case.finding) for case in cases if case.finding]
    if not found:
        return
    modes, of, dummy = len(packs()[kind].fault_modes), f"of {len(found)} findings", "a guess"
    first, three, at_once = (
        float(np.mean([mode in codes(finding)[:ranks] for mode, finding in found]))
        for codes, ranks in ((_last, 1), (_last, 3), (_first, 1))
    )
    yield Reading(f"{kind}: right mode first", first, of, dummy, 1 / modes, ">= .8")
    yield Reading(f"{kind}: right mode in three", three, of, dummy, min(3 / modes, 1.0), ">= .95")
    yield Reading(f"{kind}: right mode first, as raised", at_once, of, dummy, 1 / modes)


def _last(finding: Finding) -> tuple[str, ...]:
    return finding.last


def _first(finding: Finding) -> tuple[str, ...]:
    return finding.first


def _lives(kind: str, cases: Sequence[Case]) -> Iterator[Reading]:
    """Of the remaining lives that were foretold."""
    found, told = [case for case in cases if case.finding], [case for case in cases if case.forecast]
    if found:
        yield Reading(f"{kind}: with a remaining life", len(told) / len(found), f"of {len(found)} findings")
    if len(told) < 2:  # the dummy needs another
        return
    left = np.array([case.left_h for case in told])
    ours = np.array([(f.p10_h, f.p50_h, f.p90_h) for case in told if (f := case.forecast)], np.float64)
    theirs = np.array([np.quantile(np.delete(left, k), QUANTILES) for k in range(len(told))])
    of, dummy = f"of {len(told)} lives", "median life"
    yield Reading(f"{kind}: P10 to P90 holds", _held(ours, left), of, dummy, _held(theirs, left), ".8")
    yield Reading(f"{kind}: pinball loss", _pinball(ours, left), "hours", dummy, _pinball(theirs, left))


def confusion(kind: str, cases: Sequence[Case]) -> Confusion:
    """A row for each fault mode of the pack, a column for what it was read as."""
    rows = {mode.code: Counter[str]() for mode in packs()[kind].fault_modes}
    for case in cases:
        rows[case.fault.mode][named(case)[0]] += 1
    return rows


def named(case: Case) -> tuple[str, ...]:
    """The fault modes that its finding was read as last, likeliest first."""
    return case.finding.last if case.finding else (NOT_FOUND,)


def _cells(kind: str, seed: int, case: Case) -> tuple[object, ...]:
    fault, says = case.fault, case.forecast
    days = (f"{hours / 24:.2f}" for hours in (fault.onset_h, fault.failure_h))
    before = f"{_days_before(case, case.finding.at_us):.2f}" if case.finding else ""
    first, second, third = (*named(case), "", "")[:3]
    life = (case.left_h, says.p10_h, says.p50_h, says.p90_h) if says else (None,) * 4
    hours = ("" if one is None else f"{one:.1f}" for one in life)
    return (
        kind,
        seed,
        fault.asset,
        fault.mode,
        f"{fault.severity:.2f}",
        *days,
        before,
        first,
        second,
        third,
        *hours,
    )


def _days_before(case: Case, at_us: int) -> float:
    return (case.failure_us - at_us) / (24 * HOUR_US)


def _held(quantiles: Floats, lives: Floats) -> float:
    return float(((quantiles[:, 0] <= lives) & (lives <= quantiles[:, 2])).mean())


def _pinball(quantiles: Floats, lives: Floats) -> float:
    """Mean over cases and quantiles."""
    over = lives[:, None] - quantiles
    return float(np.maximum(QUANTILES * over, (QUANTILES - 1) * over).mean())
