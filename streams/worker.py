"""A worker: the two agents over one transport, the relay, and the watchdog that ends a stuck process."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from faust.types import TP

from storage.outbox import Outbox
from storage.sink import Sink
from streams import metrics
from streams.dead_letter_limit import DeadLetterLimit
from streams.forecast_engine import ForecastEngine, Forecasters
from streams.lane import EngineFactory
from streams.lanes import Lanes
from streams.publisher import Publisher
from streams.registry_cache import RegistryCache
from streams.relay import Relay
from streams.score_engine import engine_for
from streams.topics import HEALTH, TELEMETRY, health_topic, telemetry_topic
from streams.transports.app import ChunkApp
from streams.transports.chunks import chunks
from streams.wire.limits import Limits

STUCK_S = 120.0
"""Time without progress, while records wait and no outage explains it, after which the process ends."""

log = structlog.get_logger()


class Stuck(RuntimeError):
    """Records wait, the database answers, and yet nothing is stored: only a restart helps."""


class AgentPositions:
    """Claims telemetry partitions for the score agent and health partitions for the forecast agent."""

    def __init__(self, by_prefix: Mapping[str, Lanes]) -> None:
        self._by_prefix = by_prefix

    async def claim(self, partitions: Collection[TP]) -> Mapping[TP, int | None]:
        """Where to read each partition from."""
        starts: dict[TP, int | None] = {}
        for prefix, lanes in self._by_prefix.items():
            starts |= await lanes.claim([tp for tp in partitions if tp.topic.startswith(prefix)])
        return starts

    async def release(self, partitions: Collection[TP]) -> None:
        """Let the partitions go."""
        for prefix, lanes in self._by_prefix.items():
            await lanes.release([tp for tp in partitions if tp.topic.startswith(prefix)])


@dataclass(frozen=True)
class WorkerParts:
    """What a worker is wired from."""

    broker: str
    group: str
    session_timeout_s: float
    tenants: Sequence[str]
    sinks: Mapping[str, Sink]
    registry: RegistryCache
    forecasters: Forecasters
    outbox: Outbox
    publisher: Publisher
    limits: Limits
    make_limit: Callable[[], DeadLetterLimit]
    snapshot_s: float


class Worker:
    """Runs until it is cancelled or something must end the process."""

    def __init__(self, parts: WorkerParts) -> None:
        self._parts = parts
        score_sink, forecast_sink = parts.sinks["score"], parts.sinks["forecast"]
        self.score = self._lanes(
            score_sink, lambda topic: engine_for(topic, parts.registry, score_sink, parts.limits)
        )
        self.forecast = self._lanes(
            forecast_sink, lambda _: ForecastEngine(parts.registry, parts.forecasters)
        )
        self.tenants = parts.tenants
        self.app = self._build_app()
        self._relay = Relay(parts.outbox, parts.publisher)

    def _lanes(self, sink: Sink, make_engine: EngineFactory) -> Lanes:
        return Lanes(sink, make_engine, self._parts.make_limit, self._parts.snapshot_s)

    def _build_app(self) -> ChunkApp:
        positions = AgentPositions({TELEMETRY: self.score, HEALTH: self.forecast})
        app = ChunkApp(
            self._parts.group,
            self._parts.broker,
            positions=positions,
            session_timeout_s=self._parts.session_timeout_s,
        )
        telemetry = app.chunk_topic(*map(telemetry_topic, self._parts.tenants))
        health = app.chunk_topic(*map(health_topic, self._parts.tenants))

        @app.agent(telemetry, name="score", concurrency=1)  # type: ignore[untyped-decorator]
        async def score(stream: Any) -> None:
            await self.score.consume(chunks(stream))

        @app.agent(health, name="forecast", concurrency=1)  # type: ignore[untyped-decorator]
        async def forecast(stream: Any) -> None:
            await self.forecast.consume(chunks(stream))

        return app

    async def run(self) -> None:
        """Work; raises whatever must end the process (the supervisor starts it again)."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.app.serve())
            tasks.create_task(self._relay.run())
            tasks.create_task(self._watch())
            for lanes in (self.score, self.forecast):
                tasks.create_task(_raise_when_failed(lanes))

    async def _watch(self) -> None:
        moved_at, before = time.monotonic(), dict[TP, int]()
        while True:
            await asyncio.sleep(5)
            stored = self.score.stored() | self.forecast.stored()
            waiting = self._waiting(stored)
            if stored != before or not waiting:
                moved_at, before = time.monotonic(), stored
            refused_at = max(lanes.patience.last_refusal for lanes in (self.score, self.forecast))
            if time.monotonic() - max(moved_at, refused_at) > STUCK_S:
                raise Stuck(f"nothing stored for {STUCK_S:.0f} s while records wait in {sorted(waiting)}")

    def behind(self) -> bool:
        """Whether a partition is not claimed yet, or holds records that are not stored and is not stopped."""
        assigned = self.app.consumer.assignment()
        stored = self.score.stored() | self.forecast.stored()
        return not assigned or bool(assigned - stored.keys()) or bool(self._waiting(stored))

    def _waiting(self, stored: Mapping[TP, int]) -> list[TP]:
        """Partitions with records not stored yet, and their lag told to Prometheus."""
        halted = self.score.halted.keys() | self.forecast.halted.keys()
        waiting = []
        for tp, offset in stored.items():
            end = self.app.consumer.highwater(tp) or 0
            agent = "score" if tp.topic.startswith(TELEMETRY) else "forecast"
            metrics.LAG.labels(agent, tp.topic, tp.partition).set(max(0, end - offset))
            if end > offset and tp not in halted:
                waiting.append(tp)
        return waiting


async def _raise_when_failed(lanes: Lanes) -> None:
    await asyncio.shield(lanes.failed)
