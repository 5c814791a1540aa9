"""Models as bytes: named arrays under their forecaster's name, no code inside; equal for equal arrays."""

import io
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.contract import ModelError

Arrays = Mapping[str, NDArray[Any]]

DAMAGE = (ValueError, KeyError, EOFError, OSError, zlib.error, zipfile.BadZipFile, NotImplementedError)


def pack(kind: str, arrays: Arrays) -> bytes:
    """Write arrays under `kind`: the forecaster's name and version."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, kind=np.array(kind), **arrays)
    return buffer.getvalue()


def unpack(kind: str, state: bytes, like: Arrays) -> dict[str, NDArray[Any]]:
    """Read what `pack` wrote; raises `ModelError`.

    `like` holds for each expected array one of the same dtype and number of axes.
    """
    try:
        with np.load(io.BytesIO(state), allow_pickle=False) as saved:
            found = {name: saved[name] for name in saved.files}
    except DAMAGE as error:
        raise ModelError(f"the saved model of {kind} is damaged; fit it again: {error}") from error
    written_by = str(found.pop("kind", "nobody"))
    if written_by != kind:
        raise ModelError(
            f"the model was saved by {written_by!r} and cannot be used by {kind!r}; fit it again"
        )
    if found.keys() != like.keys() or any(not _fits(found[name], like[name]) for name in like):
        raise ModelError(f"the saved model of {kind} has other arrays than expected; fit it again")
    return found


def _fits(found: NDArray[Any], like: NDArray[Any]) -> bool:
    return found.dtype == like.dtype and found.ndim == like.ndim
