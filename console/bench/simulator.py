"""`faultline bench simulator`: a day of many machines of each shipped type, on one core."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import numpy as np

from console.bench.detection.simulated import fleet_of
from console.bench.meter import cpu_s
from console.bench.result import Reading
from fleet.asset import Fleet
from streams.simulator.simulate import simulate
from streams.simulator.source import MACHINES

START = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday."""

LEAST_SAMPLES, LONGEST_S = 5e6, 60.0

DAY = timedelta(days=1)


def readings(machines: int, tell: Callable[[str], None]) -> Iterator[Reading]:
    """One run: measured values that a CPU-second makes, and CPU-seconds for the day, by equipment type.

    A machine has a row a minute, or as often as its channels are sampled. Frames are made and not encoded; a
    value that is missing is not counted.
    """
    for name in sorted(MACHINES):
        tell(f"{name}: a day of {machines} machines")
        samples, seconds = _day(fleet_of(name, machines))
        rate = samples / seconds
        yield Reading(f"{name}_samples", rate, "samples/CPU-s", "least", LEAST_SAMPLES, ">= 5 M")
        yield Reading(f"{name}_day", seconds, "CPU-s", "a minute", LONGEST_S, "<= 60 for 1,000 machines")


def _day(fleet: Fleet) -> tuple[int, float]:
    """Values that a day of the fleet has, and the CPU-seconds that it took."""
    samples, started = 0, cpu_s()
    for frame in simulate(fleet, START, DAY, seed=1):
        missing = 0 if frame.missing is None else np.count_nonzero(frame.missing)
        samples += frame.values.size - int(missing)
    return samples, cpu_s() - started
