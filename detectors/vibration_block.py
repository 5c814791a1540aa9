"""A block of vibration samples: whether it can be judged at all (ISO 13373-1, validation of measurements)."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

FEWEST_SAMPLES = 2048
"""Below, the bands of the spectrum have too few lines."""

MOST_SAMPLES = 1 << 17

LARGEST = 1e6
"""m/s² that no accelerometer measures, shock sensors included."""

CUT_OFF = 1 / 1000
"""Part of the samples that are the highest value, or the lowest, from which the signal is cut off there."""

LEAP = 0.01
"""Part of the whole range that a step to or from such a sample has: the crest of a slow vibration may hold
its value for as long, but nothing leaps to it."""

OVERSAMPLING = 2.56
"""Samples for each period of the highest frequency looked at, as analysers have it."""


class BlockFault(StrEnum):
    """Why a block cannot be judged, in the order in which it is asked."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    NOT_MEASURED = "not_measured"
    CONSTANT = "constant"
    CLIPPED = "clipped"
    LOW_RATE = "low_rate"
    NO_TRIP = "no_trip"


@dataclass(frozen=True, slots=True)
class Block:
    """samples: (n,) acceleration in m/s² at `rate_hz`, about any mean."""

    samples: NDArray[np.float64]
    rate_hz: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate_hz


def fault_of(block: Block, highest_hz: float, fewest: int = FEWEST_SAMPLES) -> BlockFault | None:
    """Why the block cannot be judged up to that frequency; None if it can. fewest: samples that it needs."""
    x = block.samples
    if len(x) < fewest:
        return BlockFault.TOO_SHORT
    if len(x) > MOST_SAMPLES:
        return BlockFault.TOO_LONG
    if not (np.abs(x) <= LARGEST).all():
        return BlockFault.NOT_MEASURED
    if x.min() == x.max():
        return BlockFault.CONSTANT
    if _clipped(x):
        return BlockFault.CLIPPED
    if block.rate_hz < OVERSAMPLING * highest_hz:
        return BlockFault.LOW_RATE
    return None


def _clipped(x: NDArray[np.float64]) -> bool:
    low, high = x.min(), x.max()
    steps = np.abs(np.diff(x, prepend=x[0], append=x[-1]))
    finest = steps[steps > 0].min(initial=high - low)  # a step of the sensor's own resolution is no leap
    leaps = steps > max(LEAP * (high - low), 2 * finest)
    by_leap = leaps[:-1] | leaps[1:]
    return any(np.count_nonzero(by_leap & (x == end)) > CUT_OFF * len(x) for end in (low, high))
