"""A record that cannot be used, as it is kept."""

from fleet.dead_letter import Reason
from storage.chunk_result import DeadLetter
from streams.record import Record

KEPT_BYTES = 64 << 10
"""What is kept of a record's value; its size is noted beside."""

KEPT_DETAIL = 500


def dead_letter(record: Record, reason: Reason, detail: str) -> DeadLetter:
    """The record with the reason and, in words, what is wrong with it."""
    value = record.value or b""
    return DeadLetter(
        offset=record.offset,
        reason=reason,
        detail=detail.replace("\0", "\\0")[:KEPT_DETAIL],
        key=record.key,
        value=value[:KEPT_BYTES],
        size=len(value),
        headers=[(name, content) for name, content in record.headers],
        timestamp_ms=record.timestamp,
    )
