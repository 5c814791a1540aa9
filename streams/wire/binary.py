"""The binary encoding: a fixed header, the layout, then the columns. docs/wire-format.md is its contract."""

import struct
import zlib
from itertools import chain

import numpy as np

from fleet.dead_letter import Reason
from streams.wire.bodies import Packed, pack_mask, unpack
from streams.wire.frame import Frame, FrameError, check, check_name, check_span
from streams.wire.layout import pack_texts, parse_layout, parse_text

MAGIC = b"FLT1"
SCHEMA = 1
EXPLICIT, MASKED = 1, 2
"""Flags."""

HEADER = struct.Struct("<4sBBHIIQQqqH")
"""Magic, schema, flags, header and total length, rows, boot id, sequence, first instant, step, channels."""

ENVELOPE = 16
"""The fewest bytes that every schema version has: magic to total length, and the CRC."""

_U32 = struct.Struct("<I")
_I64 = struct.Struct("<q")


def decode_binary(data: bytes) -> Frame:
    """Read a frame; raises `FrameError` for any bytes that are not one."""
    return unpack(read_binary(data))


def read_binary(data: bytes) -> Packed:
    """Check the header and the lengths; the numbers themselves are not looked at yet. Raises `FrameError`."""
    _check_envelope(data)
    if len(data) <= HEADER.size:
        raise _invalid("it is shorter than a header")
    _, _, flags, header, total, rows, boot_id, seq, first, step, channels = HEADER.unpack_from(data)
    if flags & ~(EXPLICIT | MASKED):
        raise _invalid(f"unknown flags {flags:#04x}")
    explicit, masked = bool(flags & EXPLICIT), bool(flags & MASKED)
    body = 8 * rows * explicit + 4 * channels * rows + channels * ((rows + 7) // 8) * masked
    if not rows or total != len(data) or header % 8 or header + body + _U32.size != total:
        raise _invalid(f"{rows} rows, {channels} channels, header {header}: not a frame of {len(data)} bytes")
    asset, end = parse_text(data[:header], HEADER.size)
    check_name(asset)
    layout = parse_layout(channels, data[end:header])
    if explicit:
        (last,) = _I64.unpack_from(data, header + 8 * (rows - 1))
    else:
        last = _last_us(first, step, rows)
    check_span(first, max(first, last))
    return Packed(asset, layout, boot_id, seq, rows, first, last, step, explicit, masked, data, header)


def _last_us(first: int, step: int, rows: int) -> int:
    if rows > 1 and step < 1:
        raise _invalid(f"a step of {step} µs; it is at least 1")
    return first + step * (rows - 1)


def _check_envelope(data: bytes) -> None:
    """What holds in every schema version: magic, total length, CRC, version."""
    if not MAGIC.startswith(data[:4]):
        raise FrameError(Reason.BAD_MAGIC_OR_CRC, "it does not begin with FLT1")
    if len(data) < ENVELOPE:
        raise FrameError(Reason.TRUNCATED, f"{len(data)} bytes are too few for a frame")
    (total,) = _U32.unpack_from(data, 8)
    if total > len(data):
        raise FrameError(Reason.TRUNCATED, f"{len(data)} of {total} bytes are there")
    (crc,) = _U32.unpack_from(data, len(data) - 4)
    if crc != zlib.crc32(memoryview(data)[:-4]):
        raise FrameError(Reason.BAD_MAGIC_OR_CRC, "the CRC does not match")
    if data[4] != SCHEMA:
        raise FrameError(Reason.UNSUPPORTED_SCHEMA, f"schema {data[4]}; this reader knows {SCHEMA}")


def _invalid(detail: str) -> FrameError:
    return FrameError(Reason.SCHEMA_INVALID, detail)


def encode_binary(frame: Frame) -> bytes:
    """The frame's bytes; evenly spaced instants are sent as first and step. Raises `FrameError`."""
    check(frame)
    step = _even_step(frame)
    missing = frame.missing if frame.missing is not None and frame.missing.any() else None
    flags = EXPLICIT * (step is None) | MASKED * (missing is not None)
    layout = _layout(frame)
    header = HEADER.size + len(layout)
    body = b"" if step is not None else frame.ts_us.astype("<i8").tobytes()
    body += (frame.values if missing is None else np.where(missing, 0, frame.values)).astype("<f4").tobytes()
    body += b"" if missing is None else pack_mask(missing)
    total = header + len(body) + _U32.size
    head = (MAGIC, SCHEMA, flags, header, total, len(frame.ts_us), frame.boot_id, frame.seq)
    data = HEADER.pack(*head, int(frame.ts_us[0]), step or 0, len(frame.channels)) + layout + body
    return data + _U32.pack(zlib.crc32(data))


def _layout(frame: Frame) -> bytes:
    """Names and units, padded so that the body begins at a multiple of 8."""
    pairs = zip(frame.channels, frame.units, strict=True)
    layout = pack_texts((frame.asset, frame.tenant or "", *chain.from_iterable(pairs)))
    layout += bytes(-(HEADER.size + len(layout)) % 8)
    if HEADER.size + len(layout) > 0xFFFF:
        raise _invalid("the names and units do not fit into a header of 65528 bytes; send fewer channels")
    return layout


def _even_step(frame: Frame) -> int | None:
    """Microseconds between instants if always the same, 0 for one instant, None if they differ."""
    steps = np.diff(frame.ts_us)
    if not len(steps):
        return 0
    return int(steps[0]) if (steps == steps[0]).all() else None
