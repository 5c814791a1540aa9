"""One equipment type's machines in one partition: clock, quality, limits, scores, segments, health, wear.

Rows come in the order of the log. A row that is not later than what its machine has already shown is
stored but not scored: what was scored stays as it was, whatever comes late.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from detectors import state_bytes
from detectors.clock import Clock, ClockFault
from detectors.contract import Detector, Samples
from detectors.episodes import Change, EpisodeEvent, EpisodeTracker
from detectors.explained import Explained, Fit
from detectors.health import HealthTracker
from detectors.hour_means import HourMeans
from detectors.moving_normal import Moved
from detectors.operating_modes import OperatingModes
from detectors.promised_level import PromisedLevel
from detectors.quality import QualityGate, SensorFault
from fleet.rating import Ratings
from fleet.unit_mixup import mix_up_table
from fleet.vertical import Counted, VerticalPack
from storage.chunk_result import EpisodeRow
from streams.beside import BESIDE, BesideWatches, Watch
from streams.episode_book import EpisodeBook, Subject
from streams.hourly import Hourly
from streams.judges import ENSEMBLE, EXPLAINED, Judges
from streams.limits import LimitPart, Limits
from streams.named_modes import NamedModes, Naming
from streams.part_counters import NO_CHANGES, Changes, PartCounters, Parts
from streams.renewals import Instants, Renewal, Renewals
from streams.rows import Rows, Scored, telemetry_of
from streams.segment_watch import SEGMENT, SegmentWatch, watches
from streams.verdict import Verdict
from streams.wear_counters import MODEL, WearCounters

VERSION = 6

HOURS = "hour means"

Watcher = Clock | OperatingModes | QualityGate | LimitPart
Part = (
    Watcher
    | Detector
    | PromisedLevel
    | EpisodeTracker
    | HealthTracker
    | HourMeans
    | SegmentWatch
    | Watch
    | PartCounters
    | Explained
)
"""What keeps a state of its own."""

NameOf = Callable[[int], tuple[str, str]]
"""Tenant and name of an asset by its number."""

RatingsOf = Callable[[int], Ratings]
"""Ratings of an asset by its number."""

WELL = 95.0
"""Health in percent from which what a machine shows may teach a new normal: no wear is lost with the old."""

PIONEERS, ONE_IN = 5, 10
"""So many machines, or one in so many, learn anew first, until they can say what is normal for the others."""

T = TypeVar("T")

NO_RENEWALS: Instants = {}

NAMED = "named"
PARTS = "part counters"
OPTIONAL = (MODEL, SEGMENT, BESIDE, HOURS, NAMED, PARTS, EXPLAINED)
"""How the parts of a state begin that a pack or an earlier release may have been without."""


class Scorer:
    """The machines' state, by slot; the first machine seen has slot 0."""

    def __init__(
        self, pack: VerticalPack, judge: str = ENSEMBLE, ratings_of: RatingsOf = lambda _: {}
    ) -> None:
        self._judge = judge
        self._ratings_of = ratings_of
        self._kind = f"scorer {VERSION}: {pack.equipment_type.name}"
        self._start(pack)

    def _start(self, pack: VerticalPack) -> None:
        """With no machine known yet."""
        rules = pack.detection
        self._look_at(pack)
        self._clock = Clock()
        self._modes = self._make_modes()
        self._gate = QualityGate(*self._ranges())
        self._limits = Limits(pack)
        self._judges = Judges(self._judge, pack)
        self._level = PromisedLevel(
            rules.false_per_day, rules.on_score, rules.persistence, off_s=rules.off_delay_s
        )
        self._episodes = EpisodeTracker(rules.on_score, rules.persistence, off_s=rules.off_delay_s)
        self._health = HealthTracker(
            baseline=rules.baseline_rows, tau_s=rules.health_tau_s, d_fail=rules.d_fail
        )
        self._hours = HourMeans(self.channels)
        self._wear = WearCounters(pack)
        self._of_parts = _part_counters(pack)
        self._assets: list[int] = []
        self._slots: dict[int, int] = {}
        self._hourly = Hourly(pack)
        self._renewals = Renewals()
        self._book = EpisodeBook(pack, VERSION)
        self._watches = watches(pack, VERSION)
        self._beside = BesideWatches(pack, VERSION)
        self._named = NamedModes()
        self._offered_anew = self._takes_over = False

    def _look_at(self, pack: VerticalPack) -> None:
        channels = pack.equipment_type.channels
        self._pack = pack
        self._measured = np.array([c.kind == "measurement" for c in channels], bool)

    def _ranges(
        self,
    ) -> tuple[
        NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64], NDArray[np.bool_]
    ]:
        channels = self._pack.equipment_type.channels
        low, high = np.array([c.low for c in channels]), np.array([c.high for c in channels])
        impulsive = np.array([c.name in self._pack.impulsive for c in channels])
        return low, high, self._measured, mix_up_table(tuple(c.unit for c in channels)), impulsive

    def _make_modes(self) -> OperatingModes:
        kind, rules = self._pack.equipment_type, self._pack.detection
        states = [k for k, channel in enumerate(kind.channels) if channel.kind == "state"]
        bands = [(kind.column(name), edges) for name, edges in rules.bands]
        return OperatingModes(states[0] if states else None, self._pack.codes, bands, rules.settle_s)

    @property
    def channels(self) -> int:
        """How many columns the rows have."""
        return len(self._measured)

    def widen(self, pack: VerticalPack) -> None:
        """Go on with a pack whose type has channels added at its end; raises `ValueError` for fewer."""
        self._look_at(pack)
        self._gate.widen(*self._ranges())
        self._hours.widen(self.channels)
        self._modes = self._make_modes().widened(self._modes)
        self._limits.widen(pack)
        self._book.pack = self._hourly.pack = pack
        self._judges.widen(pack)
        self._watches = watches(pack, VERSION) | self._watches
        self._beside.widen(pack)
        self._wear = self._wear.widened(pack, self._ratings())
        if self._of_parts:
            self._of_parts.widen(pack.equipment_type)
        else:
            self._of_parts = _part_counters(pack)
        self.rate()

    def rate(self) -> None:
        """Look at the machines' ratings again, which may have changed."""
        self._rate(0)

    def _rate(self, first: int) -> None:
        ratings = self._ratings(first)
        self._wear.rate(ratings, first)
        if self._of_parts:
            self._of_parts.rate(ratings, first)

    def _ratings(self, first: int = 0) -> list[Ratings]:
        return [self._ratings_of(asset_id) for asset_id in self._assets[first:]]

    def offer(self, fit: Fit | None) -> None:
        """Take what surroundings explain, by this fit from now on, out of rows before they are judged.

        A machine whose normal was learned without it, or under another, learns anew: after a renewal, or at
        its first row in the next update, if no episode is on and its health is `WELL`, so that no fault and
        no wear becomes normal. A few do at first, the others once these can say what is normal for them.
        """
        self._offered_anew |= self._judges.offer(fit)
        self._takes_over = True

    def score(
        self,
        rows: Rows,
        name_of: NameOf,
        renewed_us: Instants = NO_RENEWALS,
        changed_us: Changes = NO_CHANGES,
    ) -> Scored:
        """Store all rows, score those that are on time.

        renewed_us: the instants at which assets were repaired or restored, in order. At its first row after
        one a machine starts over; if rows after it were scored before it was known, at its next row.
        changed_us: the instants at which parts of assets were changed, which begin anew in the same way.
        """
        slot = self._slots_of(rows.asset_id)
        begun = self._take_over(slot, rows.ts_us, name_of) if self._takes_over else []
        started_over = len(begun) + self._offered_anew
        self._takes_over = self._offered_anew = False
        due = self._renewals.due(slot, rows.ts_us, self._by_slot(renewed_us, slot))
        changes = self._by_slot(changed_us, slot)
        parts, start = [], 0
        for end in [*sorted({each.row for each in due if each.row}), len(rows.ts_us)]:
            now = [each for each in due if each.row == start]
            ended = list(self._start_over(now, name_of))
            part = self._score(slot[start:end], rows.take(slice(start, end)), name_of, changes)
            parts.append(replace(part, renewed=part.renewed + len(now), episodes=ended + part.episodes))
            start = end
        scored = Scored.joined(parts)
        return replace(scored, renewed=scored.renewed + started_over, episodes=begun + scored.episodes)

    def _take_over(
        self, slot: NDArray[np.int32], ts_us: NDArray[np.int64], name_of: NameOf
    ) -> list[EpisodeRow]:
        """Machines that are well learn anew under the fit that is offered; an event for each."""
        machines = len(self._assets)
        behind = self._judges.behind(machines)
        if not behind:
            return []
        present = np.intersect1d(behind, slot).astype(np.int32)
        sick = self._health.now(present) < WELL
        well = [s for s in present[~sick].tolist() if not self._episodes.is_on(s)]
        if not self._judges.knows_fleet:
            well = well[: max(0, max(PIONEERS, machines // ONE_IN) - (machines - len(behind)))]
        return [self._begin_under_fit(s, int(ts_us[slot == s][0]), name_of) for s in well]

    def _begin_under_fit(self, slot: int, at_us: int, name_of: NameOf) -> EpisodeRow:
        self._judges.renew(slot)
        return self._book.of_relearning(at_us, self._about(slot, name_of), self._judges.offered)

    def _by_slot(self, known: Mapping[int, T], slot: NDArray[np.int32]) -> dict[int, T]:
        """What is known of the machines that there are rows of."""
        if not known:
            return {}
        present = ((s, self._assets[s]) for s in np.unique(slot).tolist())
        return {s: known[asset_id] for s, asset_id in present if asset_id in known}

    def _start_over(self, renewals: Sequence[Renewal], name_of: NameOf) -> Iterator[EpisodeRow]:
        """Make each machine a new one to all that has learned from it; what that ends."""
        for each in renewals:
            self._judges.renew(each.slot)
            self._health.renew(each.slot)
            self._named.renew(each.slot)
            ended = self._episodes.renew(each.slot, each.at_us)
            about = self._about(each.slot, name_of)
            if ended is not None:
                yield self._book.of_machine(ended, about, self._judge, None)
            yield from (
                self._book.of_limit(event, about) for event in self._limits.renew(each.slot, each.at_us)
            )
            for watch in self._watches.values():
                yield from watch.renew(each.slot, each.at_us, about)
            yield from self._beside.renew(each.slot, each.at_us, about)

    def _score(self, slot: NDArray[np.int32], rows: Rows, name_of: NameOf, changes: Changes) -> Scored:
        """Rows in which no machine starts over, or does so before them all."""
        on_time, clock_faults = self._clock.check(slot, rows.ts_us)
        late, timely = rows.take(slice(0, 0)), rows
        if not on_time.all():
            late, timely, slot = rows.take(~on_time), rows.take(on_time), slot[on_time]
        modes = self._modes.update(slot, timely.ts_us, timely.values)
        samples = Samples(slot, timely.ts_us, modes.regime, timely.values)
        resting = np.isin(modes.code, self._pack.detection.idle)
        checked = self._gate.check(samples, resting)
        at_work = modes.settled & ~resting
        verdict, by_t2, moved = self._judges.judge(samples, checked.x, at_work)
        passed = self._limits.check(replace(samples, x=checked.x), at_work)
        episodes = self._beside_scores(clock_faults, checked.faults, timely, name_of)
        episodes += [
            self._book.of_limit(event, self._about(event.slot, name_of), checked.x[event.row])
            for event in passed
        ]
        watched_before_us = self._level.watched_us
        score = verdict.column(verdict.scores.score, np.nan)
        level = self._level.update(slot, timely.ts_us, score)
        events = self._episodes.update(slot, timely.ts_us, score, level)
        about_of = partial(self._about, name_of=name_of)
        episodes += self._beside.update(slot, timely.ts_us, checked.x, at_work, about_of)
        departure = by_t2.column(by_t2.scores.departure, np.nan)
        channels = by_t2.column(by_t2.scores.judged, 0)
        health = self._health.update(slot, timely.ts_us, departure, channels)
        due = self._hourly.due(slot, timely.ts_us, health)
        asked = {event.row for event in events}.union(due)
        worn, renewed = self._worn(asked, slot, timely.ts_us, checked.x, changes)
        of_machines = self._episodes_of(events, timely.ts_us, verdict, worn, modes.code, name_of)
        episodes += of_machines
        episodes += [self._shift(each, timely.ts_us[verdict.judged], name_of) for each in moved]
        for watch in self._watches.values():
            episodes += watch.update(slot, timely.ts_us, checked.x, about_of)
        means = self._hours.update(slot, timely.ts_us, checked.x, due)
        named = self._named.at(due, slot, _namings(events, of_machines))
        return Scored(
            self._level.watched_us - watched_before_us,
            sum(event.change is Change.OPENED for event in events),
            renewed,
            telemetry_of(timely, late, score, checked.flags),
            [self._hourly.health_row(i, timely, health, by_t2) for i in due],
            episodes,
            [row for watch in self._watches.values() for row in watch.kept],
            [row for i in due for row in self._hourly.wear_rows(i, timely, worn[i])],
            [
                self._hourly.message(i, timely, health, worn[i], of_hour, mode)
                for i, of_hour, mode in zip(due, means, named, strict=True)
            ],
        )

    def _worn(
        self,
        asked: Set[int],
        slot: NDArray[np.int32],
        ts_us: NDArray[np.int64],
        x: NDArray[np.float32],
        changes: Changes,
    ) -> tuple[dict[int, list[Counted]], int]:
        """Take in rows; the counters of which something is known, where they stand after rows asked for.

        Also how many parts began anew.
        """
        read, of_parts, renewed = self._wear.update(slot, ts_us, x), Parts(), 0
        if self._of_parts:
            of_parts, renewed = self._of_parts.update(slot, ts_us, x, asked, changes)
        return {i: self._counted(slot[i], read[i]) + of_parts.get(i, []) for i in asked}, renewed

    def _counted(self, slot: int, wear: NDArray[np.float64]) -> list[Counted]:
        """The machine's own counters, without those of parts that it takes up in turn."""
        counters = zip(self._wear.of(slot), wear.tolist(), strict=True)
        return [(one, value) for one, value in counters if one is not None and np.isfinite(value)]

    def _slots_of(self, asset_ids: NDArray[np.int32]) -> NDArray[np.int32]:
        """Rows of a machine come together, a frame at a time: a frame is looked up, not each of its rows."""
        before, ends = len(self._assets), np.flatnonzero(np.diff(asset_ids, append=-1))
        named = asset_ids[ends].tolist()
        for asset_id in named:
            if asset_id not in self._slots:
                self._slots[asset_id] = len(self._assets)
                self._assets.append(asset_id)
        if len(self._assets) > before:
            self._hourly.reach(len(self._assets))
            self._rate(before)
        slots = np.array([self._slots[asset_id] for asset_id in named], np.int32)
        return np.repeat(slots, np.diff(ends, prepend=-1))

    def _episodes_of(
        self,
        events: list[EpisodeEvent],
        ts_us: NDArray[np.int64],
        verdict: Verdict,
        worn: Mapping[int, Sequence[Counted]],
        code: NDArray[np.int16],
        name_of: NameOf,
    ) -> list[EpisodeRow]:
        rows = []
        for event in events:
            finding = None
            if event.change is not Change.CLOSED:
                finding = self._book.read(verdict, event.row, worn[event.row], int(code[event.row]))
                changes = self._beside.changes(event.slot, int(ts_us[event.row]))
                finding = replace(finding, evidence=finding.evidence + changes)
            rows.append(self._book.of_machine(event, self._about(event.slot, name_of), self._judge, finding))
        return rows

    def _beside_scores(
        self,
        clocks: list[ClockFault],
        sensors: list[SensorFault],
        rows: Rows,
        name_of: NameOf,
    ) -> list[EpisodeRow]:
        """Episodes about clocks and sensors."""
        found = [self._book.of_clock(fault, self._about(fault.slot, name_of)) for fault in clocks]
        for fault in sensors:
            reading = float(rows.values[fault.row, fault.channel])
            found.append(self._book.of_sensor(fault, self._about(fault.slot, name_of), reading))
        return found

    def _shift(self, moved: Moved, ts_us: NDArray[np.int64], name_of: NameOf) -> EpisodeRow:
        """What became normal for a machine, at one of the judged rows' instants."""
        levels = np.full((3, self.channels), np.nan, np.float32)
        width = int(np.count_nonzero(self._measured))
        levels[:, self._measured] = [each[:width] for each in (moved.before, moved.after, moved.scale)]
        about = self._about(moved.slot, name_of)
        return self._book.of_shift(int(ts_us[moved.row]), about, moved.jumped, *levels)

    def _about(self, slot: int, name_of: NameOf) -> Subject:
        return Subject(self._assets[slot], *name_of(self._assets[slot]))

    def state(self) -> bytes:
        """Everything by slot, each part as it packs itself."""
        n = len(self._assets)
        parts = {name: np.frombuffer(part.state(), np.uint8) for name, part in self._parts().items()}
        own: dict[str, NDArray[Any]] = {
            "channels": np.array([self.channels]),
            "asset_id": np.array(self._assets, np.int32),
            "told_hour": self._hourly.array(),
            "since_us": self._renewals.array(),
            **self._judges.reviews.arrays(),
            **self._wear.arrays(n),
            "findings": self._book.array(),
            NAMED: self._named.array(),
        }
        return state_bytes.pack(self._kind, own | parts)

    def load(self, state: bytes) -> None:
        """Go on from `state`, also from one that was saved with fewer channels; raises `StateError`."""
        pack, saved = self._pack, state_bytes.peek(state, "channels")
        self._start(pack.on(pack.equipment_type.first(saved)))
        self._load(state)
        if saved < len(pack.equipment_type.channels):
            self.widen(pack)

    def _load(self, state: bytes) -> None:
        saved = state_bytes.names(state)
        like = {k: like for k, like in self._like().items() if k in saved or not k.startswith(OPTIONAL)}
        like |= {
            k: np.empty(0, np.uint8) for k in saved if k.startswith((SEGMENT, BESIDE))
        }  # also of earlier packs
        found = state_bytes.unpack(self._kind, state, like)
        for name, part in self._parts().items():
            if name in found:
                part.load(found[name].tobytes())
        self._assets = found["asset_id"].tolist()
        self._judges.behind(len(self._assets))  # of a state from before there were fits
        self._slots = {asset_id: slot for slot, asset_id in enumerate(self._assets)}
        self._hourly.take(found["told_hour"])
        self._renewals.take(found["since_us"])
        self._judges.reviews.take(found["review_clock"], found["review_last_us"])
        self._wear.take(found, self._ratings())
        self.rate()
        self._book.take(found["findings"])
        if NAMED in found:
            self._named.take(found[NAMED])

    def _parts(self) -> dict[str, Part]:
        alarm: dict[str, Part] = {"level": self._level, "episodes": self._episodes}
        watchers: dict[str, Part] = {
            "clock": self._clock,
            "modes": self._modes,
            "gate": self._gate,
            **self._limits.parts,
        }
        by_hour: dict[str, Part] = {"health": self._health, HOURS: self._hours}
        of_parts: dict[str, Part] = {PARTS: self._of_parts} if self._of_parts else {}
        return {
            **watchers,
            **alarm,
            **by_hour,
            **of_parts,
            **self._judges.parts,
            **self._watches,
            **self._beside.parts,
        }

    def _like(self) -> dict[str, NDArray[Any]]:
        raw = np.empty(0, np.uint8)
        own: dict[str, NDArray[Any]] = {
            "channels": np.array([self.channels]),
            "asset_id": np.empty(0, np.int32),
            "told_hour": self._hourly.array(),
            "since_us": self._renewals.array(),
            **self._judges.reviews.arrays(),
            **self._wear.arrays(0),
            "findings": raw,
            NAMED: raw,
        }
        return own | dict.fromkeys(self._parts(), raw)


def _part_counters(pack: VerticalPack) -> PartCounters | None:
    return PartCounters(pack.parts, pack.equipment_type) if pack.parts else None


def _namings(events: Sequence[EpisodeEvent], rows: Sequence[EpisodeRow]) -> list[Naming]:
    """What the events of machine episodes change, of which `rows` are the readings."""
    return [
        Naming(event.row, event.slot, row.evidence["code"] if event.change is Change.OPENED else "")
        for event, row in zip(events, rows, strict=True)
        if event.change is not Change.PEAK
    ]
