"""What a benchmark's machines send: frames and JSON messages of seeded noise, in the order of time."""

import time
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from console.bench.filling import KeyedValue
from streams.wire.binary import encode_binary
from streams.wire.frame import Frame

CHANNELS = 16
ROWS = 60
"""Of a frame: a minute at 1 Hz."""

READINGS = 3
"""In a JSON message."""

SECOND_US = 1_000_000

_POOL = 256
"""Different blocks of values; which one a frame gets does not repeat with its asset."""


def hours_ago(rows: int) -> int:
    """Microseconds since 1970 of an instant from which so many seconds have passed, and an hour."""
    return (int(time.time()) - rows - 3600) * SECOND_US


def frames(
    assets: Sequence[str], first: int, count: int, start_us: int, rows: int = ROWS
) -> Iterator[KeyedValue]:
    """Of each asset the frames numbered from `first` on, with a row each second from `start_us` on."""
    names, units = tuple(f"c{k:02}" for k in range(CHANNELS)), ("",) * CHANNELS
    blocks = _noise((_POOL, CHANNELS, rows))
    instants = np.arange(rows, dtype=np.int64) * SECOND_US
    for seq in range(first, first + count):
        ts_us = start_us + seq * rows * SECOND_US + instants
        for number, asset in enumerate(assets):
            values = blocks[(seq * 31 + number) % _POOL]
            yield asset.encode(), encode_binary(Frame(asset, None, 1, seq, ts_us, names, units, values, None))


def messages(assets: Sequence[str], instants_us: Sequence[int]) -> Iterator[KeyedValue]:
    """A JSON message of 3 readings from each asset at each instant."""
    for ts_us in instants_us:
        for number, asset in enumerate(assets):
            said = _SAID[(ts_us // 10_000 * 7 + number * 31) % _POOL]
            yield asset.encode(), f'{{"asset":"{asset}","ts":{ts_us},{said}'.encode()


def _noise(shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.random.default_rng(7).normal(100.0, 1.0, shape).astype(np.float32)


def _values(row: NDArray[np.float32]) -> str:
    readings = ",".join(f'"c{k:02}":{value:.3f}' for k, value in enumerate(row.tolist()))
    return f'"values":{{{readings}}}}}'


_SAID = [_values(row) for row in _noise((_POOL, READINGS))]
