"""Cutting what a fetch brought into chunks of bounded size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from streams.record import Record

RECORD_OVERHEAD = 300
"""Bytes of memory that a record takes beyond its key, value and headers (CPython 3.11, measured)."""


@dataclass(frozen=True, slots=True)
class ChunkLimits:
    """The most one chunk may hold, and the most that agents may have unacknowledged over all partitions.

    `chunk_bytes` counts keys, values and headers; `unacked_bytes` counts the memory they take, overhead
    included. A partition that has its equal share of them out is not fetched from. A record larger than
    `chunk_bytes` makes a chunk of its own; one chunk is always let through.
    """

    chunk_bytes: int = 1 << 20
    chunk_records: int = 20_000
    unacked_bytes: int = 32 << 20


def payload(record: Record) -> int:
    """Bytes of key, value and headers."""
    size = len(record.key or b"") + len(record.value or b"")
    if record.headers:  # small records mostly have none, and this is most of what they would cost here
        size += sum(len(name) + len(value or b"") for name, value in record.headers)
    return size


def weight(record: Record) -> int:
    """Bytes of memory the record takes, about."""
    return payload(record) + RECORD_OVERHEAD


def split(records: Sequence[Record], limits: ChunkLimits) -> Iterator[tuple[Sequence[Record], int]]:
    """Consecutive slices within the limits, each with its weight in bytes of memory."""
    first = size = 0
    for end, more in enumerate(map(payload, records)):
        if end > first and (size + more > limits.chunk_bytes or end - first >= limits.chunk_records):
            yield records[first:end], size + (end - first) * RECORD_OVERHEAD
            first, size = end, 0
        size += more
    if records:
        yield records[first:], size + (len(records) - first) * RECORD_OVERHEAD
