"""The composition root: settings become a running platform. Nothing else wires anything.

Embedded: PostgreSQL from the wheel's binaries and the in-memory transport, all in one process. With Kafka:
the same worker and API over real brokers.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from faust.types import TP

from console.databases import Databases, databases
from console.models_in_use import ModelsInUse
from console.output import tell
from console.settings import Settings, SettingsError
from detectors.neighbours import load_pyod
from fleet.clock import Clock, SystemClock
from storage.file_lock import ALONE_AT_ONCE, locked
from storage.outbox import Outbox, unsent
from storage.pool import Pool, open_pool
from storage.progress import record_progress
from storage.registry import load_registry
from storage.retention import Policy, apply_retention
from storage.rollup import run_due
from storage.sink import Sink
from storage.usage import keep_wear
from streams.dead_letter_limit import DeadLetterLimit
from streams.errors import PartitionStopped
from streams.heap import give_back
from streams.publisher import KafkaPublisher, MemoryPublisher, Publisher
from streams.registry_cache import RegistryCache
from streams.retry import OUTAGE
from streams.topics import create_topics, topics_of
from streams.transports.memory_broker import MemoryBroker, register_broker
from streams.warm_up import warm_up
from streams.wire.limits import Limits
from streams.worker import Worker, WorkerParts

AGENTS = ("score", "forecast")

SNAPSHOT_S = 30.0
"""With Kafka a restart computes this much again; the in-memory log cannot be read again, so 0 there."""

ROLLUP_EVERY_S = 5.0
RETENTION_EVERY_S = 3600.0
WEAR_EVERY_S = 600.0

REFUSED_WITHIN_S = 20.0
"""A refusal of the database is a problem for so long: the longest pause between attempts, and some."""
REGISTRY_EVERY_S = 30.0
MODELS_EVERY_S = 60.0

GIVE_BACK_EVERY_S = 30.0
PROGRESS_EVERY_S = 30.0

PYOD_AFTER_S = 30.0
"""PyOD's import is a third of a start's CPU time, and only a machine's first windows need it."""

TELL_AFTER_S = 5.0
"""Computing is ready after a second, unless its loops have to be compiled first."""

log = structlog.get_logger()


class FleetChanged(Exception):
    """A tenant came or went: the worker starts again to read the right topics."""


