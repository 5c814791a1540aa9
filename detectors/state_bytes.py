"""State as bytes: named arrays with a header, no code inside, equal bytes for equal arrays."""

import io
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.contract import StateError

Arrays = Mapping[str, NDArray[Any]]

DAMAGE = (ValueError, KeyError, EOFError, OSError, zlib.error, zipfile.BadZipFile, NotImplementedError)


def pack(kind: str, arrays: Arrays) -> bytes:
    """Write arrays under `kind`: who wrote them, which version, which shape of problem."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, kind=np.array(kind), **arrays)
    return buffer.getvalue()


def unpack(kind: str, state: bytes, like: Arrays) -> dict[str, NDArray[Any]]:
    """Read what `pack` wrote; raises `StateError`.

    `like` holds for each expected array one of the same dtype and shape, but for the length of the first
    axis, along which state grows.
    """
    try:
        with np.load(io.BytesIO(state), allow_pickle=False) as saved:
            found = {name: saved[name] for name in saved.files}
    except DAMAGE as error:
        raise StateError(f"state of {kind} is damaged; start without it: {error}") from error
    written_by = str(found.pop("kind", "nobody"))
    if written_by != kind:
        raise StateError(f"state was written by {written_by!r} and cannot be used by {kind!r}")
    if found.keys() != like.keys() or any(not _fits(found[name], like[name]) for name in like):
        raise StateError(f"state of {kind} has other arrays than expected; start without it")
    return found


def peek(state: bytes, name: str) -> int:
    """The first number of one of the arrays that `pack` wrote; raises `StateError`."""
    try:
        with np.load(io.BytesIO(state), allow_pickle=False) as saved:
            return int(saved[name][0])
    except (*DAMAGE, IndexError) as error:
        raise StateError(f"state is damaged; start without it: {error}") from error


def _fits(found: NDArray[Any], like: NDArray[Any]) -> bool:
    return found.dtype == like.dtype and found.ndim == like.ndim and found.shape[1:] == like.shape[1:]
