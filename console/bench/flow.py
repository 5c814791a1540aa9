"""What was produced and what was stored of a topic, over time."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from console.bench.filling import PARTITIONS

Floats = NDArray[np.float64]


class _Offsets:
    """Instants, and at each the end offsets of all partitions."""

    def __init__(self) -> None:
        self.instants: list[float] = []
        self._ends: list[list[int]] = []

    def note(self, instant: float, ends: Mapping[int, int]) -> None:
        """Partitions that are not named stay where they were."""
        before = self._ends[-1] if self._ends else [0] * PARTITIONS
        self.instants.append(instant)
        self._ends.append([ends.get(p, before[p]) for p in range(PARTITIONS)])

    @property
    def total(self) -> int:
        """Records up to the last instant."""
        return sum(self._ends[-1]) if self._ends else 0

    def table(self) -> tuple[Floats, NDArray[np.int64]]:
        """Instants (n,) and end offsets (n, partitions)."""
        return np.array(self.instants), np.array(self._ends, np.int64).reshape(-1, PARTITIONS)


class Flow:
    """Two logs of one new topic, both by the same clock in seconds."""

    def __init__(self) -> None:
        self._produced = _Offsets()
        self._stored = _Offsets()
        self._moved = 0.0

    def note_produced(self, made: float, ends: Mapping[int, int]) -> None:
        """Messages made at an instant have gone up to these offsets."""
        self._produced.note(made, ends)

    def note_stored(self, seen: float, ends: Mapping[int, int]) -> None:
        """At an instant all below these offsets was seen in the database."""
        before = self._stored.total
        self._stored.note(seen, ends)
        if self._stored.total > before or not self._moved:
            self._moved = seen

    @property
    def sent(self) -> int:
        """Messages produced."""
        return self._produced.total

    @property
    def unstored(self) -> int:
        """Messages produced and not seen in the database."""
        return self.sent - self._stored.total

    @property
    def silence(self) -> float:
        """Seconds since something was stored."""
        return self._stored.instants[-1] - self._moved

    @property
    def last_made(self) -> float:
        """When the last messages were made."""
        return self._produced.instants[-1]

    @property
    def backlog(self) -> int:
        """Messages that were not stored when the last ones were made."""
        instants, lag = self.lag()
        return int(lag[np.searchsorted(instants, self.last_made)])

    @property
    def drain_rate(self) -> float:
        """Messages per second from the end of production until all is stored."""
        return self.backlog / (self._stored.instants[-1] - self.last_made)

    def lag(self) -> tuple[Floats, Floats]:
        """Instants, and at each the messages that were made and not stored."""
        made_at, made = self._produced.table()
        seen_at, seen = self._stored.table()
        known = np.searchsorted(made_at, seen_at, side="right") - 1
        ours = known >= 0
        return seen_at[ours], (made.sum(axis=1)[known[ours]] - seen.sum(axis=1)[ours]).astype(np.float64)

    def waits(self) -> tuple[Floats, NDArray[np.int64]]:
        """Seconds from making to being seen in the database, and how many messages waited so long."""
        made_at, made = self._produced.table()
        seen_at, seen = self._stored.table()
        stored = [np.searchsorted(seen[:, p], made[:, p]) for p in range(PARTITIONS)]
        counts = np.diff(made, axis=0, prepend=0)
        return np.concatenate([seen_at[at] - made_at for at in stored]), counts.T.ravel()


def quantile(values: Floats, counts: NDArray[np.int64], share: float) -> float:
    """The least value that at least this share of the counted ones do not exceed."""
    order = np.argsort(values)
    below = np.cumsum(counts[order])
    return float(values[order][np.searchsorted(below, share * below[-1])])
