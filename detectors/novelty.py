"""Novel values: how far a reading is from everything that its channel has shown so far, and so its step.

The memory that a level chart lacks. A channel's values are kept sorted, so the nearest one is found by
bisection; when the memory is full the value goes that leaves the smallest gap. Beside them pairs of
successive readings are kept, the shortest sequences there are: a value that is known may follow one that it
never followed. When that memory is full the pair goes that was nearest to another. Distances are judged by
the channel's own earlier distances, beyond their `TAIL` quantile by an exponential tail (peaks over
threshold; Pickands 1975, with shape 0). What is shown becomes known after `DELAY` readings, so a level that
stays is told once: this finds what is new, `ewma_t2` and `window_knn` find what is not normal.
"""

from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from detectors.contract import Samples, Scores, StateError
from detectors.kernels import kernel
from detectors.slots import check_samples, grown, plain, wider
from detectors.state_bytes import pack, unpack

Floats = NDArray[np.float32]
Arrays = tuple[NDArray[Any], ...]

REMEMBERED = 128
"""Values of a channel, and pairs; on NAB 64 to 512 make no difference."""

DELAY = 12
"""Readings after which what was shown is known: a slow approach must not be its own neighbour."""

TAIL = 0.98
FEWEST_BEYOND = 5.0
"""Distances that the tail is fitted to, at the least."""

BINS = 64
NEAREST, FARTHEST = 1e-4, 1e3
"""Distances told apart, in quartile ranges of the channel."""

HIGHEST = 300.0
"""No -log10 p above this is believed."""

_EDGES = np.geomspace(NEAREST, FARTHEST, BINS + 1)
_BINS = _EDGES, np.sqrt(_EDGES[1:] * _EDGES[:-1])


@dataclass
class _Memory:
    """Of each slot and channel. known: (slots, channels, `REMEMBERED`), the first `count` of them sorted.

    recent: the latest `DELAY` + 1 readings, a ring. seen: readings so far. scale: the unit of distances, 0
    until it is known; usual: the median value then. past: (slots, channels, `BINS`), how often each occurred.
    pairs: (slots, channels, `REMEMBERED`, 2), a reading and the one before it, the first `pair_count` of
    them; nearest: (slots, channels, `REMEMBERED`), how near the next pair was when each came; past_pairs:
    as `past`.
    """

    known: Floats
    count: NDArray[np.int32]
    recent: Floats
    seen: NDArray[np.int64]
    scale: Floats
    usual: Floats
    past: NDArray[np.float64]
    pairs: Floats
    pair_count: NDArray[np.int32]
    nearest: NDArray[np.float64]
    past_pairs: NDArray[np.float64]

    @classmethod
    def of(cls, slots: int, channels: int) -> "_Memory":
        """One that knows nothing."""
        shape = slots, channels
        return cls(
            np.zeros((*shape, REMEMBERED), np.float32),
            np.zeros(shape, np.int32),
            np.zeros((*shape, DELAY + 1), np.float32),
            np.zeros(shape, np.int64),
            np.zeros(shape, np.float32),
            np.full(shape, np.nan, np.float32),
            np.zeros((*shape, BINS)),
            np.zeros((*shape, REMEMBERED, 2), np.float32),
            np.zeros(shape, np.int32),
            np.zeros((*shape, REMEMBERED)),
            np.zeros((*shape, BINS)),
        )

    def arrays(self, slots: int | None = None) -> dict[str, NDArray[Any]]:
        """The arrays by name, of the first so many slots."""
        return {each.name: getattr(self, each.name)[:slots] for each in fields(self)}


