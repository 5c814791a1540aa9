"""JSON messages of one instant in their plain form, read by compiled code for a whole chunk at once.

Plain is what nearly every producer of single readings sends: ASCII without escapes, the keys of the format
but `units`, each once, values that are numbers or null. Whatever else it is in any respect is left to
`read_json`, which alone knows what is wrong with it, so both always say the same.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from streams.record import Record
from streams.wire.bodies import Packed
from streams.wire.layout import REMEMBERED, Layout, layout_of
from streams.wire.limits import Limits
from streams.wire.plain_kernels import COLUMNS, DAYS_BEFORE, MISSING, POWERS, parse

PLAIN_HEADERS = {("content-type", b"application/json"), ("replay", b"1")}


def read_plain(records: Sequence[Record], limits: Limits) -> dict[int, Packed]:
    """The frames in plain form by the record's index; their numbers are finite."""
    chosen = [index for index, record in enumerate(records) if _may_be_plain(record, limits)]
    if not chosen:
        return {}
    values = [records[index].value or b"" for index in chosen]
    data = b"".join(values)
    ends = np.cumsum([len(value) for value in values])
    found = np.full((len(chosen), COLUMNS), -1, np.int64)
    singles, masks = np.empty(len(data) // 2 + 1, np.float32), np.empty(len(data) // 2 + 1, np.uint8)
    names = np.empty(len(data) + 2 * len(chosen), np.uint8)
    parse(np.frombuffer(data, np.uint8), ends, POWERS, DAYS_BEFORE, found, singles, masks, names)
    texts = data, singles.tobytes(), masks.tobytes(), names.tobytes()
    frames = zip(chosen, found.tolist(), strict=True)
    return {index: _packed(*texts, *row[: MISSING + 1]) for index, row in frames if row[MISSING] >= 0}


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
