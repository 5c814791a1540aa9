"""Plain JSON messages of one instant, read by compiled code.

All of it stands in one file, as what is compiled is only compiled anew when its own file changes. A function
that reads a token starts at a byte and says where the token ends; -1 where it is not plain, which is no
judgement: the careful reader decides.
"""

import numpy as np
from numpy.typing import NDArray

from fleet.asset import MAX_CHANNELS
from streams.wire.frame import LATEST_US
from streams.wire.kernels import Float32s, Int64s, Octets, kernel

TS, SEQ, BOOT, FIRST, CHANNELS, LAYOUT_AT, LAYOUT_END = range(7)
ASSET_AT, ASSET_END, TENANT_AT, TENANT_END, VALUES_AT, UNITS_AT, UNITS_END, COLUMNS = range(7, 15)
"""Columns of what `parse` finds of each message: its numbers, its first value in `singles` and how many there
are (-1: not plain), its place in `layouts`, and places in the data."""

IS_ASSET, IS_TENANT, IS_TS, IS_SEQ, IS_BOOT, IS_SCHEMA, IS_VALUES, IS_UNITS = (1 << k for k in range(8))
"""A bit for each key that the plain form has."""

POWERS = np.array([float(f"1e{k}") for k in range(23)], np.float64)
"""Those that a double holds exactly."""

MOST_DIGITS, EXACT_DIGITS = 18, 15
"""A mantissa of up to `EXACT_DIGITS` is exact in a double, so one multiplication by an exact power rounds
right (Clinger 1990). One of up to `MOST_DIGITS` is exact in an int64, the product off by `OFF` at most."""

OFF = 2.0**-51
"""Relative. Where everything as near as that is one float32, it is the float32 of the right double too."""

LARGEST = 3e38
"""Values beyond it may not fit a float32."""

DAYS_BEFORE = np.array([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334], np.int64)
"""Days of a common year before each month."""


@kernel
def parse(
    data: Octets,
    ends: Int64s,
    keys: Octets,
    key_ends: Int64s,
    powers: NDArray[np.float64],
    days_before: Int64s,
    found: Int64s,
    singles: Float32s,
    layouts: Octets,
) -> None:
    """Fill a row of `found` for each message in plain form whose asset is its record's key.

    Values go to `singles`, each message's from an even place on, NaN for null. What says tenant, channels and
    units goes to `layouts`, once for messages that follow one another and say the same.
    """
    first = start = key_at = last_at = last_end = 0
    for i in range(len(ends)):
        row, end, key_end = found[i], ends[i], key_ends[i]
        row[SEQ] = row[CHANNELS] = -1
        row[BOOT] = row[TENANT_AT] = row[TENANT_END] = row[UNITS_AT] = row[UNITS_END] = 0
        row[FIRST], row[LAYOUT_AT] = first, last_end
        if _members(data, start, end, days_before, row) and _same(
            data, row[ASSET_AT], row[ASSET_END], keys, key_at, key_end
        ):
            row[CHANNELS] = _values(data, end, powers, row, singles, layouts)
        if row[CHANNELS] > 0:
            first += row[CHANNELS] + row[CHANNELS] % 2
            row[SEQ] = row[TS] if row[SEQ] < 0 else row[SEQ]
            if _same(layouts, row[LAYOUT_AT], row[LAYOUT_END], layouts, last_at, last_end):
                row[LAYOUT_AT], row[LAYOUT_END] = last_at, last_end
            last_at, last_end = row[LAYOUT_AT], row[LAYOUT_END]
        start, key_at = end, key_end


@kernel
def _same(one: Octets, at: int, end: int, other: Octets, other_at: int, other_end: int) -> bool:
    size, k = end - at, 0
    if other_end - other_at != size:
        return False
    while k < size and one[at + k] == other[other_at + k]:
        k += 1
    return bool(k == size)