class Novelty:
    """Novel values of many slots. The score of a row is that of its most novel channel, less log10 of how
    many were judged (Bonferroni), as channels are anything but independent; contributions are the channels'
    own, the mean -log10 p of value and pair, so the geometric mean of both probabilities.

    A channel is judged from its `baseline`-th reading on; regimes are not told apart. New slots begin with
    the fleet's memory if there was a `fit`. Not in the catalog: a shift that stays is news only once, and
    the contract asks for detectors that go on saying so.
    """

    NAME: ClassVar[str] = "novelty"
    VERSION: ClassVar[int] = 2
    EXACT: ClassVar[bool] = True

    def __init__(self, channels: int, *, baseline: int = 300) -> None:
        if channels < 1 or baseline < 4 * DELAY:
            raise ValueError(f"needs a channel and a baseline of {4 * DELAY} readings or more")
        self._baseline = baseline
        self._slots = 0
        self._take_width(channels)
        self._memory = _Memory.of(0, channels)
        self._prior = _Memory.of(1, channels)

    def _take_width(self, channels: int) -> None:
        self._channels = channels
        self._kind = f"{self.NAME} {self.VERSION}: {channels} channels, {self._baseline} readings"

    def widen(self, channels: int) -> None:
        """Add channels that have shown nothing yet."""
        if channels < self._channels:
            raise ValueError(f"{self._channels} channels cannot become {channels}: they are only added")
        for memory in (self._memory, self._prior):
            for name, fresh in _Memory.of(1, channels).arrays().items():
                fill = np.nan if name == "usual" else 0
                setattr(memory, name, wider(getattr(memory, name), 1, fresh.shape[1], fill))
        self._take_width(channels)

    def fit(self, x: Floats, regime: NDArray[np.int16]) -> None:
        """Learn what the fleet shows; rows of an asset should follow one another."""
        self._prior = _Memory.of(1, self._channels)
        slot = np.zeros(len(x), np.int32)
        nobody = _out(Scores.unknown(*x.shape))
        _judge(slot, plain(x, np.float32), self._baseline, _parts(self._prior), _BINS, nobody)
        latest = ((self._prior.seen - 1) % (DELAY + 1))[..., None]
        np.put_along_axis(self._prior.recent, latest, np.nan, axis=2)  # nobody's own reading comes after it
        self._memory = _Memory(**self._memory.arrays(self._slots))  # room for slots to come is made anew

    def update(self, samples: Samples) -> Scores:
        """Score the rows, and remember them."""
        self._reach(check_samples(samples, self._channels))
        x = plain(samples.x, np.float32)
        slot, scores = plain(samples.slot, np.int32), Scores.unknown(*x.shape)
        _judge(slot, x, self._baseline, _parts(self._memory), _BINS, _out(scores))
        judged = scores.judged > 0
        scores.observed[judged] = np.where(np.isfinite(x[judged]), x[judged], np.nan)
        return scores

    def _reach(self, slots: int) -> None:
        self._slots = max(self._slots, slots)
        for name, array in self._memory.arrays().items():
            setattr(self._memory, name, grown(array, slots, getattr(self._prior, name)[0]))

    def renew(self, slot: int) -> None:
        """Forget what the slot has shown; it knows what the fleet shows, if that is known."""
        if slot < self._slots:
            for name, array in self._memory.arrays().items():
                array[slot] = getattr(self._prior, name)[0]

    def state(self) -> bytes:
        """What each slot has shown, and the fleet."""
        return pack(self._kind, self._saved(self._slots))

    def load(self, state: bytes) -> None:
        """Go on from `state`; raises `StateError`."""
        saved = unpack(self._kind, state, self._saved(None))
        mine = {name: array for name, array in saved.items() if not name.startswith("fleet_")}
        if len({len(array) for array in mine.values()}) != 1 or len(saved["fleet_count"]) != 1:
            raise StateError(f"state of {self.NAME} contradicts itself; start without it")
        self._memory = _Memory(**mine)
        self._prior = _Memory(**{name: saved[f"fleet_{name}"] for name in mine})
        self._slots = len(self._memory.count)

    def _saved(self, slots: int | None) -> dict[str, NDArray[Any]]:
        fleet = {f"fleet_{name}": array for name, array in self._prior.arrays().items()}
        return self._memory.arrays(slots) | fleet


def _parts(memory: _Memory) -> Arrays:
    return tuple(memory.arrays().values())


def _out(scores: Scores) -> Arrays:
    return scores.score, scores.contribution, scores.expected, scores.statistic, scores.judged


