"""SAE J1939: CAN frames or decoded parameters (SPN) in a JSON envelope, and active fault codes (DM1).

`{"machine": "EX-7", "frames": [{"ts": …, "id": "0CF00400", "data": "FFFF82DF9E00FFFF"}]}`, with the 29-bit
identifier or `pgn`, or `"values": [{"ts": …, "spn": 190, "value": 1800}]`. Where a parameter is in its
frame is in the mapping table (J1939-71; its positions are from memory, unchecked). The envelope is ours:
the standard has none.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from streams.mappers.instants import instant_us
from streams.mappers.json_values import known, objects, plain
from streams.mappers.message import Event, Mapper, Said, Signal
from streams.mappers.table import Layout, MappingTable, Row
from streams.replay.toml_reader import MapError

DM1 = 65226
TRANSPORT = {60160: "TP.DT", 60416: "TP.CM"}
"""Parts of messages longer than 8 bytes (J1939-21, 5.10): whoever reads the bus puts them together."""
LONGEST = 1785
LAMPS = ("protect", "amber warning", "red stop", "malfunction indicator")
"""From the lowest two bits of DM1's first byte on (J1939-73, 5.7.1)."""
NOT_AVAILABLE, ERROR, RESERVED = 0xFF, 0xFE, 0xFB
"""Of a parameter's highest byte (J1939-71, table 1)."""


def read(data: bytes, table: MappingTable) -> Said:
    """An object or an array of objects, one for each machine; raises `MapError`."""
    for number, said in enumerate(objects(data)):
        machine = known(said.get("machine"))
        if machine is None or not {"frames", "values"} & said.keys():
            raise MapError(f"message {number} needs `machine`, and `frames` or `values`")
        for frame in _list(said, "frames", number):
            ts_us, pgn, content = _frame(frame, number)
            if pgn == DM1:
                yield from _dm1(machine, ts_us, content)
            else:
                yield from _parameters(machine, ts_us, pgn, content, table)
        for each in _list(said, "values", number):
            yield _decoded(machine, each, number)


def _list(said: Mapping[str, Any], key: str, number: int) -> list[dict[str, Any]]:
    found = said.get(key, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise MapError(f"message {number}: `{key}` is an array of objects")
    return found


def _frame(frame: Mapping[str, Any], number: int) -> tuple[int | None, int, bytes]:
    """Instant, PGN and data."""
    try:
        content = bytes.fromhex(frame["data"])
        pgn = int(frame["pgn"]) if "pgn" in frame else pgn_of(int(frame["id"], 16))
    except (KeyError, TypeError, ValueError, OverflowError):
        raise MapError(
            f"message {number}: a frame has `ts`, `id` in hexadecimal or `pgn`, and `data` in hexadecimal"
        ) from None
    if not 1 <= len(content) <= LONGEST:
        raise MapError(f"message {number}: a frame has 1 to {LONGEST} bytes of data, not {len(content)}")
    return instant_us(frame.get("ts")), pgn, content


def pgn_of(identifier: int) -> int:
    """The parameter group of a 29-bit identifier; a destination is not part of it (J1939-21, 5.1.2)."""
    pgn = identifier >> 8 & 0x3FFFF
    return pgn if pgn & 0xFF00 >= 0xF000 else pgn & 0x3FF00


def _parameters(
    machine: str, ts_us: int | None, pgn: int, content: bytes, table: MappingTable
) -> Iterator[Signal]:
    rows = {row.name: row for row in table.signals.values()}  # some have several spellings
    inside = [row for row in rows.values() if row.layout is not None and row.layout.pgn == pgn]
    if not inside:
        why = f"{TRANSPORT[pgn]} fragment: send the whole message" if pgn in TRANSPORT else ""
        yield Signal(machine, f"PGN {pgn}", ts_us, content.hex(), "", why)
    for row in inside:
        yield _parameter(machine, ts_us, row, content)


def _parameter(machine: str, ts_us: int | None, row: Row, content: bytes) -> Signal:
    layout = row.layout
    assert layout is not None
    raw = _raw(layout, content)
    if raw is None:
        return Signal(machine, row.name, ts_us, None, "", "the frame is too short for it")
    highest = raw >> 8 * (layout.bytes - 1)
    if highest == NOT_AVAILABLE:
        return Signal(machine, row.name, ts_us, None)
    if highest >= RESERVED:
        why = "the sender says error" if highest == ERROR else "a reserved value"
        return Signal(machine, row.name, ts_us, float(raw), "", why)
    return Signal(machine, row.name, ts_us, raw * layout.scale + layout.offset)


def _raw(layout: Layout, content: bytes) -> int | None:
    end = layout.byte - 1 + layout.bytes
    return int.from_bytes(content[layout.byte - 1 : end], "little") if end <= len(content) else None


def _decoded(machine: str, said: Mapping[str, Any], number: int) -> Signal:
    name = known(said.get("spn"))
    if name is None:
        raise MapError(f"message {number}: a value has `ts`, `spn` and `value`")
    value, problem = plain(said.get("value"))
    return Signal(machine, name, instant_us(said.get("ts")), value, known(said.get("unit")) or "", problem)


def _dm1(machine: str, ts_us: int | None, content: bytes) -> Iterator[Event]:
    """Active trouble codes: lamps, then four bytes each of SPN, FMI and count (J1939-73, 5.7.1)."""
    lamps = ", ".join(name for bit, name in enumerate(LAMPS) if content[0] >> 2 * bit & 3 == 1)
    for at in range(2, len(content) - 3, 4):
        low, middle, high, count = content[at : at + 4]
        spn, fmi = low | middle << 8 | (high & 0xE0) << 11, high & 0x1F
        if spn and spn != 0x7FFFF:  # 0 or all ones: there is none
            seen = f"{count & 0x7F} times" if count & 0x7F != 0x7F else "count unknown"
            text = f"{seen}{', lamp: ' + lamps if lamps else ''}"
            yield Event(machine, ts_us, f"SPN {spn} FMI {fmi}", f"fmi-{fmi}", text)


MAPPER = Mapper("j1939", "SAE J1939 frames and parameters (JSON)", read)
