"""Change points: moving sums before and behind each instant, compared (MOSUM; Eichinger and Kirch 2018).

A level chart says that a machine is odd for as long as it is; this says when it changed, whether or not it
changes back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from detectors.baseline import FEWEST, level_and_scatter
from detectors.contract import Samples, StateError
from detectors.kernels import kernel
from detectors.slots import check_samples, grown, plain
from detectors.state_bytes import pack, unpack

Floats = NDArray[np.float64]

VERSION = 2

CLIP = 18.0
"""Standardised values are cut here where they are compared."""

FARTHEST = 1e30
"""And here where they are kept, so that their sums are finite."""

DEGREES = 10
"""What the windows of a baseline are worth as independent ones."""

LEVEL_WEIGHT = 0.05
"""Of the latest value in a channel's level."""

SHRINKAGE = 0.1
"""Weight of "channels are uncorrelated" in the covariance of the differences."""


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """A change that is seen at `row` of the update.

    since_us: the instant of the first row after it, by its leading channel. size: how many times as large as
    usual the difference is. share: (channels,), each channel's part of it; they sum to the size. before,
    after: (channels,), means on both sides in the channels' units, NaN where not judged.
    """

    row: int
    slot: int
    ts_us: int
    since_us: int
    size: float
    share: NDArray[np.float32]
    before: NDArray[np.float32]
    after: NDArray[np.float32]


class Slots(NamedTuple):
    """Arrays over slots.

    learned: (slots,), whether it is compared. location, inverse_scale: (slots, channels), the latter 0 where
    not judged. precision: (slots, windows, channels, channels). level: (slots, channels), standardised. ring:
    (slots, rows, channels), the latest rows, standardised; ring_us: (slots, rows), their instants. seen:
    (slots,), how many came into the ring. quiet: (slots,), how many more rows tell nothing. regime: (slots,),
    the latest, -1 before the first.
    """

    learned: NDArray[np.bool_]
    location: Floats
    inverse_scale: Floats
    precision: Floats
    level: Floats
    ring: NDArray[np.float32]
    ring_us: NDArray[np.int64]
    seen: NDArray[np.int64]
    quiet: NDArray[np.int64]
    regime: NDArray[np.int16]

    @classmethod
    def none(cls, channels: int, windows: NDArray[np.int64]) -> "Slots":
        """No slot yet; each will be seen through so many windows."""
        return cls(
            np.zeros(0, np.bool_),
            np.zeros((0, channels)),
            np.zeros((0, channels)),
            np.zeros((0, len(windows), channels, channels)),
            np.zeros((0, channels)),
            np.zeros((0, 2 * int(windows[-1]), channels), np.float32),
            np.zeros((0, 2 * int(windows[-1])), np.int64),
            np.zeros(0, np.int64),
            np.zeros(0, np.int64),
            np.full(0, -1, np.int16),
        )

    def reached(self, slots: int) -> "Slots":
        """The same with room for that many slots."""
        wider = Slots._make(grown(array, slots, 0) for array in self)
        return wider._replace(regime=grown(self.regime, slots, -1))

    def first(self, slots: int) -> "Slots":
        """Those slots alone."""
        return Slots._make(array[:slots] for array in self)


class Rules(NamedTuple):
    """windows: (windows,), rows of each. limits: (channels + 1,), by how many are judged, of the size that is
    told. refractory: rows after which it is told again.
    """

    windows: NDArray[np.int64]
    limits: Floats
    refractory: int


class Judged(NamedTuple):
    """at: (m,), the rows to judge in order; then all rows' columns as in `Samples`."""

    at: NDArray[np.int64]
    slot: NDArray[np.int32]
    ts_us: NDArray[np.int64]
    regime: NDArray[np.int16]
    x: NDArray[np.float32]


class Told(NamedTuple):
    """Room for change points as in :class:`ChangePoint`, but that means are standardised."""

    row: NDArray[np.int64]
    since_us: NDArray[np.int64]
    size: Floats
    share: Floats
    before: Floats
    after: Floats

    @classmethod
    def of(cls, points: int, channels: int) -> "Told":
        """For so many points."""
        row, since_us = np.empty((2, points), np.int64)
        return cls(row, since_us, np.empty(points), *np.empty((3, points, channels)))


