"""Ride quality of a lift's trip, from the car's acceleration as it was sampled (ISO 18738-1, GB/T 24474.1).

Rows of seconds hold no ride: between two of them the car has started. So this looks at samples, before any
test for spikes, whose isolated peaks are what passengers feel. They are weighted or without what is faster
than the drive by then (`detectors/ride_weighting`). Clauses are from memory and unchecked.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SHARE = 0.95
"""Of the values that A95 is not below."""

JERK_S = 0.5
"""Seconds over which the slope of the acceleration is fitted."""

LEAST_SPEED = 0.05
"""Share of the top speed below which a car counts as standing: acceleration there is start, stop or drift."""

SETTLES_S, SLOWS_S = 2.0, 0.5
"""Seconds until the weighting has forgotten the start, and before the car leaves its full speed."""


@dataclass(frozen=True, slots=True)
class Motion:
    """How the drive moves the car: m/s² and m/s³, without sign."""

    acceleration: float
    a95: float
    jerk: float


@dataclass(frozen=True, slots=True)
class Vibration:
    """How the car shakes, m/s² from peak to peak: the largest, and what 95 % do not exceed."""

    largest: float
    a95: float


def a95(values: Floats) -> float:
    """The least of the values (n,) that 95 % of them do not exceed; raises `ValueError` for none."""
    if not len(values):
        raise ValueError("there is no A95 of no values: the trip is too short, or the car stood still")
    return float(np.quantile(values, SHARE, method="inverted_cdf"))


def motion(acceleration: Floats, rate_hz: float) -> Motion:
    """A whole trip's vertical acceleration (n,) in m/s², gravity and offset taken off, `rate_hz` a second.

    The speed is its integral; A95 is over samples in which that is between 5 and 95 % of the top. Raises
    `ValueError` for a trip that is shorter than a fit of the jerk, or not finite.
    """
    window = max(round(JERK_S * rate_hz), 2)
    _check(acceleration, window)
    size = np.abs(acceleration)
    speed = np.abs(np.cumsum(acceleration)) / rate_hz
    moves = (speed >= LEAST_SPEED * speed.max()) & (speed <= SHARE * speed.max())
    centred = np.arange(window) - (window - 1) / 2
    slope = np.convolve(acceleration, centred[::-1], "valid") * rate_hz / float(centred @ centred)
    return Motion(float(size.max()), a95(size[moves]), float(np.abs(slope).max()))


def full_speed(acceleration: Floats, rate_hz: float) -> slice:
    """Samples of the trip at 95 % of its top speed or more, once the start has died away; may be none."""
    speed = np.abs(np.cumsum(acceleration))
    fast = np.flatnonzero(speed >= SHARE * speed.max())
    first, last = int(fast[0]) + round(SETTLES_S * rate_hz), int(fast[-1]) - round(SLOWS_S * rate_hz)
    return slice(first, max(first, last))


def top_speed(acceleration: Floats, rate_hz: float) -> float:
    """The largest speed of the trip in m/s, without sign."""
    return float(np.abs(np.cumsum(acceleration)).max() / rate_hz)


def vibration(acceleration: Floats) -> Vibration:
    """Of weighted samples (n,) in m/s² along one axis: two peaks of opposite sign, a zero crossing between.

    Raises `ValueError` if it never crosses zero, or is not finite.
    """
    _check(acceleration, 2)
    signed = acceleration[acceleration != 0]
    starts = np.flatnonzero(np.diff(np.signbit(signed), prepend=not np.signbit(signed[:1]).any()))
    peaks = np.maximum.reduceat(np.abs(signed), starts) if len(signed) else signed
    swings = peaks[1:] + peaks[:-1]
    least = a95(swings)
    return Vibration(float(swings.max()), least)


def _check(acceleration: Floats, fewest: int) -> None:
    if acceleration.ndim != 1 or len(acceleration) < fewest or not np.isfinite(acceleration).all():
        raise ValueError(f"a ride needs {fewest} samples or more along one axis, all of them finite")
