"""Every way to be unusable ends in the dead letters once, with its reason, while good records are stored."""

import asyncio
import gzip
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from faust.types import TP

from console.api import build_api
from console.platform import Platform, foundation, platform
from console.serving import api_parts, beside
from console.settings import Settings, load_settings
from fleet.asset import Asset, Channel, EquipmentType, Fleet, Site, Tenant
from fleet.clock import ManualClock, microseconds
from fleet.dead_letter import Reason
from storage.apikeys import create_key
from storage.bootstrap import WRITER
from storage.dead_letters import letters, mark_replayed
from storage.pool import open_pool
from storage.position import set_position
from storage.progress import record_progress
from storage.registry import register
from storage.server.database import Database
from storage.sink import Sink
from streams.dead_letter_limit import DeadLetterLimit
from streams.errors import PartitionStopped
from streams.partition_task import PartitionTask
from streams.record import Chunk
from streams.score_engine import engine_for
from streams.topics import telemetry_topic
from streams.transports.memory_broker import MemoryBroker, MemoryRecord, find_broker
from streams.wire.binary import encode_binary
from streams.wire.frame import Frame
from streams.wire.limits import Limits

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIFT = EquipmentType("lift", (Channel("current", "A", -100, 100), Channel("speed", "m/s", -10, 10)))
TENANT = "acme"
TOPIC = telemetry_topic(TENANT)


def fleet(*names: str) -> Fleet:
    assets = tuple(Asset(0, TENANT, "hall", name, "lift") for name in names)
    return Fleet((Tenant(TENANT),), (Site(TENANT, "hall"),), assets, (LIFT,))


def frame(seq: int, asset: str = "l1", at: datetime = NOW, value: float = 1.0) -> Frame:
    ts = microseconds(at) + seq * 10_000_000 + np.arange(5, dtype=np.int64) * 1_000_000
    values = np.full((2, 5), value, np.float32)
    return Frame(asset, None, 1, seq, ts, LIFT_CHANNELS, ("A", "m/s"), values, None)


LIFT_CHANNELS = ("current", "speed")


def said(**more: Any) -> bytes:
    message = {"asset": "l1", "boot": 2, "seq": 0, "ts": "2026-03-01T11:00:00Z", "values": {"current": 1.0}}
    return json.dumps(message | more).encode()


GOOD = encode_binary(frame(100))
BAD: dict[Reason, bytes] = {
    Reason.TRUNCATED: GOOD[:-9],
    Reason.BAD_MAGIC_OR_CRC: GOOD[:-1] + bytes([GOOD[-1] ^ 1]),
    Reason.OVERSIZE: b"{" + b" " * (1 << 20) + b"}",
    Reason.BAD_JSON: b'{"asset": "l1",',
    Reason.TOO_DEEP: b"[" * 100_000,
    Reason.BAD_UTF8_OR_NUL: b'{"asset": "l\\u0000"}',
    Reason.SCHEMA_INVALID: said(values=[1, 2]),
    Reason.UNSUPPORTED_SCHEMA: said(schema=9),
    Reason.NAN_OR_INF: said().replace(b"1.0", b"NaN"),
    Reason.NUMBER_OUT_OF_RANGE: said().replace(b"1.0", b"9" * 5000),
    Reason.TS_OUT_OF_RANGE: said(ts="2025-03-01T11:00:00Z"),
    Reason.UNKNOWN_ASSET: said(asset="nobody"),
    Reason.TENANT_MISMATCH: said(tenant="other"),
    Reason.UNKNOWN_SIGNAL_OR_UNIT: said(values={"colour": 1.0}),
    Reason.CONFLICT: encode_binary(frame(0, value=2.0)),
    Reason.DUP_KEY_IN_OBJECT: said()[:-1] + b', "asset": "l1"}',
    Reason.NULL_KEY: encode_binary(frame(101)),
}


def key_of(reason: Reason) -> bytes | None:
    named = {Reason.NULL_KEY: None, Reason.UNKNOWN_ASSET: b"nobody"}
    return named.get(reason, b"l1")


def kind_of(value: bytes) -> tuple[tuple[str, bytes], ...]:
    kind = b"application/json" if value[:1] in {b"{", b"["} else b"application/vnd.faultline.frame"
    return (("content-type", kind),)


def hours(seq: int) -> Frame:
    """Four hours of a healthy lift, a row every four minutes."""
    ts = microseconds(NOW - timedelta(hours=96 - 4 * seq)) + np.arange(60, dtype=np.int64) * 240_000_000
    values = np.random.default_rng(seq).normal(1.0, 0.1, (2, 60)).astype(np.float32)
    return Frame("l1", None, 1, seq, ts, LIFT_CHANNELS, ("A", "m/s"), values, None)


