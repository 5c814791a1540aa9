"""A chunk's transaction: all of it or nothing, once, and exactly what was given."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import pytest

from fleet.clock import from_microseconds
from fleet.dead_letter import Reason
from storage.bootstrap import OWNER, WRITER
from storage.chunk_result import (
    FRAME,
    ChunkResult,
    DeadLetter,
    EpisodeRow,
    ForecastRow,
    HealthRow,
    OutboxMessage,
    Tally,
    WearRow,
)
from storage.errors import Fenced, OffsetMismatch
from storage.pool import Pool
from storage.server.database import Database
from storage.sink import Sink, Written
from storage.snapshot import PIECE, Snapshot
from tests.integration.storage_harness import (
    SECOND,
    T0,
    TOPIC,
    ask,
    block,
    chunk,
    contents,
    one_row,
)


def everything(first: int = 0) -> ChunkResult:
    """A chunk with one of everything."""
    ts = T0 + first * SECOND
    value = b'{"force": "NaN"}'
    headers = [("content-type", b"application/json"), ("trace", b"\x00\xff")]
    return chunk(
        first,
        first + 5,
        block([1, 1, 2], [ts, ts + SECOND, ts], [[1, 2, np.nan], [4.0, 5, 6], [7.0, 8, 9]], [0.5, np.nan, 3]),
        block(3, [ts], [[2.5]], 1.5, 1),
        tally=Tally(stored=2, duplicate=1, dead=1, tombstone=1),
        frames=np.array([(1, 10, first, 77, first, ts, 2), (2, 20, first, 78, first + 1, ts, 1)], FRAME),
        dead_letters=[
            DeadLetter(
                first + 2,
                Reason.NAN_OR_INF,
                "force: NaN",
                None,
                value,
                len(value),
                headers,
                1_772_000_000_123,
            )
        ],
        health=[HealthRow(1, ts, 87.5, {"force": 0.75})],
        episodes=[
            EpisodeRow(
                UUID(int=1), 1, "machine", "t2-1", ts, None, ts, 6.0, {"code": "seal_leak", "top": ["force"]}
            )
        ],
        forecasts=[
            ForecastRow(1, ts, "condition", "trend-1", "estimate", 10.0, 20.0, None, "trend over 412 h")
        ],
        wear=[WearRow(1, "strokes", ts, 5.0, 80.0, 100.0, "1")],
        outbox=[OutboxMessage(f"health:1:{ts}", "health.acme", b"p1", b"{}", headers)],
        snapshot=b"\x00state",
    )


async def test_everything_of_a_chunk_is_stored_as_given(any_database: Database, pool: Pool) -> None:
    sink = Sink(pool, "score")
    claim = await sink.claim(TOPIC, 0)
    assert (claim.epoch, claim.next_offset, claim.snapshot) == (1, None, None)
    assert await sink.write(claim, everything()) == Written(rows=4)

    ts = from_microseconds(T0)
    telemetry = ask(
        any_database, "select asset_id, ts, score, bad, v0, v1, v2, v3 from telemetry order by 1, 2"
    )
    assert telemetry == [
        (1, ts, 0.5, None, 1.0, 2.0, None, None),
        (1, from_microseconds(T0 + SECOND), None, None, 4.0, 5.0, 6.0, None),
        (2, ts, 3.0, None, 7.0, 8.0, 9.0, None),
        (3, ts, 1.5, 1, 2.5, None, None, None),
    ]
    assert ask(
        any_database, 'select asset_id, boot_id, seq, digest, "offset", first_ts, rows from frame order by 1'
    ) == [
        (1, 10, 0, 77, 0, ts, 2),
        (2, 20, 0, 78, 1, ts, 1),
    ]
    letter = """
        select topic, partition, "offset", reason, detail, key, value, size, recorded_at, header_values
        from dead_letter
    """
    recorded = datetime(2026, 2, 25, 6, 13, 20, 123000, UTC)
    assert ask(any_database, letter) == [
        (
            TOPIC,
            0,
            2,
            "nan_or_inf",
            "force: NaN",
            None,
            b'{"force": "NaN"}',
            16,
            recorded,
            [b"application/json", b"\x00\xff"],
        )
    ]
    assert ask(any_database, "select asset_id, ts, health, lowered_by from health") == [
        (1, ts, 87.5, {"force": 0.75})
    ]
    assert ask(any_database, "select end_ts, peak_score, evidence from episode") == [
        (None, 6.0, {"code": "seal_leak", "top": ["force"]})
    ]
    assert ask(any_database, "select target, verdict, p10_h, p50_h, p90_h from forecast") == [
        ("condition", "estimate", 10.0, 20.0, None)
    ]
    assert ask(any_database, 'select counter, value, warning, "limit", unit from wear_counter') == [
        ("strokes", 5.0, 80.0, 100.0, "1")
    ]
    assert ask(any_database, "select message_key, key, value, header_names, sent_at from outbox") == [
        (f"health:1:{T0}", b"p1", b"{}", ["content-type", "trace"], None)
    ]
    assert ask(any_database, "select stored, duplicate, dead, tombstone from partition_tally") == [
        (2, 1, 1, 1)
    ]
    again = await sink.claim(TOPIC, 0)
    assert (again.epoch, again.next_offset, again.snapshot) == (2, 5, Snapshot(5, b"\x00state"))


async def test_float32_and_64_bit_numbers_survive_to_the_bit(any_database: Database, pool: Pool) -> None:
    floats = np.array([0.1, -0.0, 1e-45, 3.4028235e38, 16777217], np.float32)
    signed = np.array([2**64 - 1, 2**63], np.uint64).view(np.int64).tolist()
    sink = Sink(pool, "score")
    claim = await sink.claim(TOPIC, 0)
    frames = np.array([(3, signed[0], signed[1], signed[1], 2**40, T0, 5)], FRAME)
    lifts = block(3, T0 + np.arange(5) * SECOND, floats[:, None], bad=[0, 1, 2**62, -(2**63), -1])
    await sink.write(claim, chunk(0, 1, lifts, frames=frames))
    stored = ask(any_database, "select v0, bad from telemetry order by ts")
    assert np.array([v for v, _ in stored], np.float32).tobytes() == floats.tobytes()
    assert [bad for _, bad in stored] == [None, 1, 2**62, -(2**63), -1]
    key = (3, signed[0], signed[1])
    assert await sink.known_frames([key, (3, 1, 1)]) == {key: (signed[1], 2**40)}
    assert await sink.high_water([3]) == {(3, signed[0]): signed[1]}


async def test_an_attempt_that_had_committed_is_recognised(any_database: Database, pool: Pool) -> None:
    sink = Sink(pool, "score")
    claim = await sink.claim(TOPIC, 0)
    await sink.write(claim, everything())
    before = contents(any_database)
    assert await sink.write(claim, everything()) == Written(rows=0, repeated=True)
    assert contents(any_database) == before


async def test_whoever_claimed_before_writes_nothing(any_database: Database, pool: Pool) -> None:
    zombie, owner = Sink(pool, "score"), Sink(pool, "score")
    old = await zombie.claim(TOPIC, 0)
    await owner.write(await owner.claim(TOPIC, 0), everything())
    before = contents(any_database)
    for late in (everything(), everything(5)):
        with pytest.raises(Fenced):
            await zombie.write(old, late)
    assert contents(any_database) == before


async def test_a_partition_is_its_consumers_own(plain_pool: Pool) -> None:
    score, forecast = Sink(plain_pool, "score"), Sink(plain_pool, "forecast")
    claim = await score.claim(TOPIC, 0)
    await forecast.claim(TOPIC, 0)
    await score.claim(TOPIC, 1)
    await score.write(claim, chunk(0, 1))
    assert await score.stored_offsets() == {(TOPIC, 0): 1}
    assert await forecast.stored_offsets() == {}


async def test_a_chunk_below_what_is_stored_is_refused_and_a_hole_is_not(
    plain_database: Database, plain_pool: Pool
) -> None:
    sink = Sink(plain_pool, "score")
    claim = await sink.claim(TOPIC, 0)
    await sink.write(claim, chunk(0, 10, one_row(1, 0, 1.0)))
    before = contents(plain_database)
    with pytest.raises(OffsetMismatch, match="read on from 10"):
        await sink.write(claim, chunk(9, 12, one_row(1, 1, 1.0)))
    assert contents(plain_database) == before
    await sink.write(claim, chunk(15, 20, one_row(1, 1, 1.0)))
    assert (await sink.claim(TOPIC, 0)).next_offset == 20


async def test_a_failure_late_in_the_transaction_leaves_nothing(
    plain_database: Database, plain_pool: Pool
) -> None:
    sink = Sink(plain_pool, "score")
    claim = await sink.claim(TOPIC, 0)
    before = contents(plain_database)
    unknown_asset = WearRow(99, "strokes", T0, 5.0, 80.0, 100.0, "1")
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        await sink.write(claim, replace(everything(), wear=[unknown_asset]))
    assert contents(plain_database) == before


async def test_what_was_stored_first_stays(any_database: Database, pool: Pool) -> None:
    sink = Sink(pool, "score")
    claim = await sink.claim(TOPIC, 0)
    await sink.write(claim, everything())
    overlapping = replace(
        everything(),
        first_offset=5,
        next_offset=9,
        telemetry=[
            block([1, 1, 2], [T0, T0 + 2 * SECOND, T0], np.full((3, 3), 99.0)),
            block([3, 3], [T0, T0 + SECOND], [[99.0], [1.0]]),
        ],
    )
    assert await sink.write(claim, overlapping) == Written(rows=2)
    assert ask(any_database, "select asset_id, v0 from telemetry order by asset_id, ts") == [
        (1, 1.0),
        (1, 4.0),
        (1, 99.0),
        (2, 7.0),
        (3, 2.5),
        (3, 1.0),
    ]
    for table in ("frame", "health", "outbox", "forecast", "episode"):
        assert len(ask(any_database, f"select * from {table}")) == (2 if table == "frame" else 1)
    assert ask(any_database, "select stored, duplicate, dead, tombstone from partition_tally") == [
        (4, 2, 2, 2)
    ]


async def test_a_dead_letter_is_kept_once_even_if_its_record_is_read_again(
    plain_database: Database, plain_pool: Pool
) -> None:
    sink = Sink(plain_pool, "score")
    await sink.write(await sink.claim(TOPIC, 0), everything())
    with psycopg.connect(plain_database.dsn(OWNER)) as conn:  # an operator sets the partition back
        conn.execute("update sink_offset set next_offset = 0")
    await sink.write(await sink.claim(TOPIC, 0), replace(everything(), next_offset=6))
    assert ask(plain_database, 'select "offset" from dead_letter') == [(2,)]


async def test_records_made_to_break_us_are_kept_as_dead_letters(
    plain_database: Database, plain_pool: Pool
) -> None:
    def letter(offset: int, **what: Any) -> DeadLetter:
        plain = DeadLetter(offset, Reason.BAD_UTF8_OR_NUL, "", b"\x00", b"\x00\xff", 2, [], 0)
        return replace(plain, **what)

    sink = Sink(plain_pool, "score")
    letters = [
        letter(0, detail="a\0b\ud800c"),
        letter(1, headers=[("\0\udfff", b""), ("", b"\x00")]),
        letter(2, timestamp_ms=2**63 - 1),
        letter(3, timestamp_ms=-(2**63)),
    ]
    await sink.write(await sink.claim(TOPIC, 0), chunk(0, 4, dead_letters=letters, tally=Tally(dead=4)))
    stored = ask(
        plain_database,
        "select detail, key, header_names, extract(year from recorded_at)::int from dead_letter",
    )
    assert [row[0] for row in stored] == ["a\ufffdb\ufffdc", "", "", ""]
    assert stored[1][2] == ["\ufffd\ufffd", ""]
    assert [row[3] for row in stored] == [1970, 1970, 9999, 1970]


async def test_the_newest_row_of_each_asset_is_at_hand(any_database: Database, pool: Pool) -> None:
    sink = Sink(pool, "score")
    claim = await sink.claim(TOPIC, 0)
    await sink.write(claim, everything())
    await sink.write(claim, chunk(5, 6, one_row(1, 0.5, 50.0)))  # late: older than what is known
    await sink.write(claim, chunk(6, 7, health=[HealthRow(2, T0, 60.0, {}), HealthRow(2, T0 - 1, 10.0, {})]))
    query = "select asset_id, ts, score, bad, values, health, health_ts from asset_latest order by 1"
    ts = from_microseconds(T0)
    assert ask(any_database, query) == [
        (1, from_microseconds(T0 + SECOND), None, 0, [4.0, 5.0, 6.0], 87.5, ts),
        (2, ts, 3.0, 0, [7.0, 8.0, 9.0], 60.0, ts),
        (3, ts, 1.5, 1, [2.5], None, None),
    ]


async def test_the_newest_row_wins_whichever_block_it_comes_in(
    plain_database: Database, plain_pool: Pool
) -> None:
    sink = Sink(plain_pool, "score")
    claim = await sink.claim(TOPIC, 0)
    await sink.write(claim, chunk(0, 3, one_row(1, 5, 5.0), one_row(1, 9, 9.0), one_row(1, 7, 7.0)))
    assert ask(plain_database, "select values from asset_latest") == [([9.0, None, None],)]


async def test_an_episode_grows_and_ends_under_its_id(plain_database: Database, plain_pool: Pool) -> None:
    sink = Sink(plain_pool, "score")
    claim = await sink.claim(TOPIC, 0)
    starts = everything().episodes[0]
    grows = replace(starts, peak_us=T0 + SECOND, peak_score=9.0)
    ends = replace(grows, end_us=T0 + 2 * SECOND, evidence={"code": "seal_leak"})
    await sink.write(claim, chunk(0, 1, episodes=[starts]))
    await sink.write(claim, chunk(1, 2, episodes=[grows, ends]))
    assert ask(plain_database, "select onset_ts, end_ts, peak_ts, peak_score, evidence from episode") == [
        (
            from_microseconds(T0),
            from_microseconds(T0 + 2 * SECOND),
            from_microseconds(T0 + SECOND),
            9.0,
            {"code": "seal_leak"},
        )
    ]


async def test_a_wear_counter_keeps_its_latest_reading(plain_database: Database, plain_pool: Pool) -> None:
    sink = Sink(plain_pool, "score")
    claim = await sink.claim(TOPIC, 0)
    read = everything().wear[0]
    late, newer = replace(read, ts_us=T0 - 1, value=1.0), replace(read, ts_us=T0 + 1, value=6)
    await sink.write(claim, chunk(0, 1, wear=[newer, read, replace(read, counter="hours", value=2.5)]))
    await sink.write(claim, chunk(1, 2, wear=[late]))
    assert ask(plain_database, "select counter, value from wear_counter order by 1") == [
        ("hours", 2.5),
        ("strokes", 6.0),
    ]


async def test_a_damaged_snapshot_is_not_handed_out(plain_database: Database, plain_pool: Pool) -> None:
    sink = Sink(plain_pool, "score")
    await sink.write(await sink.claim(TOPIC, 0), everything())
    with psycopg.connect(plain_database.dsn(OWNER)) as conn:
        conn.execute(r"update snapshot set state = '\x01'")
    claim = await sink.claim(TOPIC, 0)
    assert (claim.next_offset, claim.snapshot) == (5, None)


async def test_a_snapshot_can_be_kept_between_chunks(plain_database: Database, plain_pool: Pool) -> None:
    sink = Sink(plain_pool, "score")
    old = await sink.claim(TOPIC, 0)
    await sink.keep(old, 0, b"a")
    claim = await sink.claim(TOPIC, 0)
    assert claim.snapshot == Snapshot(0, b"a")
    with pytest.raises(Fenced):
        await sink.keep(old, 0, b"b")
    await sink.keep(claim, 0, b"c")
    assert ask(plain_database, "select state from snapshot") == [(b"c",)]


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 9 * PIECE + 7])
async def test_a_snapshot_of_any_size_comes_back(
    plain_database: Database, plain_pool: Pool, size: int
) -> None:
    sink, state = Sink(plain_pool, "score"), np.random.default_rng(size).bytes(size)
    claim = await sink.claim(TOPIC, 0)
    await sink.write(claim, chunk(0, 3))
    await sink.keep(await sink.claim(TOPIC, 0), 3, state)
    assert (await sink.claim(TOPIC, 0)).snapshot == Snapshot(3, state)


async def test_the_ledger_finds_the_highest_sequence_of_each_boot(
    plain_database: Database, plain_pool: Pool
) -> None:
    sink = Sink(plain_pool, "score")
    claim = await sink.claim(TOPIC, 0)
    frames = [(asset, boot, seq, 0, seq, T0, 1) for asset in (1, 2) for boot in (-5, 7) for seq in (3, 9, 4)]
    await sink.write(claim, chunk(0, 9, frames=np.array(frames, FRAME)))
    assert await sink.high_water([1, 3]) == {(1, -5): 9, (1, 7): 9}
    assert await sink.high_water([]) == {}
    assert await sink.known_frames([]) == {}


async def test_an_empty_block_is_nothing(plain_database: Database, plain_pool: Pool) -> None:
    sink = Sink(plain_pool, "score")
    claim = await sink.claim(TOPIC, 0)
    assert await sink.write(claim, chunk(0, 1, block(1, [], np.empty((0, 3))))) == Written(rows=0)
    assert ask(plain_database, "select count(*) from telemetry", WRITER) == [(0,)]
