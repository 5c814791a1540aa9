"""Construction machines, ISO/TS 15143-3 (AEMP 2.0): snapshots and time series, XML or JSON.

Every element beside an `EquipmentHeader` is a data element with an instant of its own; its numbers are
signals called `Element.Field`. A field ending in `Units` is the unit of the numbers whose names begin like
it. The names are those of responses of Takeuchi, Bosch Rexroth and Samsara; elements of fault codes are
from memory, unchecked.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from streams.mappers.instants import instant_us
from streams.mappers.json_values import known, parse_json, plain
from streams.mappers.message import Event, Mapper, Said, Signal
from streams.mappers.table import MappingTable
from streams.mappers.xml_tree import Element, parse_xml
from streams.replay.toml_reader import MapError

HEADER = "EquipmentHeader"
IDS = ("EquipmentID", "SerialNumber", "PIN")
NO_ID = {"", "missing", "unknown"}
FAULTS = {"FaultCode", "FaultCodes", "CautionCodes", "CautionCode"}
CODE = ("CodeIdentifier", "Identifier", "Code")
TEXT = ("CodeDescription", "Description")
NO_DATA = {HEADER, "Links", "Version", "SnapshotTime"}
NO_VALUE = {"Datetime", "Timestamp", "EngineNumber", "TankNumber"}


def read(data: bytes, table: MappingTable) -> Said:
    """A fleet, one machine, or a time series; raises `MapError` if no machine is in it."""
    xml = data.lstrip()[:1] == b"<"
    document = _content(parse_xml(data)) if xml else _capitals(parse_json(data))
    machines = list(_machines(document))
    if not machines:
        raise MapError(f"no {HEADER} is in it: send a snapshot or time series of ISO/TS 15143-3")
    for machine in machines:
        name = _name(machine[HEADER])
        for element, said in _elements(machine):
            if element in FAULTS:
                yield from _faults(name, said, table)
            else:
                yield from _signals(name, element, said, table)


def _content(element: Element) -> Any:
    """An XML element as the same thing in JSON: its text, or its attributes and children."""
    if not element.children and not element.attributes:
        return element.text
    content: dict[str, Any] = {_capital(name): [value] for name, value in element.attributes.items()}
    for child in element.children:
        content.setdefault(_capital(child.tag), []).append(_content(child))
    return content


def _capital(name: str) -> str:
    """`dateTime` and `datetime` are one name, as are `equipmentHeader` and `EquipmentHeader`."""
    return "Datetime" if name.lower() == "datetime" else name[:1].upper() + name[1:]


def _capitals(value: Any) -> Any:
    if isinstance(value, dict):
        return {_capital(name): _capitals(each) for name, each in value.items()}
    return [_capitals(each) for each in value] if isinstance(value, list) else value


def _machines(value: Any) -> Iterator[dict[str, Any]]:
    """Every object that has a header, wherever it is."""
    if isinstance(value, list):
        for each in value:
            yield from _machines(each)
    elif isinstance(value, dict):
        if HEADER in value:
            yield value
        else:
            yield from _machines(list(value.values()))


def _one(value: Any) -> Any:
    """The value, or the first of several."""
    return value[0] if isinstance(value, list) and value else value


def _name(header: Any) -> str:
    header = _one(header)
    for key in IDS:
        name = known(_one(header.get(key))) if isinstance(header, dict) else None
        if name is not None and name.lower() not in NO_ID:
            return name
    raise MapError(f"an {HEADER} names no machine: give it one of {', '.join(IDS)}")


def _elements(machine: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for element, said in machine.items():
        if element not in NO_DATA:
            for each in said if isinstance(said, list) else [said]:
                yield element, each


def _signals(machine: str, element: str, said: Any, table: MappingTable) -> Iterator[Signal]:
    if not isinstance(said, dict):
        yield Signal(machine, element, None, *_value(said))
        return
    fields = {name: _one(value) for name, value in said.items()}
    ts_us = _instant(fields, table)
    units = {name: known(value) or "" for name, value in fields.items() if name.endswith(("Units", "Unit"))}
    values = [name for name in fields if name not in units and name not in NO_VALUE]
    for name in values:
        number, _, problem = _value(fields[name])
        yield Signal(machine, f"{element}.{name}", ts_us, number, _unit(name, values, units), problem)


def _unit(name: str, values: list[str], units: Mapping[str, str]) -> str:
    """The unit of that number: of the field that begins like it, or the only one there is."""
    if name == "Percent":
        return ""
    for said, unit in sorted(units.items(), key=lambda each: -len(each[0])):
        if name.startswith(said.removesuffix("s").removesuffix("Unit")):
            return unit
    return next(iter(units.values())) if len(values) == len(units) == 1 else ""


def _instant(fields: Mapping[str, Any], table: MappingTable) -> int | None:
    return instant_us(fields.get("Datetime", fields.get("Timestamp")), table.zone)


def _value(value: object) -> tuple[float | str | None, str, str]:
    number, problem = plain(_one(value))
    return (None if number == "" else number), "", problem


def _faults(machine: str, said: Any, table: MappingTable) -> Iterator[Event]:
    if not isinstance(said, dict):
        return
    fields = {name: _one(value) for name, value in said.items()}
    code = next((found for key in CODE if (found := known(fields.get(key)))), None)
    text = next((found for key in TEXT if (found := known(fields.get(key)))), "")
    if code is not None:
        yield Event(machine, _instant(fields, table), code, code, text)


MAPPER = Mapper("aemp", "Construction machine telematics, ISO/TS 15143-3 (XML or JSON)", read)
