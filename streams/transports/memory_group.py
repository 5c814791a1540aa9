"""Consumer groups of the in-process broker."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from faust.types import TP


class Member(Protocol):
    """A consumer, as its group sees it."""

    async def revoke(self, partitions: set[TP]) -> None:
        """Stop reading these partitions."""
        ...

    async def assign(self, partitions: set[TP], generation: int) -> None:
        """Read exactly these partitions from now on."""
        ...


class Group:
    """Members, who reads what, and the committed offsets.

    `partitions_of` lists the partitions of given topics; `on_commit` is called whenever offsets moved.
    """

    def __init__(
        self, partitions_of: Callable[[Iterable[str]], list[TP]], on_commit: Callable[[], None]
    ) -> None:
        self.topics: set[str] = set()
        """What the group has ever subscribed to."""
        self.committed: dict[TP, int] = {}
        self.generation = 0
        self._partitions_of = partitions_of
        self._on_commit = on_commit
        self._subscriptions: dict[Member, frozenset[str]] = {}
        self._assigned: dict[Member, set[TP]] = {}
        self._stale = False
        self._rebalancing: asyncio.Task[None] | None = None

    def join(self, member: Member, topics: frozenset[str]) -> None:
        """Enter a member, or change what it subscribes to."""
        self._subscriptions[member] = topics
        self.topics |= topics
        self._rebalance_soon()

    def leave(self, member: Member) -> None:
        """Take a member out; its partitions go to the others."""
        self._assigned.pop(member, None)
        if self._subscriptions.pop(member, None) is not None:
            self._rebalance_soon()

    def on_new_topic(self, name: str) -> None:
        """Spread a new topic's partitions."""
        if name in self.topics:
            self._rebalance_soon()

    def commit(self, member: Member, offsets: Mapping[TP, int]) -> bool:
        """Store offsets, all or none; False if the member does not hold one of the partitions (any more)."""
        if not self._assigned.get(member, set()).issuperset(offsets):
            return False
        self.committed.update(offsets)
        self._on_commit()
        return True

    def rewind(self, tp: TP, offset: int) -> None:
        """Keep what a member goes back to read again from being dropped."""
        if tp in self.committed:
            self.committed[tp] = min(self.committed[tp], offset)

    def _rebalance_soon(self) -> None:
        self._stale = True
        if self._rebalancing is None or self._rebalancing.done():
            self._rebalancing = asyncio.create_task(self._rebalance())

    async def _rebalance(self) -> None:
        # A member that fails in these calls has crashed itself; the others go on.
        while self._stale:
            self._stale = False
            held = {member: self._assigned.get(member, set()) for member in self._subscriptions}
            await asyncio.gather(*(m.revoke(tps) for m, tps in held.items()), return_exceptions=True)
            self.generation += 1
            self._assigned = self._spread()
            given = [m.assign(set(tps), self.generation) for m, tps in self._assigned.items()]
            await asyncio.gather(*given, return_exceptions=True)

    def _spread(self) -> dict[Member, set[TP]]:
        """Each partition to the subscriber that has the fewest so far."""
        assigned: dict[Member, set[TP]] = {member: set() for member in self._subscriptions}
        for tp in self._partitions_of(self.topics):
            takers = [m for m, topics in self._subscriptions.items() if tp.topic in topics]
            if takers:
                least = min(takers, key=lambda member: len(assigned[member]))
                assigned[least].add(tp)
        return assigned
