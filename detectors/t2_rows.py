"""The T² chart's compiled loop. Rows of one machine that follow one another are judged together, as a run.

Each step goes over a whole run before the next one begins, so that every loop is long, plain and has few
arrays: that is what compiles to vector instructions. The result does not depend on where runs begin.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.kernels import kernel

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

LOG_LOW, LOG_HIGH, STEPS = -7.0, 21.0, 560
"""Grid of ln T² on which -log10 p is tabulated; outside it the score stays at the end's value."""

LONGEST = 64
"""Rows of a run at most: what it works with stays in the processor's nearest cache."""

SHORT = 8
"""Rows below which a run is multiplied row by row."""

TOO_ODD = 2.0
"""Score above which a row does not teach what is normal: a machine may be faulty from the beginning."""

SAME = 1e-6
"""Relative difference up to which a constant channel has not moved (float32 rounding)."""

FARTHEST = np.float32(1e6)
"""Standard deviations beyond which what was measured is told no further, so that no sum overflows."""

NOTHING = np.float32(np.nan)

Flags = NDArray[np.bool_]


@kernel
def score_rows(
    start: int,
    slot: Ints,
    regime: NDArray[np.int16],
    x: Floats,
    rules: tuple[np.float32, np.float32, Floats, int, np.float32, int],
    state: tuple[Ints, Floats, Floats, NDArray[np.bool_], NDArray[np.bool_], Ints, Ints, Ints, Ints, Floats],
    normal: tuple[Floats, Floats, Floats, Floats, Flags],
    moving: tuple[Ints, Ints, Floats, Floats, Floats, Floats],
    out: tuple[Floats, Floats, Floats, Floats, Floats, NDArray[np.int16], Floats, Ints],
) -> int:
    """Score rows from `start` on; returns the first whose cell needs attention before it, else their number.

    rules: weight, clip, table of tails, rows between two looks at a level, the part of the way that it goes
    then, looks in a learning period. state: cell_of, ewma, unclipped, learned, provisional, filled, until,
    refused, buffer_of and buffers, changed in place. normal: location, inverse_scale, precision and slope of
    the cells, and which channels are given. moving: since, odd, first, moved, told and total of
    `MovingNormal`. out: the arrays of `Scores`, which say "unknown" where nothing is written.
    """
    weight, clip, table, step, gain, window = rules
    cell_of, ewma, unclipped, learned, provisional, filled, until, refused, buffer_of, buffers = state
    location, inverse_scale, precision, slope, given = normal
    since, odd, first, moved, told, total = moving
    score, contribution, expected, observed, statistic, judged, departure, shown = out
    channels = x.shape[1]
    z = np.empty(LONGEST * channels, np.float32)
    duty = np.zeros(LONGEST * channels, np.float32)
    means = np.empty((LONGEST + 1) * channels, np.float32)
    free = np.empty((LONGEST + 1) * channels, np.float32)
    e, y = np.empty((channels, LONGEST), np.float32), np.empty((channels, LONGEST), np.float32)
    present, t2 = np.empty(LONGEST, np.int16), np.empty(LONGEST, np.float64)
    away, turned = np.empty(channels, np.float32), np.empty(channels, np.float32)
    more, nowhere = np.empty(LONGEST, np.float32), np.zeros(channels, np.float32)
    at = start
    while at < len(slot):
        s, r = slot[at], min(regime[at], cell_of.shape[1] - 1)
        own = cell_of[s, r]
        if own < 0:
            return at
        end = _run_end(at, slot, regime, cell_of.shape[1] - 1)
        if buffer_of[own] < 0:
            end = _until_one_moves(at, end, x, location[own], inverse_scale[own])
        else:
            end = min(end, at + until[own] - filled[own])
        if learned[own] and not provisional[own]:
            end = min(end, at + step - since[own])
        if end == at:
            return at
        cell = own if learned[own] else r
        own_judges = cell == own and not provisional[own]
        if learned[cell]:
            n, rows, share = end - at, x[at:end], contribution[at:end]
            level, inverse, matrix = location[cell], inverse_scale[cell], precision[cell]
            _standardise(rows, level, inverse, z)
            _hold_against_duty(n, slope[cell], given, z, duty)
            _smooth(n, weight, clip, z, ewma[s], means)
            _smooth(n, weight, FARTHEST, z, unclipped[s], free)
            _describe(rows, level, inverse, duty, z, free, expected[at:end], observed[at:end])
            _turn(n, z, means, given, e, present)
            whole = _way_back(matrix, moved[cell] if own_judges else nowhere, clip, away, turned)
            _split_t2(n, matrix, e, y, share, t2, away, more)
            back = (away, turned, whole)
            _leave_gaps_out(n, matrix, inverse, given, z, e, y, present, share, t2, back, more)
            _score(n, table, present, t2, score[at:end])
            if own_judges:
                told_of = statistic[at:end], judged[at:end], departure[at:end]
                _tell(n, present, t2, more, whole, told_of)
                since[own] += n
                if since[own] == step:
                    levels = (level, first[own], moved[own], told[own], total[own])
                    seen = (ewma[s], unclipped[s], z[(n - 1) * channels : n * channels])
                    pace = (table, gain, window)
                    judging = (inverse, given)
                    if _look(score[end - 1], odd[own : own + 1], judging, matrix, levels, seen, pace):
                        since[own] = 0
        if buffer_of[own] >= 0:
            choosy = provisional[cell]
            numbers = filled[own : own + 1], refused[own : own + 1]
            by_fleet = shown[at:at] if own_judges else shown[at:end]
            _collect(x[at:end], score[at:end], choosy, buffers[buffer_of[own]], *numbers, by_fleet)
        at = end
    return len(slot)


