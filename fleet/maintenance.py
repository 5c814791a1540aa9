"""What happens to machines, failure and maintenance (ISO 14224), and the lives between."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from fleet.clock import microseconds


class MaintenanceKind(StrEnum):
    """What happened. Either way the machine's condition is as good as new afterwards."""

    FAILED = "failed"
    """It did not do its job any more, and was repaired."""
    RESTORED = "restored"
    """It was serviced, repaired or given new parts before it failed."""


@dataclass(frozen=True, slots=True)
class MaintenanceEvent:
    """Something that happened to a machine's condition."""

    asset_id: int
    ts: datetime
    kind: MaintenanceKind
    note: str = ""


@dataclass(frozen=True, slots=True)
class PartChange:
    """A new one in place of the part of that number, as of a tool; nothing else of the machine is new."""

    asset_id: int
    part: int
    ts: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Life:
    """Rows [start, end) of a history, from new to `failed`, or else to a service or to now."""

    start: int
    end: int
    failed: bool


def lives(ts_us: NDArray[np.int64], events: Iterable[MaintenanceEvent]) -> Iterator[Life]:
    """The lives in a history of one machine, instants (n,) in order; those without a row are left out.

    A row at the instant of an event belongs to the life before.
    """
    start = 0
    for event in sorted(events, key=lambda one: (one.ts, one.kind)):
        end = int(np.searchsorted(ts_us, microseconds(event.ts), side="right"))
        if end > start:
            yield Life(start, end, MaintenanceKind(event.kind) is MaintenanceKind.FAILED)
        start = max(start, end)
    if start < len(ts_us):
        yield Life(start, len(ts_us), failed=False)