@asynccontextmanager
async def running(
    settings: Settings, *machines: str, survives: bool = True
) -> AsyncIterator[tuple[Platform, MemoryBroker]]:
    """The platform at work on a fleet, with a broker to publish to; it must still be at work in the end."""
    assert settings.database is not None
    async with open_pool(settings.database.get_secret_value(), "test") as pool:
        await register(pool, fleet(*machines))
    with foundation(settings) as found:
        async with platform(settings, found, ManualClock(NOW)) as wired:
            work, test = asyncio.create_task(wired.run()), asyncio.current_task()

            def end_test(_: asyncio.Task[None]) -> None:
                """It might wait for ever."""
                assert test is not None
                test.cancel()

            if survives:
                work.add_done_callback(end_test)
            try:
                yield wired, find_broker("embedded")
            finally:
                work.remove_done_callback(end_test)
                work.cancel()
                (ended,) = await asyncio.gather(work, return_exceptions=True)
                assert isinstance(ended, asyncio.CancelledError) is survives, repr(ended)


@pytest.fixture
def settings(plain_database: Database, tmp_path: Path) -> Settings:
    return load_settings(
        database=plain_database.dsn(WRITER), data_dir=tmp_path, partitions=1, dead_letter_share=1.0
    )


async def ask(wired: Platform, question: str) -> list[Any]:
    async with wired.pool.connection() as conn:
        return await (await conn.execute(question.encode())).fetchall()


async def test_the_list_is_complete() -> None:
    assert set(BAD) == set(Reason)


async def test_each_reason_once_and_the_good_records_around_it_stored(settings: Settings) -> None:
    async with running(settings, "l1") as (wired, broker):
        sent: dict[int, Reason] = {}
        await broker.publish(TOPIC, b"l1", encode_binary(frame(0)))
        for seq, (reason, value) in enumerate(BAD.items(), 1):
            _, offset = await broker.publish(TOPIC, key_of(reason), value, kind_of(value))
            sent[offset] = reason
            await broker.publish(TOPIC, b"l1", encode_binary(frame(seq)))
        await broker.publish(TOPIC, b"l1", None)
        await broker.publish(TOPIC, b"l1", encode_binary(frame(3)))  # a duplicate
        await wired.drained()
        kept = await letters(wired.pool)
        assert {letter.offset: letter.reason for letter in kept} == sent
        assert len(kept) == len(sent)
        for letter in kept:
            value = BAD[Reason(letter.reason)]
            assert (letter.value, letter.size) == (value[: 64 << 10], len(value))
            assert letter.key == key_of(Reason(letter.reason))
        tally = await ask(
            wired, "select stored, duplicate, dead, tombstone from partition_tally where dead > 0"
        )
        assert tally == [(len(BAD) + 1, 1, len(BAD), 1)]
        assert await ask(wired, "select count(*) from telemetry") == [(5 * (len(BAD) + 1),)]


async def test_a_decompression_bomb_is_oversize(settings: Settings) -> None:
    bomb = gzip.compress(b"{" + b" " * (1 << 20) + b"}")
    async with running(settings, "l1") as (wired, broker):
        await broker.publish(TOPIC, b"l1", bomb, (("content-encoding", b"gzip"),))
        await wired.drained()
        assert [letter.reason for letter in await letters(wired.pool)] == [Reason.OVERSIZE]


def gzipped(seq: int, rows: int = 1000) -> MemoryRecord:
    """A small record of many instants, one channel of two."""
    first = microseconds(NOW) + 1_000_000 * rows * (seq - 10)
    times = [first + 1_000_000 * n for n in range(rows)]
    body = {"asset": "l1", "boot": 3, "seq": seq, "times": times, "values": {"current": [1] * rows}}
    headers = (*kind_of(b"{"), ("content-encoding", b"gzip"))
    return MemoryRecord(
        seq, microseconds(NOW) // 1000, b"l1", gzip.compress(json.dumps(body).encode()), headers
    )


async def test_small_records_of_many_instants_are_stored_in_several_transactions(settings: Settings) -> None:
    async with running(settings, "l1") as (wired, _):
        sink = Sink(wired.pool, "score")
        engine = engine_for(TOPIC, wired.registry, sink, Limits(chunk_cells=3000))
        claim = await sink.claim(TOPIC, 5)
        task = PartitionTask(sink, claim, engine, DeadLetterLimit(1.0, 100), snapshot_s=30.0)
        await task.handle(Chunk(TOPIC, 5, [gzipped(seq) for seq in range(8)]))
        assert task.stored == 8
        assert await ask(wired, "select count(*) from telemetry") == [(8000,)]
        assert await ask(wired, "select count(distinct xmin::text) from frame") == [(8,)]


