"""What a mapper makes of a message: signals and events, in the format's own names and units."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from streams.mappers.table import MappingTable


@dataclass(frozen=True, slots=True)
class Signal:
    """One value of one signal.

    machine, name, unit: as the format calls them; unit "" where the format fixes it. ts_us: microseconds
    since 1970 UTC, None if no instant can be read. value: None where the format says that there is none.
    problem: why what was sent is no value, with which the signal is quarantined.
    """

    machine: str
    name: str
    ts_us: int | None
    value: float | str | None
    unit: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A fault code that a machine reported. key: its name in the table's faults; text: its own words."""

    machine: str
    ts_us: int | None
    code: str
    key: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Position:
    """Where the sender's stream goes on, if the format has such a thing."""

    values: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Message:
    """What some bytes say."""

    signals: tuple[Signal, ...]
    events: tuple[Event, ...] = ()
    position: Mapping[str, int] = field(default_factory=dict)


Said = Iterator[Signal | Event | Position]
"""One after the other, so that whoever takes them in can stop a message that has too many."""


@dataclass(frozen=True, slots=True)
class Mapper:
    """A format. `read` is a pure generator that raises `MapError` for bytes that are no such message."""

    name: str
    title: str
    read: Callable[[bytes, MappingTable], Said]
