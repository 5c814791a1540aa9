"""A machine tool's morning test through the worker's engine into the database: each feature is there once."""

from datetime import UTC, datetime, timedelta

from fleet.asset import Asset, Fleet, Site, Tenant
from fleet.catalog import packs
from storage.bootstrap import WRITER
from storage.pool import open_pool
from storage.registry import load_registry, register
from storage.server.database import Database
from storage.sink import Sink
from streams.record import Chunk
from streams.registry_cache import RegistryCache
from streams.score_engine import ScoreEngine
from streams.simulator.simulate import simulate
from streams.transports.memory_broker import MemoryRecord
from streams.wire.binary import encode_binary
from streams.wire.limits import DEFAULT
from tests.integration.storage_harness import ask

PACK = packs()["machine-tool"]
FLEET = Fleet(
    (Tenant("acme"),),
    (Site("acme", "hall"),),
    (Asset(0, "acme", "hall", "mill-1", "machine-tool"),),
    (PACK.equipment_type,),
)
TOPIC, FIVE = "telemetry.acme", datetime(2026, 3, 2, 5, tzinfo=UTC)


def mornings() -> list[MemoryRecord]:
    """From five to six on two days, a row in two seconds."""
    frames = [
        frame
        for day in (0, 1)
        for frame in simulate(FLEET, FIVE + timedelta(days=day), timedelta(hours=1), 7, (), 2, 300)
    ]
    return [
        MemoryRecord(n, int(frame.ts_us[-1]) // 1000, b"mill-1", encode_binary(frame), ())
        for n, frame in enumerate(frames)
    ]


async def test_each_run_is_stored_once_with_its_features(plain_database: Database) -> None:
    records = mornings()
    async with open_pool(plain_database.dsn(WRITER)) as pool:
        await register(pool, FLEET)
        registry = RegistryCache(lambda: load_registry(pool))
        await registry.refresh()
        sink = Sink(pool, "score")
        engine = ScoreEngine("acme", registry, sink, DEFAULT)
        claim = await sink.claim(TOPIC, 0)
        for at in range(0, len(records), 5):
            result = await engine.process(Chunk(TOPIC, 0, records[at : at + 5]), again=False)
            await sink.write(claim, result)
    stored = ask(
        plain_database,
        "select feature, count(*), count(distinct date(ts)), min(unit) from segment_feature "
        "where segment = 'fingerprint' and value > 0 and expected is null group by feature",
    )
    (fingerprint,) = (each for each in PACK.segments if each.kept)
    assert {name for name, *_ in stored} == {feature.name for feature in fingerprint.features}
    assert all((runs, days) == (2, 2) for _, runs, days, _ in stored)
    assert {unit for name, *_, unit in stored if name.endswith("_reversal")} == {"µm"}
