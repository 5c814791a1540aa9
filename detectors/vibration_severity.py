"""Vibration severity of industrial machines (ISO 20816-3:2022, tables A.1 and A.2, clause 6).

Zones are for acceptance and operation; they say how bad, not what, and come late for an early warning.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Zone(IntEnum):
    """A: as new. B: for long-term operation. C: for a limited time only. D: damaging."""

    A = 0
    B = 1
    C = 2
    D = 3


class Size(IntEnum):
    """Group of machines: 1 above 300 kW or a shaft height of 315 mm, 2 above 15 kW or 160 mm."""

    LARGE = 1
    MEDIUM = 2


BOUNDARIES = {
    (Size.LARGE, False): (2.3, 4.5, 7.1),
    (Size.LARGE, True): (3.5, 7.1, 11.0),
    (Size.MEDIUM, False): (1.4, 2.8, 4.5),
    (Size.MEDIUM, True): (2.3, 4.5, 7.1),
}
"""A/B, B/C and C/D by group and whether the support is flexible, RMS velocity in mm/s on bearing housings,
10 to 1000 Hz, from 2 Hz below 600 rpm. Not read in the standard itself but in code that cites it."""

SIGNIFICANT_CHANGE = 0.25
"""Criterion II (clause 6.4): a change by more than this share of the B/C boundary matters within any zone."""


@dataclass(frozen=True, slots=True)
class VibrationSeverity:
    """Zones of a machine by RMS velocity in mm/s."""

    size: Size
    flexible: bool

    @property
    def boundaries(self) -> tuple[float, float, float]:
        """A/B, B/C and C/D in mm/s."""
        return BOUNDARIES[self.size, self.flexible]

    def zone(self, velocity: NDArray[np.floating]) -> NDArray[np.int8]:
        """(n,) `Zone`, the worse one on a boundary; -1 where the velocity is NaN."""
        zones = np.searchsorted(np.array(self.boundaries), velocity, side="right").astype(np.int8)
        return np.where(np.isnan(velocity), np.int8(-1), zones)

    @property
    def significant_change(self) -> float:
        """The change up or down, in mm/s, beyond which it matters within any zone (criterion II)."""
        return SIGNIFICANT_CHANGE * self.boundaries[1]
