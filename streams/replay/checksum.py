"""What the platform must hold once files have been sent: to compare with the database."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from streams.wire.frame import Frame


@dataclass
class Checksum:
    """Of one asset: rows, values that are there, and the sum of each channel's values as stored (float32)."""

    rows: int = 0
    samples: int = 0
    sums: dict[str, float] = field(default_factory=dict)


def checksums(frames: Iterable[Frame]) -> dict[str, Checksum]:
    """By asset, of frames in the order sent: of several rows of one instant the first counts.

    Keeps every instant in memory, 8 bytes a row.
    """
    found: dict[str, Checksum] = {}
    seen: dict[str, list[NDArray[np.int64]]] = {}
    newest: dict[str, int] = {}
    for frame in frames:
        instants = seen.setdefault(frame.asset, [])
        new = np.ones(len(frame.ts_us), bool)
        if frame.ts_us[0] <= newest.get(frame.asset, -1):
            new = ~np.isin(frame.ts_us, np.concatenate(instants))
        newest[frame.asset] = max(newest.get(frame.asset, -1), int(frame.ts_us[-1]))
        instants.append(frame.ts_us)
        _add(found.setdefault(frame.asset, Checksum()), frame, new)
    return found


def _add(checksum: Checksum, frame: Frame, new: NDArray[np.bool_]) -> None:
    checksum.rows += int(new.sum())
    for channel, values in zip(frame.channels, frame.values, strict=True):
        there = values[new & np.isfinite(values)].astype(np.float64)
        checksum.samples += len(there)
        checksum.sums[channel] = checksum.sums.get(channel, 0.0) + math.fsum(there)
