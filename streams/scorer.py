"""One equipment type's machines in one partition: clock, quality, limits, scores, episodes, health, wear.

Rows come in the order of the log. A row that is not later than what its machine has already shown is
stored but not scored: what was scored stays as it was, whatever comes late.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors import state_bytes
from detectors.clock import Clock, ClockFault
from detectors.contract import Detector, Samples, Scores
from detectors.ensemble import by_windows, combined, detectors_for
from detectors.episodes import Change, EpisodeEvent, EpisodeTracker
from detectors.ewma_t2 import EwmaT2
from detectors.health import HealthTracker
from detectors.limit_alarm import Limit, LimitAlarm
from detectors.moving_normal import Moved
from detectors.operating_modes import OperatingModes
from detectors.promised_level import PromisedLevel
from detectors.quality import QualityGate, SensorFault
from detectors.reviews import Reviews
from detectors.window_knn import WindowKnn
from fleet.unit_mixup import mix_up_table
from fleet.vertical import VerticalPack
from storage.chunk_result import EpisodeRow, HealthRow, Telemetry, WearRow
from streams.episode_book import EpisodeBook, Subject
from streams.health_message import HealthMessage
from streams.wear_counters import MODEL, WearCounters

HEALTH_EVERY_US = 3600 * 1_000_000
"""Event time between two health rows of a machine: one at its first row of each hour."""

LOWERED_BY = 3
"""Channels named as what lowers the health."""

VERSION = 5

JUDGES: Mapping[str, Callable[[Scores, Scores], Scores]] = {
    "t2-knn": combined,
    EwmaT2.NAME: lambda by_t2, _: by_t2,
    WindowKnn.NAME: lambda _, by_knn: by_knn,
}
"""What the score is made of the two detectors' verdicts; episodes carry the name."""

ENSEMBLE = "t2-knn"
"""What a worker judges by."""

Watcher = Clock | OperatingModes | QualityGate | LimitAlarm
Part = Watcher | Detector | PromisedLevel | EpisodeTracker | HealthTracker
"""What keeps a state of its own."""

NameOf = Callable[[int], tuple[str, str]]
"""Tenant and name of an asset by its number."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one equipment type in log order. values: (n, channels) float32, NaN where missing."""

    asset_id: NDArray[np.int32]
    ts_us: NDArray[np.int64]
    values: NDArray[np.float32]

    def take(self, where: NDArray[Any] | slice) -> "Rows":
        """The rows at an index, mask or slice."""
        return Rows(self.asset_id[where], self.ts_us[where], self.values[where])


