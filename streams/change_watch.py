"""Slow channels that are watched for when they change: span means, moving sums, an event each.

A change is told as an event and remembered as evidence of what is found after it. It is no alarm: many a
change is a repair, a setting or a season, and what it makes of the machine is for the other detectors to say.
"""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors import state_bytes
from detectors.mosum import ChangePoint, Mosum
from detectors.span_means import SpanMeans
from fleet.beside import ChangePoints
from fleet.change_finding import Levels, read_change, remembered
from fleet.finding import Evidence
from fleet.vertical import VerticalPack
from storage.chunk_result import EpisodeRow
from streams.episode_book import EpisodeBook, Subject
from streams.segment_watch import AboutOf

VERSION = 1

FORGOTTEN_US = 14 * 86_400_000_000
"""What is found so long after a change has nothing to do with it."""


class ChangeWatch:
    """Watches the channels of many slots, independent of how their rows are cut into updates."""

    def __init__(self, pack: VerticalPack, watch: ChangePoints, version: int) -> None:
        """`version` is part of every episode's id."""
        kind = pack.equipment_type
        columns = sorted(kind.column(name) for name in watch.channels)
        self._kind = f"change watch {VERSION}"
        self._channels = [kind.channels[column] for column in columns]
        self._every_us = round(watch.every_s * 1e6)
        self._spans = SpanMeans(columns, self._every_us)
        apart = 2 * max(watch.windows)  # else what goes on growing would be told again and again
        self._sums = Mosum(
            len(columns),
            baseline=watch.baseline,
            windows=watch.windows,
            score=watch.score,
            refractory=apart,
        )
        self._book = EpisodeBook(pack, version)
        self._told: dict[int, list[tuple[int, tuple[Evidence, ...]]]] = {}

    def update(
        self,
        slot: NDArray[np.int32],
        ts_us: NDArray[np.int64],
        values: NDArray[np.float32],
        at_work: NDArray[np.bool_],
        about_of: AboutOf,
    ) -> list[EpisodeRow]:
        """The changes, each over when it is told; values (n, channels) that are to be trusted."""
        self._told = {s: told[-1:] for s, told in self._told.items()}
        row, means = self._spans.update(slot, ts_us, values, at_work)
        points = self._sums.update(means) if len(row) else []
        return [self._tell(point, int(ts_us[row[point.row]]), about_of(point.slot)) for point in points]

    def _tell(self, point: ChangePoint, told_us: int, about: Subject) -> EpisodeRow:
        since_us = point.since_us - self._every_us  # a span has the instant of its end
        finding = read_change(self._channels, Levels(since_us, point.share, point.before, point.after))
        self._told.setdefault(point.slot, []).append((told_us, remembered(finding)))
        return self._book.of_change(since_us, told_us, about, finding)

    def evidence(self, slot: int, ts_us: int) -> tuple[Evidence, ...]:
        """What was told of the latest change until an instant of the latest update, if it is recent."""
        for told_us, evidence in reversed(self._told.get(slot, [])):
            if told_us <= ts_us:
                return evidence if ts_us - told_us < FORGOTTEN_US else ()
        return ()

    def renew(self, slot: int, at_us: int, about: Subject) -> list[EpisodeRow]:
        """The machine was repaired then: what changed before is no evidence any more."""
        self._spans.renew(slot)
        self._sums.renew(slot)
        self._told.pop(slot, None)
        return []

    def state(self) -> bytes:
        """Everything by slot, each part as it packs itself."""
        latest = {s: told[-1] for s, told in sorted(self._told.items())}
        told = {s: (us, [asdict(each) for each in said]) for s, (us, said) in latest.items()}
        own = {"told": np.frombuffer(json.dumps(told).encode(), np.uint8)}
        parts = {name: np.frombuffer(part.state(), np.uint8) for name, part in self._parts().items()}
        return state_bytes.pack(self._kind, own | parts)

    def load(self, state: bytes) -> None:
        """Go on from `state`; raises `StateError`."""
        raw = np.empty(0, np.uint8)
        found = state_bytes.unpack(self._kind, state, {"told": raw, **dict.fromkeys(self._parts(), raw)})
        for name, part in self._parts().items():
            part.load(found[name].tobytes())
        told: dict[str, Any] = json.loads(found["told"].tobytes())
        self._told = {
            int(s): [(us, tuple(Evidence(**each) for each in said))] for s, (us, said) in told.items()
        }

    def _parts(self) -> dict[str, SpanMeans | Mosum]:
        return {"spans": self._spans, "sums": self._sums}
