"""What the detection would have raised over stored history, beside what was raised: the worker's own code."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from console.models_in_use import ModelsInUse
from detectors.contract import StateError
from detectors.explained import Fit
from detectors.surroundings import NAME, Surroundings
from fleet.asset import Asset, FleetError
from fleet.clock import from_microseconds, microseconds
from fleet.model_scope import Scope, nearest
from fleet.vertical import VerticalPack
from storage.chunk_result import EpisodeRow
from storage.history import telemetry_days
from storage.maintenance import events
from storage.models import load_fit
from storage.pool import Pool
from storage.queries import Episode, episodes_between
from streams.judges import ENSEMBLE
from streams.novelty_watch import BY_NOVELTY
from streams.rows import Rows
from streams.scorer import Scorer
from streams.segment_watch import BY_SEGMENTS

MACHINE = "machine"
"""The kind of an episode about the machine as a whole; of the others `detector` says what they are about."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An episode; `end` None: still on at the end of the span. `says`: the fault mode's title, in English."""

    onset: datetime
    end: datetime | None
    kind: str
    detector: str
    peak_score: float
    says: str

    def overlaps(self, other: "Raised") -> bool:
        """Whether both are on at the same time and about the same.

        That is the machine by its rows, by one kind of its segments or by novel values, or a limit, or a
        sensor's fault.
        """
        ends_first = self.end is not None and self.end < other.onset
        begins_last = other.end is not None and other.end < self.onset
        alike = (self.kind, self._about) == (other.kind, other._about)
        return alike and not ends_first and not begins_last

    @property
    def _about(self) -> str:
        """What `overlaps` compares: of those that judge rows nothing, of others no version."""
        if self.kind != MACHINE:
            return self.detector
        apart = self.detector.startswith((BY_SEGMENTS, BY_NOVELTY))
        return self.detector.rpartition("-")[0] if apart else ""


@dataclass(frozen=True, slots=True)
class Backtest:
    """Of a span of stored history: rows, what would have been raised in it, and what was; oldest first."""

    rows: int
    would: Sequence[Raised]
    was: Sequence[Raised]

    def new(self) -> list[Raised]:
        """Would be raised, and was not."""
        return [one for one in self.would if not any(map(one.overlaps, self.was))]

    def gone(self) -> list[Raised]:
        """Was raised, and would not be."""
        return [one for one in self.was if not any(map(one.overlaps, self.would))]


async def backtest(
    pool: Pool,
    asset: Asset,
    pack: VerticalPack,
    start: datetime,
    end: datetime,
    judge: str = ENSEMBLE,
    fit: Fit | None = None,
) -> Backtest:
    """Run the detection of `pack` over the asset's rows from `start` until before `end`, by one of `JUDGES`.

    It begins knowing nothing: the first rows of the span teach what is normal, and those after each repair on
    record. What `fit` explains is taken out. Rows that came late are where their time says, while a worker
    only stored them.
    """
    scorer = Scorer(pack, judge)
    scorer.offer(fit)
    renewed_us = {asset.asset_id: [microseconds(event.ts) for event in await events(pool, [asset.asset_id])]}
    rows, found = 0, dict[object, EpisodeRow]()
    columns = len(pack.equipment_type.channels)
    async for ts_us, values in telemetry_days(pool, asset.asset_id, columns, start, end):
        numbers = np.full(len(ts_us), asset.asset_id, np.int32)
        scored = scorer.score(Rows(numbers, ts_us, values), lambda _: (asset.tenant, asset.name), renewed_us)
        rows += len(ts_us)
        found |= {episode.episode_id: episode for episode in scored.episodes}
    was = await episodes_between(pool, asset.asset_id, start, end)
    return Backtest(
        rows,
        sorted(map(_raised, found.values()), key=lambda one: one.onset),
        list(map(_was_raised, was)),
    )


async def fit_for(pool: Pool, asset: Asset, number: int | None = None) -> Fit | None:
    """What surroundings explain of an asset, by the fit with that number, or the one in use; None for 0.

    Raises `FleetError` for one that there is not, or that this program cannot use.
    """
    if number is None:
        await (models := ModelsInUse(pool)).refresh()
        return nearest(models.fits, Scope(asset.equipment_type, asset.tenant))
    if number == 0:
        return None
    try:
        state, _ = await load_fit(pool, asset.equipment_type, NAME, number)
    except KeyError as error:
        raise FleetError(f"{error.args[0]}: `faultline models list {asset.equipment_type}`") from error
    try:
        return Fit(number, Surroundings.read(state))
    except StateError as error:
        raise FleetError(str(error)) from error


def _raised(row: EpisodeRow) -> Raised:
    end = None if row.end_us is None else from_microseconds(row.end_us)
    says = str(row.evidence["title_en"])
    return Raised(
        from_microseconds(row.onset_us), end, row.kind, row.detector, round(row.peak_score, 3), says
    )


def _was_raised(episode: Episode) -> Raised:
    says = str(episode.evidence["title_en"])
    peak = round(episode.peak_score, 3)
    return Raised(episode.onset, episode.end, episode.kind, episode.detector, peak, says)
