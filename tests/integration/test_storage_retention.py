"""What is too old goes, and nothing else can be removed."""

from datetime import UTC, datetime, timedelta

import numpy as np
import psycopg
import pytest

from fleet.clock import microseconds
from fleet.dead_letter import Reason
from storage.bootstrap import OWNER, WRITER
from storage.chunk_result import FRAME, DeadLetter, FeatureRow, ForecastRow, HealthRow, OutboxMessage
from storage.outbox import Outbox
from storage.pool import Pool
from storage.retention import Policy, apply_retention
from storage.rollup import run_due
from storage.server.database import Database
from storage.sink import Sink
from tests.integration.storage_harness import TOPIC, ask, block, chunk, writer_pool

AGES = (1, 80, 100, 700, 800)
"""Days: 90 is the limit of raw values, 730 that of rollups."""


async def test_each_thing_goes_at_its_age(any_database: Database, pool: Pool) -> None:
    now = datetime.now(UTC)
    ts = np.array(sorted(microseconds(now - timedelta(days=age)) for age in AGES))
    sink = Sink(pool, "score")
    said = [ForecastRow(3, int(us), "condition", "trend-1", "no_trend", None, None, None, "") for us in ts]
    result = chunk(
        0,
        5,
        block(3, ts, ts[:, None] * 0.0),
        frames=np.array([(3, 1, n, 0, n, int(us), 1) for n, us in enumerate(ts)], FRAME),
        health=[HealthRow(3, int(us), 100.0, {}) for us in ts],
        features=[FeatureRow(3, "run", "load", int(us), 1.0, None, "%") for us in ts],
        forecasts=said,
        shadow_forecasts=said,
    )
    await sink.write(await sink.claim(TOPIC, 0), result)
    await run_due(pool)
    with psycopg.connect(any_database.dsn(OWNER)) as conn:
        for row in ("wear_day select 3, 'rope', {}, 1, 2", "usage_day select 3, {}, 'trips', '1', 2, 1"):
            of_ages = f"insert into {row.format('current_date - age')} from unnest(%s::int[]) as age"
            conn.execute(of_ages.encode(), (list(AGES),))
    removed = await apply_retention(pool, Policy())
    tables = (
        "telemetry",
        "frame",
        "health",
        "rollup_minute",
        "rollup_hour",
        "segment_feature",
        "forecast",
        "shadow_forecast",
        "usage_day",
        "wear_day",
    )
    left = {table: count(any_database, table) for table in tables}
    assert left == dict.fromkeys(tables, 4) | {"telemetry": 2, "frame": 2}
    assert removed["telemetry"] == 3
    assert removed["frame"] == 3
    assert set((await apply_retention(pool, Policy())).values()) == {0}


def count(database: Database, table: str) -> int:
    rows = ask(database, f"select count(*) from {table}")
    return int(rows[0][0])


async def test_letters_and_sent_messages_go_by_when_they_came(plain_database: Database) -> None:
    async with writer_pool(plain_database) as pool:
        sink, claims = Sink(pool, "score"), []
        letters = [DeadLetter(n, Reason.BAD_JSON, "", None, b"", 0, [], 0) for n in range(2)]
        messages = [OutboxMessage(f"m{n}", "t", b"", b"") for n in range(3)]
        claims.append(await sink.claim(TOPIC, 0))
        await sink.write(claims[0], chunk(0, 2, dead_letters=letters, outbox=messages))
        async with Outbox(pool).lease(2):
            pass
        with psycopg.connect(plain_database.dsn(OWNER)) as conn:
            conn.execute(
                "update dead_letter set created_at = now() - interval '91 days' where \"offset\" = 0"
            )
            conn.execute("update outbox set sent_at = now() - interval '8 days' where message_key = 'm0'")
            conn.execute("update outbox set created_at = now() - interval '8 days'")
        removed = await apply_retention(pool, Policy())
    assert (removed["dead_letter"], removed["outbox"]) == (1, 1)
    assert ask(plain_database, "select message_key from outbox order by 1") == [("m1",), ("m2",)]


async def test_removal_goes_on_batch_by_batch(
    plain_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.retention.BATCH", 7)
    start = microseconds(datetime.now(UTC) - timedelta(days=100))
    async with writer_pool(plain_database) as pool:
        sink = Sink(pool, "score")
        rows = block(3, start + np.arange(50), np.zeros((50, 1)))
        await sink.write(await sink.claim(TOPIC, 0), chunk(0, 1, rows))
        assert (await apply_retention(pool, Policy()))["telemetry"] == 50
    assert count(plain_database, "telemetry") == 0


@pytest.mark.parametrize("call", ["prune('telemetry', '23 hours', 10)", "prune('frame', '90 days', 10)"])
def test_the_writer_cannot_prune_more_than_it_should(any_database: Database, call: str) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match="is not to be pruned"):
        ask(any_database, f"select {call}", WRITER)


def test_a_policy_of_hours_is_refused() -> None:
    with pytest.raises(ValueError, match="for a day at least"):
        Policy(raw=timedelta(hours=5))
