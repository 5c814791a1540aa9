"""What a block of 25 600 vibration samples costs on one core, beside the same envelope the usual way."""

import json
import time
from collections.abc import Callable, Iterator

import numpy as np
from scipy import signal

from console.bench.result import Reading
from console.bench.trial import BenchError
from console.bench.verticals.waveforms import RATINGS
from detectors.vibration_block import Block
from fleet.catalog import packs
from fleet.measuring_point import MeasuringPoint, fault_at, lines_of, reduced
from streams.simulator.vibration import Housing, State, block
from streams.waveforms import read_waveforms, reduce

KIND, RATE_HZ, SAMPLES, SPEED = "machine-tool", 25_600.0, 25_600, 8_000.0
RIVAL = "SciPy: Butterworth filter to and fro, Hilbert transform, spectrum"
ORDER = 4


def readings(repeats: int) -> Iterator[Reading]:
    """CPU time of a block from samples to channels, and of the whole message from JSON to JSON.

    Raises `BenchError` if a block becomes nothing.
    """
    pack, ratings = packs()[KIND], RATINGS[KIND]
    point = pack.points[0]
    orders = point.orders(ratings)
    if orders is None:
        raise BenchError("the bearing is not known")
    state = State(SPEED / 60, 0.8, 4.0, 3.0)
    taken = block(Housing(RATE_HZ, SAMPLES, point.band), orders, "outer", state, np.random.default_rng(7))
    lines_hz = lines_of(orders, SPEED / 60)
    said = {"rate_hz": RATE_HZ, "unit": "m/s²", "samples": taken.samples.round(4).tolist(), "speed": SPEED}
    message = json.dumps({"asset": "m", "ts": 0, "waveforms": {point.name: said}}).encode()
    if fault_at(point, taken, lines_hz) or reduce(read_waveforms(message), pack, ratings).bad:
        raise BenchError("the block shows nothing")
    ours = _microseconds(lambda: (fault_at(point, taken, lines_hz), reduced(point, taken, lines_hz)), repeats)
    theirs = _microseconds(lambda: _usual(taken, point), repeats)
    yield Reading("block_25600", ours, "CPU-µs", RIVAL, theirs)
    whole = _microseconds(lambda: reduce(read_waveforms(message), pack, ratings), repeats)
    yield Reading("waveform_message_25600", whole, "CPU-µs")


def _microseconds(work: Callable[[], object], repeats: int) -> float:
    """Of CPU, the median."""
    spent = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        spent.append(time.process_time() - started)
    return float(np.median(spent)) * 1e6


def _usual(taken: Block, point: MeasuringPoint) -> object:
    """The spectrum of the envelope alone."""
    sections = signal.butter(ORDER, point.band, "bandpass", fs=taken.rate_hz, output="sos")
    envelope = np.abs(signal.hilbert(signal.sosfiltfilt(sections, taken.samples)))
    return np.abs(np.fft.rfft(envelope - envelope.mean()))
