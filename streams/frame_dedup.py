"""Tells a new frame from a duplicate or a conflict, by the ledger of stored frames.

A frame is known by (asset, boot id, sequence). In the normal flow sequences grow, and one comparison with
the highest one stored says "new"; whatever is not above it is looked up in the ledger, so the answer is
exact however late or often a frame comes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.wire.kernels import Int64s, kernel

Key = tuple[int, int, int]
"""(asset id, boot id, sequence), the ids as signed 64-bit numbers."""

Source = tuple[int, int]
"""(asset id, boot id)."""

LOWEST = np.iinfo(np.int64).min


class Fate(IntEnum):
    """What becomes of a frame."""

    NEW = 0
    DUPLICATE = 1
    CONFLICT = 2
    NOT_STORED = 3
    """Seen again after a restart, and it was not stored the first time: it must not count now either."""


class Sightings(NamedTuple):
    """Decoded frames in the log's order, (n,) int64 each: identity, content's digest, place in the log."""

    asset_id: Int64s
    boot_id: Int64s
    seq: Int64s
    digest: Int64s
    offset: Int64s

    def keys(self, which: NDArray[np.bool_]) -> list[Key]:
        """The identities of those frames."""
        return list(zip(*(column[which].tolist() for column in self[:3]), strict=True))


class Doubt(NamedTuple):
    """which: (n,) the frames that only the ledger can judge. highest: of each source, after all frames."""

    which: NDArray[np.bool_]
    highest: dict[Source, int]


@dataclass
class FrameDedup:
    """The highest stored sequence of each source of frames in one partition."""

    _highest: dict[Source, int] = field(default_factory=dict)
    _loaded: set[int] = field(default_factory=set)

    def strangers(self, asset_ids: Int64s) -> list[int]:
        """Assets whose highest sequences have not been loaded yet."""
        return sorted(set(np.unique(asset_ids).tolist()) - self._loaded)

    def load(self, asset_ids: Iterable[int], highest: Mapping[Source, int]) -> None:
        """Take in what the ledger knows of these assets: source to highest sequence."""
        self._loaded.update(asset_ids)
        self._highest.update(highest)

    def doubtful(self, seen: Sightings, again: bool) -> Doubt:
        """Find the frames that are not above the highest, or read again after a restart; changes nothing."""
        if again:
            return Doubt(np.ones(len(seen.seq), np.bool_), {})
        sources, source = _sources(seen)
        highest = np.array([self._highest.get(each, LOWEST) for each in sources], np.int64)
        which = np.empty(len(seen.seq), np.bool_)
        _climb(source, seen.seq, highest, which)
        return Doubt(which, dict(zip(sources, highest.tolist(), strict=True)))

    def judge(
        self, seen: Sightings, doubt: Doubt, known: Mapping[Key, tuple[int, int]], again: bool
    ) -> NDArray[np.int8]:
        """The `Fate` of each frame. `known`: (digest, offset) of the doubtful ones that the ledger has.

        `again` says that the frames were judged before a restart: what the ledger has at the frame's very
        offset was new then, everything else was not.
        """
        self._highest.update(doubt.highest)
        fates = np.full(len(seen.seq), Fate.NEW, np.int8)
        suspect = np.isin(seen.asset_id, seen.asset_id[doubt.which])
        digest, offset, earlier = seen.digest[suspect].tolist(), seen.offset[suspect].tolist(), dict(known)
        frames = zip(seen.keys(suspect), zip(digest, offset, strict=True), strict=True)
        if again:
            fates[suspect] = [_as_before(place, known.get(key)) for key, (_, place) in frames]
        else:
            fates[suspect] = [_judge(key, stands, earlier) for key, stands in frames]
        return fates


def _judge(key: Key, stands: tuple[int, int], earlier: dict[Key, tuple[int, int]]) -> Fate:
    """`stands`: the frame's digest and offset. `earlier` takes in what is new."""
    stored = earlier.setdefault(key, stands)
    if stored is stands:
        return Fate.NEW
    return Fate.DUPLICATE if stored[0] == stands[0] else Fate.CONFLICT


def _as_before(offset: int, stored: tuple[int, int] | None) -> Fate:
    return Fate.NEW if stored and stored[1] == offset else Fate.NOT_STORED


def _sources(seen: Sightings) -> tuple[list[Source], Int64s]:
    """The sources of the frames, and the index of each frame's."""
    order = np.lexsort((seen.boot_id, seen.asset_id))
    asset_id, boot_id = seen.asset_id[order], seen.boot_id[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (asset_id[1:] != asset_id[:-1]) | (boot_id[1:] != boot_id[:-1])
    source = np.empty(len(order), np.int64)
    source[order] = np.cumsum(first) - 1
    return list(zip(asset_id[first].tolist(), boot_id[first].tolist(), strict=True)), source


@kernel
def _climb(source: Int64s, seq: Int64s, highest: Int64s, doubtful: NDArray[np.bool_]) -> None:
    """Raise each source's highest sequence; what does not raise it is in doubt."""
    for i in range(len(seq)):
        doubtful[i] = seq[i] <= highest[source[i]]
        if not doubtful[i]:
            highest[source[i]] = seq[i]
