"""What a pack has beside the worker's two detectors, over one equipment type's machines."""

import zlib

import numpy as np
from numpy.typing import NDArray

from fleet.beside import Beside, NovelValues
from fleet.finding import Evidence
from fleet.vertical import VerticalPack
from storage.chunk_result import EpisodeRow
from streams.change_watch import ChangeWatch
from streams.episode_book import Subject
from streams.novelty_watch import NoveltyWatch
from streams.segment_watch import AboutOf

BESIDE = "beside "
"""How the names of their parts of a state begin."""

Watch = NoveltyWatch | ChangeWatch


class BesideWatches:
    """The watches of a pack, each under what tells it from one that is defined in another way."""

    def __init__(self, pack: VerticalPack, version: int) -> None:
        """`version` is part of every episode's id."""
        self._version = version
        self.parts: dict[str, Watch] = {}
        self.widen(pack)

    def widen(self, pack: VerticalPack) -> None:
        """Go on with a pack whose type has channels added at its end: what needs them begins now."""
        for one in pack.detection.beside:
            name = f"{BESIDE}{zlib.crc32(repr(one).encode()):08x}"
            self.parts.setdefault(name, _watch(pack, one, self._version))

    def update(
        self,
        slot: NDArray[np.int32],
        ts_us: NDArray[np.int64],
        values: NDArray[np.float32],
        at_work: NDArray[np.bool_],
        about_of: AboutOf,
    ) -> list[EpisodeRow]:
        """What they tell of the rows; values (n, channels) that are to be trusted."""
        return [
            row
            for watch in self.parts.values()
            for row in watch.update(slot, ts_us, values, at_work, about_of)
        ]

    def changes(self, slot: int, ts_us: int) -> tuple[Evidence, ...]:
        """What is remembered at a row of the latest update of the changes that the machine has made."""
        changes = (watch for watch in self.parts.values() if isinstance(watch, ChangeWatch))
        return tuple(each for watch in changes for each in watch.evidence(slot, ts_us))

    def renew(self, slot: int, at_us: int, about: Subject) -> list[EpisodeRow]:
        """The machine was repaired then; what that ends."""
        return [row for watch in self.parts.values() for row in watch.renew(slot, at_us, about)]


def _watch(pack: VerticalPack, one: Beside, version: int) -> Watch:
    if isinstance(one, NovelValues):
        return NoveltyWatch(pack, one, version)
    return ChangeWatch(pack, one, version)
