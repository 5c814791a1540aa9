"""`faultline bench kernels`: the T² chart's compiled loop beside the same in NumPy, on one core."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from console.bench.result import Reading
from console.bench.telemetry import SECOND_US
from console.bench.trial import BenchError
from detectors.baseline import CLIP, learn
from detectors.contract import Samples, Scores
from detectors.ewma_t2 import DEGREES, EwmaT2
from detectors.moving_normal import GAIN, step
from detectors.t2_level import TOO_ODD

RIVAL = "the same in NumPy"
BASELINE, WEIGHT = 300, 0.05

AGREED = 0.01
"""Difference up to which two ways of float32 say the same."""

FRAME = 60
"""Rows of a machine that follow one another, as frames bring them."""

FEW = 16
"""Machines of a small chunk: NumPy pays for each call, whatever is in it."""

GOALS = {8: ">= 10 M, >= 10 x NumPy", 32: ">= 2 M"}
STATE_GOALS = {8: "<= 1,536", 32: ""}

Floats = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Rows:
    """What machines show: baseline and later, (instants, machines, channels) float32 each."""

    baseline: NDArray[np.float32]
    later: NDArray[np.float32]


def readings(assets: int, instants: int, tell: Callable[[str], None]) -> Iterator[Reading]:
    """One run: rows per second of machines that have been learned, and the state of one, by channels.

    `_few` are chunks of `FEW` machines, with as many rows in all.

    Raises `BenchError` if the two do not say the same.
    """
    few = instants * assets // FEW
    for channels, goal in GOALS.items():
        detector, reading = _beside(f"t2_{channels}", assets, instants, channels, goal, tell)
        yield reading
        yield Reading(
            f"t2_{channels}_state",
            len(detector.state()) / assets,
            "bytes/machine",
            goal=STATE_GOALS[channels],
        )
        yield _beside(f"t2_{channels}_few", FEW, few, channels, "", tell)[1]


def _beside(
    measure: str, assets: int, instants: int, channels: int, goal: str, tell: Callable[[str], None]
) -> tuple[EwmaT2, Reading]:
    tell(f"{channels} channels: learning {assets} machines")
    shown = _shown(assets, instants, channels)
    detector, chunks = _learned(shown), _chunks(shown)
    tell(f"{channels} channels: {instants} instants of {assets} machines")
    ours, seconds = _ours(detector, chunks)
    rival, rival_seconds = _in_numpy(shown, chunks)
    apart = max(_difference(a, b) for a, b in zip(ours, rival, strict=True))
    if not apart <= AGREED:
        raise BenchError(f"what the two say differs by up to {apart:.3f}")
    rows = sum(len(chunk.slot) for chunk in chunks)
    return detector, Reading(measure, rows / seconds, "rows/s", RIVAL, rows / rival_seconds, goal)


def _difference(ours: Scores, rival: Scores) -> float:
    """The largest, in parts of 1 and of the value."""
    return max(
        float(np.max(np.abs(a - b) / (1 + np.abs(b))))
        for a, b in zip(_columns(ours), _columns(rival), strict=True)
    )


def _shown(assets: int, instants: int, channels: int) -> Rows:
    noise = np.random.default_rng(7).normal(50, 2, (BASELINE + instants, assets, channels))
    return Rows(*np.split(noise.astype(np.float32), [BASELINE]))


def _samples(x: NDArray[np.float32], first: int) -> Samples:
    """Rows (instants, machines, channels) as frames bring them: machine by machine."""
    instants, assets, channels = x.shape
    slot = np.repeat(np.arange(assets, dtype=np.int32), instants)
    ts_us = np.tile(np.arange(first, first + instants, dtype=np.int64) * SECOND_US, assets)
    rows = np.ascontiguousarray(x.swapaxes(0, 1)).reshape(-1, channels)
    return Samples(slot, ts_us, np.zeros(len(slot), np.int16), rows)


def _learned(shown: Rows) -> EwmaT2:
    detector = EwmaT2(shown.baseline.shape[2], baseline=BASELINE, weight=WEIGHT)
    detector.update(_samples(shown.baseline, 0))
    detector.update(_samples(shown.later[:1], BASELINE))  # whose row makes them learn
    return detector


def _chunks(shown: Rows) -> list[Samples]:
    """The later rows but the first, as a worker's chunks bring them: a frame of each machine."""
    later = shown.later[1:]
    return [_samples(later[at : at + FRAME], BASELINE + at) for at in range(0, len(later), FRAME)]


