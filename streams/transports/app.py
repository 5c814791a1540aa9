"""A Faust app reduced to what the platform uses: assignment, heartbeats, commits and agents."""

from functools import cached_property
from typing import Any

import faust
from faust.exceptions import ImproperlyConfigured
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.types.auth import CredentialsT
from mode.supervisors import CrashingSupervisor

from streams.transports.chunk_limits import ChunkLimits
from streams.transports.positions import Positions

A_DAY_S = 86_400.0


class ChunkApp(faust.App):  # type: ignore[misc]
    """An app whose agents read chunks (:func:`streams.transports.chunk_stream.chunks`); serves once.

    `app_id` is the consumer group. `broker` is `faultline+kafka://host:port[;host:port]`, which `credentials`
    may open, or `faultline+memory://name`. Without `positions` reading starts at the group's committed
    offsets. Nothing is taken from environment variables, which Faust would let override the arguments.

    A `member` has a name of its own in the group (static membership, KIP-345): started again under it within
    the session timeout, it has its partitions back at once, and nobody else stops for that. Without a name
    the whole group stands still until the session of the dead one is over.
    """

    def __init__(
        self,
        app_id: str,
        broker: str,
        *,
        credentials: CredentialsT | None = None,
        positions: Positions | None = None,
        limits: ChunkLimits | None = None,
        commit_interval_s: float = 1.0,
        session_timeout_s: float = 30.0,
        member: str | None = None,
        heartbeat_interval_s: float = 3.0,
    ) -> None:
        self.positions = positions
        self.limits = limits or ChunkLimits()
        super().__init__(
            app_id,
            broker=broker,
            broker_credentials=credentials,
            broker_commit_interval=commit_interval_s,
            broker_session_timeout=session_timeout_s,
            broker_heartbeat_interval=heartbeat_interval_s,
            broker_max_poll_interval=A_DAY_S,  # waiting out an outage is no reason to be expelled
            broker_max_poll_records=self.limits.chunk_records,
            consumer_max_fetch_size=self.limits.chunk_bytes,
            consumer_auto_offset_reset="earliest",
            consumer_group_instance_id=member,
            consumer_metadata_max_age_ms=30_000,  # a topic that was made anew is noticed within this time
            producer_request_timeout=30.0,
            stream_buffer_maxsize=16,
            stream_wait_empty=False,  # writes are fenced: nobody need wait for agents at a rebalance
            agent_supervisor=CrashingSupervisor,  # a restarted agent would go on behind the failed chunk
            table_standby_replicas=0,
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
            web_router_enabled=False,
            web_tables_enabled=False,
            TableManager=NoTables,
            env={},
        )

    def chunk_topic(self, *names: str) -> Any:
        """The Faust topic for an agent that reads chunks of these Kafka topics."""
        return self.topic(*names, key_type=bytes, value_type=bytes, value_serializer="raw")

    async def serve(self) -> None:
        """Run in this event loop until :meth:`stop` is called or the task is cancelled.

        Raises what crashed the app: an agent's exception, `PositionLost`, a broker that cannot be reached,
        aiokafka's `IllegalStateError` after an unlucky rebalance. The process should then end and be started
        again. Signals are not handled here.
        """
        try:
            await self.start()
            await self.wait_until_stopped()
        finally:
            await self.stop()
        if isinstance(self.crash_reason, Exception):
            raise self.crash_reason
        if self.crash_reason is not None:
            raise RuntimeError(f"the app ended by {self.crash_reason!r}") from self.crash_reason

    def _create_directories(self) -> None:
        """Nothing: without tables there is no data directory."""


class NoTables(TableManager):  # type: ignore[misc]
    """Faust's way back to work after a rebalance, without the tables that it is named after."""

    def add(self, table: Any) -> Any:
        """Refuse: state lives in PostgreSQL, with its offset in one transaction."""
        raise ImproperlyConfigured("Faust tables are not used here: keep state in the sink's snapshots")

    async def on_start(self) -> None:
        """Start at once (Faust waits a second for tables to be declared)."""
        await self._update_channels()
        await self.recovery.start()

    @cached_property
    def recovery(self) -> Recovery:
        """The service that resumes reading after an assignment."""
        self._recovery = PatientRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery


class PatientRecovery(Recovery):  # type: ignore[misc]
    """Waits for claims as long as they take (Faust's gives up for ever, silently, after a timeout)."""

    async def _wait(self, coro: Any, timeout: Any = None) -> None:  # noqa: ASYNC109
        await super()._wait(coro)
