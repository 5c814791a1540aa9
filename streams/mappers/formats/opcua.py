"""OPC UA data sets in JSON (OPC 10000-14, 7.2.5), of whatever companion specification.

A machine is its data set writer's name, else the publisher's id. A signal is a field's browse path with
points (`Monitoring.Spindle.Override`), without namespace indexes; numbers behind a logical node of IEC
61400-25 and its data attributes (`WGEN1.Spd.mag.f`) are left off. A tool's life (ToolLifeType of OPC
40501-1) is called `ToolLife[path]`. The envelope is from memory, unchecked.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from streams.mappers.instants import instant_us
from streams.mappers.json_values import known, objects, plain
from streams.mappers.message import Mapper, Said, Signal
from streams.mappers.table import MappingTable
from streams.replay.toml_reader import MapError

BAD = 0x8000_0000
"""Severity bit of a status code (OPC 10000-4, 7.39): what comes with it is no value."""
RUNNING = {"1", "Running"}
STATE, NUMBER = "Production.ActiveProgram.State", "Production.ActiveProgram.NumberInList"
EXECUTED = "Production.ProgramInExecution"
"""Made of the two: the number of the active program in the list while it runs, else 0 (OPC 40501-1, 8.6)."""

LIFE = {"Value": "Value", "StartValue": "Start", "WarningValue": "Warning", "LimitValue": "Limit"}
"""Of a ToolLifeType, and how these signals are called (OPC 40501-1)."""

_INDEX = re.compile(r"(?:ns=)?\d+[:;]")
_NODE = re.compile(r"^(W[A-Z]{3})(\d+)\.")
_ATTRIBUTE = re.compile(r"(?:\.(?:instMag|mag|actVal|stVal|f|i))+$")


def read(data: bytes, table: MappingTable) -> Said:
    """A network message, a data set message, or an array of these."""
    for number, said in enumerate(objects(data)):
        sets = said.get("Messages", [said])
        for each in sets if isinstance(sets, list) else [sets]:
            if not isinstance(each, dict) or not isinstance(each.get("Payload"), dict):
                raise MapError(
                    f"message {number} has no Payload: send data set messages of OPC UA PubSub in JSON"
                )
            machine = known(each.get("DataSetWriterName")) or known(said.get("PublisherId"))
            if machine is None:
                raise MapError(
                    f"message {number} names no machine: set the DataSetWriterName or the PublisherId"
                )
            mine = list(_fields(machine, "", each["Payload"], each.get("Timestamp"), table))
            yield from mine
            yield from _executed(mine)


def _fields(machine: str, path: str, value: Any, instant: Any, table: MappingTable) -> Iterator[Signal]:
    """The values below a node."""
    if not isinstance(value, dict):
        yield Signal(machine, _name(path), instant_us(instant, table.zone), *_value(value))
    elif "Value" in value:
        instant = value.get("SourceTimestamp", instant)
        if "LimitValue" in value:
            yield from _tool_life(machine, path, value, instant, table)
        else:
            yield _data_value(machine, path, value, instant, table)
    else:
        for name, each in value.items():
            yield from _fields(machine, f"{path}.{name}" if path else name, each, instant, table)


def _name(path: str) -> str:
    name = _INDEX.sub("", path).replace("/", ".").strip(".")
    return _ATTRIBUTE.sub("", _NODE.sub(r"\1[\2].", name))


def _data_value(
    machine: str, path: str, value: Mapping[str, Any], instant: Any, table: MappingTable
) -> Signal:
    ts_us = instant_us(instant, table.zone)
    if _is_bad(value.get("StatusCode")):
        return Signal(machine, _name(path), ts_us, None)
    number, _, problem = _value(value["Value"])
    return Signal(machine, _name(path), ts_us, number, _unit(value.get("EngineeringUnits")), problem)


def _value(value: Any) -> tuple[float | str | None, str, str]:
    """A value, bare or as a variant that names its type."""
    if isinstance(value, dict):
        value = value.get("Body", value.get("Value", value))
    number, problem = plain(value)
    return number, "", problem


def _is_bad(code: Any) -> bool:
    code = code.get("Code", 0) if isinstance(code, dict) else code
    return isinstance(code, int) and bool(code & BAD)


def _unit(said: Any) -> str:
    """The display name of an EUInformation, or a bare text."""
    while isinstance(said, dict):
        said = said.get("DisplayName", said.get("Text"))
    return known(said) or ""


def _tool_life(
    machine: str, path: str, value: Mapping[str, Any], instant: Any, table: MappingTable
) -> Iterator[Signal]:
    """A tool's life, its limits, and how much of it is used up in percent, whether it counts up or down."""
    name, ts_us = f"ToolLife[{_name(path)}]", instant_us(instant, table.zone)
    unit, bad = _unit(value.get("EngineeringUnits")), _is_bad(value.get("StatusCode"))
    said = {key: None if bad else _value(value.get(key))[0] for key in LIFE}
    for key, part in LIFE.items():
        yield Signal(machine, f"{name}.{part}", ts_us, said[key], unit)
    now, limit, start = said["Value"], said["LimitValue"], said["StartValue"] or 0.0
    if isinstance(now, float) and isinstance(limit, float) and isinstance(start, float) and limit != start:
        yield Signal(machine, f"{name}.Used", ts_us, 100 * (now - start) / (limit - start), "%")


def _executed(signals: list[Signal]) -> Iterator[Signal]:
    state = next((each for each in signals if each.name == STATE), None)
    number = next((each for each in signals if each.name == NUMBER), None)
    if state is not None and state.value is not None:
        word = state.value if isinstance(state.value, str) else f"{state.value:g}"
        now = number.value if number is not None and word in RUNNING else None if word in RUNNING else 0.0
        yield Signal(state.machine, EXECUTED, state.ts_us, now)


MAPPER = Mapper("opcua", "OPC UA data sets (JSON)", read)
