"""Readings as frames for the log: what a machine said within one tick is one row.

A format reports each signal at an instant of its own, and a row for each would be nearly all gaps. So the
time is cut into ticks; a row has of each channel the last reading in its tick and the instant of the last
of all. Each row is a frame of its own, so that one which is too old is refused alone.
"""

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from streams.mappers.canonical import Reading
from streams.wire.frame import Frame

BOOT_ID = int.from_bytes(b"mappers", "big")
"""One source for all mapped frames: their sequence is made of what they say."""

HASH_BITS = 11
"""With the microseconds until 2100 (52 bits) they fill what the ledger compares."""


def frames(readings: Iterable[Reading], tick_s: float) -> list[Frame]:
    """One frame for each tick and asset, in order of time; a tick without any value makes none."""
    tick_us = round(tick_s * 1e6)
    rows: dict[tuple[int, str], list[Reading]] = {}
    for reading in sorted(readings, key=lambda reading: reading.ts_us):
        rows.setdefault((reading.ts_us // tick_us, reading.asset), []).append(reading)
    made = (_frame(rows[key]) for key in sorted(rows))
    return [frame for frame in made if frame is not None]


def _frame(readings: list[Reading]) -> Frame | None:
    last = {reading.channel: reading for reading in readings}
    channels = sorted(name for name, reading in last.items() if reading.value is not None)
    if not channels:
        return None
    ts_us = readings[-1].ts_us
    values = np.array([[last[name].value] for name in channels], np.float32)
    units = tuple(last[name].unit for name in channels)
    seq = _sequence(ts_us, channels, values)
    instants = np.array([ts_us], np.int64)
    return Frame(readings[0].asset, None, BOOT_ID, seq, instants, tuple(channels), units, values, None)


def _sequence(ts_us: int, channels: list[str], values: NDArray[np.float32]) -> int:
    """Grows with time, and is the same for the same row: a message that is sent twice is a duplicate.

    Rows of one instant that say different things differ in it but once in two thousand times; then the second
    becomes a dead letter, seen and not lost.
    """
    said = hashlib.sha256("\0".join(channels).encode() + values.tobytes()).digest()
    return (ts_us << HASH_BITS) | (int.from_bytes(said[:2], "big") >> (16 - HASH_BITS))
