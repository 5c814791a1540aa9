"""Where a car's acceleration is sampled on its trips, and which channels a trip becomes (ISO 18738-1).

A block is one trip along one axis, from standstill to standstill: its mean is gravity and offset.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from detectors.ride import full_speed, motion, top_speed, vibration
from detectors.ride_weighting import HIGHEST_HZ, Weighting, of_drive, weighted
from detectors.vibration_block import Block, BlockFault, fault_of
from fleet.asset import check_name
from fleet.rating import Rating

LEAST_S = 3.0
"""Seconds that the shortest trip takes; engineering default."""

LEAST_SPEED = 0.1
"""m/s that a car reaches on any trip; engineering default."""

FELT_S = 1.0
"""Seconds of vibration from which there is an A95 of it."""

RATE = Rating("car_accelerometer_rate", "Hz")
"""Of the accelerometer on the car, if it has one; simulated cars with it send their rides."""


@dataclass(frozen=True, slots=True)
class Drive:
    """Channels of the largest acceleration and its A95 in m/s², and of the largest jerk in m/s³."""

    acceleration: str
    a95: str
    jerk: str


@dataclass(frozen=True, slots=True)
class RidePoint:
    """One axis of an accelerometer on the floor of a car.

    largest, a95: channels of the vibration from peak to peak in m/s², weighted as passengers feel it: of the
    whole trip, and of its part at full speed on the vertical axis, which the start shakes too. drive: on that
    axis, how the drive moves the car.
    """

    name: str
    weighting: Weighting
    largest: str
    a95: str
    drive: Drive | None = None

    def __post_init__(self) -> None:
        check_name("measuring point", self.name)

    @property
    def channels(self) -> tuple[str, ...]:
        """All that its blocks become."""
        drive = self.drive
        return (self.largest, self.a95, *((drive.acceleration, drive.a95, drive.jerk) if drive else ()))

    @property
    def ratings(self) -> tuple[Rating, ...]:
        """What a machine's own may be."""
        return (RATE,)

    @property
    def highest_hz(self) -> float:
        """The frequency up to which it is looked at: with the usual oversampling that is 256 Hz."""
        return HIGHEST_HZ

    def fault(self, block: Block) -> BlockFault | None:
        """Why a block is no trip that can be judged; None if it is."""
        found = fault_of(block, self.highest_hz, max(round(LEAST_S * block.rate_hz), 2))
        if found is None and self.drive:
            x = of_drive(block.samples, block.rate_hz)
            return BlockFault.NO_TRIP if top_speed(x, block.rate_hz) < LEAST_SPEED else None
        return found

    def reduced(self, block: Block) -> Mapping[str, float]:
        """What a trip without a fault shows, by channel; no vibration of one too short for full speed."""
        x, rate_hz, found = block.samples, block.rate_hz, dict[str, float]()
        felt = weighted(x, rate_hz, self.weighting)
        if self.drive:
            moved = of_drive(x, rate_hz)
            felt = felt[full_speed(moved, rate_hz)]
            how = motion(moved, rate_hz)
            found = {
                self.drive.acceleration: how.acceleration,
                self.drive.a95: how.a95,
                self.drive.jerk: how.jerk,
            }
        if len(felt) >= FELT_S * rate_hz and np.ptp(felt) > 0:
            shaken = vibration(felt)
            found |= {self.largest: shaken.largest, self.a95: shaken.a95}
        return found