@kernel
def _leave_gaps_out(
    n: int,
    precision: Floats,
    inverse_scale: Floats,
    given: Flags,
    z: Floats,
    e: Floats,
    y: Floats,
    present: NDArray[np.int16],
    share: Floats,
    t2: NDArray[np.float64],
    back: tuple[Floats, Floats, float],
    more: Floats,
) -> None:
    """Correct T², `share` and `more` of the rows in which a channel is missing."""
    channels = len(precision)
    away, turned, whole = back
    most = channels - np.sum(given)
    for i in range(n):
        if present[i] < most:
            gaps = np.flatnonzero((inverse_scale > 0) & np.isnan(z[i * channels : (i + 1) * channels]))
            t2[i] = _hold_out(precision, gaps, e[:, i], y[:, i], share[i])
            more[i] = _hold_out(precision, gaps, away, turned.copy(), np.empty_like(away)) - whole
            for k in range(channels):
                more[i] += 2 * away[k] * y[k, i]


@kernel
def _score(n: int, table: Floats, present: NDArray[np.int16], t2: NDArray[np.float64], score: Floats) -> None:
    """-log10 p of each row that shows anything."""
    for i in range(n):
        if present[i] > 0:
            score[i] = _tail(table[present[i]], t2[i])


@kernel
def _tell(
    n: int,
    present: NDArray[np.int16],
    t2: NDArray[np.float64],
    more: Floats,
    whole: float,
    told: tuple[Floats, NDArray[np.int16], Floats],
) -> None:
    """T², how many channels it is of, and T² about the first level, where its own baseline judged."""
    statistic, judged, departure = told
    for i in range(n):
        if present[i] > 0:
            statistic[i], judged[i] = max(t2[i], 0.0), present[i]
            departure[i] = max(t2[i] + more[i] + whole, 0.0)


@kernel
def _way_back(precision: Floats, moved: Floats, clip: np.float32, away: Floats, turned: Floats) -> float:
    """From the present level to the first: a = `away`, P a = `turned`; returns a'Pa.

    T² about the first level is (e + a)'P(e + a). a is cut as deviations are, so a level that jumps leaves the
    machine as far from the first one as it was.
    """
    for k in range(len(moved)):
        away[k] = min(max(moved[k], -clip), clip)
    return _turned(precision, away, turned)


@kernel
def _turned(matrix: Floats, vector: Floats, product: Floats) -> float:
    """Write matrix vector to `product`; returns vector' matrix vector. In plain order: equal to the bit."""
    product[:] = 0
    for k in range(len(vector)):
        for j in range(len(vector)):
            product[j] += matrix[k, j] * vector[k]
    total = np.float32(0)
    for k in range(len(vector)):
        total += vector[k] * product[k]
    return float(total)


