"""Readings as frames for the log: what a machine said within one tick is one row.

A format reports each signal at an instant of its own, and a row for each would be nearly all gaps. So the
time is cut into ticks; a row has of each channel the last reading in its tick and the instant of the last of
all. Where a format tells only what changes (MTConnect, OPC UA), a row also has what has been said before in
the message and still holds. Each row is a frame of its own, so that one which is too old is refused alone.
"""

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from streams.mappers.canonical import Reading
from streams.replay.toml_reader import MapError
from streams.wire.frame import Frame

BOOT_ID = int.from_bytes(b"mappers", "big")
"""One source for all mapped frames: their sequence is made of what they say."""

MOST_ROWS = 10_000

HASH_BITS = 11
"""With the microseconds until 2100 (52 bits) they fill what the ledger compares."""


def frames(readings: Iterable[Reading], tick_s: float, hold: bool = False) -> list[Frame]:
    """One frame for each tick and asset, in order of time; a tick without any value makes none.

    hold: a value is in force until another, or none, is said. Raises `MapError` for too many rows.
    """
    tick_us, readings = round(tick_s * 1e6), sorted(readings, key=lambda reading: reading.ts_us)
    if len({(reading.ts_us // tick_us, reading.asset) for reading in readings}) > MOST_ROWS:
        raise MapError(f"a message makes at most {MOST_ROWS} rows: send less at a time")
    rows: dict[tuple[int, str], dict[str, Reading]] = {}
    ends: dict[tuple[int, str], int] = {}
    held: dict[str, dict[str, Reading]] = {}
    for reading in readings:
        key = reading.ts_us // tick_us, reading.asset
        before = held.setdefault(reading.asset, {}) if hold else {}
        rows.setdefault(key, dict(before))[reading.channel] = reading
        before[reading.channel] = reading
        ends[key] = reading.ts_us
    made = (_frame(asset, ends[tick, asset], row) for (tick, asset), row in sorted(rows.items(), key=_place))
    return [frame for frame in made if frame is not None]


def _place(row: tuple[tuple[int, str], object]) -> tuple[int, str]:
    return row[0]


def _frame(asset: str, ts_us: int, row: Mapping[str, Reading]) -> Frame | None:
    said = {name: row[name] for name in sorted(row) if row[name].value is not None}
    if not said:
        return None
    values = np.array([[reading.value] for reading in said.values()], np.float32)
    units = tuple(reading.unit for reading in said.values())
    seq, instants = _sequence(ts_us, list(said), values), np.array([ts_us], np.int64)
    return Frame(asset, None, BOOT_ID, seq, instants, tuple(said), units, values, None)


def _sequence(ts_us: int, channels: list[str], values: NDArray[np.float32]) -> int:
    """Grows with time, and is the same for the same row: a message that is sent twice is a duplicate.

    Rows of one instant that say different things differ in it but once in two thousand times; then the second
    becomes a dead letter, seen and not lost.
    """
    said = hashlib.sha256("\0".join(channels).encode() + values.tobytes()).digest()
    return (ts_us << HASH_BITS) | (int.from_bytes(said[:2], "big") >> (16 - HASH_BITS))
