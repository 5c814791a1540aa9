"""The JSON encoding, for those who cannot do binary. docs/wire-format.md is its contract."""

import json
import struct
from itertools import chain, pairwise
from math import inf
from types import NoneType
from typing import Any

import numpy as np

from fleet.dead_letter import Reason
from streams.wire.bodies import Packed, pack_mask, unpack
from streams.wire.frame import LATEST_US, Frame, FrameError, brief, check, check_name, check_span
from streams.wire.instant import parse_instant
from streams.wire.layout import Layout, layout_of
from streams.wire.strict_json import parse

SCHEMA = 1
KEYS = frozenset({"schema", "tenant", "asset", "boot", "seq", "ts", "step", "times", "values", "units"})
READINGS = frozenset({float, int, NoneType})
"""What a reading may be, by exact type: a bool is an int for Python."""


def decode_json(data: bytes) -> Frame:
    """Read a frame; raises `FrameError` for any bytes that are not one."""
    return unpack(read_json(data))


def read_json(data: bytes) -> Packed:
    """Check everything but that values are finite and instants increase. Raises `FrameError`."""
    said = parse(data)
    values = _check_keys(said)
    asset = said.get("asset")
    if type(asset) is not str:
        raise _invalid("'asset' is a text")
    check_name(asset)
    layout = _layout(said, values)
    readings: list[Any] = [*values.values()]
    kinds = set(map(type, readings))
    if kinds == {list}:
        rows, readings = _columns(readings)
        kinds = set(map(type, readings))
        first, last, step, explicit = _block_instants(said, rows)
    else:
        rows = 1
        first, last, step, explicit = _one_instant(said)
    if not kinds <= READINGS:
        raise _invalid("values are numbers or null, or all of them are arrays of these")
    boot_id, seq = _unsigned(said, "boot", 0), _unsigned(said, "seq", first)
    mask = b""
    if NoneType in kinds:
        mask, readings = _split_missing(readings, rows)
    body = explicit + _pack(readings) + mask
    return Packed(asset, layout, boot_id, seq, rows, first, last, step, explicit != b"", mask != b"", body, 0)


def _check_keys(said: Any) -> dict[str, Any]:
    """The values of a frame whose schema and keys are known."""
    if type(said) is not dict:
        raise _invalid("a frame is an object")
    schema = said.get("schema", SCHEMA)
    if type(schema) is not int:
        raise _invalid("'schema' is an integer")
    if schema != SCHEMA:
        raise FrameError(Reason.UNSUPPORTED_SCHEMA, f"schema {brief(schema)}; this reader knows {SCHEMA}")
    if not said.keys() <= KEYS:
        raise _invalid(f"unknown key {brief(min(said.keys() - KEYS))}")
    values = said.get("values")
    if type(values) is not dict:
        raise _invalid("'values' is an object from channel to number, null or an array of them")
    return values


def _layout(said: dict[str, Any], values: dict[str, Any]) -> Layout:
    tenant = said.get("tenant")
    if "tenant" in said and (type(tenant) is not str or not tenant):
        raise _invalid("'tenant' is a text, or left out")
    return layout_from(tenant, tuple(values), said.get("units", {}))


def layout_from(tenant: str | None, channels: tuple[str, ...], units: Any) -> Layout:
    """The layout of a frame that says these `units`. Raises `FrameError`."""
    if type(units) is not dict or not units.keys() <= set(channels):
        raise _invalid("'units' is an object from channels of 'values' to units")
    if not set(map(type, units.values())) <= {str}:
        raise _invalid("a unit is a text")
    return layout_of(tenant, channels, tuple(units.get(channel, "") for channel in channels))


def _columns(columns: list[list[Any]]) -> tuple[int, list[Any]]:
    """Rows, and the readings channel after channel."""
    lengths = set(map(len, columns))
    if len(lengths) > 1 or 0 in lengths:
        raise _invalid("arrays of values are equally long and not empty")
    return lengths.pop(), list(chain.from_iterable(columns))


_Instants = tuple[int, int, int, bytes]
"""First, last, step; and all of them as bytes if they are explicit."""


