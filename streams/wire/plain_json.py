"""JSON messages of one instant in their plain form, read by compiled code for a whole chunk at once.

Plain is what nearly every producer of single readings sends: ASCII without escapes, the keys of the format
but `units`, each once, values that are numbers or null. Whatever else it is in any respect is left to
`read_json`, which alone knows what is wrong with it, so both always say the same.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from streams.record import Record
from streams.wire.bodies import Packed
from streams.wire.frame import LATEST_US
from streams.wire.kernels import Float32s, Int64s, Octets, kernel
from streams.wire.layout import REMEMBERED, Layout, layout_of
from streams.wire.limits import Limits

PLAIN_HEADERS = {("content-type", b"application/json"), ("replay", b"1")}

ASSET_AT, ASSET_END, TS, SEQ, BOOT, VALUES_AT, VALUES_END, NAMES_AT, NAMES_END, MISSING = range(10)
"""Columns of what `_parse` finds of each message; the places are those of the arrays it fills."""

POWERS = np.array([float(f"1e{k}") for k in range(23)], np.float64)
"""Those that a double holds exactly."""

MOST_DIGITS, EXACT_DIGITS = 18, 15
"""A mantissa of up to `EXACT_DIGITS` is exact in a double, so one multiplication by an exact power rounds
right (Clinger 1990). One of up to `MOST_DIGITS` is exact in an int64, the product off by `OFF` at most."""

OFF = 2.0**-51
"""Relative. Where everything as near as that is one float32, it is the float32 of the right double too."""

LARGEST = 3e38
"""Values beyond it may not fit a float32: `read_json` decides."""

DAYS_BEFORE = np.array([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334], np.int64)


def read_plain(records: Sequence[Record], limits: Limits) -> dict[int, Packed]:
    """The frames in plain form by the record's index; their numbers are finite."""
    chosen = [index for index, record in enumerate(records) if _may_be_plain(record, limits)]
    if not chosen:
        return {}
    values = [records[index].value or b"" for index in chosen]
    data = b"".join(values)
    ends = np.cumsum([len(value) for value in values])
    found = np.full((len(chosen), MISSING + 1), -1, np.int64)
    singles, masks = np.empty(len(data) // 2 + 1, np.float32), np.empty(len(data) // 2 + 1, np.uint8)
    names = np.empty(len(data) + 2 * len(chosen), np.uint8)
    _parse(np.frombuffer(data, np.uint8), ends, POWERS, DAYS_BEFORE, found, singles, masks, names)
    texts = data, singles.tobytes(), masks.tobytes(), names.tobytes()
    frames = zip(chosen, found.tolist(), strict=True)
    return {index: _packed(*texts, *row) for index, row in frames if row[MISSING] >= 0}


def _may_be_plain(record: Record, limits: Limits) -> bool:
    value = record.value
    return (
        value is not None
        and value.startswith(b"{")
        and len(value) <= limits.max_bytes
        and PLAIN_HEADERS.issuperset(record.headers)
    )


def _packed(
    data: bytes,
    singles: bytes,
    masks: bytes,
    names: bytes,
    asset_at: int,
    asset_end: int,
    ts: int,
    seq: int,
    boot: int,
    first: int,
    last: int,
    names_at: int,
    names_end: int,
    missing: int,
) -> Packed:
    body = singles[4 * first : 4 * last] + (masks[first:last] if missing else b"")
    asset, layout = data[asset_at:asset_end].decode(), _layout(names[names_at:names_end])
    return Packed(asset, layout, boot, seq, 1, ts, ts, 0, False, missing > 0, body, 0)


@lru_cache(REMEMBERED)
def _layout(names: bytes) -> Layout:
    """Of the tenant, or nothing, and the channels' names, separated by NUL."""
    tenant, *channels = names.decode().split("\0")
    return layout_of(tenant or None, tuple(channels), ("",) * len(channels))


@kernel
def _parse(
    data: Octets,
    ends: Int64s,
    powers: NDArray[np.float64],
    days_before: Int64s,
    found: Int64s,
    singles: Float32s,
    masks: Octets,
    names: Octets,
) -> None:
    """Fill a row of `found` for each message in plain form; others keep -1 as what is missing."""
    values_end = names_end = start = 0
    for i in range(len(ends)):
        row, end = found[i], ends[i]
        row[VALUES_AT], row[NAMES_AT] = values_end, names_end
        row[VALUES_END], row[NAMES_END] = values_end, names_end
        row[SEQ] = row[TS] = row[ASSET_AT] = -1
        row[BOOT] = 0
        missing = _message(data, start, end, powers, days_before, row, singles, masks, names)
        if missing >= 0:
            row[MISSING] = missing
            values_end, names_end = row[VALUES_END], row[NAMES_END]
            if row[SEQ] < 0:
                row[SEQ] = row[TS]
        start = end


@kernel
def _message(
    data: Octets,
    at: int,
    end: int,
    powers: NDArray[np.float64],
    days_before: Int64s,
    row: Int64s,
    singles: Float32s,
    masks: Octets,
    names: Octets,
) -> int:
    """Read one message; returns how many values are null, or -1 if it is not plain."""
    tenant_at = tenant_end = 0
    values_at, seen = -1, 0
    at = _skip(data, at + 1, end)
    while True:
        key_at, at = _string(data, at, end)
        if at < 0:
            return -1
        kind = _key(data, key_at, at - 1)
        if kind == 0 or seen & kind:
            return -1
        seen |= kind
        at = _colon(data, at, end)
        if at < 0:
            return -1
        if kind == 1:
            row[ASSET_AT], at = _string(data, at, end)
            row[ASSET_END] = at - 1
            if at < 0 or not 1 <= row[ASSET_END] - row[ASSET_AT] <= 255:
                return -1
        elif kind == 2:
            tenant_at, at = _string(data, at, end)
            tenant_end = at - 1
            if at < 0 or not 1 <= tenant_end - tenant_at <= 255:
                return -1
        elif kind == 4:
            if data[at] == 0x22:
                text_at, at = _string(data, at, end)
                row[TS] = _rfc3339(data, text_at, at - 1, days_before) if at >= 0 else -1
            else:
                row[TS], at = _whole(data, at, end)
            if at < 0 or not 0 <= row[TS] < LATEST_US:
                return -1
        elif kind == 64:
            values_at = at
            at = _end_of_values(data, at, end)
        else:
            number, at = _whole(data, at, end)
            if kind == 8:
                row[SEQ] = number
            elif kind == 16:
                row[BOOT] = number
            elif number != 1:
                return -1
        if at < 0:
            return -1
        at = _skip(data, at, end)
        if at >= end:
            return -1
        if data[at] == 0x7D:
            break
        if data[at] != 0x2C:
            return -1
        at = _skip(data, at + 1, end)
    if _skip(data, at + 1, end) != end or row[ASSET_AT] < 0 or row[TS] < 0 or values_at < 0:
        return -1
    to = row[NAMES_AT]
    for k in range(tenant_at, tenant_end):
        names[to] = data[k]
        to += 1
    row[NAMES_END] = to
    return _values(data, values_at, end, powers, row, singles, masks, names)


@kernel
def _skip(data: Octets, at: int, end: int) -> int:
    """Past white space."""
    while at < end and (data[at] == 0x20 or data[at] == 0x0A or data[at] == 0x0D or data[at] == 0x09):
        at += 1
    return at


@kernel
def _string(data: Octets, at: int, end: int) -> tuple[int, int]:
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
def _key(data: Octets, at: int, end: int) -> int:
    """A bit for each key that the plain form has, 0 for another."""
    size = end - at
    a, b = data[at], data[at + 1] if size > 1 else 0
    if size == 2 and a == 0x74 and b == 0x73:  # ts
        return 4
    if size == 3 and a == 0x73 and b == 0x65 and data[at + 2] == 0x71:  # seq
        return 8
    if size == 4 and a == 0x62 and b == 0x6F and data[at + 2] == 0x6F and data[at + 3] == 0x74:  # boot
        return 16
    if size == 5 and _is(data, at, 0x61, 0x73, 0x73, 0x65, 0x74):  # asset
        return 1
    if size == 6:
        if _is(data, at, 0x74, 0x65, 0x6E, 0x61, 0x6E) and data[at + 5] == 0x74:  # tenant
            return 2
        if _is(data, at, 0x76, 0x61, 0x6C, 0x75, 0x65) and data[at + 5] == 0x73:  # values
            return 64
        if _is(data, at, 0x73, 0x63, 0x68, 0x65, 0x6D) and data[at + 5] == 0x61:  # schema
            return 32
    return 0


@kernel
def _is(data: Octets, at: int, a: int, b: int, c: int, d: int, e: int) -> bool:
    first = data[at] == a and data[at + 1] == b and data[at + 2] == c
    return bool(first and data[at + 3] == d and data[at + 4] == e)


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
def _end_of_values(data: Octets, at: int, end: int) -> int:
    """The byte after the object of values, which holds no text with a brace in plain form; else -1."""
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
    at: int,
    end: int,
    powers: NDArray[np.float64],
    row: Int64s,
    singles: Float32s,
    masks: Octets,
    names: Octets,
) -> int:
    """Read the object of values; returns how many are null, or -1 if it is not plain."""
    to, first_name, number, missing = row[NAMES_END], row[NAMES_END], row[VALUES_AT], 0
    at = _skip(data, at + 1, end)
    while True:
        name_at, at = _string(data, at, end)
        size = at - 1 - name_at
        if at < 0 or not 1 <= size <= 255 or _is_there(names, first_name, to, data, name_at, size):
            return -1
        names[to] = 0
        names[to + 1 : to + 1 + size] = data[name_at : name_at + size]
        to += 1 + size
        at = _colon(data, at, end)
        if at < 0:
            return -1
        if data[at] == 0x6E:  # null
            if at + 4 > end or data[at + 1] != 0x75 or data[at + 2] != 0x6C or data[at + 3] != 0x6C:
                return -1
            singles[number], masks[number] = 0.0, 1
            missing, at = missing + 1, at + 4
        else:
            value, at = _real(data, at, end, powers)
            if at < 0:
                return -1
            singles[number], masks[number] = value, 0
        number += 1
        at = _skip(data, at, end)
        if at >= end:
            return -1
        if data[at] == 0x7D:
            break
        if data[at] != 0x2C:
            return -1
        at = _skip(data, at + 1, end)
    row[VALUES_END], row[NAMES_END] = number, to
    return missing


@kernel
def _is_there(names: Octets, at: int, end: int, data: Octets, name_at: int, size: int) -> bool:
    """Whether the name is among those between `at` and `end`, each after a NUL."""
    while at < end:
        stop = at + 1
        while stop < end and names[stop] != 0:
            stop += 1
        if stop - at - 1 == size:
            same = True
            for k in range(size):
                same &= names[at + 1 + k] == data[name_at + k]
            if same:
                return True
        at = stop
    return False


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
