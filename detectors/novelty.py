"""Novel values: how far a reading is from all that its channel has shown so far, and so its step and hour.

The memory that a level chart lacks. A channel's values are kept sorted, so the nearest one is found by
bisection; when the memory is full the value goes that leaves the smallest gap. Beside them two kinds of
points are kept. Pairs of successive readings are the shortest sequences there are: a value that is known may
follow one that it never followed. A reading with its time of day: a value that is known may come at an hour
at which it never came. When such a memory is full the point goes that was nearest to another. Distances are
judged by the channel's own earlier distances, beyond their `TAIL` quantile by an exponential tail (peaks over
threshold; Pickands 1975, with shape 0). What is shown becomes known after `DELAY` readings, so a level that
stays is told once: this finds what is new, `ewma_t2` and `window_knn` find what is not normal.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from detectors.contract import Samples, Scores, StateError
from detectors.novelty_rows import DELAY, HISTOGRAM, Memory, Out, judge
from detectors.slots import NEVER, check_samples, grown, plain, wider
from detectors.state_bytes import pack, unpack

Floats = NDArray[np.float32]

FILL = {"usual": np.nan, "since_us": NEVER, "recent_us": NEVER}
"""What the memory of a channel holds before it shows anything; 0 for the arrays that are not named."""


class Novelty:
    """Novel values of many slots. The score of a row is that of its most novel channel, less log10 of how
    many were judged (Bonferroni), as channels are anything but independent; contributions are the channels'
    own, the mean -log10 p of value, pair and, once it is known, time of day: the geometric mean of their
    probabilities.

    A channel is judged from its `baseline`-th reading on; regimes are not told apart. New slots begin with
    the fleet's memory if there was a `fit`. Not in the catalog: a shift that stays is news only once, and
    the contract asks for detectors that go on saying so.
    """

    NAME: ClassVar[str] = "novelty"
    VERSION: ClassVar[int] = 3
    EXACT: ClassVar[bool] = True

    def __init__(self, channels: int, *, baseline: int = 300) -> None:
        if channels < 1 or baseline < 4 * DELAY:
            raise ValueError(f"needs a channel and a baseline of {4 * DELAY} readings or more")
        self._baseline = baseline
        self._slots = 0
        self._take_width(channels)
        self._memory = Memory.of(0, channels)
        self._prior = Memory.of(1, channels)

    def _take_width(self, channels: int) -> None:
        self._channels = channels
        self._kind = f"{self.NAME} {self.VERSION}: {channels} channels, {self._baseline} readings"

    def widen(self, channels: int) -> None:
        """Add channels that have shown nothing yet."""
        if channels < self._channels:
            raise ValueError(f"{self._channels} channels cannot become {channels}: they are only added")
        self._memory, self._prior = (
            Memory(**{k: wider(each, 1, channels, FILL.get(k, 0)) for k, each in memory._asdict().items()})
            for memory in (self._memory, self._prior)
        )
        self._take_width(channels)

    def fit(self, x: Floats, regime: NDArray[np.int16]) -> None:
        """Learn what the fleet shows; rows of an asset should follow one another."""
        self._prior = Memory.of(1, self._channels)
        slot = np.zeros(len(x), np.int32)
        when, nobody = np.full(len(x), NEVER, np.int64), _out(Scores.unknown(*x.shape))
        judge(slot, when, plain(x, np.float32), self._baseline, self._prior, HISTOGRAM, nobody)
        latest = ((self._prior.seen - 1) % (DELAY + 1))[..., None]
        np.put_along_axis(self._prior.recent, latest, np.nan, axis=2)  # nobody's own reading comes after it
        self._memory = self._first(self._slots)  # room for slots to come is made anew

    def update(self, samples: Samples) -> Scores:
        """Score the rows, and remember them."""
        self._reach(check_samples(samples, self._channels))
        x = plain(samples.x, np.float32)
        slot, ts_us = plain(samples.slot, np.int32), plain(samples.ts_us, np.int64)
        scores = Scores.unknown(*x.shape)
        judge(slot, ts_us, x, self._baseline, self._memory, HISTOGRAM, _out(scores))
        judged = scores.judged > 0
        scores.observed[judged] = np.where(np.isfinite(x[judged]), x[judged], np.nan)
        return scores

    def _reach(self, slots: int) -> None:
        self._slots = max(self._slots, slots)
        self._memory = Memory._make(grown(each, slots, new[0]) for each, new in self._both())

    def renew(self, slot: int) -> None:
        """Forget what the slot has shown; it knows what the fleet shows, if that is known."""
        if slot < self._slots:
            for each, new in self._both():
                each[slot] = new[0]

    def _both(self) -> "zip[tuple[NDArray[Any], NDArray[Any]]]":
        return zip(self._memory, self._prior, strict=True)

    def state(self) -> bytes:
        """What each slot has shown, and the fleet."""
        return pack(self._kind, self._saved(self._first(self._slots)))

    def load(self, state: bytes) -> None:
        """Go on from `state`; raises `StateError`."""
        saved = unpack(self._kind, state, self._saved(self._memory))
        mine = {name: array for name, array in saved.items() if not name.startswith("fleet_")}
        if len({len(array) for array in mine.values()}) != 1 or len(saved["fleet_value_count"]) != 1:
            raise StateError(f"state of {self.NAME} contradicts itself; start without it")
        self._memory = Memory(**mine)
        self._prior = Memory(**{name: saved[f"fleet_{name}"] for name in mine})
        self._slots = len(self._memory.value_count)

    def _first(self, slots: int) -> Memory:
        return Memory._make(each[:slots] for each in self._memory)

    def _saved(self, memory: Memory) -> dict[str, NDArray[Any]]:
        fleet = {f"fleet_{name}": array for name, array in self._prior._asdict().items()}
        return memory._asdict() | fleet


def _out(scores: Scores) -> Out:
    return Out(scores.score, scores.contribution, scores.expected, scores.statistic, scores.judged)
