"""A worker: the two agents over one transport, the relay, and the watchdog that ends a stuck process."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from aiokafka.errors import KafkaError
from faust.exceptions import ConsumerNotStarted
from faust.types import TP
from faust.types.auth import CredentialsT

from storage.outbox import Outbox
from storage.progress import PartitionProgress
from storage.sink import Sink
from streams import metrics
from streams.dead_letter_limit import DeadLetterLimit
from streams.forecast_engine import ForecastEngine
from streams.forecasters import Forecasters
from streams.partition_task import EngineFactory
from streams.publisher import Publisher
from streams.registry_cache import RegistryCache
from streams.relay import Relay
from streams.retry import OutageRetry
from streams.score_engine import Fits, engine_for
from streams.task_manager import TaskManager
from streams.topics import HEALTH, TELEMETRY, health_topic, telemetry_topic, tenant_of
from streams.transports.app import ChunkApp
from streams.transports.chunk_consumer import Progress
from streams.transports.chunk_stream import chunks
from streams.transports.positions import Start
from streams.watchdog import Watchdog
from streams.wire.limits import Limits

WATCH_EVERY_S = 5.0

log = structlog.get_logger()


class AgentPositions:
    """Claims telemetry partitions for the score agent and health partitions for the forecast agent."""

    def __init__(
        self,
        agents: Mapping[str, TaskManager],
        refresh: Callable[[], Awaitable[object]],
        claiming: OutageRetry,
    ) -> None:
        """`refresh` reads machines and models: a snapshot may know newer ones than this process does."""
        self._agents = agents
        self._refresh = refresh
        self._claiming = claiming

    async def claim(self, partitions: Collection[TP]) -> Mapping[TP, Start | None]:
        """Where to read each partition from."""
        await self._claiming.until_done(self._refresh)
        starts: dict[TP, Start | None] = {}
        for prefix, manager in self._agents.items():
            starts |= await manager.claim([tp for tp in partitions if tp.topic.startswith(prefix)])
        return starts

    async def release(self, partitions: Collection[TP]) -> None:
        """Let the partitions go."""
        for prefix, manager in self._agents.items():
            await manager.release([tp for tp in partitions if tp.topic.startswith(prefix)])

    def halt(self, partition: TP, why: str) -> None:
        """Stop one partition with an alarm."""
        for prefix, manager in self._agents.items():
            if partition.topic.startswith(prefix):
                manager.halt(partition, why)


@dataclass(frozen=True)
class WorkerParts:
    """What a worker is wired from.

    log_survives: whether a record in the log outlives this process. false_per_day, fits: as for `engine_for`.
    refresh_models: reads what is in use into `forecasters` and `fits`.
    """

    broker: str
    credentials: CredentialsT | None
    log_survives: bool
    group: str
    session_timeout_s: float
    member: str | None
    tenants: Sequence[str]
    sinks: Mapping[str, Sink]
    registry: RegistryCache
    forecasters: Forecasters
    outbox: Outbox
    publisher: Publisher
    limits: Limits
    false_per_day: float | None
    fits: Fits
    refresh_models: Callable[[], Awaitable[object]]
    make_limit: Callable[[], DeadLetterLimit]
    snapshot_s: float


class Worker:
    """Runs until it is cancelled or something must end the process."""

    def __init__(self, parts: WorkerParts) -> None:
        self._parts = parts
        self._claiming = OutageRetry("claim")
        score_sink, forecast_sink = parts.sinks["score"], parts.sinks["forecast"]
        self.score = self._manager(
            score_sink,
            lambda topic: engine_for(
                topic, parts.registry, score_sink, parts.limits, parts.false_per_day, parts.fits
            ),
        )
        self.forecast = self._manager(
            forecast_sink,
            lambda topic: ForecastEngine(tenant_of(topic), parts.registry, parts.forecasters),
        )
        self.broker_is_silent = False
        self._lags: dict[TP, int] = {}
        self._agents = {TELEMETRY: self.score, HEALTH: self.forecast}
        self.tenants = parts.tenants
        self.app = self._build_app()
        self._relay = Relay(parts.outbox, parts.publisher, self.durable)

    async def _refresh(self) -> None:
        await self._parts.registry.refresh()
        await self._parts.refresh_models()

    def _manager(self, sink: Sink, make_engine: EngineFactory) -> TaskManager:
        return TaskManager(sink, make_engine, self._parts.make_limit, self._claiming, self._parts.snapshot_s)

    def _build_app(self) -> ChunkApp:
        app = ChunkApp(
            self._parts.group,
            self._parts.broker,
            credentials=self._parts.credentials,
            positions=AgentPositions(self._agents, self._refresh, self._claiming),
            session_timeout_s=self._parts.session_timeout_s,
            member=self._parts.member,
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
            for manager in self._agents.values():
                tasks.create_task(_raise_when_failed(manager))

    async def durable(self, tp: TP, offset: int) -> None:
        """Return once the record is safe: in a log that outlives this process, or else in the database.

        Raises `PartitionStopped`.
        """
        if not self._parts.log_survives:
            await self._manager_of(tp).wait_stored(tp, offset)

    async def behind(self) -> bool:
        """Whether a partition is not read yet, or holds records that are not stored and is not stopped."""
        try:
            progress = await self._progress()
        except ConsumerNotStarted:
            return True
        unread = not self.app.consumer.assignment()
        return unread or any(seen is None or seen.lag for seen in progress.values())

    async def _progress(self) -> dict[TP, Progress | None]:
        """How far each partition is that is not stopped on purpose; notes the lag of each."""
        progress = await self.app.consumer.progress()
        self._lags = {tp: seen.lag for tp, seen in progress.items() if seen is not None}
        halted = self.score.halted.keys() | self.forecast.halted.keys()
        return {tp: seen for tp, seen in progress.items() if tp not in halted}

    def progress(self) -> list[PartitionProgress]:
        """How each partition was when it was last looked at, every few seconds."""
        return [each for manager in self._agents.values() for each in manager.progress(self._lags)]

    async def _watch(self) -> None:
        """End a stuck process; waiting for a database or a broker that is away is no standstill."""
        watchdog = Watchdog()
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            try:
                async with asyncio.timeout(WATCH_EVERY_S):
                    progress = await self._progress()
            except (KafkaError, ConsumerNotStarted, TimeoutError):
                self.broker_is_silent = True
                watchdog.check_silence(time.monotonic())
                continue
            self.broker_is_silent = False
            for tp, lag in self._lags.items():
                metrics.LAG.labels(self._manager_of(tp).consumer, *tp).set(lag)
            watchdog.check(progress, lambda tp: self._manager_of(tp).refused_at(tp), time.monotonic())

    def _manager_of(self, tp: TP) -> TaskManager:
        return self.score if tp.topic.startswith(TELEMETRY) else self.forecast


async def _raise_when_failed(manager: TaskManager) -> None:
    await asyncio.shield(manager.failed)
