"""Whether a promised rate of false episodes is kept, on simulated machines without a fault.

Each type's machines run through the worker's detection with a promise in place of the pack's. Every episode
is false; it counts in the days since the machine's first score in which it began. The rival takes its level
from the quantile of rows, which is what a promise is easily mistaken for.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from console.bench.result import Reading
from detectors.episodes import Change, EpisodeTracker
from fleet.asset import Asset, Fleet, Site, Tenant
from fleet.catalog import packs
from fleet.rating import Ratings
from fleet.vertical import Detection
from streams.rows import Rows
from streams.scorer import Scorer
from streams.simulator.fault import Fault
from streams.simulator.simulate import simulate
from streams.wire.frame import Frame

KINDS = ("elevator", "machine-tool", "transformer")
"""Equipment types; the others learn for longer than such a run takes."""

PROMISES = (0.1, 1.0)
"""False episodes for each machine and day."""

OFF_DELAY_S = 3600.0
"""In place of the packs' day or more, under which there cannot be an episode a day."""

SPANS = {"half_a_day": (0.5, 2.0), "two_days": (2.0, np.inf)}
"""Days since a machine's first score: what is counted after so long."""

GOALS = {"half_a_day": "<= 2.5", "two_days": ".67 to 1.5"}

START = datetime(2026, 3, 1, tzinfo=UTC)
SEED = 23
DAY_US, ROWS_PER_DAY = 86_400_000_000, 1440
TWO_DAYS_US = 2 * DAY_US

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Watched:
    """Rows in the order of machines and time with their scores, and the onsets of the episodes raised."""

    asset_id: Ints
    ts_us: Ints
    score: NDArray[np.float32]
    onset_asset: Ints
    onset_us: Ints


def readings(machines: int, days: int, tell: Callable[[str], None]) -> Iterator[Reading]:
    """Realised over promised episodes of each type, after half a day and two days of scores."""
    for kind in KINDS:
        tell(f"simulating {machines} machines of type {kind} for {days} days")
        blocks = list(blocks_of(kind, machines, days))
        for per_day in PROMISES:
            tell(f"{kind}: {per_day:g} a day promised")
            rules = replace(packs()[kind].detection, false_per_day=per_day, off_delay_s=OFF_DELAY_S)
            watched = _watch(kind, rules, blocks)
            rival = _by_quantile(watched, rules)
            for span, (begin, end) in SPANS.items():
                ours, theirs = (
                    _rate(watched, asset, onset, begin, end) / per_day
                    for asset, onset in ((watched.onset_asset, watched.onset_us), rival)
                )
                yield Reading(
                    f"{kind}, {per_day:g} a day, after {span}",
                    ours,
                    "of promised",
                    "quantile of rows",
                    theirs,
                    GOALS[span],
                )


def fleet_of(kind: str, machines: int, ratings: Ratings | None = None) -> Fleet:
    """The machines m-0, m-1, ... of a type, all with these ratings."""
    assets = tuple(Asset(0, "t", "s", f"m-{i}", kind, f"M {i}", ratings or {}) for i in range(machines))
    return Fleet((Tenant("t", "T"),), (Site("t", "s", "S", "UTC"),), assets, (packs()[kind].equipment_type,))


def blocks_of(
    kind: str,
    machines: int,
    days: int,
    seed: int = SEED,
    faults: Sequence[Fault] = (),
    ratings: Ratings | None = None,
) -> Iterator[Rows]:
    """The rows of the machines of `fleet_of`, two frames of each at a time."""
    fleet = fleet_of(kind, machines, ratings)
    number = {asset.name: i for i, asset in enumerate(fleet.assets)}
    frames = list[Frame]()
    for frame in simulate(fleet, START, timedelta(days=days), seed, faults):
        frames.append(frame)
        if len(frames) == 2 * machines:
            yield _rows(frames, number)
            frames.clear()
    if frames:
        yield _rows(frames, number)


def _rows(frames: list[Frame], number: dict[str, int]) -> Rows:
    return Rows(
        np.concatenate([np.full(len(frame.ts_us), number[frame.asset], np.int32) for frame in frames]),
        np.concatenate([frame.ts_us for frame in frames]),
        np.concatenate([frame.values.T for frame in frames]),
    )


def _watch(kind: str, rules: Detection, blocks: list[Rows]) -> _Watched:
    scorer = Scorer(replace(packs()[kind], detection=rules))
    scored = [scorer.score(block, lambda number: ("t", f"m-{number}")) for block in blocks]
    asset = np.concatenate([part.telemetry.asset_id for part in scored]).astype(np.int64)
    ts_us = np.concatenate([part.telemetry.ts_us for part in scored])
    score = np.concatenate([part.telemetry.score for part in scored])
    order = np.lexsort((ts_us, asset))
    raised = {
        (row.asset_id, row.onset_us) for part in scored for row in part.episodes if row.kind == "machine"
    }
    onset = np.array(sorted(raised), np.int64).reshape(-1, 2)
    return _Watched(asset[order], ts_us[order], score[order], onset[:, 0], onset[:, 1])


def _by_quantile(watched: _Watched, rules: Detection) -> tuple[Ints, Ints]:
    """Machine and onset of the episodes under the level that so many rows a day are above, in two days."""
    first = _first_scores(watched)[watched.asset_id]
    early = watched.score[(watched.ts_us < first + TWO_DAYS_US) & np.isfinite(watched.score)]
    level = float(np.quantile(early, 1 - rules.false_per_day / ROWS_PER_DAY))
    tracker = EpisodeTracker(level, rules.persistence, off_s=rules.off_delay_s)
    events = tracker.update(watched.asset_id.astype(np.int32), watched.ts_us, watched.score)
    opened = [(event.slot, event.onset_us) for event in events if event.change is Change.OPENED]
    onset = np.array(opened, np.int64).reshape(-1, 2)
    return onset[:, 0], onset[:, 1]


def _rate(watched: _Watched, asset: Ints, onset_us: Ints, begin: float, end: float) -> float:
    """Episodes for each machine and day, between so many days since the machine's first score."""
    first, last = _first_scores(watched), watched.ts_us.max()
    since = (onset_us - first[asset]) / DAY_US
    lived = (last - first) / DAY_US
    days = np.maximum(np.minimum(lived, end) - begin, 0).sum()
    return float(((since >= begin) & (since < end)).sum() / days)


def _first_scores(watched: _Watched) -> Ints:
    """The instant of each machine's first score."""
    known = np.isfinite(watched.score)
    first = np.full(watched.asset_id.max() + 1, watched.ts_us.max())
    np.minimum.at(first, watched.asset_id[known], watched.ts_us[known])
    return first
