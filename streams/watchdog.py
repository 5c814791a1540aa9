"""Tells a partition that stands still from one that has nothing to do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from faust.types import TP

from streams.transports.chunk_consumer import Progress

STUCK_S = 120.0
"""Time without progress, while records wait and no outage explains it, after which the process ends."""

SILENT_S = 900.0
"""Time after which a broker that does not answer may be our own fault: a new process finds out."""


class Stuck(RuntimeError):
    """Records wait and nothing is stored, though nothing is away that we know of: only a restart helps."""


@dataclass
class Watchdog:
    """Asked every few seconds; judges each partition by itself. Instants: monotonic clock, in seconds."""

    _moved: dict[TP, tuple[int | None, float]] = field(default_factory=dict)
    _answered_at: float | None = None

    def check(
        self, progress: Mapping[TP, Progress | None], refused_at: Callable[[TP], float], now: float
    ) -> None:
        """Raise `Stuck` for a partition that has stood still for too long.

        None stands for a partition that is assigned and not read yet. `refused_at` tells when the database
        last refused something of it: waiting is no standstill, nor is a time without an answer of the broker.
        """
        if self._answered_at is None or now - self._answered_at > STUCK_S / 2:
            self._moved = {}
        self._answered_at = now
        self._moved = {tp: self._movement(tp, seen, now) for tp, seen in progress.items()}
        moved = {tp: max(at, refused_at(tp)) for tp, (_, at) in self._moved.items()}
        stuck = sorted(tp for tp, at in moved.items() if now - at > STUCK_S)
        if stuck:
            names = ", ".join(f"{tp.topic}[{tp.partition}]" for tp in stuck)
            raise Stuck(f"nothing was stored for {STUCK_S:.0f} s while records wait in {names}")

    def check_silence(self, now: float) -> None:
        """Raise `Stuck` when the broker has not answered for very long."""
        self._answered_at = now if self._answered_at is None else self._answered_at
        if now - self._answered_at > SILENT_S:
            raise Stuck(f"the broker has not answered for {SILENT_S:.0f} s")

    def _movement(self, tp: TP, seen: Progress | None, now: float) -> tuple[int | None, float]:
        """How far the partition is, and since when; one without a backlog is taken to move."""
        position = seen.acked_to if seen else None
        before, since = self._moved.get(tp, (position, now))
        idle = seen is not None and not seen.lag
        return (position, now) if idle or position != before else (position, since)
