"""Dead letters, outbox, models and keys."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from aiokafka.errors import KafkaTimeoutError
from faust.types import TP

from fleet.asset import Fleet, Tenant
from fleet.clock import SystemClock
from fleet.dead_letter import Reason
from fleet.maintenance import MaintenanceEvent, MaintenanceKind
from fleet.model_scope import Scope
from storage import model_roles
from storage.apikeys import Principal, create_key, revoke, verify
from storage.bootstrap import OWNER, WRITER
from storage.chunk_result import DeadLetter, OutboxMessage
from storage.dead_letters import letters, mark_replayed, one_letter, unsent_ids, unsent_letters
from storage.maintenance import events, forget_event, last_events, record_event
from storage.model_roles import (
    Role,
    end_role,
    model_uses,
    models_in_use,
    roll_back,
    use_model,
)
from storage.models import known_models, load_fit, save_model
from storage.outbox import Outbox, unsent
from storage.pool import Pool
from storage.registry import register
from storage.server.database import Database
from storage.sink import Sink
from streams.publisher import Headers, MemoryPublisher
from streams.relay import Relay
from streams.transports.memory_broker import MemoryBroker
from tests.integration.storage_harness import TOPIC, ask, chunk, until_blocked, writer_pool


@pytest.fixture
async def pool(plain_database: Database) -> AsyncIterator[Pool]:
    async with writer_pool(plain_database) as opened:
        yield opened


class Held:
    """A place in the log that is not safe until it is let go."""

    def __init__(self) -> None:
        self.safe = asyncio.Event()
        self.asked: list[tuple[TP, int]] = []

    async def durable(self, tp: TP, offset: int) -> None:
        self.asked.append((tp, offset))
        await self.safe.wait()


async def test_a_message_is_marked_as_sent_only_once_it_can_no_longer_be_lost(pool: Pool) -> None:
    message = OutboxMessage("health:1:1", "health.acme", b"p1", b"{}", [])
    sink = Sink(pool, "score")
    await sink.write(await sink.claim(TOPIC, 0), chunk(0, 1, outbox=[message]))
    broker, held = MemoryBroker(SystemClock()), Held()
    broker.create_topic("health.acme", 1)
    relay = Relay(Outbox(pool), MemoryPublisher(broker), held.durable)
    sending = asyncio.create_task(relay.send_batch())
    async with asyncio.timeout(20):
        while not held.asked:  # noqa: ASYNC110 - only looking tells
            await asyncio.sleep(0.01)
    assert held.asked == [(TP("health.acme", 0), 0)]
    assert await unsent(pool) == 1
    held.safe.set()
    assert await sending == 1
    assert await unsent(pool) == 0


class Wire:
    """Takes messages; what becomes of each is said later."""

    def __init__(self) -> None:
        self.fates: dict[bytes, asyncio.Future[tuple[int, int]]] = {}

    async def send(
        self, topic: str, key: bytes, value: bytes, headers: Headers
    ) -> Awaitable[tuple[int, int]]:
        self.fates[value] = asyncio.get_running_loop().create_future()
        return self.fates[value]

    async def close(self) -> None:
        """Nothing to let go of."""


async def test_a_failed_message_is_not_sent_again_while_later_ones_are_on_the_wire(pool: Pool) -> None:
    messages = [OutboxMessage(f"health:1:{n}", "health.acme", b"p1", b"%d" % n, []) for n in range(3)]
    sink = Sink(pool, "score")
    await sink.write(await sink.claim(TOPIC, 0), chunk(0, 1, outbox=messages))
    wire, held = Wire(), Held()
    held.safe.set()
    sending = asyncio.create_task(Relay(Outbox(pool), wire, held.durable).send_batch())
    async with asyncio.timeout(20):
        while len(wire.fates) < 3:  # noqa: ASYNC110 - only looking tells
            await asyncio.sleep(0.01)
    wire.fates[b"0"].set_exception(KafkaTimeoutError("nobody answered"))
    wire.fates[b"1"].set_result((0, 0))
    done, _ = await asyncio.wait([sending], timeout=0.2)
    assert not done
    wire.fates[b"2"].set_result((0, 1))
    with pytest.raises(KafkaTimeoutError):
        await sending
    assert await unsent(pool) == 3


REASONS = (Reason.BAD_JSON, Reason.CONFLICT, Reason.BAD_JSON)


async def write_letters(pool: Pool) -> None:
    sink = Sink(pool, "score")
    made = [
        DeadLetter(n, reason, f"letter {n}", b"p1", b"abc", 3 + n, [("h", bytes([n]))], 1_772_000_000_000)
        for n, reason in enumerate(REASONS)
    ]
    await sink.write(await sink.claim(TOPIC, 0), chunk(0, 3, dead_letters=made))


async def test_letters_are_listed_newest_first_page_by_page(pool: Pool) -> None:
    await write_letters(pool)
    found = await letters(pool)
    assert [letter.detail for letter in found] == ["letter 2", "letter 1", "letter 0"]
    page = await letters(pool, limit=1, before_id=found[0].id)
    assert page == [found[1]]
    assert [letter.offset for letter in await letters(pool, reason=Reason.BAD_JSON)] == [2, 0]
    assert await letters(pool, topic="telemetry.other") == []
    assert await letters(pool, topic=TOPIC, since=found[0].created_at + timedelta(seconds=1)) == []
    assert len(await letters(pool, topic=TOPIC, since=found[0].created_at)) == 3


async def test_a_letter_has_all_that_it_takes_to_send_it_again(pool: Pool) -> None:
    await write_letters(pool)
    whole, cut = sorted(await letters(pool, reason=Reason.BAD_JSON), key=lambda letter: letter.offset)
    assert (whole.key, whole.value, whole.headers, whole.whole) == (b"p1", b"abc", (("h", b"\x00"),), True)
    assert not cut.whole
    assert await one_letter(pool, whole.id) == whole
    assert await one_letter(pool, 10**9) is None


async def test_a_letter_is_marked_as_sent_again_once(pool: Pool) -> None:
    await write_letters(pool)
    first = (await letters(pool))[0]
    assert await mark_replayed(pool, [first.id]) == 1
    assert await mark_replayed(pool, [first.id]) == 0
    again = await one_letter(pool, first.id)
    assert again is not None
    assert again.replayed_at is not None


async def test_letters_to_send_again_are_those_that_were_not_yet_oldest_first(pool: Pool) -> None:
    await write_letters(pool)
    first, second, third = await unsent_ids(pool)
    assert await unsent_ids(pool, reason=Reason.BAD_JSON) == [first, third]
    assert await unsent_ids(pool, topic="telemetry.other") == []
    assert await unsent_ids(pool, ids=[third, 10**9]) == [third]
    await mark_replayed(pool, [first])
    assert await unsent_ids(pool) == [second, third]
    assert [letter.id for letter in await unsent_letters(pool, [third, first, second])] == [second, third]


async def write_messages(pool: Pool, *keys: str) -> None:
    sink = Sink(pool, "score")
    claim = await sink.claim(TOPIC, 0)
    messages = [OutboxMessage(key, "health.acme", b"p1", key.encode(), (("h", b"\x00\xff"),)) for key in keys]
    first = claim.next_offset or 0
    await sink.write(claim, chunk(first, first + 1, outbox=messages))


async def test_messages_leave_once_and_in_order(pool: Pool) -> None:
    outbox = Outbox(pool)
    await write_messages(pool, "b", "a")
    await write_messages(pool, "c")
    assert await unsent(pool) == 3
    async with outbox.lease(2) as messages:
        assert [message.message_key for message in messages] == ["b", "a"]
        assert messages[0] == OutboxMessage("b", "health.acme", b"p1", b"b", (("h", b"\x00\xff"),))
    async with outbox.lease(2) as messages:
        assert [message.message_key for message in messages] == ["c"]
    async with outbox.lease(2) as messages:
        assert list(messages) == []
    assert await unsent(pool) == 0


async def test_what_was_not_sent_comes_again(pool: Pool) -> None:
    await write_messages(pool, "a")
    with pytest.raises(ConnectionError):
        async with Outbox(pool).lease(10):
            raise ConnectionError
    async with Outbox(pool).lease(10) as messages:
        assert [message.message_key for message in messages] == ["a"]


async def test_one_sender_at_a_time(pool: Pool) -> None:
    await write_messages(pool, "a")
    async with Outbox(pool).lease(10) as first, Outbox(pool).lease(10) as second:
        assert len(first) == 1
        assert list(second) == []
    assert await unsent(pool) == 0


PRESS, LIFT, ACMES = Scope("press"), Scope("lift"), Scope("press", "acme")


async def test_each_fit_is_a_version_and_none_is_in_use_by_itself(pool: Pool) -> None:
    assert await known_models(pool) == []
    assert await save_model(pool, PRESS, "gamma", b"\x00one", {"runs": 1}) == 1
    assert await save_model(pool, ACMES, "gamma", b"\x00two", {"runs": 2}) == 2
    assert await save_model(pool, LIFT, "trend", b"x", {}) == 1
    assert [(m.scope, m.key, m.lineage) for m in await known_models(pool, "press")] == [
        (PRESS, ("gamma", 1), {"runs": 1}),
        (ACMES, ("gamma", 2), {"runs": 2}),
    ]
    assert await load_fit(pool, "press", "gamma", 1) == (b"\x00one", {"runs": 1})
    assert await models_in_use(pool) == {}
    for unknown in (Scope("unknown"), Scope("press", "unknown")):
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            await save_model(pool, unknown, "gamma", b"", {})
    with pytest.raises(KeyError, match="press has no gamma 3"):
        await load_fit(pool, "press", "gamma", 3)


async def two_models(pool: Pool) -> None:
    for state in (b"one", b"two"):
        await save_model(pool, PRESS, "gamma", state, {})
    await use_model(pool, PRESS, Role.CHAMPION, ("gamma", 1), "the first")
    await use_model(pool, PRESS, Role.CHALLENGER, ("gamma", 2), "a try")


async def test_the_newest_use_of_each_role_counts_and_the_history_stays(pool: Pool) -> None:
    await two_models(pool)
    assert await models_in_use(pool) == {
        (PRESS, Role.CHAMPION): ("gamma", 1),
        (PRESS, Role.CHALLENGER): ("gamma", 2),
    }
    await use_model(pool, PRESS, Role.CHAMPION, ("gamma", 2), "it is better")
    assert await models_in_use(pool) == {(PRESS, Role.CHAMPION): ("gamma", 2)}
    assert [(use.role, use.version) for use in await model_uses(pool, "press")] == [
        ("champion", 1),
        ("challenger", 2),
        ("champion", 2),
        ("challenger", None),
    ]
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        await use_model(pool, PRESS, Role.CHAMPION, ("gamma", 3), "is not there")


async def test_a_promotion_that_fails_half_way_leaves_all_as_it_was(
    plain_database: Database, pool: Pool
) -> None:
    await two_models(pool)
    before = await model_uses(pool)
    with psycopg.connect(plain_database.dsn(OWNER)) as conn:  # a fault at the second of its two rows
        conn.execute("alter table model_role add check (reason <> 'it answers now')")
    with pytest.raises(psycopg.errors.CheckViolation):
        await use_model(pool, PRESS, Role.CHAMPION, ("gamma", 2), "it is better")
    assert await model_uses(pool) == before


async def test_who_rolls_back_twice_at_once_goes_back_twice(plain_database: Database, pool: Pool) -> None:
    await two_models(pool)
    await use_model(pool, PRESS, Role.CHAMPION, ("gamma", 2), "it is better")
    async with pool.connection() as conn, conn.transaction():
        await conn.execute("select pg_advisory_xact_lock(%s)", (model_roles.LOCK,))
        twice = [asyncio.create_task(roll_back(pool, PRESS)) for _ in range(2)]
        await until_blocked(plain_database, 2)
    gone_back = await asyncio.gather(*twice)
    assert set(gone_back) == {(("gamma", 1), ("gamma", 2)), (None, ("gamma", 1))}
    assert await roll_back(pool, PRESS) is None
    assert await models_in_use(pool) == {}


async def test_a_role_ends_once(pool: Pool) -> None:
    await two_models(pool)
    assert await end_role(pool, ACMES, Role.CHALLENGER) is None
    assert await end_role(pool, PRESS, Role.CHALLENGER) == ("gamma", 2)
    assert await end_role(pool, PRESS, Role.CHALLENGER) is None
    assert await models_in_use(pool) == {(PRESS, Role.CHAMPION): ("gamma", 1)}


async def test_a_tenants_model_has_no_role_for_others_nor_a_types_for_a_tenant(
    plain_database: Database, pool: Pool
) -> None:
    await two_models(pool)
    await register(pool, Fleet((Tenant("other"),), (), (), ()))
    assert await save_model(pool, ACMES, "gamma", b"own", {}) == 3
    for scope, version in ((PRESS, 3), (Scope("press", "other"), 3), (ACMES, 1)):
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            await use_model(pool, scope, Role.CHAMPION, ("gamma", version), "a slip")
    await use_model(pool, ACMES, Role.CHAMPION, ("gamma", 3), "its own")
    await use_model(pool, PRESS, Role.CHAMPION, ("gamma", 2), "for all")
    found = await models_in_use(pool)
    assert (found[ACMES, Role.CHAMPION], found[PRESS, Role.CHAMPION]) == (("gamma", 3), ("gamma", 2))
    seen_before = "select distinct version from model_use where forecaster is not null order by 1"
    assert ask(plain_database, seen_before, WRITER) == [(1,), (2,)]  # by workers of an earlier release
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        ask(
            plain_database,
            "insert into model_use (equipment_type, role, forecaster, version, reason) "
            "values ('press', 'champion', 'gamma', 3, 'by an earlier release')",
            WRITER,
        )


async def test_events_of_machines_are_kept_once_and_can_be_taken_back(pool: Pool) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    failed = MaintenanceEvent(1, at, MaintenanceKind.FAILED, "belt")
    for event in (failed, failed, MaintenanceEvent(1, at + timedelta(days=2), MaintenanceKind.RESTORED)):
        await record_event(pool, event)
    assert [(e.asset_id, e.ts, e.kind, e.note) for e in await events(pool, [1])] == [
        (1, at, "failed", "belt"),
        (1, at + timedelta(days=2), "restored", ""),
    ]
    assert await last_events(pool) == {1: at + timedelta(days=2)}
    assert await events(pool, [2]) == []
    assert await forget_event(pool, failed)
    assert not await forget_event(pool, failed)
    assert len(await events(pool)) == 1


async def test_a_key_opens_what_it_is_for(pool: Pool) -> None:
    key = await create_key(pool, "acme", ["read", "ingest"])
    found = await verify(pool, key)
    assert found == Principal(key.split("_")[1], "acme", frozenset({"read", "ingest"}))
    found.require("ingest")
    with pytest.raises(PermissionError, match="this key may ingest, read, not admin"):
        found.require("admin")


async def test_only_the_hash_of_a_key_is_stored(plain_database: Database, pool: Pool) -> None:
    key = await create_key(pool, "acme", ["read"])
    _, key_id, secret = key.split("_")
    assert len(bytes.fromhex(secret)) == 32
    (row,) = ask(plain_database, "select api_key::text from api_key")
    assert key_id in row[0]
    assert secret not in row[0]
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        await create_key(pool, "nobody", ["read"])


async def test_no_other_key_opens_anything(plain_database: Database, pool: Pool) -> None:
    key = await create_key(pool, "acme", ["read"])
    prefix, key_id, secret = key.split("_")
    other = await create_key(pool, "acme", ["read"])
    wrong = [
        "",
        secret,
        f"{prefix}_{key_id}",
        f"{prefix}_{key_id}_{other.split('_')[2]}",
        f"{prefix}_{key_id}_{secret}\n",
        f"{prefix}_{key_id}_{secret[:-1]}\0",
        f"{prefix}_{key_id}_{secret.upper()}" if secret.upper() != secret else "",
        f"{prefix}_{'0' * 16}_{secret}",
        "flt_é_é",
    ]
    assert [await verify(pool, each) for each in wrong] == [None] * len(wrong)
    expired = await create_key(pool, "acme", ["read"], lifetime=timedelta(0))
    assert await verify(pool, expired) is None
    assert (
        await verify(pool, await create_key(pool, "acme", ["read"], lifetime=timedelta(hours=1))) is not None
    )
    assert await revoke(pool, key_id)
    assert not await revoke(pool, key_id)
    assert await verify(pool, key) is None
    assert await verify(pool, other) is not None
    assert ask(plain_database, "select count(*) from api_key where revoked_at is not null", OWNER) == [(1,)]
