"""What was sent, and what became of it as far as the sender knows: the truth that a run is judged by.

JSON lines, written and fsynced batch by batch once the outcome is known: one line for each record.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from console.chaos.item import POISON, Item


class Outcome(StrEnum):
    """What the broker said."""

    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"
    """Refused for good: it is not in the log."""
    UNKNOWN = "unknown"
    """No answer: it may be in the log, or not."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record that was sent. partition and offset are -1 unless it was acknowledged."""

    tenant: str
    asset: str
    seq: int
    first_us: int
    sha256: str
    kind: str
    outcome: str
    topic: str
    partition: int
    offset: int

    @property
    def acknowledged(self) -> bool:
        """Whether the log has it for certain."""
        return self.outcome == Outcome.ACKNOWLEDGED

    @property
    def reason(self) -> str | None:
        """Why it must become a dead letter; None if it is a good frame."""
        return self.kind.removeprefix(POISON) if self.kind.startswith(POISON) else None


def entry(item: Item, outcome: Outcome, partition: int = -1, offset: int = -1) -> Entry:
    """The line for a record."""
    what = (item.tenant, item.asset, item.seq, item.first_us, item.sha256, item.kind)
    return Entry(*what, outcome, item.topic, partition, offset)


class LedgerFile:
    """Appends entries, each batch durable before the call returns."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, entries: Iterable[Entry]) -> None:
        """Add lines and wait until they are on the disk."""
        self._file.writelines(f"{json.dumps(asdict(one), separators=(',', ':'))}\n" for one in entries)
        self._file.flush()
        os.fsync(self._file.fileno())


def read(path: Path) -> Iterator[Entry]:
    """The entries in the order in which they were written."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield Entry(**json.loads(line))
