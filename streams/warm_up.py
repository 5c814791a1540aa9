"""Compiles and loads all that a worker computes with, before it holds anything.

Only the first process after an installation compiles (`detectors/kernels`), for half a minute or more. Within
the first chunk that would hold up the process: connections time out, and the broker thinks it dead.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from detectors.explained import Fit
from detectors.surroundings import Surroundings
from fleet.asset import Asset, Fleet, Site, Tenant
from fleet.catalog import packs
from fleet.registry import Registry
from streams.rows import Rows
from streams.scorer import Scorer
from streams.simulator.demo import demo_fleet
from streams.simulator.simulate import simulate
from streams.simulator.source import MACHINES
from streams.transports.memory_broker import MemoryRecord
from streams.wire.binary import encode_binary
from streams.wire.decode import decode_chunk
from streams.wire.frame import Frame
from streams.wire.text import encode_json

TENANT, SITE = "warm-up", "bench"

START = datetime(2026, 3, 2, tzinfo=UTC)

NOTHING = Surroundings((), (), (), np.zeros(0), np.zeros((0, 2, 0)))
"""Explained, by what takes the rows through."""

BASELINE_ROWS = 120
"""So few that four hours have rows to judge as well."""


def warm_up() -> None:
    """Decode and score four hours of one simulated machine of each type that there is a model of.

    Its state is saved and read again too; what comes of it is forgotten. That is too short for windows to be
    learned: compiling them takes two seconds once, but each start would have to wait for PyOD here.
    """
    registry = _registry()
    machines = Fleet((Tenant(TENANT),), (Site(TENANT, SITE),), registry.assets, registry.equipment_types)
    frames = simulate(machines, START, timedelta(hours=4), seed=1)
    records = [_record(number, frame) for number, frame in enumerate(frames)]
    for block in decode_chunk(records, TENANT, registry).blocks:
        pack = packs()[block.equipment_type]
        quick = replace(pack, detection=replace(pack.detection, baseline_rows=BASELINE_ROWS))
        scorer = Scorer(quick, ratings_of=lambda asset_id: registry.asset_by_id(asset_id).ratings)
        scorer.offer(Fit(1, NOTHING))
        scorer.score(Rows(block.asset_id, block.ts_us, block.values), lambda _: (TENANT, SITE))
        scorer.load(scorer.state())


def _registry() -> Registry:
    kinds = sorted(packs().keys() & MACHINES.keys())
    ratings = {asset.equipment_type: asset.ratings for asset in demo_fleet().assets}
    assets = tuple(
        Asset(number, TENANT, SITE, kind, kind, ratings=ratings.get(kind, {}))
        for number, kind in enumerate(kinds, start=1)
    )
    return Registry((TENANT,), assets, tuple(packs()[kind].equipment_type for kind in kinds))


def _record(number: int, frame: Frame) -> MemoryRecord:
    """In binary or as JSON, by turns."""
    value = encode_binary(frame) if number % 2 else encode_json(frame)
    return MemoryRecord(number, int(frame.ts_us[-1]) // 1000, frame.asset.encode(), value, ())