def _ours(detector: EwmaT2, chunks: list[Samples]) -> tuple[list[Scores], float]:
    """What the detector says of the chunks, and the seconds that it took."""
    started = time.perf_counter()
    found = [detector.update(chunk) for chunk in chunks]
    return found, time.perf_counter() - started


class InNumpy:
    """The same as vectors over all machines, an instant at a time: what NumPy is best at here.

    Rows come machine by machine, as for the detector, so they are turned to instants and the verdicts back.
    """

    def __init__(self, shown: Rows) -> None:
        models = [learn(shown.baseline[:, a], WEIGHT) for a in range(shown.baseline.shape[1])]
        self._location, self._scale, self._precision = (
            np.array([getattr(model, name) for model in models], np.float32)
            for name in ("location", "scale", "precision")
        )
        channels = self._location.shape[1]
        self._grid = np.linspace(-7, 21, 560)
        self._tail = -np.log10(special.fdtrc(channels, DEGREES, np.exp(self._grid) / channels))
        self._first, self._moved = self._location, np.zeros_like(self._location)
        self._ewma, self._unclipped = np.zeros_like(self._location), np.zeros_like(self._location)
        self._seen, self._look = 0, step(BASELINE)

    def update(self, chunk: Samples) -> Scores:
        """Scores of a chunk that has as many rows of each machine, and no value missing."""
        assets, channels = self._location.shape
        rows = len(chunk.slot) // assets
        found = Scores.unknown(len(chunk.slot), channels)
        x = np.ascontiguousarray(chunk.x.reshape(assets, rows, channels).swapaxes(0, 1))
        said = [np.empty((rows, assets, *column.shape[1:]), np.float32) for column in _columns(found)]
        for row, *places in zip(x, *said, strict=True):
            for place, value in zip(places, self._instant(row), strict=True):
                place[:] = value
        for column, by_instant in zip(_columns(found), said, strict=True):
            column.reshape(assets, rows, *column.shape[1:])[:] = by_instant.swapaxes(0, 1)
        found.judged[:] = channels
        return found

    def _instant(self, row: NDArray[np.float32]) -> tuple[Floats, ...]:
        """score, contribution, expected, observed, statistic and departure of all machines."""
        known = np.isfinite(row)  # a value may be missing any time, though here none is
        if not known.all():
            raise BenchError("holding gaps out is not written in NumPy")
        location = self._location
        z = (row - location) / self._scale
        self._ewma += np.float32(WEIGHT) * (np.clip(z, -CLIP, CLIP) - self._ewma)
        self._unclipped += np.float32(WEIGHT) * (z - self._unclipped)
        e, moved = self._ewma, self._moved
        contribution = e * self._of(e)
        t2 = contribution.sum(axis=1)
        observed = location + self._unclipped * self._scale
        departure = t2 + (moved * self._of(2 * e + moved)).sum(axis=1)
        score = np.interp(np.log(np.maximum(t2, 1e-30)), self._grid, self._tail)
        self._seen += 1
        if self._seen % self._look == 0:
            self._move(score)
        return score, contribution, location, observed, t2, departure

    def _of(self, e: Floats) -> Floats:
        product: Floats = np.matmul(self._precision, e[:, :, None])[:, :, 0]
        return product

    def _move(self, score: Floats) -> None:
        way = np.where(score <= TOO_ODD, np.float32(GAIN), 0)[:, None] * self._ewma
        self._moved, self._ewma, self._unclipped = self._moved + way, self._ewma - way, self._unclipped - way
        self._location = self._first + self._moved * self._scale


def _columns(found: Scores) -> tuple[Floats, ...]:
    return (found.score, found.contribution, found.expected, found.observed, found.statistic, found.departure)


def _in_numpy(shown: Rows, chunks: list[Samples]) -> tuple[list[Scores], float]:
    """What NumPy says of the chunks, and the seconds that it took."""
    rival = InNumpy(shown)
    rival.update(_samples(shown.later[:1], BASELINE))  # moves the means on, as it did for the detector
    started = time.perf_counter()
    found = [rival.update(chunk) for chunk in chunks]
    return found, time.perf_counter() - started
