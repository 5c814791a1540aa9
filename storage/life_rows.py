"""A machine's health and the means of its channels over the hour before, as lives are learned from them."""

from psycopg import sql

from fleet.clock import from_microseconds
from fleet.life_rows import LifeRows
from storage.pool import Pool
from storage.rollup import run_due

# Binary: the text of a `real` is a short number near it, and not the one that was stored.
_ROWS = sql.SQL(
    "select (extract(epoch from health.ts) * 1000000)::bigint, 1 - health::float8 / 100, "
    "coalesce(vmean, '{}') "
    "from health left join rollup_hour as hour on hour.asset_id = health.asset_id "
    "and hour.ts = time_bucket('1 hour', health.ts) - interval '1 hour' "
    "where health.asset_id = %(asset_id)s "
    "and health.ts > coalesce(%(after)s::timestamptz, '-infinity') "
    "and health.ts <= coalesce(%(until)s::timestamptz, 'infinity') order by health.ts"
)

_DUE = "select exists (select from rollup_due where asset_id = %s and first_ts <= %s)"


async def life_rows(
    pool: Pool, asset_id: int, channels: int, after_us: int | None = None, until_us: int | None = None
) -> LifeRows:
    """All rows of an asset, or those after an instant, up to and with another; as of the last rollup."""
    after, until = (None if us is None else from_microseconds(us) for us in (after_us, until_us))
    span = {"asset_id": asset_id, "after": after, "until": until}
    async with pool.connection() as conn, conn.cursor(binary=True) as cursor:
        rows = await (await cursor.execute(_ROWS, span)).fetchall()
    return LifeRows.of(rows, channels)


async def past_rows(
    pool: Pool, asset_id: int, channels: int, after_us: int | None, until_us: int
) -> LifeRows:
    """As above, once all that was written of the asset until then is rolled up."""
    until = from_microseconds(until_us)
    while await _is_due(pool, asset_id, until):
        await run_due(pool)
    return await life_rows(pool, asset_id, channels, after_us, until_us)


async def _is_due(pool: Pool, asset_id: int, until: object) -> bool:
    async with pool.connection() as conn:
        row = await (await conn.execute(_DUE, (asset_id, until))).fetchone()
    return bool(row and row[0])
