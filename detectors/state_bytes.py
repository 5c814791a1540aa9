"""State as bytes: named arrays behind a header, no code inside, equal bytes for equal arrays.

A worker's state is large and saved often: NumPy's own archive copies it several times, this each array once.
Layout: `FLS1`, CRC-32 of the rest and length of the header (unsigned 32 bit, little-endian), header in JSON,
arrays one after the other.
"""

import json
import math
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.lib.format import descr_to_dtype, dtype_to_descr
from numpy.typing import NDArray

from detectors.contract import StateError

Arrays = Mapping[str, NDArray[Any]]

MAGIC = b"FLS1"
_START = struct.Struct("<4sII")
SUMMED = 8
"""Where what the checksum covers begins."""
DAMAGE = (ValueError, KeyError, TypeError, AttributeError, struct.error, OverflowError, RecursionError)


def pack(kind: str, arrays: Arrays) -> bytes:
    """Write arrays under `kind`: who wrote them, which version, which shape of problem."""
    plain = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    described = {name: [dtype_to_descr(array.dtype), array.shape] for name, array in plain.items()}
    header = json.dumps({"kind": kind, "arrays": described}).encode()
    parts: list[bytes | memoryview] = [struct.pack("<I", len(header)), header]
    parts += [array.data for array in plain.values()]
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    return b"".join([MAGIC, struct.pack("<I", crc), *parts])


def unpack(kind: str, state: bytes, like: Arrays) -> dict[str, NDArray[Any]]:
    """Read what `pack` wrote; raises `StateError`.

    `like` holds for each expected array one of the same dtype and shape, but for the length of the first
    axis, along which state grows.
    """
    try:
        written_by, found = _read(state)
    except DAMAGE as error:
        raise StateError(f"state of {kind} is damaged; start without it: {error}") from error
    if written_by != kind:
        raise StateError(f"state was written by {written_by!r} and cannot be used by {kind!r}")
    if found.keys() != like.keys() or any(not _fits(found[name], like[name]) for name in like):
        raise StateError(f"state of {kind} has other arrays than expected; start without it")
    return {name: array.copy() for name, array in found.items()}


def names(state: bytes) -> set[str]:
    """Which arrays `pack` wrote; raises `StateError`."""
    try:
        return set(_read(state)[1])
    except DAMAGE as error:
        raise StateError(f"state is damaged; start without it: {error}") from error


def peek(state: bytes, name: str) -> int:
    """The first number of one of the arrays that `pack` wrote; raises `StateError`."""
    try:
        return int(_read(state)[1][name][0])
    except (*DAMAGE, IndexError) as error:
        raise StateError(f"state is damaged; start without it: {error}") from error


def _read(state: bytes) -> tuple[str, dict[str, NDArray[Any]]]:
    """Who wrote it, and the arrays as views of the bytes."""
    magic, crc, size = _START.unpack_from(state)
    if magic != MAGIC or crc != zlib.crc32(memoryview(state)[SUMMED:]):
        raise ValueError("its bytes are not those that were written")
    at = _START.size + size
    header = json.loads(state[at - size : at])
    arrays = {}
    for name, (code, shape) in header["arrays"].items():
        fields = [tuple(field) for field in code] if isinstance(code, list) else code
        dtype = descr_to_dtype(fields)
        arrays[name] = np.frombuffer(state, dtype, math.prod(shape), at).reshape(shape)
        at += arrays[name].nbytes
    if at != len(state):
        raise ValueError(f"it is {len(state)} bytes and should be {at}")
    return str(header["kind"]), arrays


def _fits(found: NDArray[Any], like: NDArray[Any]) -> bool:
    return found.dtype == like.dtype and found.ndim == like.ndim and found.shape[1:] == like.shape[1:]
