"""Frames whose numbers are still bytes, and those bytes of many frames in one buffer."""

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fleet.dead_letter import Reason
from streams.wire import kernels
from streams.wire.frame import Frame, FrameError
from streams.wire.layout import Layout

FAULTS = {
    kernels.NOT_INCREASING: (
        Reason.SCHEMA_INVALID,
        "explicit instants must begin with the first instant and be strictly increasing",
    ),
    kernels.NOT_FINITE: (Reason.NAN_OR_INF, "a value is NaN or infinite; mark it as missing instead"),
}

_PADDING = [bytes(size) for size in range(8)]

NOTHING, EMPTY = np.empty(0, np.float32), np.empty((0, kernels.MASKED + 1), np.int64)


class Packed(NamedTuple):
    """A frame with its body as it is in the binary encoding: instants, values, mask.

    `body` is where that begins in `data`, a multiple of 8. last_us is the last instant; step_us counts
    only where rows > 1 and instants are not explicit.
    """

    asset: str
    layout: Layout
    boot_id: int
    seq: int
    rows: int
    first_us: int
    last_us: int
    step_us: int
    explicit: bool
    masked: bool
    data: bytes
    body: int


class Bodies:
    """The bodies of frames one after the other, so that one pass of compiled code sees them all.

    Begin with the plain messages, if any, whose bodies are values alone. Add all frames, then look.
    """

    def __init__(self, singles: NDArray[np.float32] = NOTHING, table: NDArray[np.int64] = EMPTY) -> None:
        self._plain = table
        self._pieces = [singles.tobytes(), _PADDING[-singles.nbytes & 7]]
        self._rows: list[int] = []  # flat: an object per frame would keep the garbage collector busy
        self._size = singles.nbytes + len(self._pieces[-1])

    def add(self, frame: Packed) -> None:
        """Append one; no number in it has been looked at yet."""
        pad = -len(frame.data) & 7
        self._pieces += (frame.data, _PADDING[pad])
        self._rows += (
            self._size + frame.body,
            frame.rows,
            len(frame.layout.channels),
            frame.first_us,
            frame.step_us,
            frame.explicit,
            frame.masked,
        )
        self._size += len(frame.data) + pad

    @cached_property
    def words(self) -> NDArray[np.int64]:
        """All bytes, as int64."""
        return np.frombuffer(b"".join(self._pieces), np.int64)

    @property
    def singles(self) -> NDArray[np.float32]:
        """All bytes, as float32."""
        return self.words.view(np.float32)

    @property
    def octets(self) -> NDArray[np.uint8]:
        """All bytes."""
        return self.words.view(np.uint8)

    @cached_property
    def table(self) -> NDArray[np.int64]:
        """Where each body is and what is in it; the columns are named in `kernels`."""
        return np.concatenate([self._plain, np.array(self._rows, np.int64).reshape(-1, kernels.MASKED + 1)])

    def faults(self) -> NDArray[np.uint8]:
        """For each frame a key of `FAULTS`, or `kernels.GOOD`."""
        found = np.full(len(self.table), kernels.GOOD, np.uint8)
        added = slice(len(self._plain), None)  # plain messages have no fault
        kernels.judge(self.words, self.singles, self.octets, self.table[added], found[added])
        return found


def unpack(packed: Packed) -> Frame:
    """The frame with its numbers, read-only. Raises `FrameError`."""
    bodies = Bodies()
    bodies.add(packed)
    if fault := int(bodies.faults()[0]):
        raise FrameError(*FAULTS[fault])
    layout, rows = packed.layout, packed.rows
    ts_us = packed.first_us + packed.step_us * np.arange(rows, dtype=np.int64)
    at = packed.body // 8
    if packed.explicit:
        ts_us = bodies.words[at : at + rows]
        at += rows
    shape = len(layout.channels), rows
    end = 2 * at + shape[0] * rows
    values, missing = bodies.singles[2 * at : end].reshape(shape), None
    if packed.masked:
        missing = _unpack_mask(bodies.octets[4 * end :], shape)
        values = np.where(missing, np.float32(np.nan), values)
    who = packed.asset, layout.tenant, packed.boot_id, packed.seq
    return Frame(*who, ts_us, layout.channels, layout.units, values, missing)


def _unpack_mask(octets: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.bool_]:
    channels, rows = shape
    width = (rows + 7) // 8
    lines = octets[: channels * width].reshape(channels, width)
    return np.unpackbits(lines, axis=1, count=rows, bitorder="little").astype(np.bool_)


def pack_mask(missing: NDArray[np.bool_]) -> bytes:
    """A (channels, rows) mask as it is on the wire: per channel ceil(rows/8) bytes, lowest bit first."""
    return np.packbits(missing, axis=1, bitorder="little").tobytes()
