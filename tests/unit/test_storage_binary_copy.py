"""The binary formats, read back by a reader that shares nothing with the writer but the documentation."""

import struct
from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from storage.binary_copy import copy_rows, pg_array, timestamptz_array

Fields = list[bytes | None]


def read_copy(stream: bytes) -> list[Fields]:
    """Fields of a COPY BINARY stream, None for NULL (PostgreSQL documentation, COPY, "Binary Format")."""
    assert stream[:11] == b"PGCOPY\n\xff\r\n\0"
    flags, extension = struct.unpack_from(">ii", stream, 11)
    assert (flags, extension) == (0, 0)
    rows, at = [], 19
    while (count := struct.unpack_from(">h", stream, at)[0]) != -1:
        fields, at = read_fields(stream, at + 2, count)
        rows.append(fields)
    assert at + 2 == len(stream)
    return rows


def read_fields(stream: bytes, at: int, count: int) -> tuple[Fields, int]:
    fields: Fields = []
    for _ in range(count):
        (length,) = struct.unpack_from(">i", stream, at)
        at += 4
        fields.append(None if length == -1 else stream[at : at + length])
        at += max(length, 0)
    return fields, at


def expected(column: NDArray[Any]) -> Iterator[bytes | None]:
    code = {"i4": ">i", "i8": ">q", "f4": ">f", "f8": ">d"}[column.dtype.str[1:]]
    for value in column.tolist():
        yield None if value != value else struct.pack(code, value)


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "i4": st.integers(-(2**31), 2**31 - 1),
    "i8": st.integers(-(2**63), 2**63 - 1),
    "f4": st.floats(width=32),
    "f8": st.floats(),
}


@st.composite
def columns(draw: st.DrawFn) -> list[NDArray[Any]]:
    n = draw(st.integers(0, 6))
    kinds = draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=5))
    return [np.array(draw(st.lists(VALUES[kind], min_size=n, max_size=n)), kind) for kind in kinds]


@given(columns())
def test_every_value_comes_out_as_it_went_in_and_nan_as_null(made: list[NDArray[Any]]) -> None:
    assert read_copy(copy_rows(made)) == [list(row) for row in zip(*map(expected, made), strict=True)]


@given(columns(), st.randoms(use_true_random=False))
def test_what_is_masked_is_null(made: list[NDArray[Any]], random: Random) -> None:
    masks = [[random.random() < 0.5 for _ in column] for column in made]
    masked = [np.ma.array(column, mask=mask) for column, mask in zip(made, masks, strict=True)]
    wanted = [
        [None if hidden else value for value, hidden in zip(expected(column), mask, strict=True)]
        for column, mask in zip(made, masks, strict=True)
    ]
    assert read_copy(copy_rows(masked)) == [list(row) for row in zip(*wanted, strict=True)]


@given(columns())
def test_arrays_carry_the_same_values(made: list[NDArray[Any]]) -> None:
    for column in made:
        data = pg_array(column).data
        wanted = list(expected(column))
        element = {"i4": 23, "i8": 20, "f4": 700, "f8": 701}[column.dtype.str[1:]]
        if not wanted:
            assert struct.unpack(">iii", data) == (0, 0, element)
            continue
        assert struct.unpack_from(">iiiii", data) == (1, None in wanted, element, len(wanted), 1)
        assert read_fields(data, 20, len(wanted)) == (wanted, len(data))


def test_timestamps_count_microseconds_from_the_year_2000() -> None:
    data = timestamptz_array(np.array([946_684_800_000_000, 0], np.int64)).data
    assert struct.unpack_from(">iiiii", data) == (1, 0, 1184, 2, 1)
    assert read_fields(data, 20, 2)[0] == [struct.pack(">q", 0), struct.pack(">q", -946_684_800_000_000)]


def test_the_callers_arrays_stay_as_they_are() -> None:
    column = np.array([1.5, np.nan], np.float32)
    copy_rows([column])
    assert column[0] == 1.5
    assert np.isnan(column[1])
