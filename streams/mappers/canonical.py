"""Signals of a format as readings: tenant, asset, channel, unit, instant, value; and what cannot be one.

The tenant is not in a message: it is whoever sent it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Machine:
    """An asset's name and its equipment type."""

    asset: str
    equipment_type: EquipmentType


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


def to_canonical(message: Message, table: MappingTable, machines: Machines) -> Canonical:
    """Map a message; whatever cannot be mapped is in the quarantine."""
    quarantine = Quarantine()
    names = {signal.machine for signal in message.signals} | {event.machine for event in message.events}
    known = {name: machines(name) for name in names}
    readings = [
        reading
        for signal in message.signals
        for reading in _readings(signal, known[signal.machine], table, quarantine)
    ]
    events = [_event(event, known[event.machine], table, quarantine) for event in message.events]
    return Canonical(tuple(readings), tuple(filter(None, events)), quarantine)


def _readings(
    signal: Signal, machine: Machine | None, table: MappingTable, quarantine: Quarantine
) -> list[Reading]:
    row = table.signal(signal.name)
    refused = _refusal(signal, machine, row, table)
    if refused is None and machine is not None and row is not None:
        made = [
            _reading(signal, machine, row, channel, table) for channel in _channels(signal, machine, table)
        ]
        for one in made:
            if not isinstance(one, Reading):
                quarantine.add(one[0], signal.name, signal.ts_us, signal.value, one[1])
        return [one for one in made if isinstance(one, Reading)]
    if refused is not None:
        problem, detail = refused
        name = signal.machine if problem is Problem.UNKNOWN_MACHINE else signal.name
        quarantine.add(problem, name, signal.ts_us, signal.value, detail)
    return []


Refusal = tuple[Problem, str]


def _refusal(signal: Signal, machine: Machine | None, row: Row | None, table: MappingTable) -> Refusal | None:
    """What is wrong with a signal before its value is looked at."""
    if machine is None:
        return Problem.UNKNOWN_MACHINE, "no asset has this name: add it, or name it in aliases.toml"
    if row is None:
        return Problem.UNKNOWN_SIGNAL, f"table {table.name} has no such [signal]"
    kind = machine.equipment_type.name
    if not table.channels_of(kind, signal.name):
        return Problem.NO_CHANNEL, f"table {table.name} names no channel for it under [channel.{kind}]"
    if not _channels(signal, machine, table):
        return Problem.NO_CHANNEL, f"{kind} has no channel {table.channels_of(kind, signal.name)[0]}"
    if signal.ts_us is None or not EARLIEST_US <= signal.ts_us < LATEST_US:
        return Problem.BAD_INSTANT, "no instant of the years 1970 to 2099"
    return (Problem.BAD_VALUE, signal.problem) if signal.problem else None


def _channels(signal: Signal, machine: Machine, table: MappingTable) -> list[str]:
    has = {channel.name for channel in machine.equipment_type.channels}
    return [name for name in table.channels_of(machine.equipment_type.name, signal.name) if name in has]


def _reading(
    signal: Signal, machine: Machine, row: Row, channel: str, table: MappingTable
) -> Reading | Refusal:
    unit = machine.equipment_type.channels[machine.equipment_type.column(channel)].unit
    ts_us = signal.ts_us or 0
    if signal.value is None:
        return Reading(machine.asset, channel, unit, ts_us, None)
    said = table.units.get(signal.unit, signal.unit) or row.unit
    factors = conversion(said, unit)
    if factors is None:
        return Problem.UNKNOWN_UNIT, f"{brief(said)} cannot be converted to {unit}"
    number = _number(signal.value, row)
    if number is None:
        words = f"its codes are {', '.join(row.codes)}" if row.codes else "it must be a number"
        return Problem.BAD_VALUE, words
    value = number * factors[0] + factors[1]
    if not abs(value) <= GREATEST:
        return Problem.BAD_VALUE, "beyond what is stored"
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
    if event.ts_us is None or not EARLIEST_US <= event.ts_us < LATEST_US:
        quarantine.add(Problem.BAD_INSTANT, f"fault {event.code}", event.ts_us, event.text)
        return None
    fault = table.faults.get(event.key)
    if table.faults and fault is None:
        quarantine.add(Problem.UNKNOWN_FAULT, f"fault {event.code}", event.ts_us, event.text)
    en, zh, safety = (fault.en, fault.zh, fault.safety) if fault else ("", "", False)
    said = brief(event.code), en, zh, safety, brief(event.text)
    return FaultEvent(machine.asset, event.ts_us, *said)
