"""Loops over the bytes of a whole chunk, compiled.

`words`, `singles` and `octets` are one buffer of frames' bodies seen as int64, float32 and uint8; `table`
has a row for each frame with the columns named below.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., object])

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Float32s = NDArray[np.float32]
Octets = NDArray[np.uint8]

START, ROWS, CHANNELS, FIRST_US, STEP_US, EXPLICIT, MASKED = range(7)
"""Columns of `table`; START is the body's first byte in the buffer, a multiple of 8."""

GOOD, NOT_INCREASING, NOT_FINITE = range(3)
"""What `judge` finds."""

NAN, ZERO = np.float32(np.nan), np.float32(0)


def kernel(function: F) -> F:
    """Compile to machine code that runs without the interpreter lock, keeping the function's type."""
    return cast("F", numba.njit(cache=True, nogil=True)(function))


@kernel
def judge(words: Int64s, singles: Float32s, octets: Octets, table: Int64s, found: Octets) -> None:
    """Write into `found`, for each frame, the first thing that is wrong with its instants and values."""
    for i in range(len(table)):
        start, rows, count = table[i, START], table[i, ROWS], table[i, CHANNELS] * table[i, ROWS]
        at = start // 4
        if table[i, EXPLICIT]:
            at += 2 * rows
            if not _increasing(words[start // 8 : start // 8 + rows], table[i, FIRST_US]):
                found[i] = NOT_INCREASING
                continue
        values = singles[at : at + count]
        if not _finite(values):
            mask = octets[4 * (at + count) :]
            if not table[i, MASKED] or not _finite_beside(values, mask, rows):
                found[i] = NOT_FINITE


@kernel
def _increasing(instants: Int64s, first: int) -> bool:
    wrong = instants[0] != first
    for r in range(1, len(instants)):
        wrong |= instants[r] <= instants[r - 1]
    return not wrong


@kernel
def _finite(values: Float32s) -> bool:
    wrong = 0
    for value in values:  # no early exit, so that it compiles to vector instructions
        wrong += not abs(value) < np.inf
    return wrong == 0


@kernel
def _finite_beside(values: Float32s, mask: Octets, rows: int) -> bool:
    """Whether all values that the mask does not cover are finite."""
    width = (rows + 7) // 8
    for i in range(len(values)):
        channel, row = divmod(i, rows)
        if not abs(values[i]) < np.inf and not _covers(mask[channel * width :], row):
            return False
    return True


@kernel
def _covers(mask: Octets, row: int) -> bool:
    return bool((mask[row >> 3] >> (row & 7)) & 1)


@kernel
def scatter(
    words: Int64s,
    singles: Float32s,
    octets: Octets,
    table: Int64s,
    sources: Int32s,
    source: Int32s,
    ts_us: Int64s,
    values: Float32s,
) -> None:
    """Spread frames of one equipment type, one after the other, over the rows of their block.

    sources: (k, at least columns), a frame's channel that goes to a column, -1 for none; source: (frames,),
    the row of it that is a frame's. ts_us: (n,) and values: (n, columns) are filled, with NaN where there is
    no value.
    """
    row = 0
    for i in range(len(table)):
        start, rows, channels = table[i, START], table[i, ROWS], table[i, CHANNELS]
        masked = table[i, MASKED]
        at = start // 4
        if table[i, EXPLICIT]:
            at += 2 * rows
            ts_us[row : row + rows] = words[start // 8 : start // 8 + rows]
        else:
            for r in range(rows):
                ts_us[row + r] = table[i, FIRST_US] + table[i, STEP_US] * r
        mask, width = 4 * (at + channels * rows), (rows + 7) // 8
        for column in range(values.shape[1]):
            channel = sources[source[i], column]
            for r in range(rows):
                if channel < 0 or (masked and _covers(octets[mask + channel * width :], r)):
                    values[row + r, column] = NAN
                else:
                    values[row + r, column] = singles[at + channel * rows + r]
        row += rows


@kernel
def write_down(ts_us: Int64s, values: Float32s, rows: Int32s) -> tuple[Int64s, Int64s]:
    """What the frames of a block say, in one form for all encodings, and the bytes (frames, 2) of each.

    ts_us: (n,), values: (n, columns), rows: (frames,). A frame's form is its number of rows and its
    instants as int64, then for each column that has a value the column's number as int32 and its float32
    values, NaN where missing. So it stays the same when the equipment type gets more columns.
    """
    columns = values.shape[1]
    said = np.empty((columns // 2 + 2) * (len(rows) + len(ts_us)), np.int64)
    marks, numbers = said.view(np.int32), said.view(np.float32)
    bounds = np.empty((len(rows), 2), np.int64)
    first = word = 0
    for i in range(len(rows)):
        last = first + rows[i]
        said[word] = rows[i]
        said[word + 1 : word + 1 + rows[i]] = ts_us[first:last]
        half = 2 * (word + 1 + rows[i])
        for column in range(columns):
            present = False
            for r in range(first, last):
                numbers[half + 1 + r - first] = values[r, column] + ZERO  # -0 says what 0 says
                present |= not np.isnan(values[r, column])
            if present:
                marks[half] = column
                half += 1 + rows[i]
        bounds[i, 0], bounds[i, 1] = 8 * word, 4 * half
        word = (half + 1) // 2
        first = last
    return said, bounds


@kernel
def deepest(octets: Octets) -> int:
    """How deep arrays and objects are nested in JSON text, or in text that is not quite JSON."""
    deep = depth = 0
    quoted = escaped = False
    for octet in octets:
        if escaped:
            escaped = False
        elif quoted and octet == 0x5C:  # backslash
            escaped = True
        elif octet == 0x22:  # quotation mark
            quoted = not quoted
        elif not quoted and octet in (0x5B, 0x7B):  # [ {
            depth += 1
            deep = max(deep, depth)
        elif not quoted and octet in (0x5D, 0x7D):  # ] }
            depth -= 1
    return deep
