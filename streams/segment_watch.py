"""The segments of one kind that a type's machines go through: cut, judged by their own, told as episodes.

A T² chart judges them, each segment a row of features; the promise of false episodes is kept for each kind of
segment as it is for rows. Health is the rows' matter.
"""

import zlib
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from detectors import state_bytes
from detectors.contract import Samples, Scores
from detectors.episodes import Change, EpisodeEvent, EpisodeTracker
from detectors.ewma_t2 import EwmaT2
from detectors.moving_normal import Moved
from detectors.promised_level import PromisedLevel
from detectors.reviews import Reviews
from detectors.segments import Segments
from fleet.finding import SEGMENTS
from fleet.segment import Segment
from fleet.segment_pack import segment_pack
from fleet.vertical import VerticalPack
from storage.chunk_result import EpisodeRow, FeatureRow
from streams.episode_book import EpisodeBook, Subject
from streams.judges import by_chart
from streams.verdict import Verdict

VERSION = 1

BY_SEGMENTS = "segment-"
"""How the names of judges begin that judge segments."""

AboutOf = Callable[[int], Subject]
"""The machine of a slot."""


class SegmentWatch:
    """Watches the segments of many slots, independent of how their rows are cut into updates."""

    def __init__(self, pack: VerticalPack, segment: Segment, version: int) -> None:
        """`version` is part of every episode's id."""
        kind, view = pack.equipment_type, segment_pack(pack, segment)
        rules, features = view.detection, view.equipment_type.channels
        given = [view.equipment_type.column(name) for name in rules.given]
        self.name = f"{BY_SEGMENTS}{segment.name}"
        self._kind = f"segment watch {VERSION}"
        self._segment, self._features = segment, features
        self._segments = Segments(
            kind.column(segment.channel),
            segment.codes,
            segment.parts(kind),
            phases=segment.phases,
            apart_s=segment.apart_s,
            longest_s=segment.longest_s,
        )
        self._chart = EwmaT2(len(features), baseline=rules.baseline_rows, weight=segment.weight, given=given)
        self._reviews = Reviews()
        self._level = PromisedLevel(
            rules.false_per_day, rules.on_score, rules.persistence, off_s=rules.off_delay_s
        )
        self._episodes = EpisodeTracker(rules.on_score, rules.persistence, off_s=rules.off_delay_s)
        self._book = EpisodeBook(view, version, SEGMENTS)
        self.kept: list[FeatureRow] = []
        """What is to be stored of the segments of the latest update."""

    def update(
        self,
        slot: NDArray[np.int32],
        ts_us: NDArray[np.int64],
        values: NDArray[np.float32],
        about_of: AboutOf,
    ) -> list[EpisodeRow]:
        """Episodes that segments begin, carry on and end; values (n, channels) that are to be trusted."""
        _, segments = self._segments.update(slot, ts_us, values)
        self.kept = []
        if not len(segments.slot):
            return []
        scores, moved = by_chart(self._chart, self._reviews, segments)
        if self._segment.kept:
            self.kept = list(self._told(segments, scores, about_of))
        verdict = Verdict(scores, np.ones(len(scores.score), bool), np.ones(segments.x.shape[1], bool))
        level = self._level.update(segments.slot, segments.ts_us, scores.score)
        events = self._episodes.update(segments.slot, segments.ts_us, scores.score, level)
        rows = [self._episode(event, verdict, about_of(event.slot)) for event in events]
        return rows + [self._shift(each, segments.ts_us, about_of(each.slot)) for each in moved]

    def _told(self, segments: Samples, scores: Scores, about_of: AboutOf) -> Iterator[FeatureRow]:
        for i, k in np.argwhere(np.isfinite(segments.x)).tolist():
            asset_id, ts_us = about_of(int(segments.slot[i])).asset_id, int(segments.ts_us[i])
            one, normal = self._features[k], float(scores.expected[i, k])
            expected = normal if np.isfinite(normal) else None
            value = float(segments.x[i, k])
            yield FeatureRow(asset_id, self._segment.name, one.name, ts_us, value, expected, one.unit)

    def _episode(self, event: EpisodeEvent, verdict: Verdict, about: Subject) -> EpisodeRow:
        ended = event.change is Change.CLOSED
        finding = None if ended else self._book.read(verdict, event.row, (), 0)
        return self._book.of_machine(event, about, self.name, finding)

    def _shift(self, moved: Moved, ts_us: NDArray[np.int64], about: Subject) -> EpisodeRow:
        levels = moved.before, moved.after, moved.scale
        return self._book.of_shift(int(ts_us[moved.row]), about, moved.jumped, *levels, self.name)

    def renew(self, slot: int, at_us: int, about: Subject) -> list[EpisodeRow]:
        """The machine was repaired then: what is normal for it is learned anew, its episode is over."""
        self._segments.renew(slot)
        self._chart.renew(slot)
        ended = self._episodes.renew(slot, at_us)
        return [] if ended is None else [self._book.of_machine(ended, about, self.name, None)]

    def state(self) -> bytes:
        """Everything by slot, each part as it packs itself."""
        parts = {name: np.frombuffer(part.state(), np.uint8) for name, part in self._parts().items()}
        return state_bytes.pack(
            self._kind, {**self._reviews.arrays(), "findings": self._book.array(), **parts}
        )

    def load(self, state: bytes) -> None:
        """Go on from `state`; raises `StateError`."""
        raw = np.empty(0, np.uint8)
        like = {**self._reviews.arrays(), "findings": raw, **dict.fromkeys(self._parts(), raw)}
        found = state_bytes.unpack(self._kind, state, like)
        for name, part in self._parts().items():
            part.load(found[name].tobytes())
        self._reviews.take(found["review_clock"], found["review_last_us"])
        self._book.take(found["findings"])

    def _parts(self) -> dict[str, Segments | EwmaT2 | PromisedLevel | EpisodeTracker]:
        return {
            "segments": self._segments,
            "chart": self._chart,
            "level": self._level,
            "episodes": self._episodes,
        }


SEGMENT = "segment "
"""How the names of their parts of a state begin."""


def watches(pack: VerticalPack, version: int) -> dict[str, SegmentWatch]:
    """A watch for each segment of the pack, by what tells it from one that is defined in another way."""
    return {
        f"{SEGMENT}{one.name} {zlib.crc32(repr(one).encode()):08x}": SegmentWatch(pack, one, version)
        for one in pack.segments
    }
