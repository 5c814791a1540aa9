"""JSON messages of one instant in their plain form, read by compiled code for a whole chunk at once.

Plain is what nearly every producer of single readings sends: the keys of the format in ASCII without escapes,
each once, values that are numbers or null, the asset that the record's key names. Whatever else it is in any
respect is left to `read_json`, which alone knows what is wrong with it, so both always say the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.record import Record
from streams.wire.frame import FrameError
from streams.wire.layout import REMEMBERED, Layout
from streams.wire.limits import Limits
from streams.wire.plain_kernels import (
    BOOT,
    CHANNELS,
    COLUMNS,
    DAYS_BEFORE,
    FIRST,
    LAYOUT_AT,
    LAYOUT_END,
    POWERS,
    SEQ,
    TS,
    parse,
)
from streams.wire.strict_json import parse as parse_strictly
from streams.wire.text import layout_from

_JSON = ("content-type", b"application/json")
REPLAYED = (_JSON, ("replay", b"1"))
PLAIN_HEADERS = ((_JSON,), REPLAYED, ())


LONGEST_LAYOUT = 1 << 14
"""Bytes: enough for nearly all that types can have. What is remembered must not be large."""


class Columns(NamedTuple):
    """Numbers of n messages in plain form, in the order of their records.

    record: index of the record. layout: index in the chunk's layouts. seq, boot_id, ts_us: int64. first,
    channels: where in the chunk's `singles` a message's values are, from an even place on.
    """

    record: NDArray[np.int64]
    layout: NDArray[np.int64]
    seq: NDArray[np.int64]
    boot_id: NDArray[np.int64]
    ts_us: NDArray[np.int64]
    first: NDArray[np.int64]
    channels: NDArray[np.int64]

    def take(self, which: NDArray[np.bool_]) -> "Columns":
        """Those messages alone."""
        return Columns(*(column[which] for column in self))


@dataclass(frozen=True, slots=True)
class PlainMessages:
    """The messages of a chunk that are in plain form. singles: float32, NaN where a value is null."""

    columns: Columns
    layouts: list[Layout]
    singles: NDArray[np.float32]


def read_plain(records: Sequence[Record], limits: Limits) -> PlainMessages:
    """The messages among the records that are in plain form; their numbers are finite."""
    chosen = [index for index, record in enumerate(records) if _may_be_plain(record, limits)]
    values = [records[index].value or b"" for index in chosen]
    keys = [records[index].key or b"" for index in chosen]
    data = b"".join(values)
    found = np.empty((len(chosen), COLUMNS), np.int64)
    singles = np.empty(len(data) // 2 + 1, np.float32)
    layouts = np.empty(len(data) + 2 * len(chosen), np.uint8)
    octets = (
        np.frombuffer(data, np.uint8),
        _ends(values),
        np.frombuffer(b"".join(keys), np.uint8),
        _ends(keys),
    )
    parse(*octets, POWERS, DAYS_BEFORE, found, singles, layouts)
    plain = found[:, CHANNELS] > 0
    found, record = found[plain], np.array(chosen, np.int64)[plain]
    known, layout = _layouts(found, layouts.tobytes())
    columns = Columns(record, layout, *(found[:, k] for k in (SEQ, BOOT, TS, FIRST, CHANNELS)))
    used = int((columns.first + columns.channels).max(initial=0))
    return PlainMessages(columns.take(layout >= 0), known, singles[:used])


def _may_be_plain(record: Record, limits: Limits) -> bool:
    value = record.value
    return (
        value is not None
        and value.startswith(b"{")
        and len(value) <= limits.max_bytes
        and record.headers in PLAIN_HEADERS
    )


def _ends(pieces: Sequence[bytes]) -> NDArray[np.int64]:
    return np.cumsum(np.fromiter(map(len, pieces), np.int64, len(pieces)))


def _layouts(found: NDArray[np.int64], texts: bytes) -> tuple[list[Layout], NDArray[np.int64]]:
    """The layouts, and which of them is each message's; -1 for one that is left to `read_json`."""
    begins, first, number = np.unique(found[:, LAYOUT_AT], return_index=True, return_inverse=True)
    ends = found[first, LAYOUT_END]
    places = zip(begins.tolist(), ends.tolist(), strict=True)
    known = [_layout(texts[at:end]) if end - at <= LONGEST_LAYOUT else None for at, end in places]
    good = [layout for layout in known if layout]
    numbers = np.cumsum([layout is not None for layout in known]) - 1
    numbers[[layout is None for layout in known]] = -1
    return good, numbers[number]


@lru_cache(REMEMBERED)
def _layout(text: bytes) -> Layout | None:
    """The layout that `parse` wrote down; None if there is something wrong with it."""
    names, _, units = text.partition(b"\0\0")
    tenant, *channels = names.decode().split("\0")
    try:
        return layout_from(tenant or None, tuple(channels), parse_strictly(units) if units else {})
    except FrameError:
        return None