async def test_who_waits_learns_of_what_was_stored_when_the_partition_changed_hands(
    settings: Settings,
) -> None:
    place = TP(TOPIC, 5)
    async with running(settings, "l1") as (wired, _):
        waiting = asyncio.create_task(wired.worker.durable(place, 0))
        await asyncio.sleep(0.1)  # it waits now
        sink = Sink(wired.pool, "score")
        engine = engine_for(TOPIC, wired.registry, sink, Limits())
        task = PartitionTask(sink, await sink.claim(TOPIC, 5), engine, DeadLetterLimit(1.0, 100), 30.0)
        await task.handle(Chunk(TOPIC, 5, [gzipped(0, rows=1)]))
        assert not waiting.done()
        await wired.worker.score.claim([place])
        async with asyncio.timeout(10):
            await waiting


async def test_who_waits_learns_that_the_partition_stopped(settings: Settings) -> None:
    place = TP(TOPIC, 5)
    async with running(settings, "l1") as (wired, _):
        waiting = asyncio.create_task(wired.worker.durable(place, 0))
        await asyncio.sleep(0.1)
        wired.worker.score.halt(place, "a test")
        with pytest.raises(PartitionStopped, match="a test"):
            async with asyncio.timeout(10):
                await waiting


async def test_after_the_machine_is_added_its_dead_letters_can_be_sent_again(settings: Settings) -> None:
    async with running(settings, "l1") as (wired, broker):
        await broker.publish(TOPIC, b"l2", encode_binary(frame(0, "l2")))
        await wired.drained()
        (letter,) = await letters(wired.pool)
        assert letter.reason == Reason.UNKNOWN_ASSET
        await register(wired.pool, fleet("l1", "l2"))
        await asyncio.sleep(1.1)  # names are not asked for more often than once a second
        await broker.publish(letter.topic, letter.key, letter.value, letter.headers)
        await wired.drained()
        await mark_replayed(wired.pool, [letter.id])
        assert await ask(
            wired, "select count(*) from telemetry join asset using (asset_id) where name = 'l2'"
        ) == [(5,)]
        assert len(await letters(wired.pool)) == 1


async def test_nothing_but_dead_letters_stops_the_partition_with_an_alarm(settings: Settings) -> None:
    strict = settings.model_copy(update={"dead_letter_run": 20})
    async with running(strict, "l1") as (wired, broker):
        await broker.publish(TOPIC, b"l1", encode_binary(frame(0)))
        await wired.drained()
        for _ in range(60):
            await broker.publish(TOPIC, b"l1", b"{")
        for _ in range(200):
            if wired.problems():
                break
            await asyncio.sleep(0.05)
        assert "20 dead letters in a row" in str(wired.problems())
        kept = await letters(wired.pool)
        assert 20 <= len(kept) <= 60  # those that stopped it are there to be looked at
        assert await ask(wired, "select dead from partition_tally") == [(len(kept),)]
        assert await ask(wired, "select next_offset from sink_offset where next_offset > 0") == [
            (1 + len(kept),)
        ]
        assert await ask(wired, "select count(*) from telemetry") == [(5,)]


@asynccontextmanager
async def client(wired: Platform, scopes: list[str]) -> AsyncIterator[httpx.AsyncClient]:
    key = await create_key(wired.pool, TENANT, scopes)
    transport = httpx.ASGITransport(build_api(api_parts(wired)))
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as http:
        yield http


async def test_http_answers_when_the_data_is_in_the_database(settings: Settings) -> None:
    async with running(settings, "l1") as (wired, _), client(wired, ["ingest", "read"]) as http:
        single = await http.post("/v1/telemetry", content=said(seq=1), headers=JSON)
        assert (single.status_code, single.json()) == (200, {"accepted": 1, "rejected": []})
        assert await ask(wired, "select count(*) from telemetry") == [(1,)]
        batch = b"[" + b", ".join([said(seq=2, ts="2026-03-01T11:00:02Z"), said(asset="nobody")]) + b"]"
        mixed = await http.post("/v1/telemetry", content=batch, headers=JSON)
        assert mixed.status_code == 207
        assert mixed.json()["accepted"] == 1
        assert [(r["index"], r["reason"]) for r in mixed.json()["rejected"]] == [(1, "unknown_asset")]
        binary = await http.post("/v1/telemetry", content=encode_binary(frame(9)), headers=BINARY)
        assert binary.status_code == 200
        assert await ask(wired, "select count(*) from telemetry") == [(7,)]
        (asset,) = (await http.get("/v1/assets")).json()
        assert (asset["name"], asset["values"]["current"]["value"]) == ("l1", 1.0)
        assert (await http.get("/v1/episodes")).json() == []
        assert (await http.get("/health")).json() == {"status": "pass"}
        assert "faultline_records_total" in (await http.get("/metrics")).text


