"""Columns of cells into numbers and instants; what cannot be read is marked, never guessed."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fleet.clock import microseconds
from streams.replay.mapping import UNITS_OF_TIME, Source, Time
from streams.wire.frame import EARLIEST_US, LATEST_US

NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def channel_values(column: pa.Array, source: Source, decimal: str) -> tuple[NDArray[np.float32], int]:
    """The (n,) values of a column in its channel's unit, NaN where missing, and how many were unreadable."""
    cells = _codes(column, source) if source.codes else _numbers(column, decimal)
    values = cells.to_numpy(zero_copy_only=False).astype(np.float64)
    with np.errstate(over="ignore"):
        scaled = (values * source.scale + source.offset).astype(np.float32)
    scaled[~np.isfinite(scaled)] = np.nan
    return scaled, int(np.isnan(scaled).sum()) - column.null_count


def _numbers(column: pa.Array, decimal: str) -> pa.Array:
    if not pa.types.is_string(column.type):
        return pc.cast(column, pa.float64(), safe=False)
    text = pc.replace_substring(column, ",", ".") if decimal == "," else column
    try:
        return pc.cast(text, pa.float64())
    except pa.ArrowInvalid:
        text = pc.utf8_trim_whitespace(text)
        numeric = pc.match_substring_regex(text, NUMBER)
        return pc.cast(pc.if_else(numeric, text, None), pa.float64())


def _codes(column: pa.Array, source: Source) -> pa.Array:
    text = pc.utf8_trim_whitespace(pc.cast(column, pa.string()))
    position = pc.index_in(text, pa.array(list(source.codes), pa.string()))
    return pc.take(pa.array(source.codes.values(), pa.float64()), position)


def instants(column: pa.Array, time: Time) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The (n,) microseconds since 1970 UTC, and which of them are certain and can stand in a frame."""
    ts_us, certain = _instants(column, time)
    return ts_us, certain & (ts_us >= EARLIEST_US) & (ts_us < LATEST_US)


def _instants(column: pa.Array, time: Time) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    if time.start is not None:
        return _steps(column, time)
    if pa.types.is_timestamp(column.type):
        return _split(_stamps(column, time.timezone))
    if time.format in UNITS_OF_TIME:
        return _since_1970(column, UNITS_OF_TIME[time.format])
    text = pc.utf8_trim_whitespace(pc.cast(column, pa.string()))
    return _split(_texts(text, time))


def _split(microseconds_or_null: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    certain = pc.is_valid(microseconds_or_null).to_numpy(zero_copy_only=False)
    return pc.fill_null(microseconds_or_null, 0).to_numpy(zero_copy_only=False), certain


def _steps(column: pa.Array, time: Time) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    steps = _numbers(column, ".").to_numpy(zero_copy_only=False).astype(np.float64)
    certain = np.isfinite(steps)
    start_us = microseconds(time.start) if time.start else 0
    return start_us + np.rint(np.where(certain, steps, 0.0) * time.step_s * 1e6).astype(np.int64), certain


def _since_1970(column: pa.Array, scale: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    try:  # whole numbers stay exact, however large
        return _split(pc.multiply(pc.cast(column, pa.int64()), scale))
    except pa.ArrowInvalid:
        number = _numbers(column, ".").to_numpy(zero_copy_only=False) * float(scale)
        certain = np.abs(number) < 2.0**53
        return np.rint(np.where(certain, number, 0.0)).astype(np.int64), certain


def _texts(text: pa.Array, time: Time) -> pa.Array:
    if time.format != "iso":
        return _cell_by_cell(text, lambda cell: datetime.strptime(cell, time.format), time.timezone)
    for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC")):
        try:
            return _stamps(pc.cast(text, kind), time.timezone)
        except pa.ArrowInvalid:
            continue
    return _cell_by_cell(text, datetime.fromisoformat, time.timezone)


def _stamps(stamps: pa.Array, timezone: str) -> pa.Array:
    """Microseconds, null where a clock change repeats or skips the local time."""
    if stamps.type.tz is None:
        first, last = (
            pc.assume_timezone(stamps, timezone, ambiguous=which, nonexistent=which)
            for which in ("earliest", "latest")
        )
        stamps = pc.if_else(pc.equal(first, last), first, None)
    return pc.cast(pc.cast(stamps, pa.timestamp("us", "UTC"), safe=False), pa.int64())


def _cell_by_cell(text: pa.Array, parse: Callable[[str], datetime], timezone: str) -> pa.Array:
    zone = ZoneInfo(timezone)
    return pa.array([_instant(cell, parse, zone) for cell in text.to_pylist()], pa.int64())


def _instant(cell: str | None, parse: Callable[[str], datetime], zone: ZoneInfo) -> int | None:
    try:
        stamp = parse(cell or "")
    except ValueError:
        return None
    if stamp.tzinfo is not None:
        return microseconds(stamp)
    first, last = (microseconds(stamp.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    return first if first == last else None