class Mosum:
    """Change points of many slots, causally and independent of how their rows are cut into updates.

    For each length in `windows` the mean of the latest so many rows is compared with that of as many before:
    of their difference d in standardised channels d' P d, where P is the inverse of the shrunk covariance of
    such differences in the slot's first `baseline` rows, over the median that this had there. So a channel
    that drifts when healthy must drift faster before it counts. A change point is told where the largest of
    these multiples is as improbable as `score` (-log10 p) says, by an F distribution with that median; while
    it goes on changing, again after each `refractory` rows. A missing value counts as the channel's latest
    level. When the regime changes the windows begin anew: to do something else is no change of the machine.
    """

    def __init__(
        self,
        channels: int,
        *,
        baseline: int = 300,
        windows: Sequence[int] = (10, 20, 40),
        score: float = 4.0,
        refractory: int = 30,
    ) -> None:
        if channels < 1 or min(windows, default=0) < 2 or baseline < 4 * max(windows) or score <= 0:
            raise ValueError("needs a channel, windows of 2 rows, 4 times as many to learn, a score above 0")
        self._channels, self._baseline = channels, baseline
        lengths = np.array(sorted(windows), np.int64)
        self._rules = Rules(lengths, _limits(channels, score), refractory)
        self._kind = f"mosum {VERSION}: {channels} channels, {lengths.tolist()} of {baseline}"
        self._count = 0
        self._slots = Slots.none(channels, lengths)
        self._collected: dict[int, NDArray[np.float32]] = {}

    def update(self, samples: Samples) -> list[ChangePoint]:
        """The change points in the order of rows."""
        self._count = max(self._count, check_samples(samples, self._channels))
        self._slots = self._slots.reached(self._count)
        slot, x = plain(samples.slot, np.int32), plain(samples.x, np.float32)
        ts_us = plain(samples.ts_us, np.int64)
        judged = self._learn(slot, x)
        rows = Judged(judged, slot, ts_us, plain(samples.regime, np.int16), x)
        told = Told.of(len(judged), self._channels)
        count = _compare(rows, self._rules, self._slots, told)
        return [self._point(rows, told, k) for k in range(count)]

    def _point(self, rows: "Judged", told: "Told", k: int) -> ChangePoint:
        row, slots = int(told.row[k]), self._slots
        s = int(rows.slot[row])
        judged = slots.inverse_scale[s] > 0
        scale = np.where(judged, 1 / np.where(judged, slots.inverse_scale[s], 1.0), np.nan)
        before, after = (_plain(slots.location[s] + scale * z) for z in (told.before[k], told.after[k]))
        spell = int(rows.ts_us[row]), int(told.since_us[k])
        return ChangePoint(row, s, *spell, float(told.size[k]), _plain(told.share[k]), before, after)

    def renew(self, slot: int) -> None:
        """Forget the slot: it learns anew how much its rows differ anyway."""
        self._collected.pop(slot, None)
        if slot < self._count:
            for name, array in self._slots._asdict().items():
                array[slot] = -1 if name == "regime" else 0

    def _learn(self, slot: NDArray[np.int32], x: NDArray[np.float32]) -> NDArray[np.int64]:
        """Collect what slots learn from; returns the rows that come after that, in order."""
        judged = np.ones(len(slot), np.bool_)
        for s in np.unique(slot[~self._slots.learned[slot]]).tolist():
            mine = np.flatnonzero(slot == s)
            before = self._collected.get(s, x[:0])
            new = mine[: self._baseline - len(before)]
            judged[new] = False
            rows = np.concatenate([before, x[new]])
            self._collected[s] = rows
            if len(rows) == self._baseline:
                self._learn_from(s, self._collected.pop(s))
        return np.flatnonzero(judged)

    def _learn_from(self, s: int, rows: NDArray[np.float32]) -> None:
        slots = self._slots
        slots.learned[s] = True
        for k in range(self._channels):
            values = rows[np.isfinite(rows[:, k]), k].astype(np.float64)
            if len(values) >= FEWEST:
                slots.location[s, k], scatter = level_and_scatter(values)
                slots.inverse_scale[s, k] = 1 / scatter if scatter > 0 else 0.0
        z = np.empty((len(rows), self._channels))
        for i in range(len(rows)):
            _standardise(rows[i], slots.location[s], slots.inverse_scale[s], slots.level[s], z[i])
        z = np.clip(z, -CLIP, CLIP)
        for at, window in enumerate(self._rules.windows.tolist()):
            slots.precision[s, at] = _precision(_differences(z, window), slots.inverse_scale[s] > 0)

    def state(self) -> bytes:
        """What each slot has learned, and its latest rows."""
        collecting = sorted(self._collected)
        rows = [self._collected[s] for s in collecting]
        learners: dict[str, NDArray[Any]] = {
            "collecting": np.array(collecting, np.int64),
            "filled": np.array([len(each) for each in rows], np.int64),
            "rows": np.concatenate([np.zeros((0, self._channels), np.float32), *rows]),
        }
        return pack(self._kind, self._slots.first(self._count)._asdict() | learners)

    def load(self, state: bytes) -> None:
        """Go on from `state`; raises `StateError`."""
        nobody = np.zeros(0, np.int64)
        learners: dict[str, NDArray[Any]] = {
            "collecting": nobody,
            "filled": nobody,
            "rows": np.zeros((0, self._channels), np.float32),
        }
        saved = unpack(self._kind, state, self._slots._asdict() | learners)
        slots = Slots(**{name: saved[name] for name in Slots._fields})
        if len({len(array) for array in slots}) != 1:
            raise StateError("state of mosum contradicts itself; start without it")
        self._slots, self._count = slots, len(slots.learned)
        pieces = np.split(saved["rows"], np.cumsum(saved["filled"])[:-1])
        self._collected = dict(zip(saved["collecting"].tolist(), pieces, strict=False))


