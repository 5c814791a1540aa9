"""Tells a new frame from a duplicate or a conflict, by the ledger of stored frames.

A frame is known by (asset, boot id, sequence). In the normal flow sequences grow, and one comparison with
the highest one stored says "new"; whatever is not above it is looked up in the ledger, so the answer is
exact however late or often a frame comes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

Key = tuple[int, int, int]
"""(asset id, boot id, sequence), the ids as signed 64-bit numbers."""


class Fate(IntEnum):
    """What becomes of a frame."""

    NEW = 0
    DUPLICATE = 1
    CONFLICT = 2
    NOT_STORED = 3
    """Seen again after a restart, and it was not stored the first time: it must not count now either."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A decoded frame's identity, its content's digest, and where it stands in the log."""

    key: Key
    digest: int
    offset: int


@dataclass
class FrameDedup:
    """The highest stored sequence of each (asset, boot id) of one partition."""

    _highest: dict[tuple[int, int], int] = field(default_factory=dict)
    _loaded: set[int] = field(default_factory=set)

    def strangers(self, asset_ids: Iterable[int]) -> list[int]:
        """Assets whose highest sequences have not been loaded yet."""
        return sorted(set(asset_ids) - self._loaded)

    def load(self, asset_ids: Iterable[int], highest: Mapping[tuple[int, int], int]) -> None:
        """Take in what the ledger knows of these assets: (asset, boot id) to highest sequence."""
        self._loaded.update(asset_ids)
        self._highest.update(highest)

    def doubtful(self, sightings: Sequence[Sighting], again: bool) -> list[Key]:
        """Keys that only the ledger can judge: not above the highest, or read again after a restart."""
        highest = dict(self._highest)
        keys = []
        for seen in sightings:
            source, seq = seen.key[:2], seen.key[2]
            top = highest.get(source)
            if again or (top is not None and seq <= top):
                keys.append(seen.key)
            else:
                highest[source] = seq
        return keys

    def judge(
        self, sightings: Sequence[Sighting], known: Mapping[Key, tuple[int, int]], again: bool
    ) -> list[Fate]:
        """The fate of each frame. `known`: (digest, offset) of the doubtful keys that the ledger has.

        `again` says that the frames were judged before a restart: what the ledger has at the frame's very
        offset was new then, everything else was not.
        """
        if again:
            return [_as_before(seen, known.get(seen.key)) for seen in sightings]
        earlier = dict(known)
        return [self._judge(seen, earlier) for seen in sightings]

    def _judge(self, seen: Sighting, earlier: dict[Key, tuple[int, int]]) -> Fate:
        stored = earlier.get(seen.key)
        if stored:
            return Fate.DUPLICATE if stored[0] == seen.digest else Fate.CONFLICT
        earlier[seen.key] = (seen.digest, seen.offset)
        source, seq = seen.key[:2], seen.key[2]
        self._highest[source] = max(seq, self._highest.get(source, seq))
        return Fate.NEW


def _as_before(seen: Sighting, stored: tuple[int, int] | None) -> Fate:
    return Fate.NEW if stored and stored[1] == seen.offset else Fate.NOT_STORED
