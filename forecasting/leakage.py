"""Columns that know the future: with them a model looks perfect on record, and is worthless live.

Remaining life, the length of the whole life, the label of a classifier or a countdown to the visit at which a
part was replaced get into tables easily (Kaufman et al., "Leakage in data mining", ACM TKDD 6, 2012).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.contract import Run

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FEWEST = 8
"""Lives from which a column can be told to know their ends."""

FEWEST_ROWS = 10

SURE = 0.98
"""Share of the variance of lives that nothing but the future explains on the first row."""

CLOCK = 0.9999
"""Share of the variance within a life that its time explains, if a column is a clock."""

SAME = 0.02
"""Part of the median life within which things happen at the same time before the end."""

FEW_CHANGES = 2
"""So often a label changes in a life at most; what changes often always has changed just before the end."""


FEWEST_EXAMPLES = 50
"""Rows from which a column of a table of single instants can be told to number them."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A column that must not be learned from, and what gives it away."""

    column: str
    reason: str


def leaks(runs: Sequence[Run], names: Sequence[str]) -> list[Leak]:
    """The columns (`names`, in order) that know when failed runs end; none where too few are known."""
    lives = [run.history for run in runs if run.failed and len(run.history.age_h) >= FEWEST_ROWS]
    if len(lives) < FEWEST:
        return []
    life = np.array([history.age_h[-1] - history.age_h[0] for history in lives])
    found = []
    for k, name in enumerate(names):
        columns = [history.x[:, k] for history in lives]
        left = [history.age_h[-1] - history.age_h for history in lives]
        if reason := _reason(columns, left, life):
            found.append(Leak(name, reason))
    return found


def label_leaks(x: Floats, names: Sequence[str], failed: Flags) -> list[Leak]:
    """The columns of a table of single instants that know their label, or only which row they are in.

    x: (n, k), a column for each of `names`; failed: (n,). A flag that is set at failures alone is how
    they were written down, such as the mode of failure. None where too few rows are known.
    """
    if len(x) < FEWEST_EXAMPLES:
        return []
    found = []
    for k, name in enumerate(names):
        if reason := _row_reason(x[:, k], failed):
            found.append(Leak(name, reason))
    return found


def _row_reason(column: Floats, failed: Flags) -> str | None:
    values = np.unique(column)
    if np.isfinite(values).all() and len(values) == len(column) and (values == np.round(values)).all():
        return "it numbers the rows: it says which one it is, not how the machine does"
    if len(values) == 2 and (on := column == values[1]).sum() >= FEWEST and failed[on].mean() >= SURE:
        return "it is set at failures alone: is it a part of the label, or set afterwards?"
    return None


def _reason(columns: Sequence[Floats], left: Sequence[Floats], life: Floats) -> str | None:
    if all(map(_is_straight, columns, left)) and _explains(np.array([one[0] for one in columns]), life):
        if all(np.ptp(column) == 0 for column in columns):
            return "it is the same all life long and says how long that will be"
        return "its first value says how long the life will be: is it a countdown?"
    switch = [_last_switch(column, ahead) for column, ahead in zip(columns, left, strict=True)]
    if all(one is not None for one in switch):
        before = np.array(switch, np.float64)
        if np.ptp(before) <= SAME * np.median(life) < np.ptp(life):
            return f"it changes {np.median(before):.0f} h before each end: is it a label, or set afterwards?"
    return None


def _is_straight(column: Floats, left: Floats) -> bool:
    """Whether a column stands still or goes on like a clock, as nothing that is measured does."""
    if not np.isfinite(column).all():
        return False
    return bool(np.ptp(column) == 0 or np.corrcoef(column, left)[0, 1] ** 2 > CLOCK)


def _explains(first: Floats, life: Floats) -> bool:
    """Whether a straight line through the first values gives the lives."""
    if not np.isfinite(first).all() or np.ptp(first) == 0 or np.ptp(life) == 0:
        return False
    return bool(np.corrcoef(first, life)[0, 1] ** 2 >= SURE)


def _last_switch(column: Floats, left: Floats) -> float | None:
    """Life left when a column that changes seldom did so for the last time; None for other columns."""
    changes = np.flatnonzero(np.diff(column)) if np.isfinite(column).all() else np.zeros(0, np.int64)
    return float(left[changes[-1] + 1]) if 0 < len(changes) <= FEW_CHANGES else None