def _plain(values: Floats) -> NDArray[np.float32]:
    most = np.finfo(np.float32).max
    return np.asarray(np.clip(values, -most, most), np.float32)


def _limits(channels: int, score: float) -> Floats:
    """How many times its median F(p, DEGREES) is at that -log10 p, for p = 0..channels; infinite for 0."""
    p = np.arange(1, channels + 1)
    multiple = special.fdtri(p, DEGREES, 1 - 10.0**-score) / special.fdtri(p, DEGREES, 0.5)
    return np.concatenate([[np.inf], multiple])


def _differences(z: Floats, window: int) -> Floats:
    """Of rows (n, channels) the mean of each `window` rows less that of as many before, (m, channels)."""
    sums = np.concatenate([np.zeros((1, z.shape[1])), np.cumsum(z, axis=0)])
    means = (sums[window:] - sums[:-window]) / window
    return np.asarray(means[window:] - means[:-window])


def _precision(differences: Floats, judged: NDArray[np.bool_]) -> Floats:
    """Inverse of their shrunk covariance, over the median of d' P d, so that its usual value is 1."""
    covariance = differences.T @ differences / len(differences)
    variance = np.where(judged, np.diag(covariance), 1.0)
    covariance = (1 - SHRINKAGE) * covariance
    np.fill_diagonal(covariance, np.maximum(variance, 1e-12))
    inverse = np.where(np.outer(judged, judged), np.linalg.inv(covariance), 0.0)
    usual = np.median(np.einsum("ij,jk,ik->i", differences, inverse, differences))
    return np.asarray(inverse / max(float(usual), 1e-12))


@kernel
def _standardise(
    row: NDArray[np.float32], location: Floats, inverse_scale: Floats, level: Floats, z: NDArray[np.floating]
) -> None:
    """Write the row to `z` and move the channels' levels on; what is missing is at its level."""
    for k in range(len(row)):
        if np.isfinite(row[k]):
            value = (row[k] - location[k]) * inverse_scale[k]
            z[k] = min(max(value, -FARTHEST), FARTHEST)
            level[k] += LEVEL_WEIGHT * (_clipped(value) - level[k])
        else:
            z[k] = level[k]


