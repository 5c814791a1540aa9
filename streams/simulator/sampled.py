"""Bearings of simulated machines that are sampled: each row of a machine that turns comes with a block.

Only machines whose bearings the fleet file knows are, because a block for each row takes its time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detectors.bearing import Orders
from fleet.asset import Asset
from fleet.catalog import packs
from fleet.measuring_point import MeasuringPoint, lines_of, reduced
from streams.simulator.dynamics import Array
from streams.simulator.machine import Block
from streams.simulator.vibration import DAMAGE, Housing, State, block

MOST_HIDDEN = 0.98
"""Part of the envelope that damage may be: something else always shakes, too."""


@dataclass(frozen=True, slots=True)
class Sensor:
    """On a bearing that `mode` damages. Engineering defaults.

    noise, impacts: RMS acceleration in the point's band, m/s², of a sound bearing at `rated` r/min of the
    speed channel where the machine has no reading of its own, and of damage at functional failure. slowest:
    r/min from which it is sampled.
    """

    mode: str
    rate_hz: float
    samples: int
    noise: float
    impacts: float
    rated: float
    slowest: float


SENSORS: Mapping[tuple[str, str], Sensor] = {
    ("machine-tool", "spindle"): Sensor("spindle-bearing", 12_800.0, 8_192, 4.0, 9.0, 8_000.0, 100.0),
    ("wind-turbine", "main-bearing"): Sensor("main-bearing", 5_120.0, 32_768, 0.3, 0.6, 15.5, 8.0),
    ("wind-turbine", "generator"): Sensor("generator-bearing", 12_800.0, 16_384, 2.0, 5.0, 15.5, 8.0),
}
"""By equipment type and measuring point."""


class SampledBearing:
    """One bearing with a part of it that will be damaged, if it is."""

    def __init__(
        self, point: MeasuringPoint, sensor: Sensor, orders: Orders, rng: np.random.Generator
    ) -> None:
        self.point = point
        self._sensor = sensor
        self._orders = orders
        self._housing = Housing(sensor.rate_hz, sensor.samples, point.band)
        self.damage = str(rng.choice(list(DAMAGE)))

    def day(self, readings: Mapping[str, Array], rows: Block, rng: np.random.Generator) -> dict[str, Array]:
        """What blocks show at each of the day's rows (n,), NaN where the machine stands."""
        shown = {name: np.full(rows.rows, np.nan) for name in self.point.channels}
        speed, sensor = readings[self.point.speed], self._sensor
        shakes = sensor.noise * speed / sensor.rated * rng.lognormal(0, 0.12, rows.rows)
        impacts = sensor.impacts * rows.fault(sensor.mode)
        envelope = readings.get(self.point.envelope, np.hypot(shakes, impacts))
        hidden = np.minimum(impacts, MOST_HIDDEN * envelope)
        noise = np.sqrt(envelope**2 - hidden**2)
        for i in np.flatnonzero(speed >= sensor.slowest).tolist():
            turns = float(speed[i]) / 60
            state = State(turns, float(readings[self.point.velocity][i]), float(noise[i]), float(hidden[i]))
            taken = block(self._housing, self._orders, self.damage, state, rng)
            for name, value in reduced(self.point, taken, lines_of(self._orders, turns)).items():
                shown[name][i] = value
        return shown


def sampled_bearings(asset: Asset, rng: np.random.Generator) -> Sequence[SampledBearing]:
    """Those of a machine whose ratings say them."""
    pack = packs()[asset.equipment_type]
    return [
        SampledBearing(point, SENSORS[asset.equipment_type, point.name], orders, rng)
        for point in pack.points
        if (orders := point.orders(asset.ratings)) is not None
    ]
