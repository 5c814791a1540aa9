"""Rides of simulated lifts whose car has an accelerometer: each row in which the car runs has one trip.

A drive that starts and stops smoothly, a car that shakes all the way, and rail joints that knock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, sosfilt

from detectors.vibration_block import Block as Samples
from fleet.asset import Asset
from fleet.catalog import packs
from fleet.ride_point import RATE, RidePoint
from streams.simulator.dynamics import Array
from streams.simulator.machine import Block

RAIL_M, FLOOR_M, MOST_FLOORS = 5.0, 3.2, 12
START_S, SPEED = 2.8, 1.75
"""Seconds from standstill to full speed, m/s."""

STANDS_S = 1.0
"""How long a block has the car standing before and after."""

KNOCK_HZ, KNOCK_S = 9.0, 0.12
"""How a rail joint rings, and how fast that dies away."""

BAND_HZ = 2.0, 25.0
"""Where the car shakes on its guides and ropes."""

GRAVITY = 9.80665


@dataclass(frozen=True, slots=True)
class Shakes:
    """Along one axis, m/s²: RMS of the vibration and peak of a knock of a sound car, by how much of them
    guide shoes at functional failure add to both, and what the axis shows at rest. Engineering defaults.
    """

    steady: float
    knock: float
    worn: float
    offset: float = 0.0


SHAKES: Mapping[tuple[str, str], Shakes] = {
    ("elevator", "car-vertical"): Shakes(0.018, 0.04, 1.4, GRAVITY),
    ("elevator", "car-horizontal"): Shakes(0.046, 0.11, 1.5),
}
"""By equipment type and measuring point."""

WORN = "guide-wear"


class SampledCar:
    """One axis of a car's accelerometer, which samples at `rate_hz`."""

    def __init__(self, point: RidePoint, shakes: Shakes, rate_hz: float, rng: np.random.Generator) -> None:
        self.point = point
        self._shakes = shakes
        self._rate_hz = rate_hz
        self._own = rng.normal(1.0, 0.08)
        self._band = butter(2, BAND_HZ, "bandpass", fs=rate_hz, output="sos")

    def day(self, readings: Mapping[str, Array], rows: Block, rng: np.random.Generator) -> dict[str, Array]:
        """What rides show at each of the day's rows (n,), NaN where the car stands."""
        shown = {name: np.full(rows.rows, np.nan) for name in self.point.channels}
        worn = rows.fault(WORN)
        for i in np.flatnonzero(readings["motion"] > 0).tolist():
            ride = self.ride(bool(readings["motion"][i] == 1), float(worn[i]), rng)
            for name, value in self.point.reduced(ride).items():
                shown[name][i] = value
        return shown

    def ride(self, up: bool, worn: float, rng: np.random.Generator) -> Samples:
        """The samples of one trip, with guide shoes that are worn so far."""
        way_m = FLOOR_M * int(rng.integers(2, MOST_FLOORS))
        lasts_s = START_S + way_m / SPEED
        since_s = np.arange(-STANDS_S, lasts_s + STANDS_S, 1 / self._rate_hz)
        x = np.full(len(since_s), self._shakes.offset)
        if self.point.drive:
            ramp = SPEED / START_S * rng.lognormal(0, 0.03) * (1 if up else -1)
            x += ramp * (_pulse(since_s) - _pulse(since_s - lasts_s + START_S))
        noise = sosfilt(self._band, rng.normal(size=len(since_s)))
        shake = self._shakes.steady * noise / np.sqrt(np.mean(noise**2))
        shake += self._shakes.knock * _knocks(since_s - rng.uniform(0, RAIL_M / SPEED), rng)
        size = self._own * (1 + self._shakes.worn * worn) * rng.lognormal(0, 0.1)
        x += np.where((since_s > 0) & (since_s < lasts_s), size * shake, 0.0)
        return Samples(x, self._rate_hz)


def _pulse(since_s: Array) -> Array:
    """The acceleration of a start, of mean 1 over it: it rises and falls as a cosine."""
    inside = (since_s > 0) & (since_s < START_S)
    return np.asarray(np.where(inside, 1 - np.cos(2 * np.pi * since_s / START_S), 0.0))


def _knocks(since_s: Array, rng: np.random.Generator) -> Array:
    """A rail joint at every `RAIL_M` at full speed, each as hard as it happens to be."""
    joint = np.floor(since_s * SPEED / RAIL_M).astype(np.int64)
    after_s = since_s - joint * RAIL_M / SPEED
    hard = rng.lognormal(0, 0.3, joint[-1] - joint[0] + 1)[joint - joint[0]]
    return np.asarray(hard * np.exp(-after_s / KNOCK_S) * np.sin(2 * np.pi * KNOCK_HZ * after_s))


def sampled_cars(asset: Asset, rng: np.random.Generator) -> Sequence[SampledCar]:
    """The axes of the accelerometer on the machine's car, if its ratings say that it has one."""
    rate_hz = float(asset.ratings.get(RATE.name, 0.0))
    if not rate_hz:
        return []
    kind = asset.equipment_type
    return [SampledCar(ride, SHAKES[kind, ride.name], rate_hz, rng) for ride in packs()[kind].rides]
