"""Who knows nothing about the machine: what a score is worth shows beside theirs."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

SEED = 7
EVERY = 60
"""Rows between two alarms of the periodic one."""

CLOCK = (570, 950)
"""When SKAB's experimenters act, in rows of a file: a clock that has seen the other files."""

Floats = NDArray[np.float64]


def always(n: int, file: int) -> Floats:
    """Everything is anomalous."""
    return np.ones(n)


def clock(n: int, file: int) -> Floats:
    """The time since the beginning is all that it knows."""
    row = np.arange(n)
    return np.asarray((row >= CLOCK[0]) & (row < CLOCK[1]), np.float64)


def periodic(n: int, file: int) -> Floats:
    """An alarm every so often."""
    return np.asarray(np.arange(n) % EVERY == 0, np.float64)


def random(n: int, file: int) -> Floats:
    """Any number."""
    return np.random.default_rng([SEED, file]).random(n)


DUMMIES: Mapping[str, Callable[[int, int], Floats]] = {
    "all positive": always,
    "clock": clock,
    "periodic": periodic,
    "random": random,
}
"""By name, a score from 0 to 1 for each of n rows of the file of that number; above .5 is an alarm."""
