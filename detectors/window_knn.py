"""Nearest neighbours among a machine's own window statistics: PyOD's KNN, asked in a cheaper way.

Sees what a level chart does not: changed scatter, slope or range. On SKAB's valve1 files PyOD's PCA, GMM,
LOF and KNN on these statistics do equally well (mean AUC .87 to .88) and ECOD fails (.53); KNN is the
cheapest to fit (0.7 ms). PyOD fits and calibrates. Asking it about one window takes 0.4 ms, so the windows
that come later are compared by a kernel that finds the same distances.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from detectors.baseline import FEWEST, level_and_scatter
from detectors.contract import Detector, Samples, Scores, StateError
from detectors.kernels import kernel
from detectors.slots import check_samples, grown, plain, wider
from detectors.state_bytes import pack, unpack
from detectors.windows import FEATURES, Windows

Floats = NDArray[np.float32]

NEIGHBOURS = 3
CUT = 20.0
"""Standardised features are cut here."""
LEAST_SCATTER = 0.1
"""Least standard deviation of ln(distance) that is believed of a few dozen overlapping windows."""
DEGREES = 10
"""What those windows are worth as independent ones."""
LARGEST_PRIOR = 500
"""Windows of the fleet that are kept."""


class WindowKnn:
    """Distance of each window's statistics from the nearest among the slot's first `training` windows.

    Regimes are not told apart: each has neighbours of its own, if the training windows saw it. Until the
    slot has its own windows the fleet's from `fit` judge; without those the score is NaN. A score holds
    until the next window is complete. It is the tail of a t distribution for ln(distance), centred on what
    the later training windows showed seen from the earlier. Contributions split the squared distance as
    each channel's squared deviations do, which is an approximation. A channel missing in more than half of
    a window counts as unremarkable there, and one that was missing while the slot learned is not judged. The
    baseline never moves; `relearn` begins a new one.
    """

    NAME: ClassVar[str] = "window_knn"
    VERSION: ClassVar[int] = 3
    EXACT: ClassVar[bool] = False

    def __init__(self, channels: int, *, length: int = 30, hop: int = 10, training: int = 40) -> None:
        if channels < 1 or not 1 <= hop <= length or length < 4 or training < FEWEST:
            raise ValueError(
                f"needs a channel, windows of 4 rows or more, a hop up to that, {FEWEST} windows or more"
            )
        self._training = training
        self._length, self._hop = length, hop
        self._slots = 0
        self._take_width(channels)
        self._windows = Windows(channels, length, hop)
        self._count = np.zeros(0, np.int32)
        self._held = Scores.unknown(0, channels)
        self._prior = np.zeros((0, channels, FEATURES), np.float32)
        self._models = _Models.none(channels, training)
        self._prior_model: _Models | None = None

    def _take_width(self, channels: int) -> None:
        self._channels = channels
        windows = f"{self._length}/{self._hop} rows, {self._training} learned"
        self._kind = f"{self.NAME} {self.VERSION}: {channels} channels, {windows}"

    def widen(self, channels: int) -> None:
        """Add channels; only slots that are still learning will judge them."""
        self._windows.widen(channels)
        self._models.widen(channels)
        more = channels - self._channels
        self._held = _joined_across(self._held, Scores.unknown(len(self._held.score), more))
        self._take_width(channels)
        self._take_prior(wider(self._prior, 1, channels, np.nan))

    def fit(self, x: NDArray[np.float32], regime: NDArray[np.int16]) -> None:
        """Learn the fleet's windows; rows of an asset should follow one another."""
        windows = Windows(self._channels, self._length, self._hop)
        windows.reach(1)
        _, found = windows.complete(np.zeros(len(x), np.int32), plain(x, np.float32))
        kept = np.linspace(0, len(found) - 1, min(len(found), LARGEST_PRIOR)).astype(np.int64)
        self._take_prior(found[kept] if len(found) >= FEWEST else found[:0])

    def update(self, samples: Samples) -> Scores:
        """Score the windows that the rows complete; other rows keep the score of the window before."""
        self._reach(check_samples(samples, self._channels))
        slot = plain(samples.slot, np.int32)
        ends, features = self._windows.complete(slot, plain(samples.x, np.float32))
        which, present, latest = _which(slot, ends, len(self._count))
        table = Scores.joined([self._judge(slot[ends], features), _taken(self._held, present)])
        for each in fields(Scores):
            getattr(self._held, each.name)[present] = getattr(table, each.name)[latest]
        return _taken(table, which)

    def relearn(self, slot: int) -> None:
        """Forget what is normal for the slot: its next windows teach it."""
        self._count[slot] = 0
        self._models.fitted[slot] = False
        nothing = Scores.unknown(1, self._channels)
        for each in fields(Scores):
            getattr(self._held, each.name)[slot] = getattr(nothing, each.name)[0]

    def _judge(self, slot: NDArray[np.int32], features: Floats) -> Scores:
        """Verdicts on windows (m, channels, FEATURES); the first of a slot become what it learns from."""
        verdicts = Scores.unknown(len(slot), self._channels)
        learning = np.zeros(len(slot), np.bool_)
        able = np.any(np.isfinite(features), axis=(1, 2))
        for s, mine in _by_slot(slot, able & (self._count[slot] < self._training)):
            new = mine[: self._training - self._count[s]]
            self._models.windows[s, self._count[s] : self._count[s] + len(new)] = features[new]
            self._count[s] += len(new)
            learning[new] = True
        later = np.flatnonzero(able & ~learning)
        for s in np.unique(slot[later][~self._models.fitted[slot[later]]]).tolist():
            self._models.fit(s)
        self._models.judge(features, later, slot[later], verdicts)
        if self._prior_model is not None:
            early = np.flatnonzero(learning)
            self._prior_model.judge(features, early, np.zeros(len(early), np.int32), verdicts)
            verdicts.statistic[learning], verdicts.judged[learning] = np.nan, 0
        return verdicts

    def _reach(self, slots: int) -> None:
        self._slots = max(self._slots, slots)
        self._windows.reach(slots)
        self._count = grown(self._count, slots, 0)
        self._models.reach(slots)
        new = len(self._count) - len(self._held.score)
        self._held = Scores.joined([self._held, Scores.unknown(new, self._channels)])

    def _take_prior(self, windows: Floats) -> None:
        self._prior = windows
        self._prior_model = None
        if len(windows):
            self._prior_model = _Models.none(self._channels, len(windows))
            self._prior_model.reach(1)
            self._prior_model.windows[0] = windows
            self._prior_model.fit(0)

    def state(self) -> bytes:
        """Rows of unfinished windows, models and verdicts that hold; no PyOD object."""
        return pack(self._kind, self._arrays())

    def load(self, state: bytes) -> None:
        """Go on from `state`; raises `StateError`."""
        saved = unpack(self._kind, state, self._arrays())
        if len({len(saved[name]) for name in saved if name != "prior"}) != 1:
            raise StateError(f"state of {self.NAME} contradicts itself; start without it")
        self._slots = len(saved["count"])
        self._windows.latest, self._windows.seen = saved["latest"], saved["seen"]
        self._count = saved["count"]
        self._held = Scores(*(saved[each.name] for each in fields(Scores)))
        self._models = _Models(*(saved[each.name] for each in fields(_Models)))
        self._take_prior(saved["prior"])

    def _arrays(self) -> dict[str, NDArray[Any]]:
        per_slot = {
            "latest": self._windows.latest,
            "seen": self._windows.seen,
            "count": self._count,
            **{each.name: getattr(self._held, each.name) for each in fields(Scores)},
            **{each.name: getattr(self._models, each.name) for each in fields(_Models)},
        }
        return {"prior": self._prior, **{name: array[: self._slots] for name, array in per_slot.items()}}