@kernel
def _look(
    score: float,
    odd: Ints,
    judging: tuple[Floats, Flags],
    precision: Floats,
    levels: tuple[Floats, Floats, Floats, Floats, Floats],
    seen: tuple[Floats, Floats, Floats],
    pace: tuple[Floats, np.float32, int],
) -> bool:
    """Let the level follow by a step, or sum up how odd the machine is; whether that is nothing to tell."""
    inverse_scale, given = judging
    location, first, moved, told, total = levels
    ewma, unclipped, latest = seen
    table, gain, window = pace
    if not np.isfinite(score):
        return True
    if score > TOO_ODD:
        odd[0] += 1
        total += unclipped
        return bool(odd[0] % window != 0)
    odd[0] = 0
    total[:] = 0
    judged = 0
    for k in range(len(location)):
        if latest[k] == latest[k]:
            way = gain * ewma[k]
            to = first[k] + (moved[k] + way) / inverse_scale[k]
            if abs(to) < np.inf:
                location[k] = to
                moved[k] += way
                ewma[k] -= way
                unclipped[k] -= way
        judged += inverse_scale[k] > 0 and not given[k]
    away = moved - told
    odd_once = _tail(table[judged], _turned(precision, away, np.empty_like(away)))
    return odd_once <= TOO_ODD


@kernel
def _run_end(at: int, slot: Ints, regime: NDArray[np.int16], last_regime: int) -> int:
    """End of the rows of the same slot and regime that follow `at`, or of as many as a run may have."""
    end, most = at + 1, min(len(slot), at + LONGEST)
    r = min(regime[at], last_regime)
    while end < most and slot[end] == slot[at] and min(regime[end], last_regime) == r:
        end += 1
    return end


@kernel
def _collect(
    rows: Floats, score: Floats, choosy: bool, buffer: Floats, filled: Ints, refused: Ints, shown: Ints
) -> None:
    """Keep the rows to learn from; if `choosy` none that is odd, unless as many were refused as it takes.

    `shown` becomes how many there were before each row that has a score; empty if nobody asks.
    """
    for i in range(len(rows)):
        if i < len(shown) and score[i] == score[i]:
            shown[i] = filled[0]
        if choosy and score[i] > TOO_ODD and refused[0] < len(buffer):
            refused[0] += 1
        else:
            buffer[filled[0]] = rows[i]
            filled[0] += 1


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
def _standardise(rows: Floats, location: Floats, inverse_scale: Floats, z: Floats) -> None:
    """Deviations in standard deviations, row after row in `z`; NaN where missing or not judged."""
    channels = len(location)
    for i in range(len(rows)):
        for k in range(channels):
            known = abs(rows[i, k]) < np.inf and inverse_scale[k] > 0
            z[i * channels + k] = (rows[i, k] - location[k]) * inverse_scale[k] if known else NOTHING


@kernel
def _hold_against_duty(n: int, slope: Floats, given: Flags, z: Floats, duty: Floats) -> None:
    """Leave of the deviations `z` of n rows what the given channels do not explain; `duty` is what they do.

    Nothing is left of the given ones themselves, and one that is missing is taken to be as usual.
    """
    channels = len(given)
    if not given.any():
        return
    duty[:] = 0
    for j in range(channels):
        if given[j]:
            for i in range(n):
                here = z[i * channels + j]
                if here == here:
                    for k in range(channels):
                        duty[i * channels + k] += slope[k, j] * here
                z[i * channels + j] = 0
    for m in range(n * channels):
        z[m] -= duty[m]


@kernel
def _smooth(n: int, weight: np.float32, most: np.float32, z: Floats, mean: Floats, means: Floats) -> None:
    """EWMAs of n rows of deviations, cut at `most`: row i + 1 of `means` is after row i. Moves `mean` on."""
    channels = len(mean)
    means[:channels] = mean
    for m in range(n * channels):
        last = means[m]
        step = weight * (min(max(z[m], -most), most) - last)
        means[m + channels] = last + step if z[m] == z[m] else last
    mean[:] = means[n * channels : (n + 1) * channels]


