"""PostgreSQL's binary formats from NumPy columns, without Python per row.

Rows of fixed width are laid out as one structured array. A null has length -1 and no bytes, so where
something is missing the bytes of its value are masked out of the array's byte image.
Format: PostgreSQL documentation, "COPY", section "Binary Format"; arrays as in `array_recv`.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.adapt import Dumper
from psycopg.pq import Format

POSTGRES_EPOCH_US = 946_684_800_000_000
"""2000-01-01 UTC in microseconds since 1970: where PostgreSQL's timestamps count from."""

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_TIMESTAMPTZ = 1184
_ELEMENT = {"<i4": 23, "<i8": 20, "<f4": 700, "<f8": 701}


def timestamps(us: NDArray[np.int64]) -> NDArray[np.int64]:
    """Microseconds since 1970 UTC as a `timestamptz` column."""
    return us - POSTGRES_EPOCH_US


def copy_rows(columns: Sequence[NDArray[Any]]) -> bytes:
    """The columns, (n,) each, of int32, int64, float32 or float64, as a whole COPY BINARY stream.

    NaN becomes NULL, and so does what is masked.
    """
    return _HEADER + _pack(columns, len(columns)) + _TRAILER


def _pack(columns: Sequence[NDArray[Any]], fields: int | None) -> bytes:
    """Length and value of each field, row after row; each row led by the number of fields if given."""
    layout: list[tuple[str, str]] = [] if fields is None else [("fields", ">i2")]
    for k, column in enumerate(columns):
        layout += [(f"length{k}", ">i4"), (f"value{k}", column.dtype.newbyteorder(">").str)]
    rows = np.empty(len(columns[0]), layout)
    if fields is not None:
        rows["fields"] = fields
    for k, column in enumerate(columns):
        rows[f"length{k}"] = column.dtype.itemsize
        rows[f"value{k}"] = column
    missing = {k: where for k, column in enumerate(columns) if (where := _missing(column)).any()}
    return _without(rows, missing) if missing else rows.tobytes()


def _missing(column: NDArray[Any]) -> NDArray[np.bool_]:
    masked = np.ma.getmaskarray(column)
    return masked | np.isnan(np.asarray(column)) if column.dtype.kind == "f" else masked


def _without(rows: NDArray[np.void], missing: dict[int, NDArray[np.bool_]]) -> bytes:
    """The rows' bytes with the missing values' bytes cut out."""
    size = rows.dtype.itemsize
    keep = np.ones((len(rows), size), bool)
    for k, where in missing.items():
        rows[f"length{k}"][where] = -1
        value, start = rows.dtype.fields[f"value{k}"][:2]  # type: ignore[index]
        keep[:, start : start + value.itemsize] = ~where[:, None]
    return rows.view(np.uint8).reshape(-1, size)[keep].tobytes()


@dataclass(frozen=True, slots=True)
class PgArray:
    """A one-dimensional array parameter in binary form: bind it with `%b` and cast it to its type."""

    data: bytes


def pg_array(values: NDArray[Any]) -> PgArray:
    """The values, (n,) int32, int64, float32 or float64, as an array of its type; NaN is NULL."""
    return _array(values, _ELEMENT[values.dtype.newbyteorder("<").str])


def timestamptz_array(us: NDArray[np.int64]) -> PgArray:
    """Microseconds since 1970 UTC, (n,), as timestamptz[]."""
    return _array(timestamps(us), _TIMESTAMPTZ)


def _array(values: NDArray[Any], element: int) -> PgArray:
    if not len(values):
        return PgArray(struct.pack(">iii", 0, 0, element))
    has_null = values.dtype.kind == "f" and bool(np.isnan(values).any())
    header = struct.pack(">iiiii", 1, has_null, element, len(values), 1)
    return PgArray(header + _pack([values], None))


class _PgArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: PgArray) -> bytes:
        return obj.data


psycopg.adapters.register_dumper(PgArray, _PgArrayDumper)