@kernel
def _clipped(z: float) -> float:
    return min(max(z, -CLIP), CLIP)


@kernel
def _compare(rows: Judged, rules: Rules, slots: Slots, told: Told) -> int:
    """Move each slot's windows on row by row; returns how many change points were told."""
    d, share = np.empty(rows.x.shape[1]), np.empty(rows.x.shape[1])
    count = 0
    for i in rows.at:
        s = rows.slot[i]
        _move_on(s, rows.ts_us[i], rows.regime[i], rows.x[i], slots)
        if slots.quiet[s] > 0:
            continue
        size, number = _largest(s, rules, slots, d, share, told.share[count])
        if size > 0:
            told.row[count], told.size[count] = i, size
            leading = int(np.argmax(told.share[count]))
            told.since_us[count] = _split(
                s, 2 * rules.windows[number], leading, slots, told.before[count], told.after[count]
            )
            count += 1
            slots.quiet[s] = rules.refractory
    return count


@kernel
def _move_on(s: int, ts_us: int, regime: int, row: NDArray[np.float32], slots: Slots) -> None:
    """Take the row into the slot's ring, which another regime empties."""
    if regime != slots.regime[s]:
        slots.regime[s], slots.seen[s] = regime, 0
    ring = slots.ring[s]
    at = slots.seen[s] % len(ring)
    _standardise(row, slots.location[s], slots.inverse_scale[s], slots.level[s], ring[at])
    slots.ring_us[s, at] = ts_us
    slots.seen[s] += 1
    slots.quiet[s] = max(slots.quiet[s] - 1, 0)


@kernel
def _largest(
    s: int, rules: Rules, slots: Slots, d: Floats, share: Floats, largest: Floats
) -> tuple[float, int]:
    """The largest of the windows' differences and which; 0 if none passes the limit. Shares in `largest`."""
    most = limit = rules.limits[np.count_nonzero(slots.inverse_scale[s])]
    which = 0
    for number in range(len(rules.windows)):
        window = rules.windows[number]
        if slots.seen[s] < 2 * window:
            break
        _difference(slots.ring[s], slots.seen[s], window, d)
        size = _size(slots.precision[s, number], d, share)
        if size > most:
            most, which = size, number
            largest[:] = share
    return (most if most > limit else 0.0), which


@kernel
def _split(s: int, rows: int, leading: int, slots: Slots, before: Floats, after: Floats) -> int:
    """The instant at which both sides of the latest `rows` differ most in the `leading` channel.

    The others have no say: a season that whole windows cancel shows in their parts. Writes the sides' means.
    """
    ring, seen = slots.ring[s], slots.seen[s]
    before[:], after[:] = 0.0, 0.0
    total, behind, most, length = 0.0, 0.0, -1.0, 0
    for back in range(rows):
        before += ring[(seen - 1 - back) % len(ring)]
        total += _clipped(ring[(seen - 1 - back) % len(ring), leading])
    for n in range(1, rows):
        behind += _clipped(ring[(seen - n) % len(ring), leading])
        gain = (behind / n - (total - behind) / (rows - n)) ** 2 * n * (rows - n)
        if gain > most:
            most, length = gain, n
    for back in range(length):
        after += ring[(seen - 1 - back) % len(ring)]
    before -= after
    before /= rows - length
    after /= length
    return int(slots.ring_us[s, (seen - length) % len(ring)])


@kernel
def _difference(ring: NDArray[np.float32], seen: int, window: int, d: Floats) -> None:
    """Mean of the latest `window` rows in the ring less that of as many before."""
    d[:] = 0.0
    for back in range(2 * window):
        at = (seen - 1 - back) % len(ring)
        sign = 1.0 if back < window else -1.0
        for k in range(len(d)):
            d[k] += sign * _clipped(ring[at, k])
    for k in range(len(d)):
        d[k] /= window


@kernel
def _size(precision: Floats, d: Floats, share: Floats) -> float:
    """d' P d, and each channel's share of it."""
    size = 0.0
    for k in range(len(d)):
        row = 0.0
        for j in range(len(d)):
            row += precision[k, j] * d[j]
        share[k] = d[k] * row
        size += share[k]
    return size
