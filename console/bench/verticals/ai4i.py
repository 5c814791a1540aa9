"""AI4I 2020 (Matzka 2020, UCI 601; synthetic): does a milling process fail, from one row of conditions.

Protocol: what has a label is judged twice: by five folds with as many failures in each, and by time, where
the first 70 % teach and the rest is asked. The level of the decision is chosen within what teaches. A row
without a label teaches nothing and is predicted by all that have one. Only measured columns are inputs: UDI
and Product ID number the rows, and TWF, HDF, PWF, OSF and RNF are parts of the label, most of which
`forecasting.leakage` finds in the data. The strain, torque times tool wear, has a limit for each type; the
tree is given none of the limits by which the data were made.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from console.bench.result import Reading
from console.bench.verticals.table import Flags, Floats, Outcome, Rows, flags, numbers, read_rows
from console.bench.verticals.two_classes import DUMMIES, f1
from forecasting.failure_tree import Conditions, FailureTree
from forecasting.folds import stratified_folds
from forecasting.leakage import label_leaks

ID, TYPE = "UDI", "Type"
AIR, PROCESS = "Air temperature [K]", "Process temperature [K]"
SPEED, TORQUE, WEAR = "Rotational speed [rpm]", "Torque [Nm]", "Tool wear [min]"
MEASURED = (AIR, PROCESS, SPEED, TORQUE, WEAR)
LABELS = ("Machine failure", "Machine_failure")
Rowset = NDArray[np.int64]

COLUMNS = ("UDI", "failure_probability", "failure")

POWER = "power, W"

FOLDS, SEED, DIVISIONS, EARLIER = 5, 7, 5, 0.7

PUBLISHED = "published: boosted trees, the same physics"

OVERSTRAIN = {"L": 11_000.0, "M": 12_000.0, "H": 13_000.0}
"""min Nm by type: with the limits in `rules` what the data were made by, for a ceiling alone."""


@dataclass(frozen=True, slots=True)
class Processes:
    """n rows by UDI. raw: (n, 5) as measured. labelled, failed: (n,). leaks: the columns that are refused."""

    names: tuple[str, ...]
    raw: Floats
    seen: Conditions
    labelled: Flags
    failed: Flags
    leaks: tuple[str, ...]


def read(folder: Path) -> Processes:
    """All rows of all CSV files; raises `ValueError` for a file of another form or a UDI that comes twice."""
    rows, labels = Rows(), list[tuple[Flags, Flags]]()
    for path in sorted(folder.glob("*.csv")):
        found = read_rows(path, (ID, TYPE, *MEASURED))
        label = next((name for name in LABELS if found and name in found[0]), LABELS[0])
        labels.append(flags(found, label, path.name))
        rows += found
    if not rows:
        raise ValueError(f"{folder}: no CSV file with rows of this suite there")
    labelled, failed = (np.concatenate(each) for each in zip(*labels, strict=True))
    order = _by_number(rows)
    rows = [rows[at] for at in order]
    labelled, failed = labelled[order], failed[order]
    raw = np.column_stack([numbers(rows, name, "the rows by UDI") for name in MEASURED])
    names = tuple(row[ID] for row in rows)
    return Processes(names, raw, _physics(raw, rows), labelled, failed, _leaks(rows, labelled, failed))


def _by_number(rows: Rows) -> list[int]:
    """The rows in the order of their UDI, which is that of time."""
    number = numbers(rows, ID, "the files together")
    if not np.isfinite(number).all() or len(np.unique(number)) < len(number):
        raise ValueError(f"every row needs a {ID} of its own, a number: one is missing or comes twice")
    return [int(at) for at in np.argsort(number, kind="stable")]


def _physics(raw: Floats, rows: Rows) -> Conditions:
    air, process, speed, torque, wear = raw.T
    power = torque * speed * 2 * np.pi / 60
    x = np.column_stack([speed, torque, wear, power, process - air])
    names = ("speed, rpm", "torque, Nm", "tool wear, min", POWER, "process over air, K")
    return Conditions(names, x, torque * wear, np.array([row[TYPE].strip() for row in rows]))


def _leaks(rows: Rows, labelled: Flags, failed: Flags) -> tuple[str, ...]:
    """What of the other columns that are numbers knows the label."""
    others = [name for name in rows[0] if name not in {TYPE, *MEASURED, *LABELS}]
    columns = {name: column for name in others if (column := _numeric(rows, name)) is not None}
    if not columns:
        return ()
    x = np.column_stack(list(columns.values()))[labelled]
    return tuple(leak.column for leak in label_leaks(x, tuple(columns), failed[labelled]))


def _numeric(rows: Rows, name: str) -> Floats | None:
    try:
        return numbers(rows, name, "")
    except ValueError:
        return None


def run(folder: Path) -> Outcome:
    """F1 by folds and by time beside the dummies; each row is called by who did not see its label."""
    found = read(folder)
    known, asked = np.flatnonzero(found.labelled), np.flatnonzero(~found.labelled)
    if not len(known):
        raise ValueError(f"no row has a {LABELS[0]}: rows with one are needed to learn from")
    divisions = [_by_folds(found, known, seed) for seed in range(SEED, SEED + DIVISIONS)]
    probability, failing = np.empty(len(found.names)), np.zeros(len(found.names), np.bool_)
    probability[known], failing[known] = divisions[0]
    if len(asked):
        probability[asked], failing[asked] = _said(found, known, asked)
    cells = zip(found.names, (f"{p:.4f}" for p in probability), failing.astype(int).tolist(), strict=True)
    readings = [*_in_folds(found, known, [said for _, said in divisions]), *_by_time(found, known)]
    refused = Reading("columns refused as leaks", len(found.leaks), ", ".join(found.leaks) or "none there")
    return Outcome([*readings, refused], COLUMNS, list(cells))


def _said(found: Processes, taught: Rowset, asked: Rowset) -> tuple[Floats, Flags]:
    tree = FailureTree(found.seen[taught], found.failed[taught])
    return tree.probability(found.seen[asked]), tree.failing(found.seen[asked])


def _by_folds(found: Processes, known: Rowset, seed: int) -> tuple[Floats, Flags]:
    """Of each labelled row (m,) what who learned from the other folds says: probability, and if it fails."""
    probability, failing = np.empty(len(known)), np.zeros(len(known), np.bool_)
    fold = stratified_folds(found.failed[known], FOLDS, seed)
    for number in range(FOLDS):
        out = fold == number
        probability[out], failing[out] = _said(found, known[~out], known[out])
    return probability, failing


def _in_folds(found: Processes, known: Rowset, divisions: Sequence[Flags]) -> Iterator[Reading]:
    true = found.failed[known]
    mean = float(np.mean([f1(true, said) for said in divisions]))
    yield Reading("five-fold: F1", mean, f"mean of {DIVISIONS} divisions", PUBLISHED, 0.870, ">= .89")
    fold = stratified_folds(true, FOLDS, SEED)
    for name, dummy in DUMMIES.items():
        said = np.zeros(len(known), np.bool_)
        for number in range(FOLDS):
            out = fold == number
            said[out] = dummy(found.raw[known[~out]], true[~out], found.raw[known[out]])
        yield Reading(f"five-fold: F1, {name}", f1(true, said), "-")
    yield Reading("five-fold: F1, the rules of the data", f1(true, rules(found)[known]), "-")


def _by_time(found: Processes, known: Rowset) -> Iterator[Reading]:
    cut = int(EARLIER * len(known))
    before, after = known[:cut], known[cut:]
    true, said = found.failed[after], _said(found, before, after)[1]
    yield Reading("by time: F1", f1(true, said), "-", PUBLISHED, 0.827, ">= .85")
    for name, dummy in DUMMIES.items():
        guess = dummy(found.raw[before], found.failed[before], found.raw[after])
        yield Reading(f"by time: F1, {name}", f1(true, guess), "-")
    yield Reading("by time: F1, the rules of the data", f1(true, rules(found)[after]), "-")


def rules(found: Processes) -> Flags:
    """(n,) what fails for certain by the paper that the data came with: a ceiling, as the rest is chance."""
    air, process, speed, *_ = found.raw.T
    power = found.seen.x[:, found.seen.names.index(POWER)]
    limit = np.array([OVERSTRAIN.get(kind, np.inf) for kind in found.seen.kind.tolist()])
    hot = (process - air < 8.6) & (speed < 1380)
    return np.asarray(hot | (power < 3500) | (power > 9000) | (found.seen.strain > limit))
