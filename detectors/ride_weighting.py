"""A car's acceleration as passengers feel it: frequency weighting of ISO 8041 (ISO 2631-1, annex A).

Coefficients, and the table that the tests hold them against, are from memory. Weighting and low-pass are of
whole blocks: in the frequency domain, so that no filter has to settle.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Complex = NDArray[np.complexfloating[Any, Any]]

LOWEST_HZ, HIGHEST_HZ = 0.4, 100.0
"""Corners of the band that all weightings have, Butterworth of second order."""

FLAT = np.sqrt(0.5)
"""Quality of a Butterworth pole pair."""

DRIVE_HZ = 10.0
"""Up to where acceleration and jerk are the drive's doing, and no vibration (ISO 18738-1)."""


@dataclass(frozen=True, slots=True)
class Weighting:
    """Where acceleration turns into velocity (Hz, and quality of its poles), and an upward step, if any:
    its two corners in Hz and their quality.
    """

    turns_hz: float
    quality: float
    step: tuple[float, float, float] | None = None


VERTICAL = Weighting(12.5, 0.63, (2.37, 3.35, 0.91))
"""Wk."""

HORIZONTAL = Weighting(2.0, 0.63)
"""Wd."""


def weighted(acceleration: Floats, rate_hz: float, weighting: Weighting) -> Floats:
    """A block (n,) along one axis in m/s², weighted and without its mean."""
    return _filtered(acceleration, rate_hz, lambda hz: gain(hz, weighting))


def of_drive(acceleration: Floats, rate_hz: float) -> Floats:
    """A block (n,) in m/s² without its mean and without what is faster than the drive."""
    return _filtered(acceleration, rate_hz, lambda hz: 1 / _pair(1j * hz / DRIVE_HZ, FLAT))


def gain(hz: NDArray[np.floating], weighting: Weighting) -> Complex:
    """The weighting at frequencies (n,), as a complex factor."""
    s = 1j * hz
    band = (s / LOWEST_HZ) ** 2 / _pair(s / LOWEST_HZ, FLAT) / _pair(s / HIGHEST_HZ, FLAT)
    turn = (1 + s / weighting.turns_hz) / _pair(s / weighting.turns_hz, weighting.quality)
    if weighting.step is None:
        return np.asarray(band * turn)
    low, high, quality = weighting.step
    step = _pair(s / low, quality) / _pair(s / high, quality) * (low / high) ** 2
    return np.asarray(band * turn * step)


def _pair(s: Complex, quality: float) -> Complex:
    return np.asarray(1 + s / quality + s**2)


def _filtered(x: Floats, rate_hz: float, gain_at: Callable[[NDArray[np.floating]], Complex]) -> Floats:
    """Twice as long with zeros, so that the end does not come round to the beginning."""
    size = 2 * len(x)
    spectrum = np.fft.rfft(x - x.mean(), size)
    return np.asarray(np.fft.irfft(spectrum * gain_at(np.fft.rfftfreq(size, 1 / rate_hz)), size)[: len(x)])
