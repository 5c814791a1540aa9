"""What goes wrong, when, and how fast: the truth that detection and forecasts are judged by."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from fleet.catalog import packs
from streams.simulator.dynamics import Array

STUCK = "sensor-stuck"
OUT_OF_RANGE = "sensor-out-of-range"

MOST_SEVERE = 1.5
"""Beyond this, machines would leave the ranges that they are made for."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of an asset; hours count from the start of the simulation.

    `mode` is a fault mode of the asset's pack, which grows from 0 at `onset_h` to functional failure at
    `failure_h` as the power `shape` of the time between. `severity` is how much it shows by then: 1 as much
    as such machines usually do. Or it is `STUCK` or `OUT_OF_RANGE`: the sensor of `channel` fails at
    `onset_h` and is replaced at `failure_h`.
    """

    asset: str
    mode: str
    onset_h: float
    failure_h: float
    channel: str = ""
    shape: float = 1.5
    severity: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.onset_h < self.failure_h:
            raise ValueError(f"fault {self.mode} of {self.asset}: need 0 <= onset_h < failure_h")
        if not 0 < self.severity <= MOST_SEVERE:
            raise ValueError(
                f"fault {self.mode} of {self.asset}: severity is above 0, at most {MOST_SEVERE:g}"
            )

    @property
    def of_sensor(self) -> bool:
        """Whether the sensor fails, not the machine."""
        return self.mode in {STUCK, OUT_OF_RANGE}

    def shows(self, age_h: Array) -> Array:
        """0 to `severity` at each age in hours."""
        grown = np.clip((age_h - self.onset_h) / (self.failure_h - self.onset_h), 0.0, 1.0)
        return np.asarray(self.severity * grown**self.shape)

    def check(self, equipment_type: str) -> None:
        """Raise `ValueError` if such a machine has no such fault mode or channel."""
        pack = packs()[equipment_type]
        known = (
            {c.name for c in pack.equipment_type.channels}
            if self.of_sensor
            else {mode.code for mode in pack.fault_modes}
        )
        name = self.channel if self.of_sensor else self.mode
        if name not in known:
            raise ValueError(f"fault of {self.asset}: {equipment_type} knows {sorted(known)}, not {name!r}")


def truth(faults: Iterable[Fault], start: datetime) -> list[dict[str, Any]]:
    """The faults as plain data for JSON, with instants instead of hours."""
    return [
        {
            "asset": fault.asset,
            "mode": fault.mode,
            "kind": "sensor" if fault.of_sensor else "machine",
            "channel": fault.channel or None,
            "onset": (start + timedelta(hours=fault.onset_h)).isoformat(),
            "failure": (start + timedelta(hours=fault.failure_h)).isoformat(),
            "shape": fault.shape,
            "severity": fault.severity,
        }
        for fault in faults
    ]
