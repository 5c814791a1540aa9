"""The T² chart's compiled loop. Rows of one machine that follow one another are judged together, as a run.

The result does not depend on where runs begin.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.kernels import kernel
from detectors.t2_level import TOO_ODD, Levels, Pace, look, way_back
from detectors.t2_means import Run, room, smooth_run
from detectors.t2_statistic import beyond, leave_gaps_out, split_t2
from detectors.tail_table import tail

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Ints16 = NDArray[np.int16]
Bools = NDArray[np.bool_]

LONGEST = 64
"""Rows of a run at most: what it works with stays in the processor's nearest cache."""

SAME = 1e-6
"""Relative difference up to which a constant channel has not moved (float32 rounding)."""


class Rules(NamedTuple):
    """weight: of the latest row in a mean. clip: where deviations are cut. pace: of the levels."""

    weight: np.float32
    clip: np.float32
    pace: Pace


class Rows(NamedTuple):
    """What is to be scored: the arrays of `Samples` without the time."""

    slot: Ints
    regime: Ints16
    x: Floats


class Normal(NamedTuple):
    """What is normal, over the cells of `Cells`: which judge, how, and what they still collect."""

    learned: Bools
    provisional: Bools
    location: Floats
    inverse_scale: Floats
    precision: Floats
    filled: Ints
    until: Ints
    refused: Ints
    buffer_of: Ints
    buffers: Floats


class Slots(NamedTuple):
    """Each slot's cell by regime, -1 for none, and its means, cut and uncut."""

    cell_of: Ints
    ewma: Floats
    unclipped: Floats


class Chart(NamedTuple):
    """All that is known, changed in place as rows go by."""

    rules: Rules
    slots: Slots
    normal: Normal
    levels: Levels


class Out(NamedTuple):
    """The arrays of `Scores`, which say "unknown" where nothing is written."""

    score: Floats
    contribution: Floats
    expected: Floats
    observed: Floats
    statistic: Floats
    judged: Ints16
    departure: Floats


class Work(NamedTuple):
    """Room for a run, its T² and what that is more about the first level, and for the way back there."""

    run: Run
    t2: Floats
    more: Floats
    away: Floats
    turned: Floats


@kernel
def score_rows(start: int, rows: Rows, chart: Chart, out: Out) -> int:
    """Score rows from `start` on; returns the first whose cell needs attention before it, else how many."""
    slots, normal = chart.slots, chart.normal
    work = _work(rows.x.shape[1])
    last_regime = slots.cell_of.shape[1] - 1
    at = start
    while at < len(rows.slot):
        s, r = rows.slot[at], min(rows.regime[at], last_regime)
        own = slots.cell_of[s, r]
        if own < 0:
            return at
        end = _run_end(at, rows, last_regime, own, chart)
        if end == at:
            return at
        cell = own if normal.learned[own] else r
        if normal.learned[cell]:
            owns = cell == own and not normal.provisional[own]
            _judge(at, end, s, cell, owns, rows.x, chart, out, work)
        if normal.buffer_of[own] >= 0:
            _collect(own, rows.x[at:end], out.score[at:end], normal.provisional[cell], normal)
        at = end
    return len(rows.slot)


@kernel
def _work(channels: int) -> Work:
    return Work(
        room(LONGEST, channels),
        np.empty(LONGEST, np.float32),
        np.empty(LONGEST, np.float32),
        np.empty(channels, np.float32),
        np.empty(channels, np.float32),
    )


@kernel
def _run_end(at: int, rows: Rows, last_regime: int, own: int, chart: Chart) -> int:
    """End of the rows of the same slot and regime that follow `at`, before anything else is due, if it is."""
    slot, regime, normal = rows.slot, rows.regime, chart.normal
    end, most = at + 1, min(len(slot), at + LONGEST)
    r = min(regime[at], last_regime)
    while end < most and slot[end] == slot[at] and min(regime[end], last_regime) == r:
        end += 1
    if normal.buffer_of[own] < 0:
        end = _until_one_moves(at, end, rows.x, normal.location[own], normal.inverse_scale[own])
    else:
        end = min(end, at + normal.until[own] - normal.filled[own])
    if normal.learned[own] and not normal.provisional[own]:
        end = min(end, at + chart.rules.pace.step - chart.levels.since[own])
    return end


