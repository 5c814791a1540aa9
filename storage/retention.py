"""Removes what is older than it needs to be kept."""

from dataclasses import dataclass
from datetime import timedelta

from psycopg import sql

from storage.pool import Pool

BATCH = 10_000
"""Rows removed in one transaction, so that nobody waits long for a lock."""

_PRUNE = sql.SQL("select prune({table}, %(keep)s, %(batch)s)")

_DELETE = sql.SQL(
    "with gone as (delete from {table} where ctid = any (array("
    "select ctid from {table} where {column} < now() - %(keep)s limit %(batch)s)) returning 1) "
    "select count(*) from gone"
)


@dataclass(frozen=True, slots=True)
class Policy:
    """How long each thing is kept; `rollup` holds for usage, wear, health and forecasts as well.

    `ledger` must be longer than the oldest instant that is accepted: a frame that is sent again after its
    ledger row has gone could no longer be told from a new one.
    """

    raw: timedelta = timedelta(days=90)
    rollup: timedelta = timedelta(days=730)
    ledger: timedelta = timedelta(days=90)
    dead_letters: timedelta = timedelta(days=90)
    sent_outbox: timedelta = timedelta(days=7)
    platform: timedelta = timedelta(days=90)

    def __post_init__(self) -> None:
        if min(self.raw, self.rollup, self.ledger) < timedelta(days=1):
            raise ValueError("retention: keep raw values, rollups and the ledger for a day at least")


async def apply_retention(pool: Pool, policy: Policy) -> dict[str, int]:
    """Remove what is too old; returns how much of which table went.

    That is rows, and chunks of the telemetry and minute tables where TimescaleDB keeps them.
    """
    return {
        "telemetry": await _repeat(pool, _PRUNE.format(table=sql.Literal("telemetry")), policy.raw),
        "rollup_minute": await _repeat(
            pool, _PRUNE.format(table=sql.Literal("rollup_minute")), policy.rollup
        ),
        "rollup_hour": await _repeat(pool, _delete("rollup_hour", "ts"), policy.rollup),
        "usage_day": await _repeat(pool, _delete("usage_day", "day"), policy.rollup),
        "wear_day": await _repeat(pool, _delete("wear_day", "day"), policy.rollup),
        "health": await _repeat(pool, _delete("health", "ts"), policy.rollup),
        "segment_feature": await _repeat(pool, _delete("segment_feature", "ts"), policy.rollup),
        "forecast": await _repeat(pool, _delete("forecast", "ts"), policy.rollup),
        "shadow_forecast": await _repeat(pool, _delete("shadow_forecast", "ts"), policy.rollup),
        "frame": await _repeat(pool, _delete("frame", "first_ts"), policy.ledger),
        "dead_letter": await _repeat(pool, _delete("dead_letter", "created_at"), policy.dead_letters),
        "platform_minute": await _repeat(pool, _delete("platform_minute", "ts"), policy.platform),
        "partition_state": await _repeat(pool, _delete("partition_state", "seen_at"), policy.platform),
        "outbox": await _repeat(pool, _delete("outbox", "sent_at"), policy.sent_outbox),
    }


def _delete(table: str, column: str) -> sql.Composed:
    return _DELETE.format(table=sql.Identifier(table), column=sql.Identifier(column))


async def _repeat(pool: Pool, statement: sql.Composed, keep: timedelta) -> int:
    """Run a removal, a transaction each time, until it finds nothing more."""
    removed = 0
    async with pool.connection() as conn:
        while True:
            row = await (await conn.execute(statement, {"keep": keep, "batch": BATCH})).fetchone()
            if row is None or not row[0]:
                return removed
            removed += row[0]
