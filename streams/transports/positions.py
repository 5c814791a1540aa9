"""Where to start reading: whoever stores the results says so, not Kafka."""

from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol

from faust.types import TP


class Start(NamedTuple):
    """Where to begin reading a partition, and the first record that must not be missing.

    What lies between is wanted only to rebuild state: when the log no longer holds all of it, reading begins
    where the log begins.
    """

    read_from: int
    needed: int


class Positions(Protocol):
    """What has been stored of each partition, and who may go on (the sink's side of the transport)."""

    async def claim(self, partitions: Collection[TP]) -> Mapping[TP, Start | None]:
        """Take the partitions over and say where to read each; None: from the log's beginning.

        Called after every assignment, before the first record is read. May wait for as long as the
        database is away; a revocation or a new assignment cancels it.
        """
        ...

    def halt(self, partition: TP, why: str) -> None:
        """Note that the partition cannot be read on: it stands still, the others go on."""
        ...

    async def release(self, partitions: Collection[TP]) -> None:
        """Let the partitions go: called when they are revoked and when the worker stops."""
        ...


class PositionLost(RuntimeError):
    """The log no longer holds the record to go on from; the worker stops, a person must look.

    Beyond the log's end: the topic was truncated or created anew. Before its beginning: records expired
    unread. To go on all the same, set the stored position of that partition to an offset in the range.
    """

    def __init__(self, tp: TP, wanted: int, begin: int, end: int) -> None:
        self.topic: str = tp.topic
        self.partition: int = tp.partition
        self.wanted = wanted
        self.available = range(begin, end + 1)
        """Positions one can go on from; the last one is that of the next record to be written."""
        why = "records expired unread" if wanted < begin else "the topic was truncated or created anew"
        cure = f"faultline db position {tp.topic} {tp.partition} {begin}"
        super().__init__(
            f"{tp.topic}[{tp.partition}]: the next offset is {wanted}, but the log spans {begin} to {end}: "
            f"{why}. Restore the log, or go on without them: {cure}"
        )
