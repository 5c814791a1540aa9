"""The T² chart's compiled loop. Rows of one machine that follow one another are judged together, as a run.

The result does not depend on where runs begin.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.kernels import kernel
from detectors.t2_given import count_given, expect, hold_against, put_back
from detectors.t2_level import TOO_ODD, Levels, Pace, look, part, way_back
from detectors.t2_means import FARTHEST, count_present, describe, smooth, standardise, turn
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
    """What is normal, over the cells of `Cells`: which judge, how, and what they still collect.

    given: (channels,), not over cells.
    """

    learned: Bools
    provisional: Bools
    location: Floats
    inverse_scale: Floats
    precision: Floats
    slope: Floats
    given: Bools
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
    shown: Ints


@kernel
def score_rows(start: int, rows: Rows, chart: Chart, out: Out) -> int:
    """Score rows from `start` on; returns the first whose cell needs attention before it, else how many.

    Arrays are taken out of their tuples once, and a call gets those that it needs: each that is handed on is
    counted as in use and not, which for all of them would take longer than a run of rows.
    """
    slot, regime, x = rows
    (weight, clip, pace), (cell_of, ewma, unclipped), normal, levels = chart
    learned, provisional, location, inverse_scale, precision, slope, given, filled, until, _, buffer_of, _ = (
        normal
    )
    score, contribution, expected, observed, statistic, judged, departure, shown = out
    since, moved, excess = levels.since, levels.moved, levels.excess
    last_regime = cell_of.shape[1] - 1
    channels, some_given, given_here = x.shape[1], bool(given.any()), 0
    (z, steps), (means, free) = _pair(LONGEST * channels), _pair((LONGEST + 1) * channels)
    e, y = np.empty((channels, LONGEST), np.float32), np.empty((channels, LONGEST), np.float32)
    (t2, more), (away, turned) = _pair(LONGEST), _pair(channels)
    scale, present = np.empty(channels, np.float32), np.empty(LONGEST, np.int16)
    duty = np.empty(LONGEST * channels if some_given else 0, np.float32)
    at = start
    while at < len(slot):
        s, r = slot[at], min(regime[at], last_regime)
        own = cell_of[s, r]
        if own < 0:
            return at
        end = _run_end(at, slot, regime, last_regime)
        owns = learned[own] and not provisional[own]
        if owns:
            end = min(end, at + pace.step - since[own])
        if buffer_of[own] >= 0:
            end = min(end, at + until[own] - filled[own])
        else:
            end = _until_one_moves(at, end, x, location[own], inverse_scale[own])
        if end == at:
            return at
        cell = own if learned[own] else r
        if learned[cell]:
            n, rows_here, share = end - at, x[at:end], contribution[at:end]
            level, inverse, matrix = location[cell], inverse_scale[cell], precision[cell]
            standardise(rows_here, level, inverse, z)
            if some_given:
                given_here = count_given(inverse, given)
                hold_against(n, slope[cell], given, inverse, z, duty)
            smooth(n, weight, clip, z, steps, ewma[s], means)
            smooth(n, weight, FARTHEST, z, steps, unclipped[s], free)
            if some_given:
                put_back(n, channels, duty, free)
            describe(rows_here, level, inverse, scale, z, free, expected[at:end], observed[at:end])
            if some_given:
                expect(duty, scale, expected[at:end])
            turn(n, z, means, e)
            split_t2(n, matrix, e, y, share, t2)
            whole = way_back(matrix, moved[cell], clip, away, turned)
            beyond(n, away, y, more)
            most = int(np.count_nonzero(inverse)) - given_here
            if count_present(n, most, given_here, channels, z, present):
                run, back = (z, e, y, present), (away, turned, whole)
                leave_gaps_out(n, most, matrix, inverse > 0, run, share, t2, back, more)
            _score(n, pace.table, present, t2, part(excess[cell]), score[at:end])
            if owns:
                _tell(n, present, t2, more, whole, statistic[at:end], judged[at:end], departure[at:end])
                since[own] += n
                if since[own] == pace.step:
                    seen = ewma[s], unclipped[s], z[(n - 1) * channels : n * channels]
                    if look(own, score[end - 1], most, (level, inverse, matrix), seen, levels, pace):
                        since[own] = 0
        if buffer_of[own] >= 0:
            by_fleet = shown[at:at] if owns else shown[at:end]
            _collect(own, x[at:end], score[at:end], provisional[cell], normal, by_fleet)
        at = end
    return len(slot)


@kernel
def _pair(length: int) -> tuple[Floats, Floats]:
    return np.empty(length, np.float32), np.empty(length, np.float32)


@kernel
def _run_end(at: int, slot: Ints, regime: Ints16, last_regime: int) -> int:
    """End of the rows of the same slot and regime that follow `at`, or of as many as a run may have."""
    end, most = at + 1, min(len(slot), at + LONGEST)
    r = min(regime[at], last_regime)
    while end < most and slot[end] == slot[at] and min(regime[end], last_regime) == r:
        end += 1
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
def _score(n: int, table: Floats, present: Ints16, t2: Floats, part: np.float32, score: Floats) -> None:
    """-log10 p of each row that shows anything; `part` of its T² counts."""
    for i in range(n):
        if present[i] > 0:
            score[i] = tail(table[present[i]], part * t2[i])


@kernel
def _tell(
    n: int,
    present: Ints16,
    t2: Floats,
    more: Floats,
    whole: np.float32,
    statistic: Floats,
    judged: Ints16,
    departure: Floats,
) -> None:
    """T², how many channels it is of, and T² about the first level."""
    for i in range(n):
        if present[i] > 0:
            statistic[i], judged[i] = max(t2[i], np.float32(0)), present[i]
            departure[i] = max(t2[i] + more[i] + whole, np.float32(0))


@kernel
def _collect(own: int, rows: Floats, score: Floats, choosy: bool, normal: Normal, shown: Ints) -> None:
    """Keep the rows to learn from; if `choosy` none that is odd, unless as many were refused as it takes.

    `shown` becomes how many there were before each row that has a score; empty if nobody asks.
    """
    buffer, filled, refused = normal.buffers[normal.buffer_of[own]], normal.filled, normal.refused
    for i in range(len(rows)):
        if i < len(shown) and score[i] == score[i]:
            shown[i] = filled[own]
        if choosy and score[i] > TOO_ODD and refused[own] < len(buffer):
            refused[own] += 1
        else:
            buffer[filled[own]] = rows[i]
            filled[own] += 1
