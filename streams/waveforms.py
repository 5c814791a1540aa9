"""Rows that carry waveforms: what the blocks show becomes values of the row, and the samples go no further.

A message is one row as in docs/wire-format.md, in JSON, with `waveforms` beside `values`: docs/waveforms.md.
It is the same row again each time it is sent, so a message that comes twice is a duplicate.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.bearing import FEWEST_PASSES
from detectors.vibration_block import FEWEST_SAMPLES, LARGEST, MOST_SAMPLES, OVERSAMPLING, Block, BlockFault
from fleet.dead_letter import Reason
from fleet.measuring_point import MeasuringPoint, fault_at, lines_of, reduced
from fleet.rating import Ratings
from fleet.ride_point import LEAST_S, LEAST_SPEED, RidePoint
from fleet.vertical import VerticalPack
from streams.wire.frame import FrameError, brief
from streams.wire.strict_json import parse

WAVEFORMS = "waveforms"
NEEDED = frozenset({"rate_hz", "unit", "samples"})

UNITS = {"m/s²": 1.0, "m/s2": 1.0, "g": 9.80665}
"""Acceleration in m/s² (standard gravity: ISO 80000-3)."""

CURES: Mapping[BlockFault, str] = {
    BlockFault.TOO_SHORT: f"send {FEWEST_SAMPLES} samples or more, while {FEWEST_PASSES} rollers pass",
    BlockFault.TOO_LONG: f"send at most {MOST_SAMPLES} samples",
    BlockFault.NOT_MEASURED: f"check scale and unit: a sample is beyond {LARGEST:g} m/s²",
    BlockFault.CONSTANT: "check sensor and cable: all samples are equal",
    BlockFault.CLIPPED: "set a wider range, or take a less sensitive sensor: the signal is cut off",
    BlockFault.NO_TRIP: f"send the trip from standstill to standstill: it is never at {LEAST_SPEED:g} m/s",
}


@dataclass(frozen=True, slots=True)
class BadBlock:
    """A block that became nothing: its point, and what to do."""

    point: str
    detail: str


@dataclass(frozen=True, slots=True)
class Reduced:
    """message: the row in JSON, without waveforms. shown: what they became, by channel. bad: the others."""

    message: bytes
    shown: Mapping[str, float]
    bad: Sequence[BadBlock]


@dataclass(frozen=True, slots=True)
class Waveforms:
    """A message as it came: the row, and the blocks by measuring point, neither looked at yet."""

    row: Mapping[str, Any]
    blocks: Mapping[str, Any]

    @property
    def asset(self) -> str:
        """Whose it is; empty if it does not say."""
        asset = self.row.get("asset")
        return asset if isinstance(asset, str) else ""

    @property
    def values(self) -> Mapping[str, Any]:
        """What the sender says itself of the row's channels."""
        values: Mapping[str, Any] = self.row.get("values", {})
        return values


def read_waveforms(data: bytes) -> Waveforms:
    """The message in these bytes; raises `FrameError` for what is none."""
    said = parse(data)
    blocks = said.pop(WAVEFORMS, None) if isinstance(said, dict) else None
    if not isinstance(blocks, dict):
        raise FrameError(Reason.SCHEMA_INVALID, f"'{WAVEFORMS}' is an object from measuring point to block")
    if not isinstance(said.get("values", {}), dict):
        raise FrameError(Reason.SCHEMA_INVALID, "'values' is an object from channel to value")
    return Waveforms(said, blocks)


def reduce(message: Waveforms, pack: VerticalPack, ratings: Ratings) -> Reduced:
    """The row with what its blocks show of such a machine; a value that the sender gives itself stays."""
    shown, bad = dict[str, float](), list[BadBlock]()
    for name, said in message.blocks.items():
        try:
            if ride := pack.ride(name):
                shown |= _ridden(ride, said)
            else:
                shown |= _shown(_point(pack, name), said, message.values, ratings)
        except ValueError as error:
            bad.append(BadBlock(name, str(error)))
        except OverflowError:
            fault = BlockFault.NOT_MEASURED
            bad.append(BadBlock(name, f"{fault}: {CURES[fault]}"))
    said = {name: value for name, value in message.values.items() if value is not None}
    row = {**message.row, "values": shown | said}
    return Reduced(json.dumps(row).encode(), shown, bad)


def _point(pack: VerticalPack, name: str) -> MeasuringPoint:
    point = pack.point(name)
    if point is None:
        names = [*(one.name for one in pack.points), *(one.name for one in pack.rides)]
        known = ", ".join(names) or "none (repeat faultline assets add)"
        raise ValueError(f"a {pack.equipment_type.name} has no such measuring point: known is {known}")
    return point


def _shown(
    point: MeasuringPoint, said: Any, values: Mapping[str, Any], ratings: Ratings
) -> Mapping[str, float]:
    """What a block shows, by channel; raises `ValueError` with what to do."""
    block, orders = _block(said), point.orders(ratings)
    lines_hz = lines_of(orders, _turns(point, said, values) / 60) if orders else ()
    _check(fault_at(point, block, lines_hz), point)
    return reduced(point, block, lines_hz)


def _ridden(ride: RidePoint, said: Any) -> Mapping[str, float]:
    """What a trip shows, by channel; raises `ValueError` with what to do."""
    block = _block(said)
    _check(ride.fault(block), ride)
    return ride.reduced(block)


def _check(fault: BlockFault | None, point: MeasuringPoint | RidePoint) -> None:
    if fault is not None:
        raise ValueError(f"{fault}: {_cure(fault, point)}")


def _cure(fault: BlockFault, point: MeasuringPoint | RidePoint) -> str:
    if fault is BlockFault.LOW_RATE:
        return f"{point.name} is sampled at {OVERSAMPLING * point.highest_hz:g} Hz or more"
    if fault is BlockFault.TOO_SHORT and isinstance(point, RidePoint):
        return f"send the whole trip, {LEAST_S:g} s or more"
    return CURES[fault]


def _turns(point: MeasuringPoint, said: Mapping[str, Any], values: Mapping[str, Any]) -> float:
    """Of the shaft whose speed the channel says, in r/min, as the block says or else the row."""
    speed = _positive(said.get("speed", values.get(point.speed)))
    if speed is None:
        raise ValueError(f"no_speed: say r/min above 0, as speed of the block or {point.speed} of the row")
    return speed


def _block(said: Any) -> Block:
    if not isinstance(said, dict) or not NEEDED <= said.keys() <= NEEDED | {"speed"}:
        raise ValueError(f"a block has {', '.join(sorted(NEEDED))}, and may have speed")
    rate_hz, unit, samples = _positive(said["rate_hz"]), said["unit"], said["samples"]
    if rate_hz is None:
        raise ValueError("rate_hz is a number above 0")
    if type(unit) is not str or unit not in UNITS:
        raise ValueError(f"unit is one of {', '.join(UNITS)}, not {brief(unit)}")
    if not isinstance(samples, list) or not set(map(type, samples)) <= {int, float}:
        raise ValueError("samples is an array of numbers")
    return Block(UNITS[unit] * np.array(samples, np.float64), rate_hz)


def _positive(said: Any) -> float | None:
    """The number, if it is one that is finite and above 0."""
    return float(said) if type(said) in (int, float) and 0 < said < float("inf") else None