@kernel
def _describe(
    rows: Floats,
    location: Floats,
    inverse_scale: Floats,
    duty: Floats,
    z: Floats,
    free: Floats,
    expected: Floats,
    observed: Floats,
) -> None:
    """Say of each row and channel what is expected and what is seen, which is told unclipped."""
    channels = len(location)
    for i in range(len(rows)):
        for k in range(channels):
            m = i * channels + k
            usual = location[k] + duty[m] / inverse_scale[k]
            expected[i, k] = usual if inverse_scale[k] > 0 and abs(usual) < np.inf else NOTHING
            seen = usual + free[m + channels] / inverse_scale[k]
            told = seen if abs(seen) < np.inf else rows[i, k]
            observed[i, k] = told if z[m] == z[m] else NOTHING


@kernel
def _turn(n: int, z: Floats, means: Floats, given: Flags, e: Floats, present: NDArray[np.int16]) -> None:
    """The means to judge, channel by channel in `e`, 0 where not to be judged; how many are `present`."""
    channels = len(e)
    present[:n] = 0
    for k in range(channels):
        for i in range(n):
            m = i * channels + k
            known = z[m] == z[m]
            e[k, i] = means[m + channels] if known else np.float32(0)
            present[i] += known and not given[k]


@kernel
def _split_t2(
    n: int,
    precision: Floats,
    e: Floats,
    y: Floats,
    share: Floats,
    t2: NDArray[np.float64],
    away: Floats,
    more: Floats,
) -> None:
    """T² of the deviations `e` of n rows, and each channel's `share` of it; `y` becomes precision e.

    `more` becomes 2 away'y: what T² is more about a level that far away, but for away'(precision away).
    """
    channels = len(e)
    if n < SHORT:
        _multiply(n, precision, e, y)
    else:
        for k in range(channels):
            _dot(n, precision[k], e, y[k])
    t2[:n] = 0
    more[:n] = 0
    for k in range(channels):
        twice = 2 * away[k]
        for i in range(n):
            part = e[k, i] * y[k, i]
            share[i, k] = part
            t2[i] += part
            more[i] += twice * y[k, i]


@kernel
def _multiply(n: int, matrix: Floats, e: Floats, y: Floats) -> None:
    """y = matrix e for the first n columns of `e`, where these are few."""
    for i in range(n):
        for k in range(len(matrix)):
            total = np.float32(0)
            for j in range(len(matrix)):
                total += matrix[k, j] * e[j, i]
            y[k, i] = total


@kernel
def _dot(n: int, weights: Floats, e: Floats, y: Floats) -> None:
    """y = weights e for the first n columns of `e`."""
    y[:n] = 0
    for j in range(len(weights)):
        weight, row = weights[j], e[j]
        for i in range(n):
            y[i] += row[i] * weight


@kernel
def _hold_out(
    precision: Floats, gaps: NDArray[np.int64], e: NDArray[Any], y: NDArray[Any], share: Floats
) -> float:
    """T² of one row without its gaps: of the channels present alone. Writes each channel's `share` of it.

    The gaps get the values that the other channels make most likely. Those solve (P e)[gaps] = 0, which
    leaves for the others the inverse of their own covariance.
    """
    n = len(gaps)
    a = np.empty((n, n + 1))
    for i in range(n):
        for j in range(n):
            a[i, j] = precision[gaps[i], gaps[j]]
        a[i, n] = -y[gaps[i]]
    for i in range(n):  # elimination; positive definite, so without pivoting
        for j in range(i + 1, n):
            factor = a[j, i] / a[i, i]
            for k in range(i, n + 1):
                a[j, k] -= factor * a[i, k]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            a[i, n] -= a[i, k] * a[k, n]
        a[i, n] /= a[i, i]
        for k in range(len(y)):
            y[k] += np.float32(a[i, n]) * precision[gaps[i], k]
    for i in range(n):
        y[gaps[i]] = 0.0
    t2 = 0.0
    for k in range(len(y)):
        share[k] = e[k] * y[k]
        t2 += share[k]
    return t2


@kernel
def _tail(tails: Floats, t2: float) -> float:
    """Look up -log10 p, linear between the grid's points."""
    at = (np.log(max(t2, 1e-30)) - LOG_LOW) / (LOG_HIGH - LOG_LOW) * (STEPS - 1)
    at = min(max(at, 0.0), STEPS - 1.0)
    low = min(int(at), STEPS - 2)
    return float(tails[low] + (at - low) * (tails[low + 1] - tails[low]))
