"""One simulated machine and the gateway that cuts its readings into frames."""

import hashlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from fleet.asset import Asset, EquipmentType
from streams.simulator.crane import Crane
from streams.simulator.dynamics import Array
from streams.simulator.elevator import Elevator
from streams.simulator.excavator import Excavator
from streams.simulator.fault import STUCK, Fault
from streams.simulator.machine import DAY_S, Block, Machine
from streams.simulator.machine_tool import MachineTool
from streams.simulator.ride import SampledCar, sampled_cars
from streams.simulator.sampled import SampledBearing, sampled_bearings
from streams.simulator.transformer import Transformer
from streams.simulator.wind_turbine import WindTurbine
from streams.wire.frame import Frame

MACHINES: dict[str, Callable[[np.random.Generator], Machine]] = {
    "elevator": Elevator,
    "transformer": Transformer,
    "machine-tool": MachineTool,
    "wind-turbine": WindTurbine,
    "excavator": Excavator,
    "crane": Crane,
}
"""How each equipment type behaves."""

DAY_US = int(DAY_S) * 1_000_000


class Source:
    """One machine and what its gateway sends."""

    def __init__(
        self, asset: Asset, kind: EquipmentType, span: tuple[int, int], seed: int, faults: Sequence[Fault]
    ) -> None:
        self.asset = asset
        self.kind = kind
        self.start_us, self.end_us = span
        name = hashlib.sha256(f"{asset.tenant}/{asset.name}".encode()).digest()
        self.entropy = [seed, int.from_bytes(name[:8])]
        self.machine = MACHINES[kind.name](self._rng(0))
        self.sampled: list[SampledBearing | SampledCar] = [
            *sampled_bearings(asset, self._rng(0, 1)),
            *sampled_cars(asset, self._rng(0, 2)),
        ]
        self.faults = [fault for fault in faults if fault.asset == asset.name]
        self.held: dict[str, float] = {}
        self.rarest_s = round(1 / min(channel.rate_hz for channel in kind.channels))
        """Seconds between two rows of a machine whose channels are not sampled more often."""

    def _rng(self, *stream: int) -> np.random.Generator:
        return np.random.default_rng([*self.entropy, *stream])

    def frames(self, interval_s: int, rows: int) -> Iterator[Frame]:
        """Its frames in order, all but the last with `rows` rows."""
        boot_id = self._boot_id(interval_s, rows)
        ts, values = np.empty(0, np.int64), np.empty((len(self.kind.channels), 0), np.float32)
        seq = 0
        for midnight in range(self.start_us - self.start_us % DAY_US, self.end_us, DAY_US):
            more_ts, more = self._day(midnight, interval_s)
            ts, values = np.concatenate([ts, more_ts]), np.concatenate([values, more], axis=1)
            is_last = midnight + DAY_US >= self.end_us
            whole = len(ts) if is_last else len(ts) - len(ts) % rows
            for at in range(0, whole, rows):
                cut = slice(at, min(at + rows, whole))
                yield self._frame(boot_id, seq, ts[cut], values[:, cut])
                seq += 1
            ts, values = ts[whole:], values[:, whole:]

    def _boot_id(self, interval_s: int, rows: int) -> int:
        """The same for the same values cut the same way, so that a second run is a repetition."""
        rated = [sorted(self.asset.ratings.items())] if self.sampled else []
        identity = repr((self.entropy, self.start_us, self.end_us, self.faults, interval_s, rows, *rated))
        return int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8])

    def _frame(self, boot_id: int, seq: int, ts: NDArray[np.int64], values: NDArray[np.float32]) -> Frame:
        missing = np.isnan(values)
        return Frame(
            asset=self.asset.name,
            tenant=self.asset.tenant,
            boot_id=boot_id,
            seq=seq,
            ts_us=ts,
            channels=tuple(channel.name for channel in self.kind.channels),
            units=tuple(channel.unit for channel in self.kind.channels),
            values=values,
            missing=missing if missing.any() else None,
        )

    def _day(self, midnight: int, interval_s: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The rows of one day that lie in the span: (n,) instants and (channels, n) values."""
        clock_s = np.arange(0, DAY_S, interval_s)
        ts = midnight + (clock_s * 1e6).astype(np.int64)
        age_h = (ts - self.start_us) / 3.6e9
        severity = {f.mode: f.shows(age_h) for f in self.faults if not f.of_sensor}
        block = Block(clock_s, midnight // DAY_US, float(interval_s), severity)
        day = 1 + midnight // DAY_US
        readings = self.machine.day(block, self._rng(day))
        for k, part in enumerate(self.sampled, 1):
            readings = part.day(readings, block, self._rng(day, k)) | readings
        nothing = np.full(block.rows, np.nan)
        values = np.stack([readings.get(channel.name, nothing) for channel in self.kind.channels])
        self._break_sensors(values, age_h)
        inside = (ts >= self.start_us) & (ts < self.end_us)
        return ts[inside], values[:, inside].astype(np.float32)

    def _break_sensors(self, values: Array, age_h: Array) -> None:
        for fault in self.faults:
            broken = (age_h >= fault.onset_h) & (age_h < fault.failure_h)
            if fault.of_sensor and broken.any():
                column = self.kind.column(fault.channel)
                values[column, broken] = self._reading(fault, column, values[column, broken])

    def _reading(self, fault: Fault, column: int, true: Array) -> float:
        """What a broken sensor says: its first value for ever, or more than it can measure."""
        if fault.mode == STUCK:
            return self.held.setdefault(fault.channel, float(true[0]))
        channel = self.kind.channels[column]
        return 2 * channel.high - channel.low
