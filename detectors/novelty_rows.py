"""What a channel has shown so far, as a compiled loop sees it: how far each reading is from all of it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.kernels import kernel
from detectors.slots import NEVER

Floats = NDArray[np.float32]
Counts = NDArray[np.float64]

REMEMBERED = 128
"""Values of a channel, and points of each kind; on NAB 128 to 512 make no difference."""

DELAY = 12
"""Readings after which what was shown is known: a slow approach must not be its own neighbour."""

DAY_US = 86_400_000_000
QUARTERS = 4.0
"""Of a day: one of them weighs as much as a quartile range of the channel."""

LEARNED_US = 2 * DAY_US
"""From then on it counts how far a reading is from those of its time of day: before, all times are new."""

TAIL = 0.98
FEWEST_BEYOND = 5.0
"""Distances that the tail is fitted to, at the least."""

BINS = 64
NEAREST, FARTHEST = 1e-4, 1e3
"""Distances told apart, in quartile ranges of the channel."""

HIGHEST = 300.0
"""No -log10 p above this is believed."""

EDGES = np.geomspace(NEAREST, FARTHEST, BINS + 1)
HISTOGRAM = EDGES, np.sqrt(EDGES[1:] * EDGES[:-1])

Histogram = tuple[Counts, Counts]
"""Edges of its bins and their centres."""


class Memory(NamedTuple):
    """Arrays over slots and channels; points are kept `REMEMBERED` at the most, the first so many are known.

    values: (slots, channels, `REMEMBERED`), the first `value_count` sorted. recent: the latest `DELAY` + 1
    readings, a ring, at the instants `recent_us`. seen: readings so far, since `since_us`. scale: the unit of
    distances, 0 until it is known; usual: the median value then. past: (slots, channels, `BINS`), how often
    each distance occurred. pairs: (..., 2), a reading and the one before it; days: a reading and its time of
    day in quarters. near_pairs, near_days: how near the next point was when each came.
    """

    values: Floats
    value_count: NDArray[np.int32]
    recent: Floats
    recent_us: NDArray[np.int64]
    seen: NDArray[np.int64]
    since_us: NDArray[np.int64]
    scale: Floats
    usual: Floats
    past: Counts
    pairs: Floats
    pair_count: NDArray[np.int32]
    near_pairs: Counts
    past_pairs: Counts
    days: Floats
    day_count: NDArray[np.int32]
    near_days: Counts
    past_days: Counts

    @classmethod
    def of(cls, slots: int, channels: int) -> "Memory":
        """One that knows nothing."""
        shape = slots, channels
        return cls(
            np.zeros((*shape, REMEMBERED), np.float32),
            np.zeros(shape, np.int32),
            np.zeros((*shape, DELAY + 1), np.float32),
            np.full((*shape, DELAY + 1), NEVER, np.int64),
            np.zeros(shape, np.int64),
            np.full(shape, NEVER, np.int64),
            np.zeros(shape, np.float32),
            np.full(shape, np.nan, np.float32),
            np.zeros((*shape, BINS)),
            *_points(shape),
            *_points(shape),
        )


def _points(shape: tuple[int, int]) -> tuple[Floats, NDArray[np.int32], Counts, Counts]:
    return (
        np.zeros((*shape, REMEMBERED, 2), np.float32),
        np.zeros(shape, np.int32),
        np.zeros((*shape, REMEMBERED)),
        np.zeros((*shape, BINS)),
    )


class Out(NamedTuple):
    """What is said of the rows, as in `Scores`."""

    score: Floats
    contribution: Floats
    expected: Floats
    statistic: Floats
    judged: NDArray[np.int16]


@kernel
def judge(
    slot: NDArray[np.int32],
    ts_us: NDArray[np.int64],
    x: Floats,
    baseline: int,
    memory: Memory,
    histogram: Histogram,
    out: Out,
) -> None:
    """Judge each row by what was remembered before it, then remember it; `ts_us` NEVER is an unknown time."""
    for i in range(len(slot)):
        s, most = slot[i], 0.0
        for k in range(x.shape[1]):
            if not np.isfinite(x[i, k]):
                continue
            odd = _oddness(memory, s, k, x[i, k], ts_us[i], histogram)
            if memory.seen[s, k] >= baseline:
                timed = np.sum(memory.past_days[s, k]) > baseline
                out.contribution[i, k] = (odd[0] + odd[1] + odd[2]) / 3 if timed else (odd[0] + odd[1]) / 2
                out.expected[i, k] = memory.usual[s, k]
                out.judged[i] += 1
                most = max(most, out.contribution[i, k])
            _take_in(memory, s, k, x[i, k], ts_us[i], baseline)
        if out.judged[i] > 0:
            out.statistic[i] = np.sum(out.contribution[i])
            out.score[i] = max(most - np.log10(out.judged[i]), 0.0)


@kernel
def _oddness(
    memory: Memory, s: int, k: int, value: float, ts_us: int, histogram: Histogram
) -> tuple[float, float, float]:
    """How improbable value, pair and time of day are as -log10 p; counts how far they are."""
    scale, odd_pair, odd_day = memory.scale[s, k], 0.0, 0.0
    distance = _in_units(_to_nearest(memory.values[s, k, : memory.value_count[s, k]], value), scale)
    odd_value = _improbability(distance, memory.past[s, k], histogram)
    if scale > 0 or distance == 0:
        memory.past[s, k][_bin_of(distance)] += 1
    before, pairs = memory.recent[s, k, (memory.seen[s, k] - 1) % (DELAY + 1)], memory.pair_count[s, k]
    if before == before:
        distance = _in_units(_to_point(memory.pairs[s, k, :pairs], value, before, 1.0, np.inf), scale)
        odd_pair = _improbability(distance, memory.past_pairs[s, k], histogram)
        if pairs > 0 and (scale > 0 or distance == 0):
            memory.past_pairs[s, k][_bin_of(distance)] += 1
    days = memory.day_count[s, k]
    if days > 0 and ts_us - memory.since_us[s, k] >= LEARNED_US:
        distance = _to_point(memory.days[s, k, :days], value, _quarter(ts_us), scale, QUARTERS)
        odd_day = _improbability(distance, memory.past_days[s, k], histogram)
        memory.past_days[s, k][_bin_of(distance)] += 1
    return odd_value, odd_pair, odd_day


@kernel
def _take_in(memory: Memory, s: int, k: int, value: float, ts_us: int, baseline: int) -> None:
    """Put the reading behind those that wait to be known."""
    n, ring, scale = memory.seen[s, k], DELAY + 1, memory.scale[s, k]
    at = (n - DELAY) % ring
    one, one_us, before = memory.recent[s, k, at], memory.recent_us[s, k, at], memory.recent[s, k, at - 1]
    if n >= DELAY and np.isfinite(one):
        memory.value_count[s, k] = _remember(memory.values[s, k], memory.value_count[s, k], one)
        if scale > 0 and one_us != NEVER:
            memory.day_count[s, k] = _remember_point(
                memory.days[s, k],
                memory.near_days[s, k],
                memory.day_count[s, k],
                one,
                _quarter(one_us),
                scale,
                QUARTERS,
            )
    if n > DELAY and np.isfinite(one) and np.isfinite(before):
        memory.pair_count[s, k] = _remember_point(
            memory.pairs[s, k], memory.near_pairs[s, k], memory.pair_count[s, k], one, before, 1.0, np.inf
        )
    memory.recent[s, k, n % ring], memory.recent_us[s, k, n % ring] = value, ts_us
    if memory.since_us[s, k] == NEVER:
        memory.since_us[s, k] = ts_us
    memory.seen[s, k] += 1
    if scale == 0 and memory.seen[s, k] >= baseline // 3:
        memory.usual[s, k], memory.scale[s, k] = _middle_and_range(
            memory.values[s, k, : memory.value_count[s, k]]
        )


@kernel
def _quarter(ts_us: int) -> float:
    """The time of day (UTC) in quarters of a day."""
    return float(ts_us % DAY_US * QUARTERS / DAY_US)


@kernel
def _to_point(points: Floats, one: float, other: float, unit: float, period: float) -> float:
    """Distance to the nearest point, infinity if there is none.

    unit: of the first coordinate. period: of the second, which goes round.
    """
    best = np.inf
    for j in range(len(points)):
        aside = abs(float(points[j, 1]) - other)
        aside = min(aside, period - aside)
        best = min(best, ((float(points[j, 0]) - one) / unit) ** 2 + aside**2)
    return float(np.sqrt(best))


@kernel
def _remember_point(
    points: Floats, near: Counts, count: int, one: float, other: float, unit: float, period: float
) -> int:
    """Keep the point, if need be for the one that was nearest to another; returns how many are known."""
    gap = _to_point(points[:count], one, other, unit, period)
    if gap == 0:
        return count
    at = count if count < len(points) else int(np.argmin(near))
    if count == len(points) and gap <= near[at]:
        return count
    points[at, 0], points[at, 1], near[at] = one, other, gap
    return max(count, at + 1)


@kernel
def _in_units(distance: float, scale: float) -> float:
    """In units of the scale; while that is unknown, as the channel is constant, whether it moved."""
    if scale > 0:
        return min(distance / scale, FARTHEST)
    return 0.0 if distance == 0 else FARTHEST


@kernel
def _to_nearest(known: Floats, value: float) -> float:
    at = np.searchsorted(known, value)
    distance = np.inf
    if at < len(known):
        distance = float(known[at]) - float(value)
    if at > 0:
        distance = min(distance, float(value) - float(known[at - 1]))
    return distance


@kernel
def _remember(known: Floats, count: int, value: np.float32) -> int:
    """Insert the value, and forget the one that is missed least; returns how many are known."""
    at = int(np.searchsorted(known[:count], value))
    if at < count and known[at] == value:
        return count
    if count == len(known):
        gone = _least_missed(known, value, at)
        if gone == len(known):
            return count
        at -= gone < at
        known[gone:-1] = known[gone + 1 :].copy()
        count -= 1
    known[at + 1 : count + 1] = known[at:count].copy()
    known[at] = value
    return count + 1


@kernel
def _least_missed(known: Floats, value: np.float32, at: int) -> int:
    """The inner one whose neighbours are closest, as if the value were there; its own index is len(known)."""
    last = len(known) - 1
    best, gone = np.inf, len(known)
    if 0 < at <= last:
        best = float(known[at]) - float(known[at - 1])
    for k in range(1, last):
        below = value if at == k else known[k - 1]
        above = value if at == k + 1 else known[k + 1]
        gap = float(above) - float(below)
        if gap < best:
            best, gone = gap, k
    return gone


@kernel
def _middle_and_range(known: Floats) -> tuple[float, float]:
    """Median of the values and their quartile range, or a quarter of their range; 0 for a single value."""
    n = len(known)
    quartiles = float(known[3 * n // 4]) - float(known[n // 4])
    return float(known[n // 2]), min(max(quartiles, (float(known[-1]) - float(known[0])) / 4), 1e38)


@kernel
def _bin_of(distance: float) -> int:
    at = np.log(max(distance, NEAREST) / NEAREST) / np.log(FARTHEST / NEAREST) * BINS
    return min(int(at), BINS - 1)


@kernel
def _improbability(distance: float, past: Counts, histogram: Histogram) -> float:
    """-log10 of the share of past distances that were as large: counted, in the tail as fitted to it."""
    edges, centres = histogram
    total, beyond, last = np.sum(past), 0.0, BINS
    enough = max((1 - TAIL) * total, FEWEST_BEYOND)
    while last > 1 and beyond + past[last - 1] <= enough:
        last -= 1
        beyond += past[last]
    if distance <= edges[last]:
        as_large = np.sum(past[_bin_of(distance) :])
        return float(-np.log10((as_large + 0.5) / (total + 1)))
    excess = 0.0
    for k in range(last, BINS):
        excess += past[k] * (centres[k] - edges[last])
    mean = excess / beyond if beyond > 0 else 0.5 * edges[last]
    further = (distance - edges[last]) / max(mean, 1e-9)
    return float(min(-np.log10((beyond + 0.5) / (total + 1)) + further / np.log(10), HIGHEST))