async def test_a_machine_of_a_type_that_was_added_a_moment_ago_is_listed(settings: Settings) -> None:
    async with running(settings, "l1") as (wired, _), client(wired, ["read"]) as http:
        press = EquipmentType("press", (Channel("force", "kN"),))
        added = Asset(0, TENANT, "hall", "p1", "press")
        await register(wired.pool, Fleet((Tenant(TENANT),), (Site(TENANT, "hall"),), (added,), (press,)))
        listed = await http.get("/v1/assets")
        assert [(one["name"], one["values"]) for one in listed.json()] == [("l1", {}), ("p1", {})]


JSON = {"content-type": "application/json"}
BINARY = {"content-type": "application/vnd.faultline.frame"}


@pytest.mark.parametrize(
    ("content", "headers", "status", "says"),
    [
        (b"[{", JSON, 400, "not a JSON array"),
        (b"[", JSON, 400, "Expecting value"),
        (b"[" + said(), JSON, 400, "expected , or ]"),
        (b"[" + said() + b", ", JSON, 400, "Expecting value"),
        (b"[" + said() + b",]", JSON, 400, "Expecting value"),
        (b"[" + said() + b"][" + said() + b"]", JSON, 400, "nothing may follow"),
        (b"[" + said() + b" " + said() + b"]", JSON, 400, "expected , or ]"),
        (b"[] x", JSON, 400, "nothing may follow"),
        (b"x", {"content-type": "text/csv"}, 415, "application/json"),
        (b"[" + b"1," * 10_001 + b"1]", JSON, 413, "at most"),
        (b" " * ((8 << 20) + 1), JSON, 413, "smaller batches"),
        (b"{}", JSON, 422, "schema_invalid"),
        (struct.pack("<4s", b"FLT1"), BINARY, 422, "truncated"),
    ],
)
async def test_http_says_what_is_wrong(
    settings: Settings, content: bytes, headers: dict[str, str], status: int, says: str
) -> None:
    async with running(settings, "l1") as (wired, _), client(wired, ["ingest"]) as http:
        answer = await http.post("/v1/telemetry", content=content, headers=headers)
        assert answer.status_code == status, answer.text
        assert says in answer.text
        assert (await http.get("/v1/assets")).status_code == 403
        nobody = await http.post("/v1/telemetry", content=said(), headers={"Authorization": "Bearer flt_x"})
        assert nobody.status_code == 401


async def test_the_embedded_log_goes_on_where_the_database_is(settings: Settings) -> None:
    """Also the forecast agent's, which reads what the score agent sent."""
    for start in (0, 12):
        async with running(settings, "l1") as (wired, broker):
            for seq in range(start, start + 12):
                await broker.publish(TOPIC, b"l1", encode_binary(hours(seq)))
            await wired.drained()
            assert await ask(wired, "select count(*) from telemetry") == [(60 * (start + 12),)]
            positions = await ask(
                wired, "select consumer, next_offset from sink_offset where next_offset > 0"
            )
            told = (await ask(wired, "select count(*) from health"))[0][0]
            assert sorted(positions) == [("forecast", told), ("score", start + 12)]
            assert told >= 9


async def test_operations_are_told_how_far_each_partition_is(settings: Settings) -> None:
    async with running(settings, "l1") as (wired, broker):
        await broker.publish(TOPIC, b"l1", encode_binary(frame(0)))
        await wired.drained()
        await record_progress(wired.pool, wired.worker.progress())
        told = await ask(
            wired,
            "select consumer, partition, next_offset, lag, delay_s is null, halted from partition_state "
            "order by 1",
        )
        assert told == [("forecast", 0, 0, 0, True, None), ("score", 0, 1, 0, False, None)]


async def test_a_position_can_be_moved_on_by_hand(settings: Settings) -> None:
    async with running(settings, "l1") as (wired, broker):
        await broker.publish(TOPIC, b"l1", encode_binary(frame(0)))
        await wired.drained()
    async with running(settings, "l1") as (wired, broker):
        await broker.publish(TOPIC, b"l1", encode_binary(frame(1)))
        await wired.drained()
        assert await set_position(wired.pool, "score", TOPIC, 0, 7)
        assert not await set_position(wired.pool, "score", "telemetry.nobody", 0, 7)
    async with running(settings, "l1") as (wired, broker):
        assert (await broker.publish(TOPIC, b"l1", encode_binary(frame(2)))) == (0, 7)
        await wired.drained()
        assert await ask(wired, "select next_offset from sink_offset where consumer = 'score'") == [(8,)]
        assert await ask(wired, "select count(*) from telemetry") == [(15,)]


async def test_work_beside_ends_with_the_main_part() -> None:
    async def endless() -> None:
        await asyncio.sleep(3600)

    async def main() -> int:
        return 7

    assert await beside(endless(), main()) == 7
