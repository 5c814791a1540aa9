"""Elevator platform messages in JSON, as GB/T 24476 has them: status fields, and codes of faults and events.

The standard names the fields; how a platform spells them, and which number is which fault, differs by
regulator and maker, so both are in the mapping table. Which fields belong to the standard is from memory,
unchecked against its text; spellings are those of uploaders in the field.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from streams.mappers.instants import instant_us
from streams.mappers.json_values import known, objects, plain
from streams.mappers.message import Event, Mapper, Said, Signal
from streams.mappers.table import MappingTable
from streams.replay.toml_reader import MapError

NO_FAULT = {"", "0"}


def read(data: bytes, table: MappingTable) -> Said:
    """An object or an array of objects, one for each elevator and instant."""
    envelope = {name for key, names in table.fields.items() for name in names if key != "body"}
    for number, said in enumerate(objects(data)):
        fields = _flat(said, table.fields.get("body", ()))
        machine = _machine(fields, table, number)
        ts_us = instant_us(_first(fields, table.fields.get("time", ())), table.zone)
        yield from (_signal(machine, name, ts_us, fields[name]) for name in fields if name not in envelope)
        for name in table.fields.get("faults", ()):
            yield from (Event(machine, ts_us, code, code) for code in _codes(fields.get(name)))


def _flat(said: Mapping[str, Any], bodies: tuple[str, ...]) -> dict[str, Any]:
    """The fields of a message with those of the objects within it that are its bodies."""
    inside = {name: said[name] for name in bodies if isinstance(said.get(name), dict)}
    fields = {name: value for name, value in said.items() if name not in inside}
    for body in inside.values():
        fields |= body
    return fields


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((fields[name] for name in names if name in fields), None)


def _machine(fields: Mapping[str, Any], table: MappingTable, number: int) -> str:
    names = table.fields.get("machine", ())
    machine = known(_first(fields, names))
    if machine is None:
        raise MapError(f"message {number} does not say which elevator it is of: one of {', '.join(names)}")
    return machine


def _signal(machine: str, name: str, ts_us: int | None, said: object) -> Signal:
    value, problem = plain(said)
    return Signal(machine, name, ts_us, value, "", problem)


def _codes(said: object) -> Iterator[str]:
    """Fault codes: one or an array of them; 0 and nothing are none."""
    for each in said if isinstance(said, list) else [said]:
        code = known(each)
        if code is not None and code not in NO_FAULT:
            yield code


MAPPER = Mapper("gbt24476", "Elevator platform messages (JSON)", read)
