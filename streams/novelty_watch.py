"""Slow channels that are watched for values that they never showed: span means, novelty, episodes.

The promise of false episodes is kept for each such watch as it is for rows. Health is the rows' matter.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detectors import state_bytes
from detectors.episodes import Change, EpisodeEvent, EpisodeTracker
from detectors.novelty import Novelty
from detectors.promised_level import PromisedLevel
from detectors.span_means import SpanMeans
from fleet.beside import NovelValues
from fleet.finding import NOVEL
from fleet.vertical import VerticalPack
from storage.chunk_result import EpisodeRow
from streams.episode_book import EpisodeBook, Subject
from streams.segment_watch import AboutOf
from streams.verdict import Verdict

VERSION = 1

PERSISTENCE = 1
"""A mean is no single reading, and what is new is so for `novelty_rows.DELAY` of them at the most."""


class NoveltyWatch:
    """Watches the channels of many slots, independent of how their rows are cut into updates."""

    def __init__(self, pack: VerticalPack, watch: NovelValues, version: int) -> None:
        """`version` is part of every episode's id."""
        rules, kind = pack.detection, pack.equipment_type
        columns = sorted(kind.column(name) for name in watch.channels)
        alarm = watch.on_score, PERSISTENCE
        self.name = f"{Novelty.NAME}-{watch.channels[0]}"
        self._kind = f"novelty watch {VERSION}"
        self._watched = np.isin(np.arange(len(kind.channels)), columns)
        self._spans = SpanMeans(columns, round(watch.every_s * 1e6))
        self._novelty = Novelty(len(columns), baseline=watch.baseline)
        self._level = PromisedLevel(rules.false_per_day, *alarm, off_s=rules.off_delay_s)
        self._episodes = EpisodeTracker(*alarm, off_s=rules.off_delay_s)
        self._book = EpisodeBook(pack, version)

    def update(
        self,
        slot: NDArray[np.int32],
        ts_us: NDArray[np.int64],
        values: NDArray[np.float32],
        at_work: NDArray[np.bool_],
        about_of: AboutOf,
    ) -> list[EpisodeRow]:
        """Episodes that novel values begin, carry on and end; values (n, channels) that are to be trusted."""
        _, means = self._spans.update(slot, ts_us, values, at_work)
        if not len(means.slot):
            return []
        scores = self._novelty.update(means)
        verdict = Verdict(scores, np.ones(len(scores.score), bool), self._watched)
        level = self._level.update(means.slot, means.ts_us, scores.score)
        events = self._episodes.update(means.slot, means.ts_us, scores.score, level)
        return [self._episode(event, verdict, about_of(event.slot)) for event in events]

    def _episode(self, event: EpisodeEvent, verdict: Verdict, about: Subject) -> EpisodeRow:
        ended = event.change is Change.CLOSED
        finding = None if ended else replace(self._book.read(verdict, event.row, (), None), basis=NOVEL)
        return self._book.of_machine(event, about, self.name, finding)

    def renew(self, slot: int, at_us: int, about: Subject) -> list[EpisodeRow]:
        """The machine was repaired then: it may show other values, its episode is over."""
        self._spans.renew(slot)
        self._novelty.renew(slot)
        ended = self._episodes.renew(slot, at_us)
        return [] if ended is None else [self._book.of_machine(ended, about, self.name, None)]

    def state(self) -> bytes:
        """Everything by slot, each part as it packs itself."""
        parts = {name: np.frombuffer(part.state(), np.uint8) for name, part in self._parts().items()}
        return state_bytes.pack(self._kind, {"findings": self._book.array(), **parts})

    def load(self, state: bytes) -> None:
        """Go on from `state`; raises `StateError`."""
        raw = np.empty(0, np.uint8)
        like = {"findings": raw, **dict.fromkeys(self._parts(), raw)}
        found = state_bytes.unpack(self._kind, state, like)
        for name, part in self._parts().items():
            part.load(found[name].tobytes())
        self._book.take(found["findings"])

    def _parts(self) -> dict[str, SpanMeans | Novelty | PromisedLevel | EpisodeTracker]:
        return {
            "spans": self._spans,
            "novelty": self._novelty,
            "level": self._level,
            "episodes": self._episodes,
        }