@kernel
def _members(data: Octets, at: int, end: int, days_before: Int64s, row: Int64s) -> bool:
    """Read the message but for its values and units; whether it is plain so far."""
    if at == end or data[at] != 0x7B:
        return False
    seen = 0
    while True:  # at a brace or a comma
        key_at, at = _text(data, _skip(data, at + 1, end), end)
        key = _key(data, key_at, at - 1) if at >= 0 else 0
        if key == 0 or seen & key:
            return False
        seen |= key
        at = _colon(data, at, end)
        at = _member(data, at, end, key, days_before, row) if at >= 0 else -1
        at = _skip(data, at, end) if at >= 0 else end
        if at >= end or (data[at] != 0x2C and data[at] != 0x7D):
            return False
        if data[at] == 0x7D:
            break
    needed = IS_ASSET | IS_TS | IS_VALUES
    return bool(_skip(data, at + 1, end) == end and seen & needed == needed)


@kernel
def _member(data: Octets, at: int, end: int, key: int, days_before: Int64s, row: Int64s) -> int:
    """Read the value of a key; returns the byte after it, or -1."""
    if key == IS_VALUES:
        row[VALUES_AT] = at
        return _end_of_object(data, at, end)
    if key == IS_UNITS:
        row[UNITS_AT], row[UNITS_END] = at, _end_of_object(data, at, end)
        return int(row[UNITS_END])
    if key in (IS_ASSET, IS_TENANT):
        first = ASSET_AT if key == IS_ASSET else TENANT_AT
        row[first], at = _text(data, at, end)
        row[first + 1] = at - 1
        return at if 1 <= row[first + 1] - row[first] <= 255 else -1
    if key == IS_TS and data[at] == 0x22:
        text_at, at = _text(data, at, end)
        row[TS] = _rfc3339(data, text_at, at - 1, days_before) if at >= 0 else -1
    else:
        number, at = _whole(data, at, end)
        if key == IS_SCHEMA:
            return at if number == 1 else -1
        row[TS if key == IS_TS else SEQ if key == IS_SEQ else BOOT] = number
    return at if key != IS_TS or 0 <= row[TS] < LATEST_US else -1


@kernel
def _key(data: Octets, at: int, end: int) -> int:
    """Which key it is, 0 for another."""
    size, first = end - at, data[at]
    if size == 2 and first == 0x74 and data[at + 1] == 0x73:  # ts
        return IS_TS
    if size == 3 and first == 0x73 and data[at + 1] == 0x65 and data[at + 2] == 0x71:  # seq
        return IS_SEQ
    if size == 4 and first == 0x62 and data[at + 1] == data[at + 2] == 0x6F and data[at + 3] == 0x74:  # boot
        return IS_BOOT
    if size == 5 and _is(data, at, 0x61, 0x73, 0x73, 0x65, 0x74):  # asset
        return IS_ASSET
    if size == 5 and _is(data, at, 0x75, 0x6E, 0x69, 0x74, 0x73):  # units
        return IS_UNITS
    if size == 6:
        if _is(data, at, 0x74, 0x65, 0x6E, 0x61, 0x6E) and data[at + 5] == 0x74:  # tenant
            return IS_TENANT
        if _is(data, at, 0x76, 0x61, 0x6C, 0x75, 0x65) and data[at + 5] == 0x73:  # values
            return IS_VALUES
        if _is(data, at, 0x73, 0x63, 0x68, 0x65, 0x6D) and data[at + 5] == 0x61:  # schema
            return IS_SCHEMA
    return 0


@kernel
def _is(data: Octets, at: int, a: int, b: int, c: int, d: int, e: int) -> bool:
    first = data[at] == a and data[at + 1] == b and data[at + 2] == c
    return bool(first and data[at + 3] == d and data[at + 4] == e)


@kernel
def _end_of_object(data: Octets, at: int, end: int) -> int:
    """The byte after an object that holds no other; -1 if there is none."""
    if data[at] != 0x7B:
        return -1
    quoted = False
    for k in range(at + 1, end):
        if data[k] == 0x22:
            quoted = not quoted
        elif not quoted and data[k] == 0x7D:
            return k + 1
    return -1


