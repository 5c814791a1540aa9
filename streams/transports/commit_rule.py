"""The commit rule: only the contiguous prefix of delivered and acknowledged chunks is ever committed.

Faust's own rule can step over a record that is still being worked on (faust-streaming#606) and books a
commit that the broker refused. Here all that is known of a partition lives in one object per uninterrupted
reading, so a seek or a revocation forgets it at once: a late acknowledgement reaches an object that nobody
asks any more.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from faust.types import TP


@dataclass(slots=True, eq=False)
class Delivery:
    """A chunk handed to an agent: the reading it belongs to, where it ends, what it weighs in bytes."""

    reading: "Reading"
    end_offset: int
    size: int
    acked: bool = False

    def ack(self) -> bool:
        """Report the chunk as stored; False if that was said before."""
        return self.reading.ack(self)


class Reading:
    """One partition, read without interruption from `start` until it is closed.

    `committed` is what the group is known to have committed. None means unknown: then `start` itself is
    committed first, which brings a group that is ahead of the truth, or behind it, back to it.
    """

    def __init__(self, start: int, committed: int | None = None) -> None:
        self.position = start
        """Everything below this offset has been delivered, or was stored before."""
        self.acked_to = start
        """Everything below this offset has been acknowledged, or was stored before."""
        self.unacked_bytes = 0
        self.closed = False
        self._committed = committed
        self._waiting: deque[Delivery] = deque()

    def deliver(self, end_offset: int, size: int) -> Delivery:
        """Enter a chunk that is handed out now; raises `ValueError` if it does not lead onwards."""
        if end_offset <= self.position:
            raise ValueError(f"read up to {self.position} already, a chunk cannot end at {end_offset}")
        delivery = Delivery(self, end_offset, size)
        self._waiting.append(delivery)
        self.position = end_offset
        self.unacked_bytes += size
        return delivery

    def ack(self, delivery: Delivery) -> bool:
        """Take an acknowledgement, in any order; False if it is a repetition."""
        if delivery.acked:
            return False
        delivery.acked = True
        self.unacked_bytes -= delivery.size
        while self._waiting and self._waiting[0].acked:
            self.acked_to = self._waiting.popleft().end_offset
        return True

    def pass_over(self, offset: int) -> None:
        """Note that the log holds no record from `position` up to `offset`, only marks of transactions."""
        self.position = max(self.position, offset)
        if not self._waiting:
            self.acked_to = self.position

    def committable(self) -> int | None:
        """The offset to commit now, None if the broker has it already."""
        return None if self.acked_to == self._committed else self.acked_to

    def book(self, offset: int) -> None:
        """Note that the broker accepted the commit of `offset`."""
        self._committed = offset


class Readings:
    """The open readings, one per partition."""

    def __init__(self) -> None:
        self._open: dict[TP, Reading] = {}

    def __iter__(self) -> Iterator[TP]:
        return iter(self._open)

    def reading(self, tp: TP) -> Reading | None:
        """The partition's open reading, if it has one."""
        return self._open.get(tp)

    def open(self, tp: TP, start: int, committed: int | None = None) -> Reading:
        """Begin to read a partition; what was known of it is forgotten."""
        self.close(tp)
        self._open[tp] = Reading(start, committed)
        return self._open[tp]

    def close(self, *partitions: TP) -> None:
        """Stop reading the partitions: their unacknowledged bytes no longer count."""
        for tp in partitions:
            if reading := self._open.pop(tp, None):
                reading.closed = True

    @property
    def unacked_bytes(self) -> int:
        """Bytes of all chunks that agents have not acknowledged yet."""
        return sum(reading.unacked_bytes for reading in self._open.values())

    def has_room(self, size: int, limit: int) -> bool:
        """Whether a chunk of `size` bytes may go out now; one always may when none is out."""
        unacked = self.unacked_bytes
        return unacked == 0 or unacked + size <= limit

    def below_share(self, limit: int) -> dict[TP, Reading]:
        """The readings that have less than their equal share of `limit` out, or nothing at all."""
        share = limit // max(len(self._open), 1)
        return {tp: r for tp, r in self._open.items() if r.unacked_bytes < max(share, 1)}