def _one_instant(said: dict[str, Any]) -> _Instants:
    if "step" in said or "times" in said:
        raise _invalid("'step' and 'times' go with arrays of values")
    instant = parse_instant(said.get("ts"))
    check_span(instant, instant)
    return instant, instant, 0, b""


def _block_instants(said: dict[str, Any], rows: int) -> _Instants:
    if ("times" in said) == ("ts" in said) or ("step" in said) != ("ts" in said):
        raise _invalid("arrays of values go with 'ts' and 'step', or with 'times'")
    if "times" in said:
        return _explicit_instants(said["times"], rows)
    first, step = parse_instant(said["ts"]), _step_us(said["step"])
    last = first + step * (rows - 1)
    check_span(first, last)
    return first, last, step, b""


def _explicit_instants(said: Any, rows: int) -> _Instants:
    if type(said) is not list or len(said) != rows:
        raise _invalid(f"'times' is an array of {rows} instants, like the values")
    times = [parse_instant(instant) for instant in said]
    check_span(min(times), max(times))
    return times[0], times[-1], 0, struct.pack(f"<{rows}q", *times)


def _step_us(seconds: Any) -> int:
    if type(seconds) not in (float, int):
        raise _invalid("'step' is a number of seconds")
    if abs(seconds) == inf:
        raise FrameError(Reason.NAN_OR_INF, "'step' is infinite")
    if seconds < 1e-6:
        raise _invalid("'step' is at least a microsecond")
    if seconds * 10**6 >= LATEST_US:
        raise FrameError(Reason.NUMBER_OUT_OF_RANGE, "'step' is longer than time")
    step: int = round(seconds * 1e6)
    return step


def _unsigned(said: dict[str, Any], key: str, default: int) -> int:
    number = said.get(key, default)
    if type(number) is not int:
        raise _invalid(f"'{key}' is an integer")
    if not 0 <= number < 2**64:
        raise FrameError(Reason.NUMBER_OUT_OF_RANGE, f"'{key}' is not an unsigned 64-bit number")
    return int(number)


def _split_missing(readings: list[Any], rows: int) -> tuple[bytes, list[Any]]:
    """The mask, and the readings with 0 in its places."""
    missing = np.array([reading is None for reading in readings]).reshape(-1, rows)
    return pack_mask(missing), [0.0 if reading is None else reading for reading in readings]


def _pack(readings: list[Any]) -> bytes:
    try:
        return struct.pack(f"<{len(readings)}f", *readings)
    except (OverflowError, struct.error):  # the latter for integers beyond a double
        raise FrameError(Reason.NUMBER_OUT_OF_RANGE, "a value is beyond what a float32 holds") from None


def _invalid(detail: str) -> FrameError:
    return FrameError(Reason.SCHEMA_INVALID, detail)


def encode_json(frame: Frame) -> bytes:
    """The frame as a JSON object: scalars for one instant, else arrays. Raises `FrameError`."""
    check(frame)
    said: dict[str, Any] = {"schema": SCHEMA, "asset": frame.asset, "boot": frame.boot_id, "seq": frame.seq}
    if frame.tenant is not None:
        said["tenant"] = frame.tenant
    said |= _say_instants(frame.ts_us.tolist())
    said["values"] = _say_values(frame)
    units = {c: unit for c, unit in zip(frame.channels, frame.units, strict=True) if unit}
    if units:
        said["units"] = units
    return json.dumps(said, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _say_instants(ts_us: list[int]) -> dict[str, Any]:
    """Integers, as exact as the binary encoding; so is a step in seconds if it comes back as it was."""
    if len(ts_us) == 1:
        return {"ts": ts_us[0]}
    steps = {later - earlier for earlier, later in pairwise(ts_us)}
    seconds = min(steps) / 1e6
    if len(steps) == 1 and round(seconds * 1e6) in steps:
        return {"ts": ts_us[0], "step": seconds}
    return {"times": ts_us}


def _say_values(frame: Frame) -> dict[str, Any]:
    """Each float32 as the double that it is: exact, if long."""
    values = frame.values.astype(object)
    if frame.missing is not None:
        values[frame.missing] = None
    columns = values.tolist()
    if len(frame.ts_us) == 1:
        columns = [reading for (reading,) in columns]
    return dict(zip(frame.channels, columns, strict=True))
