"""What was computed is computed again as it was stored, whenever a repair was told or a fit came."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from detectors.explained import Fit
from detectors.surroundings import Surroundings
from fleet.asset import Asset, Channel, EquipmentType
from fleet.model_scope import Scope
from fleet.registry import Registry
from storage.chunk_result import ChunkResult
from storage.sink import FrameKey, Sink
from streams.record import Chunk
from streams.registry_cache import RegistryCache
from streams.score_engine import NO_FITS, Fits, ScoreEngine
from streams.transports.memory_broker import MemoryRecord
from streams.wire.binary import encode_binary
from streams.wire.frame import Frame
from streams.wire.limits import DEFAULT

START, MINUTE = 1_767_225_600_000_000, 60_000_000
ROWS, RECORDS = 20, 30
REGISTRY = Registry(
    ("acme",),
    (Asset(1, "acme", "hall", "pump-1", "pump"),),
    (EquipmentType("pump", (Channel("oil", "°C"), Channel("load", "%"))),),
)
REPAIRED = replace(REGISTRY, renewed_us={1: [START + 7 * ROWS * MINUTE]})
"""Before the eighth record."""


class Stored(Sink):
    """What the ledger would know of frames that were stored."""

    def __init__(self) -> None:
        self.known: dict[FrameKey, tuple[int, int]] = {}

    async def known_frames(self, keys: Sequence[FrameKey]) -> dict[FrameKey, tuple[int, int]]:
        return {key: self.known[key] for key in keys if key in self.known}

    async def high_water(self, asset_ids: Sequence[int]) -> dict[tuple[int, int], int]:
        return {(asset, boot): max(s for _, _, s in self.known) for asset, boot, _ in self.known}

    def store(self, result: ChunkResult) -> None:
        for row in result.frames:
            key = int(row["asset_id"]), int(row["boot_id"]), int(row["seq"])
            self.known[key] = int(row["digest"]), int(row["offset"])


def record(n: int) -> MemoryRecord:
    values = np.random.default_rng(n).normal(50, 1, (2, ROWS)).astype(np.float32)
    ts_us = START + (n * ROWS + 1 + np.arange(ROWS)) * MINUTE
    frame = Frame("pump-1", None, 1, n, ts_us, ("oil", "load"), ("°C", "%"), values, None)
    return MemoryRecord(n, int(ts_us[-1]) // 1000, b"pump-1", encode_binary(frame), ())


def log(records: Iterable[int]) -> Chunk:
    return Chunk("telemetry.acme", 0, [record(n) for n in records])


def engine(sink: Sink, known: Registry, fits: Fits = NO_FITS) -> ScoreEngine:
    async def load() -> Registry:
        return known

    cache = RegistryCache(load)
    cache.current = known
    return ScoreEngine("acme", cache, sink, DEFAULT, fits=fits)


FITS = {Scope("pump"): Fit(2, Surroundings(("oil",), (), ("load",), np.zeros(1), np.ones((1, 2))))}
"""Of what surroundings explain."""


@pytest.mark.parametrize("known", [(REPAIRED, NO_FITS), (REGISTRY, FITS)])
async def test_a_repair_or_a_fit_that_came_meanwhile_does_not_change_what_is_computed_again(
    known: tuple[Registry, Fits],
) -> None:
    sink = Stored()
    first = engine(sink, REGISTRY)
    sink.store(await first.process(log(range(5)), again=False))
    snapshot = first.state()
    sink.store(await first.process(log(range(5, 20)), again=False))
    restarted = engine(sink, *known)
    restarted.load(snapshot)
    await restarted.process(log(range(5, 20)), again=True)
    assert restarted.state() == first.state()


async def test_the_state_is_stored_with_the_rows_at_which_a_machine_starts_over() -> None:
    sink = Stored()
    first = engine(sink, REGISTRY)
    before = await first.process(log(range(20)), again=False)
    assert before.snapshot is None
    late = engine(sink, REPAIRED)
    late.load(first.state())
    result = await late.process(log([20]), again=False)
    assert result.snapshot == late.state()
    assert (await late.process(log([21]), again=False)).snapshot is None
    unrepaired = await first.process(log([20]), again=False)
    assert np.isfinite(unrepaired.telemetry[0].score).all()
    assert np.isnan(result.telemetry[0].score).all(), "it has learned nothing yet"


async def test_a_state_that_is_computed_from_nothing_has_each_repair_where_it_belongs() -> None:
    sink = Stored()
    in_time = engine(sink, REPAIRED)
    sink.store(await in_time.process(log(range(5)), again=False))
    sink.store(await in_time.process(log(range(5, 20)), again=False))
    rebuilt = engine(sink, REPAIRED)
    await rebuilt.process(log(range(3)), again=True)
    again = engine(sink, REPAIRED)  # a restart on the way
    again.load(rebuilt.state())
    await again.process(log(range(3, 20)), again=True)
    await again.process(log([20]), again=False)
    await in_time.process(log([20]), again=False)
    assert again.state() == in_time.state()


async def test_the_state_is_stored_with_the_rows_at_which_a_fit_came_or_went() -> None:
    sink = Stored()
    first = engine(sink, REGISTRY)
    await first.process(log(range(20)), again=False)
    fits = dict(FITS)
    late = engine(sink, REGISTRY, fits)
    late.load(first.state())
    result = await late.process(log([20]), again=False)
    assert result.snapshot == late.state()
    assert [row.evidence["code"] for row in result.episodes] == ["normal-relearned"]
    assert (await late.process(log([21]), again=False)).snapshot is None
    fits.clear()
    assert (await late.process(log([22]), again=False)).snapshot == late.state()


async def test_a_fit_of_another_tenant_or_type_explains_nothing() -> None:
    ((_, fit),) = FITS.items()
    plain, other = (
        engine(Stored(), REGISTRY, fits) for fits in ({}, {Scope("pump", "globex"): fit, Scope("press"): fit})
    )
    for one in (plain, other):
        await one.process(log(range(20)), again=False)
    assert other.state() == plain.state()
    own = engine(Stored(), REGISTRY, {Scope("pump", "acme"): fit})
    await own.process(log(range(20)), again=False)
    assert own.state() != plain.state()
