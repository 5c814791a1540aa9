"""A mapping table: which of a format's signals are which channels of which equipment type, as TOML data.

Its form is described in `docs/mappers.md`. Every error names the table and the cure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fleet.asset import FleetError, check_name
from streams.replay.toml_reader import MapError, Table

SECTIONS = ("units", "fields", "signal", "channel", "fault")
_PLACE = re.compile(r"\[[^\]]*\]")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a number is in a CAN frame: `bytes` bytes from `byte` on (the first is 1), the lowest first.

    value = scale * raw + offset, in the signal's unit (SAE J1939-71, clause 5.1).
    """

    pgn: int
    byte: int
    bytes: int
    scale: float
    offset: float


@dataclass(frozen=True, slots=True)
class Row:
    """A signal that the format knows. unit: that of values which name none; codes: numbers of its words."""

    name: str
    unit: str
    codes: Mapping[str, float]
    layout: Layout | None


@dataclass(frozen=True, slots=True)
class Fault:
    """What a fault code means. safety: people are in danger, so nothing may wait for a statistic."""

    en: str
    zh: str
    safety: bool


@dataclass(frozen=True)
class MappingTable:
    """A format as one regulator, maker or plant speaks it.

    mapper: the format's name in `catalog()`. tick_s: readings of that time become one row. hold: the format
    tells only what changes, so a value holds until another is told. zone: of instants that name none. units:
    spellings of the units that are ours. fields: where a mapper finds what is no signal. signals: by every
    spelling. channels: by equipment type, from channel to signal. faults: by code.
    """

    name: str
    title: str
    mapper: str
    tick_s: float
    hold: bool
    zone: ZoneInfo
    units: Mapping[str, str]
    fields: Mapping[str, tuple[str, ...]]
    signals: Mapping[str, Row]
    channels: Mapping[str, Mapping[str, str]]
    faults: Mapping[str, Fault]

    def signal(self, name: str) -> Row | None:
        """The signal, whichever place in brackets its name has."""
        return self.signals.get(name) or self.signals.get(without_place(name))

    def channels_of(self, equipment_type: str, name: str) -> tuple[str, ...]:
        """The channels that a signal is for machines of that type; none if it is not one of theirs."""
        mine = self._by_signal.get(equipment_type, {})
        row = self.signal(name)
        return mine.get(name) or mine.get(row.name if row else "") or ()

    @cached_property
    def _by_signal(self) -> dict[str, dict[str, tuple[str, ...]]]:
        found: dict[str, dict[str, tuple[str, ...]]] = {}
        for kind, channels in self.channels.items():
            mine = found.setdefault(kind, {})
            for channel, signal in channels.items():
                mine[signal] = (*mine.get(signal, ()), channel)
        return found


def without_place(name: str) -> str:
    """`Linear[X].Load` as `Linear.Load`."""
    return _PLACE.sub("", name)


def merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A table that extends another: its entries beside the other's; its faults, if any, instead of them."""
    both = {**base, **own}
    both.pop("extends", None)
    for section in ("units", "fields", "signal"):
        both[section] = {**_of(base, section), **_of(own, section)}
    mine, others = _of(own, "channel"), _of(base, "channel")
    both["channel"] = {kind: {**_of(others, kind), **_of(mine, kind)} for kind in {**others, **mine}}
    return both


def _of(document: Mapping[str, Any], section: str) -> dict[str, Any]:
    found = document.get(section, {})
    if not isinstance(found, dict):
        raise MapError(f"[{section}] must be a table")
    return found


def parse_table(document: Mapping[str, Any], name: str) -> MappingTable:
    """A table from its TOML document, nothing to be extended any more. Raises `MapError`."""
    where = f"mapping table {name}"
    top = Table(where, {key: value for key, value in document.items() if key not in SECTIONS})
    title, mapper = top.text("title", name), top.text("mapper")
    tick_s, hold, zone = top.number("tick_s", 1.0), top.boolean("hold"), top.text("timezone", "UTC")
    top.done()
    if not 1e-6 <= tick_s <= 86_400:
        raise top.error(f"tick_s is from 0.000001 to 86400 seconds, not {tick_s:g}")
    signals = _signals(where, _of(document, "signal"))
    channels = {kind: _texts(where, "channel", kind, each) for kind, each in _of(document, "channel").items()}
    _check_channels(where, channels, signals)
    units = _texts(where, "units", "", _of(document, "units"))
    fields = {key: _names(where, key, each) for key, each in _of(document, "fields").items()}
    faults = {code: _fault(where, code, each) for code, each in _of(document, "fault").items()}
    return MappingTable(
        name, title, mapper, tick_s, hold, _zone(top, zone), units, fields, signals, channels, faults
    )


def _zone(top: Table, name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise top.error(f"unknown timezone {name!r}: use an IANA name such as Asia/Shanghai") from None


def _signals(where: str, tables: Mapping[str, Any]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for name, each in tables.items():
        row, spelled = _row(name, Table(f"{where}: [signal.{name}]", _is_table(where, name, each)))
        for spelling in (name, *spelled):
            if spelling in found:
                raise MapError(
                    f"{where}: [signal.{name}]: {spelling!r} is signal {found[spelling].name} already"
                )
            found[spelling] = row
    return found


def _row(name: str, table: Table) -> tuple[Row, tuple[str, ...]]:
    unit, codes, spelled = table.text("unit"), table.numbers("codes"), table.texts("spelled")
    layout = None
    if pgn := int(table.number("pgn", 0)):
        place = table.count("byte", 1), table.count("bytes", 1)
        layout = Layout(pgn, *place, table.number("scale", 1.0), table.number("offset", 0.0))
    table.done()
    return Row(name, unit, codes, layout), spelled


def _fault(where: str, code: str, each: Any) -> Fault:
    table = Table(f"{where}: [fault.{code}]", _is_table(where, code, each))
    fault = Fault(table.text("en"), table.text("zh"), table.boolean("safety"))
    table.done()
    return fault


def _is_table(where: str, name: str, each: Any) -> dict[str, Any]:
    if not isinstance(each, dict):
        raise MapError(f"{where}: {name} must be a table")
    return each


def _texts(where: str, section: str, name: str, each: Any) -> dict[str, str]:
    table = Table(f"{where}: [{section}.{name}]".replace(".]", "]"), _is_table(where, name or section, each))
    return {key: table.text(key) for key in each}


def _names(where: str, key: str, each: Any) -> tuple[str, ...]:
    return Table(f"{where}: [fields]", {key: each}).texts(key)


def _check_channels(
    where: str, channels: Mapping[str, Mapping[str, str]], signals: Mapping[str, Row]
) -> None:
    for kind, mine in channels.items():
        for channel, signal in mine.items():
            try:
                check_name("channel", channel)
            except FleetError as error:
                raise MapError(f"{where}: [channel.{kind}]: {error}") from None
            if without_place(signal) not in signals:
                raise MapError(
                    f"{where}: [channel.{kind}]: {channel} is signal {signal!r}, which has no "
                    f"[signal.{signal}]: add one with its unit"
                )