DETECTOR: type[Detector] = WindowKnn


@dataclass(slots=True)
class _Models:
    """Models by slot, in arrays that judge windows of many slots at once.

    windows: (slots, n, channels, FEATURES), what is learned from, standardised once the slot is fitted.
    level, scatter: (slots, channels, FEATURES), scatter 0 where not judged. centre, width: (slots,), of
    ln(distance) when healthy.
    """

    fitted: NDArray[np.bool_]
    windows: Floats
    level: NDArray[np.float64]
    scatter: NDArray[np.float64]
    centre: NDArray[np.float64]
    width: NDArray[np.float64]

    @classmethod
    def none(cls, channels: int, windows: int) -> "_Models":
        """No slot yet; each will learn from so many windows."""
        shape = (0, channels, FEATURES)
        learned = np.zeros((0, windows, channels, FEATURES), np.float32)
        return cls(np.zeros(0, np.bool_), learned, np.zeros(shape), np.zeros(shape), np.zeros(0), np.zeros(0))

    def reach(self, slots: int) -> None:
        """Make room for that many slots."""
        for each in fields(self):
            setattr(self, each.name, grown(getattr(self, each.name), slots, 0))

    def widen(self, channels: int) -> None:
        """Add channels, which fitted slots do not judge."""
        before = self.windows.shape[2]
        self.windows = wider(self.windows, 2, channels, np.nan)
        self.windows[self.fitted, :, before:] = 0.0
        self.level, self.scatter = (
            wider(self.level, 1, channels, np.nan),
            wider(self.scatter, 1, channels, 0.0),
        )

    def fit(self, slot: int) -> None:
        """Learn from the slot's windows, of which there must be FEWEST or more."""
        level, scatter = _standards(self.windows[slot])
        z = _standardised(self.windows[slot], level, scatter)
        flat, half = z.reshape(len(z), -1), len(z) // 2
        ahead = np.log(_fitted(flat[:half]).decision_function(flat[half:]) + 1e-6)
        self.windows[slot], self.level[slot], self.scatter[slot] = z, level, scatter
        self.centre[slot], self.width[slot] = np.mean(ahead), max(float(np.std(ahead)), LEAST_SCATTER)
        self.fitted[slot] = True

    def judge(
        self, features: Floats, which: NDArray[np.int64], slot: NDArray[np.int32], verdicts: Scores
    ) -> None:
        """Write the verdicts on the windows `which` of `features`, of these slots, where there is one."""
        able = np.isfinite(features[which]) & (self.scatter[slot] > 0)
        some = able.any(axis=(1, 2))
        which, slot, able = which[some], slot[some], able[some]
        if not len(which):
            return
        level, scatter = self.level[slot], self.scatter[slot]
        z = _standardised(features[which], level, scatter)
        distance = distances(_flat(z), slot, _flat(self.windows))
        odd = (np.log(distance + 1e-6) - self.centre[slot]) / self.width[slot]
        power = np.sum(z.astype(np.float64) ** 2, axis=2)
        share = power / np.maximum(power.sum(axis=1, keepdims=True), 1e-12)
        verdicts.score[which] = np.abs(np.log10(special.stdtr(DEGREES, -odd)))
        verdicts.statistic[which] = distance**2 / FEATURES
        verdicts.contribution[which] = share * (distance**2 / FEATURES)[:, None]
        verdicts.judged[which] = able.any(axis=2).sum(axis=1)
        verdicts.expected[which] = np.where(scatter[:, :, 0] > 0, level[:, :, 0], np.nan)
        verdicts.observed[which] = np.where(scatter[:, :, 0] > 0, features[which, :, 0], np.nan)