@dataclass(frozen=True, slots=True)
class Scored:
    """What the rows of one equipment type became.

    watched_us: how long machines were watched, all together. opened: machine episodes that began.
    """

    watched_us: int
    opened: int
    telemetry: Telemetry
    health: list[HealthRow]
    episodes: list[EpisodeRow]
    wear: list[WearRow]
    messages: list[HealthMessage]


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Scores of the rows that were judged and the channels that are measured.

    judged: (n,) bool, measured: (channels,) bool. Few ask about all rows and channels, and spreading the
    scores over them costs more than a detector.
    """

    scores: Scores
    judged: NDArray[np.bool_]
    measured: NDArray[np.bool_]

    def column(self, values: NDArray[Any], fill: float) -> NDArray[Any]:
        """A value for each row (n,), of one for each row that was judged."""
        if len(values) == len(self.judged):
            return values
        whole = np.full(len(self.judged), fill, values.dtype)
        whole[self.judged] = values
        return whole

    def row(self, values: NDArray[np.float32], i: int, fill: float) -> NDArray[np.float32]:
        """A value for each channel (channels,) of row i."""
        whole = np.full(len(self.measured), fill, np.float32)
        if self.judged[i]:
            place = int(np.count_nonzero(self.judged[:i]))
            whole[self.measured] = values[place, : np.count_nonzero(self.measured)]
        return whole


class Scorer:
    """The machines' state, by slot; the first machine seen has slot 0."""

    def __init__(self, pack: VerticalPack, judge: str = ENSEMBLE) -> None:
        self._judge = judge
        self._kind = f"scorer {VERSION}: {pack.equipment_type.name}"
        self._start(pack)

    def _start(self, pack: VerticalPack) -> None:
        """With no machine known yet."""
        rules = pack.detection
        self._look_at(pack)
        self._clock = Clock()
        self._modes = self._make_modes()
        self._gate = QualityGate(*self._limits())
        self._limit_alarm = LimitAlarm(self.channels, self._standard_limits())
        self._t2, self._knn = detectors_for(self._width(), rules.baseline_rows)
        self._reviews = Reviews()
        self._level = PromisedLevel(
            rules.false_per_day, rules.on_score, rules.persistence, off_s=rules.off_delay_s
        )
        self._episodes = EpisodeTracker(rules.on_score, rules.persistence, off_s=rules.off_delay_s)
        self._health = HealthTracker(
            baseline=rules.baseline_rows, tau_s=rules.health_tau_s, d_fail=rules.d_fail
        )
        self._wear = WearCounters(pack)
        self._assets: list[int] = []
        self._slots: dict[int, int] = {}
        self._told_hour = np.zeros(0, np.int64)
        self._book = EpisodeBook(pack, VERSION)

    def _look_at(self, pack: VerticalPack) -> None:
        channels = pack.equipment_type.channels
        self._pack = pack
        self._measured = np.array([c.kind == "measurement" for c in channels], bool)

    def _limits(
        self,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
        channels = self._pack.equipment_type.channels
        low, high = np.array([c.low for c in channels]), np.array([c.high for c in channels])
        return low, high, self._measured, mix_up_table(tuple(c.unit for c in channels))

    def _standard_limits(self) -> tuple[Limit, ...]:
        kind = self._pack.equipment_type
        return tuple(limit.of_column(kind.column(limit.channel)) for limit in self._pack.limits)

    def _width(self) -> int:
        """Channels that the detectors see: one at least, if need be one that never speaks."""
        return max(1, int(self._measured.sum()))

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
        self._gate.widen(*self._limits())
        self._modes = self._make_modes().widened(self._modes)
        self._limit_alarm.change(self.channels, self._standard_limits())
        self._book.pack = pack
        for detector in (self._t2, self._knn):
            detector.widen(self._width())
        self._wear = self._wear.widened(pack)

    def score(self, rows: Rows, name_of: NameOf) -> Scored:
        """Store all rows, score those that are on time."""
        slot = self._slots_of(rows.asset_id)
        on_time, clock_faults = self._clock.check(slot, rows.ts_us)
        late, timely = rows.take(slice(0, 0)), rows
        if not on_time.all():
            late, timely, slot = rows.take(~on_time), rows.take(on_time), slot[on_time]
        modes = self._modes.update(slot, timely.ts_us, timely.values)
        samples = Samples(slot, timely.ts_us, modes.regime, timely.values)
        resting = np.isin(modes.code, self._pack.detection.idle)
        checked = self._gate.check(samples, resting)
        verdict, by_t2, moved = self._detect(samples, checked.x, modes.settled & ~resting)
        passed = self._limit_alarm.check(replace(samples, x=checked.x))
        episodes = self._beside_scores(clock_faults, checked.faults, timely, name_of)
        episodes += [
            self._book.of_limit(event, self._about(event.slot, name_of), checked.x[event.row])
            for event in passed
        ]
        watched_before_us = self._level.watched_us
        score = verdict.column(verdict.scores.score, np.nan)
        level = self._level.update(slot, timely.ts_us, score)
        events = self._episodes.update(slot, timely.ts_us, score, level)
        wear = self._wear.update(slot, timely.ts_us, checked.x)
        episodes += self._episodes_of(events, verdict, wear, modes.code, name_of)
        episodes += [self._shift(each, timely.ts_us[verdict.judged], name_of) for each in moved]
        departure = by_t2.column(by_t2.scores.departure, np.nan)
        channels = by_t2.column(by_t2.scores.judged, 0)
        health = self._health.update(slot, timely.ts_us, departure, channels)
        due = self._hourly(slot, timely.ts_us, health)
        return Scored(
            self._level.watched_us - watched_before_us,
            sum(event.change is Change.OPENED for event in events),
            _telemetry(timely, late, score, _bad(checked.flags)),
            [self._health_row(i, timely, health, by_t2) for i in due],
            episodes,
            [row for i in due for row in self._wear_rows(i, timely, wear)],
            [self._message(i, timely, health, wear) for i in due],
        )

    def _slots_of(self, asset_ids: NDArray[np.int32]) -> NDArray[np.int32]:
        for asset_id in dict.fromkeys(asset_ids.tolist()):
            if asset_id not in self._slots:
                self._slots[asset_id] = len(self._assets)
                self._assets.append(asset_id)
        self._grow(len(self._assets))
        known, position = np.unique(asset_ids, return_inverse=True)
        return np.array([self._slots[asset_id] for asset_id in known.tolist()], np.int32)[position]

    def _grow(self, slots: int) -> None:
        more = slots - len(self._told_hour)
        if more > 0:
            self._told_hour = np.append(self._told_hour, np.zeros(more, np.int64))
            self._wear.grow(slots)

    def _detect(
        self, samples: Samples, clean: NDArray[np.float32], judged: NDArray[np.bool_]
    ) -> tuple["_Verdict", "_Verdict", list[Moved]]:
        """The ensemble's verdict on the rows to judge, the T² chart's own, and whose normal moved there."""
        columns = np.flatnonzero(self._measured)
        x = np.take(clean, columns, axis=1) if len(columns) else clean[:, :1] * np.nan
        rows = Samples(samples.slot, samples.ts_us, samples.regime, x)
        if not judged.all():
            rows = Samples(rows.slot[judged], rows.ts_us[judged], rows.regime[judged], x[judged])
        by_t2, moved = self._by_t2(rows)
        found = JUDGES[self._judge](by_t2, by_windows(self._knn, rows, moved))
        return _Verdict(found, judged, self._measured), _Verdict(by_t2, judged, self._measured), moved

    def _by_t2(self, rows: Samples) -> tuple[Scores, list[Moved]]:
        """The T² chart's verdict; at each review what the fleet has shown becomes new machines' prior."""
        found, moved = list[Scores](), list[Moved]()
        for part, due in self._reviews.cut(rows.slot, rows.ts_us):
            if due:
                self._t2.share()
            found.append(self._t2.update(rows.take(part)))
            moved += [replace(each, row=part.start + each.row) for each in self._t2.moved]
        return Scores.joined(found or [Scores.unknown(0, rows.x.shape[1])]), moved

    def _episodes_of(
        self,
        events: list[EpisodeEvent],
        verdict: _Verdict,
        wear: NDArray[np.float64],
        code: NDArray[np.int16],
        name_of: NameOf,
    ) -> list[EpisodeRow]:
        scores = verdict.scores
        evidence = (scores.contribution, 0.0), (scores.expected, np.nan), (scores.observed, np.nan)
        return [
            self._book.of_machine(
                event,
                self._about(event.slot, name_of),
                self._judge,
                *(verdict.row(values, event.row, fill) for values, fill in evidence),
                worn=self._worn(wear[event.row]),
                code=int(code[event.row]),
            )
            for event in events
        ]

    def _worn(self, use: NDArray[np.float64]) -> dict[str, float]:
        """What is used up by counter, as far as it is known."""
        return {
            counter.name: float(value)
            for counter, value in zip(self._pack.counters, use, strict=True)
            if np.isfinite(value)
        }

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

    def _hourly(
        self, slot: NDArray[np.int32], ts_us: NDArray[np.int64], health: NDArray[np.float32]
    ) -> list[int]:
        """Rows at which a machine's health is told: its first one of each hour with a known health."""
        hour = ts_us // HEALTH_EVERY_US
        due = []
        for i in np.flatnonzero(np.isfinite(health) & (hour > self._told_hour[slot])).tolist():
            if hour[i] > self._told_hour[slot[i]]:
                self._told_hour[slot[i]] = hour[i]
                due.append(i)
        return due

    def _health_row(self, i: int, rows: Rows, health: NDArray[np.float32], verdict: "_Verdict") -> HealthRow:
        names = [channel.name for channel in self._pack.equipment_type.channels]
        shares = np.maximum(verdict.row(verdict.scores.contribution, i, 0.0), 0.0)
        top = [k for k in np.argsort(-shares, kind="stable")[:LOWERED_BY].tolist() if shares[k] > 0]
        lowered_by = {names[k]: round(float(shares[k] / shares.sum()), 4) for k in top}
        return HealthRow(int(rows.asset_id[i]), int(rows.ts_us[i]), float(health[i]), lowered_by)

    def _wear_rows(self, i: int, rows: Rows, wear: NDArray[np.float64]) -> list[WearRow]:
        asset_id, ts_us = int(rows.asset_id[i]), int(rows.ts_us[i])
        return [
            WearRow(asset_id, one.name, ts_us, float(value), one.warning, one.limit, one.unit)
            for one, value in zip(self._pack.counters, wear[i], strict=True)
            if np.isfinite(value)
        ]

    def _message(
        self, i: int, rows: Rows, health: NDArray[np.float32], wear: NDArray[np.float64]
    ) -> HealthMessage:
        levels = {"condition": 1.0 - float(health[i]) / 100.0}
        for counter, value in zip(self._pack.counters, wear[i], strict=True):
            if np.isfinite(value):
                levels[counter.name] = float(value) / counter.limit
        return HealthMessage(int(rows.asset_id[i]), int(rows.ts_us[i]), levels)

    def state(self) -> bytes:
        """Everything by slot, each part as it packs itself."""
        n = len(self._assets)
        parts = {name: np.frombuffer(part.state(), np.uint8) for name, part in self._parts().items()}
        own: dict[str, NDArray[Any]] = {
            "channels": np.array([self.channels]),
            "asset_id": np.array(self._assets, np.int32),
            "told_hour": self._told_hour[:n],
            **self._reviews.arrays(),
            **self._wear.arrays(n),
            "findings": self._book.array(),
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
        like = {k: like for k, like in self._like().items() if k in saved or not k.startswith(MODEL)}
        found = state_bytes.unpack(self._kind, state, like)
        for name, part in self._parts().items():
            part.load(found[name].tobytes())
        self._assets = found["asset_id"].tolist()
        self._slots = {asset_id: slot for slot, asset_id in enumerate(self._assets)}
        self._told_hour = found["told_hour"]
        self._reviews.take(found["review_clock"], found["review_last_us"])
        self._wear.take(found)
        self._book.take(found["findings"])

    def _parts(self) -> dict[str, Part]:
        detectors: dict[str, Part] = {self._t2.NAME: self._t2, self._knn.NAME: self._knn}
        alarm: dict[str, Part] = {"level": self._level, "episodes": self._episodes}
        watchers: dict[str, Part] = {
            "clock": self._clock,
            "modes": self._modes,
            "gate": self._gate,
            "limits": self._limit_alarm,
        }
        return {**watchers, **alarm, "health": self._health, **detectors}

    def _like(self) -> dict[str, NDArray[Any]]:
        raw = np.empty(0, np.uint8)
        own: dict[str, NDArray[Any]] = {
            "channels": np.array([self.channels]),
            "asset_id": np.empty(0, np.int32),
            "told_hour": self._told_hour,
            **self._reviews.arrays(),
            **self._wear.arrays(0),
            "findings": raw,
        }
        return own | dict.fromkeys(self._parts(), raw)


def _bad(flags: NDArray[np.uint8]) -> NDArray[np.int64]:
    """For each row (n,) the channels that are flagged, as bits."""
    bits = np.left_shift(np.int64(1), np.arange(flags.shape[1], dtype=np.int64))
    bad: NDArray[np.int64] = ((flags > 0) * bits).sum(axis=1, dtype=np.int64)
    return bad


def _telemetry(timely: Rows, late: Rows, score: NDArray[np.float32], bad: NDArray[np.int64]) -> Telemetry:
    """All rows in the order of the table; of two with one instant the one that came first."""
    asset_id = np.concatenate([timely.asset_id, late.asset_id])
    ts_us = np.concatenate([timely.ts_us, late.ts_us])
    order = np.lexsort((ts_us, asset_id))  # stable: a timely row comes before a late one with its instant
    repeats = (np.diff(asset_id[order]) == 0) & (np.diff(ts_us[order]) == 0)
    order = order[np.concatenate([[True], ~repeats])] if len(order) else order
    return Telemetry(
        asset_id[order],
        ts_us[order],
        np.concatenate([score, np.full(len(late.ts_us), np.nan, np.float32)])[order],
        np.concatenate([bad, np.zeros(len(late.ts_us), np.int64)])[order],
        np.concatenate([timely.values, late.values])[order],
    )