@dataclass(frozen=True)
class Platform:
    """What runs, for those who feed it and look at it."""

    settings: Settings
    pool: Pool
    registry: RegistryCache
    models: ModelsInUse
    publisher: Publisher
    worker: Worker
    limits: Limits
    clock: Clock

    async def drained(self) -> None:
        """Return once everything sent so far is stored, told on through the outbox, and forecast.

        Raises `PartitionStopped` when it will not be.

        Looked at in this order: without records to score nothing new comes into the outbox, and without an
        outbox nothing new to forecast.
        """
        while await self.worker.behind() or await unsent(self.pool) or await self.worker.behind():
            for tp, why in self._halted().items():
                raise PartitionStopped(tp.topic, tp.partition, why)
            await asyncio.sleep(0.1)

    def problems(self) -> dict[str, str]:
        """What does not work, by part."""
        found = {f"{tp.topic}[{tp.partition}]": f"stopped: {why}" for tp, why in self._halted().items()}
        if self.worker.broker_is_silent:
            found["kafka"] = "does not answer"
        if any(agent.is_refused(REFUSED_WITHIN_S) for agent in (self.worker.score, self.worker.forecast)):
            found["database"] = "refuses"
        return found

    def _halted(self) -> dict[TP, str]:
        return self.worker.score.halted | self.worker.forecast.halted

    async def run(self) -> None:
        """Work until cancelled; raises what must end the process."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.worker.run())
            tasks.create_task(every(ROLLUP_EVERY_S, partial(_roll_up, self.pool)))
            tasks.create_task(
                every(RETENTION_EVERY_S, partial(apply_retention, self.pool, policy(self.settings)))
            )
            tasks.create_task(every(WEAR_EVERY_S, partial(keep_wear, self.pool)))
            tasks.create_task(every(REGISTRY_EVERY_S, self._check_tenants))
            tasks.create_task(_get_ready_to_fit())
            tasks.create_task(every(MODELS_EVERY_S, self.models.refresh))
            tasks.create_task(every(GIVE_BACK_EVERY_S, give_back))
            tasks.create_task(every(PROGRESS_EVERY_S, self._tell_progress))

    async def _tell_progress(self) -> None:
        await record_progress(self.pool, self.worker.progress())

    async def _check_tenants(self) -> None:
        await self.registry.refresh()
        if self.registry.current.tenants != self.worker.tenants:
            raise FleetChanged("tenants were added or removed")


@contextmanager
def foundation(settings: Settings) -> Iterator[Databases]:
    """What a platform stands on: its database, and without Kafka the right to be the only one.

    Not part of the event loop, so that Ctrl-C at any moment ends an embedded server too.
    """
    with ExitStack() as stack:
        if settings.kafka is None:
            stack.enter_context(_alone(settings))
        yield stack.enter_context(databases(settings, tell))


@asynccontextmanager
async def platform(
    settings: Settings, found: Databases, clock: Clock | None = None
) -> AsyncIterator[Platform]:
    """A platform on its foundation, wired and ready to `run`; everything it started ends with the context."""
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(found.writer, "faultline-worker", max_size=12))
        registry = RegistryCache(partial(load_registry, pool))
        await registry.refresh()
        if not registry.current.tenants:
            raise SettingsError("no machine is known yet: faultline assets add FLEET.toml")
        await _get_ready_to_compute()
        models = ModelsInUse(pool)
        await models.refresh()
        sinks = {agent: Sink(pool, agent) for agent in AGENTS}
        broker, publisher = await _transport(settings, registry.current.tenants, sinks.values(), clock, stack)
        limits = Limits(
            max_bytes=settings.max_frame_bytes,
            past=timedelta(days=settings.past_days),
            future=timedelta(minutes=settings.future_minutes),
        )
        parts = WorkerParts(
            broker=broker,
            credentials=settings.kafka_access.credentials if settings.kafka_access else None,
            log_survives=settings.kafka is not None,
            group=settings.group,
            session_timeout_s=settings.session_timeout_s,
            member=settings.worker_name,
            tenants=registry.current.tenants,
            sinks=sinks,
            registry=registry,
            forecasters=models.forecasters,
            outbox=Outbox(pool),
            publisher=publisher,
            limits=limits,
            false_per_day=settings.false_per_day,
            fits=models.fits,
            refresh_models=models.refresh,
            make_limit=partial(DeadLetterLimit, settings.dead_letter_share, settings.dead_letter_run),
            snapshot_s=0.0 if settings.kafka is None else SNAPSHOT_S,
        )
        yield Platform(settings, pool, registry, models, publisher, Worker(parts), limits, clock)


async def _transport(
    settings: Settings,
    tenants: Sequence[str],
    sinks: Iterable[Sink],
    clock: Clock,
    stack: AsyncExitStack,
) -> tuple[str, Publisher]:
    topics = topics_of(tenants)
    if settings.kafka_access is not None:
        await asyncio.to_thread(create_topics, settings.kafka_access, topics, settings.partitions)
        publisher = KafkaPublisher(settings.kafka_access)
        await publisher.start()
        stack.push_async_callback(publisher.close)
        return f"faultline+kafka://{settings.kafka}", publisher
    broker = register_broker("embedded", MemoryBroker(clock))
    stored: dict[tuple[str, int], int] = {}
    for sink in sinks:
        stored |= await sink.stored_offsets()
    for topic in topics:
        bases = {partition: offset for (name, partition), offset in stored.items() if name == topic}
        broker.create_topic(topic, settings.partitions, bases)
    return "faultline+memory://embedded", MemoryPublisher(broker)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """The in-memory log lives in one process; a second one would take the partitions away from it."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        with locked(settings.data_dir / "platform.lock", ALONE_AT_ONCE):
            yield
    except BlockingIOError:
        raise SettingsError(
            f"another faultline process runs the embedded platform in {settings.data_dir}: "
            "stop it, send over its HTTP API, or choose another FAULTLINE_DATA_DIR"
        ) from None


def policy(settings: Settings) -> Policy:
    """What is kept for how long."""
    raw = timedelta(days=settings.retention_raw_days)
    ledger = max(raw, timedelta(days=settings.past_days + 1))  # a frame sent again must still be known
    return Policy(raw=raw, rollup=timedelta(days=settings.retention_rollup_days), ledger=ledger)


async def _roll_up(pool: Pool) -> None:
    while await run_due(pool, limit=200):
        pass


async def _get_ready_to_compute() -> None:
    """Before anything is claimed that others would have to wait for."""
    work = asyncio.create_task(asyncio.to_thread(warm_up))
    done, _ = await asyncio.wait([work], timeout=TELL_AFTER_S)
    if not done:
        tell("Compiling what computes, once after an installation: up to two minutes …")
    await work


async def _get_ready_to_fit() -> None:
    """So that no chunk waits for PyOD, unless a machine has its first windows complete before that."""
    await asyncio.sleep(PYOD_AFTER_S)
    await asyncio.to_thread(load_pyod)


async def every(seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Do `work` again and again, the first time after a pause; an outage only postpones it."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except OUTAGE as error:
            log.warning("postponed", work=getattr(work, "func", work).__name__, error=type(error).__name__)
