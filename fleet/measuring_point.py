"""Where a machine's vibration is sampled, which bearing is there, and which channels its blocks become.

A block of thousands of samples is no telemetry: what it shows is a few numbers, each a channel of the
machine's equipment type like any other (ISO 13374: data manipulation).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detectors.bearing import FEWEST_PASSES, SLIP, Bearing, Orders, prominence_db
from detectors.vibration_block import Block, BlockFault, fault_of
from detectors.waveform import Band, band_rms, envelope_spectrum, levels, velocity_rms
from fleet.asset import FleetError, check_name
from fleet.rating import Rating, Ratings

VELOCITY_BAND: Band = (10.0, 1000.0)
"""Hz, ISO 20816-1 for machines above 600 r/min."""

FACTORS = ("bpfo", "bpfi", "bsf")
"""Of a bearing, as its maker gives them; instead of its geometry."""

GEOMETRY = ("rollers", "roller_diameter", "pitch_diameter")


@dataclass(frozen=True, slots=True)
class MeasuringPoint:
    """One accelerometer on a bearing's housing.

    speed: the channel of the shaft's speed in r/min, which turns `gear` (the name of a rating) times as fast
    as that channel says. part: how the ratings of its bearing begin. band: Hz, where the housing rings.
    velocity, envelope: channels of RMS velocity in mm/s (10 to 1000 Hz) and of the RMS acceleration in the
    band in m/s². lines: channels of how far the defect frequencies of outer ring, inner ring and rolling
    elements stand out in dB (:func:`detectors.bearing.prominence_db`). kurtosis: its channel, if there is
    one.
    """

    name: str
    speed: str
    part: str
    band: Band
    velocity: str
    envelope: str
    lines: tuple[str, str, str]
    kurtosis: str = ""
    gear: str = ""

    def __post_init__(self) -> None:
        check_name("measuring point", self.name)
        if not 0 < self.band[0] < self.band[1]:
            raise FleetError(f"measuring point {self.name}: its band ascends from above 0 Hz")

    @property
    def channels(self) -> tuple[str, ...]:
        """All that its blocks become."""
        kurtosis = (self.kurtosis,) if self.kurtosis else ()
        return (self.velocity, self.envelope, *kurtosis, *self.lines)

    @property
    def ratings(self) -> tuple[Rating, ...]:
        """What a machine's own may be: the bearing's geometry, or its kinematic factors, and the gear."""
        geometry = (
            Rating(f"{self.part}_rollers"),
            Rating(f"{self.part}_roller_diameter", "mm"),
            Rating(f"{self.part}_pitch_diameter", "mm"),
            Rating(f"{self.part}_contact_angle", "°", default=0.0),
        )
        factors = tuple(Rating(f"{self.part}_{name}") for name in FACTORS)
        return (*geometry, *factors, *((Rating(self.gear),) if self.gear else ()))

    @property
    def highest_hz(self) -> float:
        """The frequency up to which it is looked at."""
        return max(self.band[1], VELOCITY_BAND[1])

    def orders(self, ratings: Ratings) -> Orders | None:
        """Defect frequencies of a machine's bearing, as multiples of what the speed channel says.

        None for a machine that says nothing of its bearing or gear. Raises `FleetError` for half of it, and
        for what is no bearing.
        """
        found = self._factors(ratings) or self._geometry(ratings)
        gear = float(ratings.get(self.gear, 0.0)) if self.gear else 1.0
        if found is None or not gear:
            return None
        return Orders(gear * found.bpfo, gear * found.bpfi, gear * found.bsf, gear * found.ftf)

    def _factors(self, ratings: Ratings) -> Orders | None:
        said = self._said(ratings, FACTORS)
        return Orders(*said, ftf=said[0] / (said[0] + said[1])) if said else None

    def _geometry(self, ratings: Ratings) -> Orders | None:
        said = self._said(ratings, GEOMETRY)
        if said is None:
            return None
        rollers, roller, pitch = said
        try:
            angle = float(ratings.get(f"{self.part}_contact_angle", 0.0))
            return Bearing(round(rollers), roller, pitch, angle).orders()
        except ValueError as error:
            raise FleetError(f"{self.part}: {error}") from error

    def _said(self, ratings: Ratings, names: tuple[str, str, str]) -> tuple[float, float, float] | None:
        """The three ratings; None without any of them."""
        wanted = [f"{self.part}_{name}" for name in names]
        missing = [name for name in wanted if name not in ratings]
        if len(missing) == len(wanted):
            return None
        if missing:
            raise FleetError(f"{self.part}: {', '.join(missing)} is missing: give all of {', '.join(wanted)}")
        first, second, third = (float(ratings[name]) for name in wanted)
        return first, second, third


def fault_at(point: MeasuringPoint, block: Block, lines_hz: Sequence[float]) -> BlockFault | None:
    """Why a block of the point cannot be judged; None if it can. lines_hz: as in :func:`reduced`."""
    fault = fault_of(block, point.highest_hz)
    passes = [block.seconds * hz for hz in lines_hz]
    if fault is None and (
        block.seconds * VELOCITY_BAND[0] < 1 or min(passes, default=np.inf) < FEWEST_PASSES
    ):
        return BlockFault.TOO_SHORT
    return fault


def reduced(point: MeasuringPoint, block: Block, lines_hz: Sequence[float]) -> Mapping[str, float]:
    """What a block without a fault shows, by channel.

    lines_hz: as of :func:`lines_of`; empty for a bearing of which nothing is known. One that lies beyond the
    width of the point's band does not show, and has no value.
    """
    x, rate_hz, reach_hz = block.samples, block.rate_hz, point.band[1] - point.band[0]
    found = {
        point.velocity: float(velocity_rms(x, rate_hz, VELOCITY_BAND)),
        point.envelope: float(band_rms(x, rate_hz, [point.band])[0]),
    }
    if point.kurtosis:
        found[point.kurtosis] = float(levels(x).kurtosis)
    if lines_hz:
        envelope = envelope_spectrum(x, rate_hz, point.band)
        for channel, hz in zip(point.lines, lines_hz, strict=True):
            if hz * (1 + SLIP) <= reach_hz:
                found[channel] = float(prominence_db(envelope, hz, reach_hz))
    return found


def lines_of(orders: Orders, shaft_hz: float) -> tuple[float, float, float]:
    """Hz at which damage of the outer ring, the inner ring and a rolling element shows.

    A damaged element meets both rings in each of its turns.
    """
    return orders.bpfo * shaft_hz, orders.bpfi * shaft_hz, 2 * orders.bsf * shaft_hz
