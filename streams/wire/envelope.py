"""From a Kafka record to its frame: size, compression, and which encoding it is in."""

import zlib
from collections.abc import Callable, Iterable

from fleet.dead_letter import Reason
from streams.wire.binary import read_binary
from streams.wire.bodies import Packed
from streams.wire.frame import FrameError, brief
from streams.wire.limits import Limits
from streams.wire.text import read_json

READERS = {b"application/vnd.faultline.frame": read_binary, b"application/json": read_json}
"""By content type."""

MAX_RATIO = 100
"""Of decompressed to compressed size."""


def read_value(value: bytes, headers: Iterable[tuple[str, bytes]], limits: Limits) -> Packed:
    """The frame in a record's value. Raises `FrameError`."""
    if len(value) > limits.max_bytes:
        raise FrameError(Reason.OVERSIZE, f"{len(value)} bytes, {limits.max_bytes} is the most")
    known = dict(headers)
    if encoding := known.get("content-encoding"):
        value = _decompress(value, encoding, limits.max_bytes)
    packed = _reader(value, known.get("content-type"))(value)
    if packed.rows > limits.max_rows:
        raise FrameError(Reason.OVERSIZE, f"{packed.rows} rows, {limits.max_rows} is the most")
    return packed


def _decompress(value: bytes, encoding: bytes, max_bytes: int) -> bytes:
    """Stops at the cap, so that a small record cannot fill the memory."""
    if encoding != b"gzip":
        raise FrameError(Reason.UNSUPPORTED_SCHEMA, f"content-encoding {brief(encoding)}; gzip is known")
    cap = min(max_bytes, MAX_RATIO * len(value))
    stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        plain = stream.decompress(value, cap + 1)
    except zlib.error as error:
        raise FrameError(Reason.BAD_MAGIC_OR_CRC, f"not gzip: {error}") from None
    if len(plain) > cap:
        raise FrameError(Reason.OVERSIZE, f"more than {cap} bytes when decompressed")
    if not stream.eof:
        raise FrameError(Reason.TRUNCATED, "the gzip stream does not end")
    if stream.unused_data:
        raise FrameError(Reason.BAD_MAGIC_OR_CRC, "bytes after the end of the gzip stream")
    return plain


def _reader(value: bytes, content_type: bytes | None) -> Callable[[bytes], Packed]:
    """By the header; without one by the first byte."""
    if not content_type:
        return read_json if value.startswith(b"{") else read_binary
    reader = READERS.get(content_type) or READERS.get(content_type.split(b";")[0].strip().lower())
    if reader is None:
        raise FrameError(Reason.UNSUPPORTED_SCHEMA, f"content-type {brief(content_type)} is not a frame's")
    return reader
