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
from detectors.contract import Samples
from detectors.ewma_t2 import DEGREES, EwmaT2
from detectors.moving_normal import GAIN, step
from detectors.t2_level import TOO_ODD

RIVAL = "the same in NumPy"
BASELINE, WEIGHT = 300, 0.05
FRAME = 60
"""Rows of a machine that follow one another, as frames bring them; NumPy has an instant of all machines."""

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

    Raises `BenchError` if the two do not say the same.
    """
    for channels in GOALS:
        tell(f"{channels} channels: learning {assets} machines")
        shown = _shown(assets, instants, channels)
        detector = _learned(shown)
        size = len(detector.state())
        tell(f"{channels} channels: {instants} instants")
        scores, seconds = _ours(detector, shown)
        rival, rival_seconds = _in_numpy(shown)
        if not np.allclose(scores, rival, rtol=1e-2, atol=1e-2):
            raise BenchError(f"scores differ by up to {np.abs(scores - rival).max():.3f}")
        ours_s, rival_s = scores.size / seconds, rival.size / rival_seconds
        yield Reading(f"t2_{channels}", ours_s, "rows/s", RIVAL, rival_s, GOALS[channels])
        yield Reading(f"t2_{channels}_state", size / assets, "bytes/machine", goal=STATE_GOALS[channels])


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


def _ours(detector: EwmaT2, shown: Rows) -> tuple[Floats, float]:
    """Scores (instants, machines) of the later rows but the first, and the seconds that they took."""
    later, assets = shown.later[1:], shown.later.shape[1]
    pieces = [_samples(later[at : at + FRAME], BASELINE + at) for at in range(0, len(later), FRAME)]
    started = time.perf_counter()
    found = [detector.update(piece).score for piece in pieces]
    seconds = time.perf_counter() - started
    return np.concatenate([score.reshape(assets, -1).T for score in found]), seconds


def _in_numpy(shown: Rows) -> tuple[Floats, float]:
    """The same over all machines at once, an instant at a time, with all that the detector says."""
    models = [learn(shown.baseline[:, a], WEIGHT) for a in range(shown.baseline.shape[1])]
    location, scale, precision = (
        np.array([getattr(model, name) for model in models], np.float32)
        for name in ("location", "scale", "precision")
    )
    grid = np.linspace(-7, 21, 560)
    channels = location.shape[1]
    tail = -np.log10(special.fdtrc(channels, DEGREES, np.exp(grid) / channels))
    first, moved = location, np.zeros_like(location)
    ewma, unclipped = np.zeros_like(location), np.zeros_like(location)
    look, scores = step(BASELINE), []
    started = 0.0
    for number, row in enumerate(shown.later):
        if number == 1:  # the first one moves the means on, as it did for the detector
            started = time.perf_counter()
        known = np.isfinite(row)  # a value may be missing any time, though here none is
        z = np.where(known, (row - location) / scale, 0)
        weight = np.where(known, np.float32(WEIGHT), 0)
        ewma += weight * (np.clip(z, -CLIP, CLIP) - ewma)
        unclipped += weight * (z - unclipped)
        e = np.where(known, ewma, 0)
        contribution = e * np.matmul(precision, e[:, :, None])[:, :, 0]
        t2 = contribution.sum(axis=1)
        _observed = np.where(known, location + unclipped * scale, np.nan)
        if (known.sum(axis=1) < channels).any():
            raise BenchError("holding gaps out is not written in NumPy")
        _departure = t2 + (moved * np.matmul(precision, (2 * e + moved)[:, :, None])[:, :, 0]).sum(axis=1)
        scores.append(np.interp(np.log(np.maximum(t2, 1e-30)), grid, tail))
        if number % look == look - 1:
            way = np.where(scores[-1] <= TOO_ODD, np.float32(GAIN), 0)[:, None] * ewma
            moved, ewma, unclipped = moved + way, ewma - way, unclipped - way
            location = first + moved * scale
    return np.array(scores[1:]), time.perf_counter() - started