@kernel
def _judge(
    slot: NDArray[np.int32], x: Floats, baseline: int, memory: Arrays, bins: Arrays, out: Arrays
) -> None:
    """Judge each row by what was remembered before it, then remember it."""
    known, count, recent, seen, scale, usual, past, pairs, pair_count, _, past_pairs = memory
    score, contribution, expected, statistic, judged = out
    for i in range(len(slot)):
        s, most = slot[i], 0.0
        for k in range(x.shape[1]):
            if not np.isfinite(x[i, k]):
                continue
            distance = _in_units(_to_nearest(known[s, k, : count[s, k]], x[i, k]), scale[s, k])
            before = recent[s, k, (seen[s, k] - 1) % (DELAY + 1)]
            step = _to_nearest_pair(pairs[s, k, : pair_count[s, k]], x[i, k], before)
            step = _in_units(step, scale[s, k])
            if seen[s, k] >= baseline:
                odd_value = _improbability(distance, past[s, k], bins)
                odd_step = _improbability(step, past_pairs[s, k], bins) if before == before else 0.0
                contribution[i, k] = (odd_value + odd_step) / 2
                expected[i, k] = usual[s, k]
                judged[i] += 1
                most = max(most, contribution[i, k])
            if scale[s, k] > 0 or distance == 0:
                past[s, k][_bin_of(distance)] += 1
            if pair_count[s, k] > 0 and before == before and (scale[s, k] > 0 or step == 0):
                past_pairs[s, k][_bin_of(step)] += 1
            _take_in(memory, s, k, x[i, k], baseline)
        if judged[i] > 0:
            statistic[i] = np.sum(contribution[i])
            score[i] = max(most - np.log10(judged[i]), 0.0)


@kernel
def _take_in(memory: Arrays, s: int, k: int, value: float, baseline: int) -> None:
    """Put the reading behind those that wait to be known."""
    known, count, recent, seen, scale, usual, _, pairs, pair_count, nearest, _ = memory
    n, ring = seen[s, k], recent.shape[2]
    one, before = recent[s, k, (n - DELAY) % ring], recent[s, k, (n - DELAY - 1) % ring]
    if n >= DELAY and np.isfinite(one):
        count[s, k] = _remember(known[s, k], count[s, k], one)
    if n > DELAY and np.isfinite(one) and np.isfinite(before):
        pair_count[s, k] = _remember_pair(pairs[s, k], nearest[s, k], pair_count[s, k], one, before)
    recent[s, k, n % ring] = value
    seen[s, k] += 1
    if scale[s, k] == 0 and seen[s, k] >= baseline // 3:
        usual[s, k], scale[s, k] = _middle_and_range(known[s, k, : count[s, k]])


@kernel
def _to_nearest_pair(pairs: Floats, one: float, before: float) -> float:
    """Distance of a pair to the nearest one, infinity if there is none."""
    best = np.inf
    for j in range(len(pairs)):
        best = min(best, (float(pairs[j, 0]) - one) ** 2 + (float(pairs[j, 1]) - before) ** 2)
    return float(np.sqrt(best))


@kernel
def _remember_pair(pairs: Floats, nearest: NDArray[np.float64], count: int, one: float, before: float) -> int:
    """Keep the pair, if need be for the one that was nearest to another; returns how many are known."""
    gap = _to_nearest_pair(pairs[:count], one, before)
    if gap == 0:
        return count
    at = count if count < len(pairs) else int(np.argmin(nearest))
    if count == len(pairs) and gap <= nearest[at]:
        return count
    pairs[at, 0], pairs[at, 1], nearest[at] = one, before, gap
    return max(count, at + 1)


@kernel
def _in_units(distance: float, scale: float) -> float:
    """In units of the scale; while that is unknown, as the channel is constant, whether it moved."""
    if scale > 0:
        return min(distance / scale, FARTHEST)
    return 0.0 if distance == 0 else FARTHEST


@kernel
def _to_nearest(known: Floats, value: np.float32) -> float:
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
def _improbability(distance: float, past: NDArray[np.float64], bins: Arrays) -> float:
    """-log10 of the share of past distances that were as large: counted, in the tail as fitted to it."""
    edges, centres = bins
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
