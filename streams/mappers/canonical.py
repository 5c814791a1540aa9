"""Signals of a format as readings: tenant, asset, channel, unit, instant, value; and what cannot be one.

The tenant is not in a message: it is whoever sent it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeGuard

import numpy as np

from fleet.asset import EquipmentType
from streams.mappers.message import Event, Message, Signal
from streams.mappers.quarantine import Problem, Quarantine, brief
from streams.mappers.table import MappingTable, Row
from streams.mappers.units import conversion
from streams.wire.frame import EARLIEST_US, LATEST_US

GREATEST = float(np.finfo(np.float32).max)
"""Readings are stored as float32."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class Machine:
    """An asset's name and its equipment type."""

    asset: str
    equipment_type: EquipmentType

    @cached_property
    def units(self) -> dict[str, str]:
        """Of its channels, by name."""
        return {channel.name: channel.unit for channel in self.equipment_type.channels}


Machines = Callable[[str], Machine | None]
"""From a machine's name in the format to the asset; None if there is none."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one channel in its unit. value: None where the sender says that there is none."""

    asset: str
    channel: str
    unit: str
    ts_us: int
    value: float | None


@dataclass(frozen=True, slots=True)
class FaultEvent:
    """A fault code that an asset reported; safety: people are in danger. An unknown code has no titles."""

    asset: str
    ts_us: int
    code: str
    title_en: str
    title_zh: str
    safety: bool
    text: str


@dataclass(frozen=True)
class Canonical:
    """What a message says, of machines and channels that are known."""

    readings: tuple[Reading, ...]
    events: tuple[FaultEvent, ...]
    quarantine: Quarantine


class _Refused(Exception):
    """A signal that cannot be a reading."""

    def __init__(self, problem: Problem, name: str, detail: str) -> None:
        super().__init__(detail)
        self.problem, self.name, self.detail = problem, name, detail


def to_canonical(message: Message, table: MappingTable, machines: Machines) -> Canonical:
    """Map a message; whatever cannot be mapped is in the quarantine."""
    quarantine = Quarantine()
    names = {signal.machine for signal in message.signals} | {event.machine for event in message.events}
    known = {name: machines(name) for name in names}
    readings: list[Reading] = []
    for signal in message.signals:
        try:
            readings += _readings(signal, known[signal.machine], table)
        except _Refused as refused:
            quarantine.add(refused.problem, refused.name, signal.ts_us, signal.value, refused.detail)
    events = [_event(event, known[event.machine], table, quarantine) for event in message.events]
    return Canonical(tuple(readings), tuple(filter(None, events)), quarantine)


def _readings(signal: Signal, machine: Machine | None, table: MappingTable) -> list[Reading]:
    if machine is None:
        detail = "no asset has this name: add it, or name it in aliases.toml"
        raise _Refused(Problem.UNKNOWN_MACHINE, signal.machine, detail)
    row = table.signal(signal.name)
    if row is None:
        raise _Refused(Problem.UNKNOWN_SIGNAL, signal.name, f"table {table.name} has no such [signal]")
    channels = _channels(signal, machine, table)
    if not _is_instant(signal.ts_us):
        raise _Refused(Problem.BAD_INSTANT, signal.name, "no instant of the years 1970 to 2099")
    if signal.problem:
        raise _Refused(Problem.BAD_VALUE, signal.name, signal.problem)
    return [_reading(signal, machine, row, channel, table) for channel in channels]


def _is_instant(ts_us: int | None) -> TypeGuard[int]:
    return ts_us is not None and EARLIEST_US <= ts_us < LATEST_US


def _channels(signal: Signal, machine: Machine, table: MappingTable) -> list[str]:
    kind = machine.equipment_type.name
    named = table.channels_of(kind, signal.name)
    if not named:
        detail = f"table {table.name} names no channel for it under [channel.{kind}]"
        raise _Refused(Problem.NO_CHANNEL, signal.name, detail)
    found = [name for name in named if name in machine.units]
    if not found:
        raise _Refused(Problem.NO_CHANNEL, signal.name, f"{kind} has no channel {named[0]}")
    return found


def _reading(signal: Signal, machine: Machine, row: Row, channel: str, table: MappingTable) -> Reading:
    unit, ts_us = machine.units[channel], signal.ts_us or 0
    if signal.value is None:
        return Reading(machine.asset, channel, unit, ts_us, None)
    said = table.units.get(signal.unit, signal.unit) or row.unit
    factors = conversion(said, unit)
    if factors is None:
        raise _Refused(Problem.UNKNOWN_UNIT, signal.name, f"{brief(said)} cannot be converted to {unit}")
    number = _number(signal.value, row)
    if number is None:
        detail = f"its codes are {', '.join(row.codes)}" if row.codes else "it must be a number"
        raise _Refused(Problem.BAD_VALUE, signal.name, detail)
    value = number * factors[0] + factors[1]
    if not abs(value) <= GREATEST:
        raise _Refused(Problem.BAD_VALUE, signal.name, "beyond what is stored")
    return Reading(machine.asset, channel, unit, ts_us, value)


def _number(value: float | str, row: Row) -> float | None:
    """The number of a code's word, or the number that is said; None for neither."""
    if row.codes:
        word = value if isinstance(value, str) else f"{value:.15g}"
        return row.codes.get(word.strip())
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value.strip()) else None
    return value


def _event(
    event: Event, machine: Machine | None, table: MappingTable, quarantine: Quarantine
) -> FaultEvent | None:
    if machine is None:
        quarantine.add(Problem.UNKNOWN_MACHINE, event.machine, event.ts_us, f"fault {event.code}")
        return None
    if not _is_instant(event.ts_us):
        quarantine.add(Problem.BAD_INSTANT, f"fault {event.code}", event.ts_us, event.text)
        return None
    fault = table.faults.get(event.key)
    if table.faults and fault is None:
        quarantine.add(Problem.UNKNOWN_FAULT, f"fault {event.code}", event.ts_us, event.text)
    en, zh, safety = (fault.en, fault.zh, fault.safety) if fault else ("", "", False)
    said = brief(event.code), en, zh, safety, brief(event.text)
    return FaultEvent(machine.asset, event.ts_us, *said)
