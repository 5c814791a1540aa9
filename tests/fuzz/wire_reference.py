"""A decoder of binary frames written from docs/wire-format.md alone, to check the real one against."""

import math
import struct
import zlib
from itertools import pairwise
from typing import Any


class Unusable(Exception):
    """Carries the reason."""


def need(holds: bool, reason: str = "schema_invalid") -> None:
    if not holds:
        raise Unusable(reason)


def decode(data: bytes) -> dict[str, Any]:
    """What the frame says, in the words of docs/wire-vectors.json; masked values are None."""
    need(data[:4] == b"FLT1"[: len(data)], "bad_magic_or_crc")
    need(len(data) >= 16, "truncated")
    total = struct.unpack_from("<I", data, 8)[0]
    need(len(data) >= total, "truncated")
    need(struct.unpack("<I", data[-4:])[0] == zlib.crc32(data[:-4]), "bad_magic_or_crc")
    need(data[4] == 1, "unsupported_schema")
    need(len(data) == total)
    need(len(data) >= 54)
    flags, header = data[5], struct.unpack_from("<H", data, 6)[0]
    rows, boot, seq, first, step, channels = struct.unpack_from("<IQQqqH", data, 12)
    need(flags < 4)
    need(rows >= 1)
    need(channels >= 1)
    need(header % 8 == 0)
    explicit, masked = flags & 1, flags >> 1
    width = -(-rows // 8)
    need(header + explicit * 8 * rows + 4 * rows * channels + masked * width * channels + 4 == total)

    texts = []
    at = 50
    for _ in range(2 + 2 * channels):
        need(at < header)
        end = at + 1 + data[at]
        need(end <= header)
        texts.append(data[at + 1 : end])
        at = end
    for text in texts:
        need(is_utf8(text) and 0 not in text, "bad_utf8_or_nul")
    asset, tenant, *pairs = [text.decode() for text in texts]
    names, units = pairs[::2], pairs[1::2]
    need(asset != "" and "" not in names and len(set(names)) == channels)

    at = header
    ts = [first + step * row for row in range(rows)]
    if explicit:
        ts = list(struct.unpack_from(f"<{rows}q", data, at))
        need(ts[0] == first)
        at += 8 * rows
    need(all(a < b for a, b in pairwise(ts)))
    need(ts[0] >= 0 and ts[-1] < 4102444800000000, "ts_out_of_range")

    values: list[list[float | None]] = []
    for channel in range(channels):
        column = struct.unpack_from(f"<{rows}f", data, at + 4 * rows * channel)
        mask = data[at + 4 * rows * channels + width * channel :]
        absent = [bool(masked and mask[row // 8] >> row % 8 & 1) for row in range(rows)]
        values.append([None if gone else value for gone, value in zip(absent, column, strict=True)])
    need(all(value is None or math.isfinite(value) for column in values for value in column), "nan_or_inf")
    return {
        "asset": asset,
        "tenant": tenant or None,
        "boot": boot,
        "seq": seq,
        "ts_us": ts,
        "channels": names,
        "units": units,
        "values": values,
    }


def is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