@kernel
def _until_one_moves(at: int, end: int, x: Floats, location: Floats, inverse_scale: Floats) -> int:
    """The first row where a channel that is not judged shows another value than ever before, else `end`."""
    for k in range(len(location)):
        if inverse_scale[k] == 0:
            near = SAME * abs(location[k])
            for i in range(at, end):
                moved = not abs(x[i, k] - location[k]) <= near  # so that a NaN location has
                if moved and np.isfinite(x[i, k]):
                    end = i
                    break
    return end


@kernel
def _judge(
    at: int, end: int, s: int, cell: int, owns: bool, x: Floats, chart: Chart, out: Out, work: Work
) -> None:
    """Score a run of slot s by the cell. If it `owns` that, tell T² too, and look at its level when due."""
    n, normal, run = end - at, chart.normal, work.run
    level, inverse, matrix = normal.location[cell], normal.inverse_scale[cell], normal.precision[cell]
    ewma, unclipped = chart.slots.ewma[s], chart.slots.unclipped[s]
    pace, told = (chart.rules.weight, chart.rules.clip), (out.expected[at:end], out.observed[at:end])
    gaps = smooth_run(x[at:end], (level, inverse), pace, (ewma, unclipped), told, run)
    share = out.contribution[at:end]
    split_t2(n, matrix, run, share, work.t2)
    whole = way_back(matrix, chart.levels.moved[cell], chart.rules.clip, work.away, work.turned)
    beyond(n, work.away, run, work.more)
    if gaps:
        back = (work.away, work.turned, whole)
        leave_gaps_out(n, matrix, inverse > 0, run, share, work.t2, back, work.more)
    _score(n, chart.rules.pace.table, run.present, work.t2, out.score[at:end])
    if owns:
        _tell(n, run.present, work, whole, out.statistic[at:end], out.judged[at:end], out.departure[at:end])
        latest = run.z[(n - 1) * len(level) : n * len(level)]
        seen, score = (ewma, unclipped, latest), out.score[end - 1]
        _pass(cell, n, score, (level, inverse, matrix), seen, chart.levels, chart.rules.pace)


@kernel
def _score(n: int, table: Floats, present: Ints16, t2: Floats, score: Floats) -> None:
    """-log10 p of each row that shows anything."""
    for i in range(n):
        if present[i] > 0:
            score[i] = tail(table[present[i]], t2[i])


@kernel
def _tell(
    n: int,
    present: Ints16,
    work: Work,
    whole: np.float32,
    statistic: Floats,
    judged: Ints16,
    departure: Floats,
) -> None:
    """T², how many channels it is of, and T² about the first level."""
    t2, more = work.t2, work.more
    for i in range(n):
        if present[i] > 0:
            statistic[i], judged[i] = max(t2[i], np.float32(0)), present[i]
            departure[i] = max(t2[i] + more[i] + whole, np.float32(0))


@kernel
def _pass(
    cell: int,
    n: int,
    score: float,
    normal: tuple[Floats, Floats, Floats],
    seen: tuple[Floats, Floats, Floats],
    levels: Levels,
    pace: Pace,
) -> None:
    """Count n rows of the step to the next look; a whole step stays counted if there is something to tell."""
    levels.since[cell] += n
    if levels.since[cell] == pace.step and look(cell, score, normal, seen, levels, pace):
        levels.since[cell] = 0


@kernel
def _collect(own: int, rows: Floats, score: Floats, choosy: bool, normal: Normal) -> None:
    """Keep the rows to learn from; if `choosy` none that is odd, unless as many were refused as it takes."""
    buffer, filled, refused = normal.buffers[normal.buffer_of[own]], normal.filled, normal.refused
    for i in range(len(rows)):
        if choosy and score[i] > TOO_ODD and refused[own] < len(buffer):
            refused[own] += 1
        else:
            buffer[filled[own]] = rows[i]
            filled[own] += 1