def _standards(windows: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    shape = windows.shape[1:]
    level, scatter = np.full(shape, np.nan), np.zeros(shape)
    for k in np.ndindex(shape):
        values = windows[(slice(None), *k)].astype(np.float64)
        values = values[np.isfinite(values)]
        if 2 * len(values) >= len(windows):
            level[k], scatter[k] = level_and_scatter(values)
    return level, scatter


def _standardised(windows: Floats, level: NDArray[np.float64], scatter: NDArray[np.float64]) -> Floats:
    """Of the shape of `windows`, 0 where missing or not judged."""
    z = (windows - level) / np.where(scatter > 0, scatter, np.inf)
    return np.clip(np.nan_to_num(z), -CUT, CUT).astype(np.float32)


def _flat(features: Floats) -> Floats:
    """Channels and their features as one axis."""
    return features.reshape(*features.shape[:-2], -1)


@cache
def load_pyod() -> Any:
    """PyOD's module, whose import takes seconds: let a process call this before its first window comes.

    Scikit-learn would load pandas, 65 MB, only to recognise its frames; it does without if there is none.
    """
    hidden = {} if "pandas" in sys.modules else {"pandas": None}
    sys.modules.update(hidden)  # type: ignore[arg-type]  # None: importing it fails
    try:
        return import_module("pyod.models.knn")
    finally:
        for name in hidden:
            del sys.modules[name]


def _fitted(z: Floats) -> Any:
    # the tree answers in one thread, brute force in as many as there are
    return load_pyod().KNN(n_neighbors=NEIGHBOURS, method="mean", algorithm="ball_tree").fit(z)


@kernel
def distances(z: Floats, slot: NDArray[np.int32], neighbours: Floats) -> NDArray[np.float64]:
    """Mean Euclidean distance of each of (m, features) from its slot's nearest `NEIGHBOURS`.

    neighbours: (slots, n, features).
    """
    found = np.empty(len(z))
    nearest = np.empty(NEIGHBOURS)
    for i in range(len(z)):
        nearest[:] = np.inf
        for j in range(neighbours.shape[1]):
            square = 0.0
            for k in range(z.shape[1]):
                square += (z[i, k] - neighbours[slot[i], j, k]) ** 2
            at = NEIGHBOURS
            while at > 0 and nearest[at - 1] > square:
                at -= 1
            nearest[at + 1 :] = nearest[at:-1].copy()
            if at < NEIGHBOURS:
                nearest[at] = square
        found[i] = np.mean(np.sqrt(nearest))
    return found


def _by_slot(slot: NDArray[np.int32], which: NDArray[np.bool_]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Each slot with the windows of it to look at, in their order."""
    order = np.flatnonzero(which)
    order = order[np.argsort(slot[order], kind="stable")]
    slots, starts = np.unique(slot[order], return_index=True)
    return zip(slots.tolist(), np.split(order, starts[1:]), strict=True) if len(order) else iter(())


@kernel
def _which(
    slot: NDArray[np.int32], ends: NDArray[np.int64], slots: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """For each row the verdict that holds in the table: the windows' in order, then those held so far.

    The latter are of the slots in the second array, in that order; the third says what each slot ends with.
    """
    found, present = np.empty(len(slot), np.int64), np.empty(slots, np.int64)
    holds = np.full(slots, -1, np.int64)
    j = count = 0
    for i in range(len(slot)):
        s = slot[i]
        if holds[s] < 0:
            holds[s], present[count] = len(ends) + count, s
            count += 1
        if j < len(ends) and ends[j] == i:
            holds[s] = j
            j += 1
        found[i] = holds[s]
    return found, present[:count], holds[present[:count]]


def _joined_across(a: Scores, b: Scores) -> Scores:
    """The verdicts of `a` with the channels of `b` beside its own."""
    return replace(
        a,
        contribution=np.hstack([a.contribution, b.contribution]),
        expected=np.hstack([a.expected, b.expected]),
        observed=np.hstack([a.observed, b.observed]),
    )


def _taken(table: Scores, rows: NDArray[np.int64]) -> Scores:
    return Scores(*(getattr(table, f.name)[rows] for f in fields(Scores)))