@kernel
def _values(
    data: Octets,
    end: int,
    powers: NDArray[np.float64],
    row: Int64s,
    singles: Float32s,
    layouts: Octets,
) -> int:
    """Read the object of values, write down the layout; returns how many values, or -1 if it is not plain.

    The layout is the tenant, then NUL and name of each channel; two NUL and the object of units, if there is.
    """
    to, number = _copy(data, row[TENANT_AT], row[TENANT_END], layouts, row[LAYOUT_AT]), row[FIRST]
    first_name = to
    at = _skip(data, row[VALUES_AT] + 1, end)
    while True:
        if number - row[FIRST] == MAX_CHANNELS:  # no type has more, and names are compared with each other
            return -1
        name_at, at = _text(data, at, end)
        size = at - 1 - name_at
        if at < 0 or not 1 <= size <= 255 or _is_there(layouts, first_name, to, data, name_at, size):
            return -1
        layouts[to] = 0
        to = _copy(data, name_at, name_at + size, layouts, to + 1)
        at = _colon(data, at, end)
        if at < 0:
            return -1
        if data[at] == 0x6E:  # null
            if at + 4 > end or data[at + 1] != 0x75 or data[at + 2] != 0x6C or data[at + 3] != 0x6C:
                return -1
            singles[number], at = np.nan, at + 4
        else:
            value, at = _real(data, at, end, powers)
            if at < 0:
                return -1
            singles[number] = value
        number += 1
        at = _skip(data, at, end)
        if at >= end:
            return -1
        if data[at] == 0x7D:
            break
        if data[at] != 0x2C:
            return -1
        at = _skip(data, at + 1, end)
    if row[UNITS_END] > 0:
        layouts[to] = layouts[to + 1] = 0
        to = _copy(data, row[UNITS_AT], row[UNITS_END], layouts, to + 2)
    row[LAYOUT_END] = to
    return int(number - row[FIRST])


@kernel
def _copy(data: Octets, at: int, end: int, to: Octets, to_at: int) -> int:
    """Copy bytes; returns where they end."""
    for k in range(end - at):
        to[to_at + k] = data[at + k]
    return to_at + end - at


@kernel
def _is_there(names: Octets, at: int, end: int, data: Octets, name_at: int, size: int) -> bool:
    """Whether the name is among those between `at` and `end`, each after a NUL."""
    while at < end:
        stop = at + 1
        while stop < end and names[stop] != 0:
            stop += 1
        if _same(names, at + 1, stop, data, name_at, name_at + size):
            return True
        at = stop
    return False


@kernel
def _skip(data: Octets, at: int, end: int) -> int:
    """Past white space."""
    while at < end and (data[at] == 0x20 or data[at] == 0x0A or data[at] == 0x0D or data[at] == 0x09):
        at += 1
    return at


@kernel
def _text(data: Octets, at: int, end: int) -> tuple[int, int]:
    """Where a plain text begins, and the byte after its quotation mark; -1 if it is none."""
    if at >= end or data[at] != 0x22:
        return -1, -1
    start = at + 1
    for k in range(start, end):
        octet = data[k]
        if octet == 0x22:
            return start, k + 1
        if octet < 0x20 or octet > 0x7E or octet == 0x5C:
            return -1, -1
    return -1, -1


@kernel
def _colon(data: Octets, at: int, end: int) -> int:
    """The first byte of the value after a key; -1 if there is none."""
    at = _skip(data, at, end)
    if at >= end or data[at] != 0x3A:
        return -1
    at = _skip(data, at + 1, end)
    return at if at < end else -1


@kernel
def _whole(data: Octets, at: int, end: int) -> tuple[int, int]:
    """An integer from 0 to 18 digits and the byte after it; -1 if it is none."""
    number, start = 0, at
    while at < end and 0x30 <= data[at] <= 0x39 and at - start < 19:
        number = 10 * number + (data[at] - 0x30)
        at += 1
    digits = at - start
    if not 1 <= digits <= 18 or (digits > 1 and data[start] == 0x30):
        return -1, -1
    if at < end and (data[at] == 0x2E or data[at] == 0x65 or data[at] == 0x45):  # . e E: a float
        return -1, -1
    return number, at


