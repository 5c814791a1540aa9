"""What a transport hands over: raw records, in chunks of one partition."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Record(Protocol):
    """A Kafka record as it came, bytes untouched (aiokafka's `ConsumerRecord` fits)."""

    @property
    def offset(self) -> int:
        """Position in the partition."""
        ...

    @property
    def timestamp(self) -> int:
        """Milliseconds since 1970-01-01 UTC, given by the broker."""
        ...

    @property
    def key(self) -> bytes | None:
        """The partitioning key: the asset's name."""
        ...

    @property
    def value(self) -> bytes | None:
        """The frame; None is a tombstone."""
        ...

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """Record headers, `content-type` among them."""
        ...


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one fetch brought for one partition: the unit of ack.

    Records are in offset order; offsets may have holes (compaction, transaction markers).
    """

    topic: str
    partition: int
    records: Sequence[Record]

    @property
    def end_offset(self) -> int:
        """The offset to go on from once this chunk is stored."""
        return self.records[-1].offset + 1

    def split(self, offset: int) -> tuple["Chunk | None", "Chunk | None"]:
        """The records below `offset` and those from it on, None where there are none."""
        at = bisect_left(self.records, offset, key=lambda record: record.offset)
        return self.first(at) if at else None, self._part(at, None) if at < len(self.records) else None

    def first(self, count: int) -> "Chunk":
        """The first `count` records, at least one."""
        return self._part(None, count)

    def _part(self, start: int | None, stop: int | None) -> "Chunk":
        return Chunk(self.topic, self.partition, self.records[start:stop])