@kernel
def _rfc3339(data: Octets, at: int, end: int, days_before: Int64s) -> int:
    """Microseconds since 1970 UTC of an instant like 2026-03-01T12:34:56.5Z; -1 for any other text."""
    if not 20 <= end - at <= 30 or data[end - 1] != 0x5A:
        return -1
    marks = data[at + 4] == 0x2D and data[at + 7] == 0x2D and data[at + 10] == 0x54
    if not (marks and data[at + 13] == 0x3A and data[at + 16] == 0x3A):
        return -1
    year, month, day = _digits(data, at, 4), _digits(data, at + 5, 2), _digits(data, at + 8, 2)
    hour, minute, second = _digits(data, at + 11, 2), _digits(data, at + 14, 2), _digits(data, at + 17, 2)
    if min(hour, minute, second) < 0 or hour > 23 or minute > 59 or second > 59:
        return -1
    if year < 1970 or not 1 <= month <= 12:
        return -1
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    length = 31 if month == 12 else days_before[month] - days_before[month - 1]
    if not 1 <= day <= length + (leap and month == 2):
        return -1
    fraction = 0
    if end - at > 20:
        if data[at + 19] != 0x2E or end - at < 22:
            return -1
        for k in range(6):
            place = at + 20 + k
            fraction *= 10
            if place < end - 1:
                fraction += data[place] - 0x30
        for place in range(at + 20, end - 1):
            if not 0x30 <= data[place] <= 0x39:
                return -1
    before = year - 1
    days = 365 * (year - 1970) + (before // 4 - before // 100 + before // 400) - 477
    days += days_before[month - 1] + (leap and month > 2) + day - 1
    return int(1_000_000 * (86_400 * days + 3600 * hour + 60 * minute + second) + fraction)


@kernel
def _digits(data: Octets, at: int, count: int) -> int:
    """A number of so many digits; a negative one if there are others."""
    number = 0
    for k in range(at, at + count):
        if not 0x30 <= data[k] <= 0x39:
            return -(10**9)
        number = 10 * number + (data[k] - 0x30)
    return number


@kernel
def _real(data: Octets, at: int, end: int, powers: NDArray[np.float64]) -> tuple[float, int]:
    """A number that a double holds exactly but for one rounding, and the byte after it; else -1."""
    negative = data[at] == 0x2D
    at += negative
    start, mantissa, digits, scale, whole = at, 0, 0, 0, True
    while at < end and 0x30 <= data[at] <= 0x39 and digits <= MOST_DIGITS:
        mantissa = 10 * mantissa + (data[at] - 0x30)
        digits += 1
        at += 1
    if digits == 0 or (digits > 1 and data[start] == 0x30):
        return 0.0, -1
    if at < end and data[at] == 0x2E:
        whole = False
        at += 1
        point = at
        while at < end and 0x30 <= data[at] <= 0x39 and digits <= MOST_DIGITS:
            mantissa = 10 * mantissa + (data[at] - 0x30)
            digits += 1
            at += 1
        scale = point - at
        if scale == 0:
            return 0.0, -1
    if at < end and (data[at] == 0x65 or data[at] == 0x45):
        sign, whole = 1, False
        at += 1
        if at < end and (data[at] == 0x2B or data[at] == 0x2D):
            sign = -1 if data[at] == 0x2D else 1
            at += 1
        point, exponent = at, 0
        while at < end and 0x30 <= data[at] <= 0x39 and at - point < 3:
            exponent = 10 * exponent + (data[at] - 0x30)
            at += 1
        if at == point:
            return 0.0, -1
        scale += sign * exponent
    if digits > MOST_DIGITS or abs(scale) >= len(powers) or (at < end and 0x30 <= data[at] <= 0x39):
        return 0.0, -1
    value = mantissa * powers[scale] if scale >= 0 else mantissa / powers[-scale]
    if value > LARGEST:
        return 0.0, -1
    if digits > EXACT_DIGITS and np.float32(value * (1.0 - OFF)) != np.float32(value * (1.0 + OFF)):
        return 0.0, -1
    if negative and not (whole and mantissa == 0):  # the integer -0 is 0
        value = -value
    return value, at
