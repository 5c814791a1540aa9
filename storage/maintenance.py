"""What was done to machines and when they failed."""

from collections.abc import Sequence
from datetime import datetime

from psycopg.rows import class_row

from fleet.maintenance import MaintenanceEvent, PartChange
from storage.pool import Pool

_RECORD = """
insert into maintenance (asset_id, ts, kind, note) values (%s, %s, %s, %s)
on conflict (asset_id, ts, kind) do update set note = excluded.note
"""

# What a machine reported, and nobody but a person can say is over.
_END_EVENTS = """
update episode set end_ts = %s where asset_id = %s and kind = 'event' and end_ts is null and onset_ts <= %s
"""

_FORGET = "delete from maintenance where asset_id = %s and ts = %s and kind = %s"

_EVENTS = """
select asset_id, ts, kind, note from maintenance
where %(assets)s::int[] is null or asset_id = any (%(assets)s)
order by asset_id, ts, kind
"""

_CHANGE = """
insert into part_change (asset_id, part, ts, note) values (%s, %s, %s, %s)
on conflict (asset_id, part, ts) do update set note = excluded.note
"""

_FORGET_CHANGE = "delete from part_change where asset_id = %s and part = %s and ts = %s"

_CHANGES = "select asset_id, part, ts, note from part_change order by asset_id, ts, part"

_LAST = """
select asset_id, max(ts) from maintenance
where %(until)s::timestamptz is null or ts <= %(until)s
group by asset_id
"""


async def record_event(pool: Pool, event: MaintenanceEvent) -> None:
    """Keep an event; said again it has the newer note. Raises `psycopg.errors.ForeignKeyViolation`.

    It ends what the machine had reported itself until then.
    """
    async with pool.connection() as conn:
        await conn.execute(_RECORD, (event.asset_id, event.ts, event.kind, event.note))
        await conn.execute(_END_EVENTS, (event.ts, event.asset_id, event.ts))


async def forget_event(pool: Pool, event: MaintenanceEvent) -> bool:
    """Take an event back; whether there was one."""
    async with pool.connection() as conn:
        return (await conn.execute(_FORGET, (event.asset_id, event.ts, event.kind))).rowcount > 0


async def events(pool: Pool, assets: Sequence[int] | None = None) -> list[MaintenanceEvent]:
    """The events of all machines or some, by machine and time; of one instant the failure comes first."""
    async with pool.connection() as conn, conn.cursor(row_factory=class_row(MaintenanceEvent)) as cursor:
        await cursor.execute(_EVENTS, {"assets": list(assets) if assets is not None else None})
        return await cursor.fetchall()


async def record_change(pool: Pool, change: PartChange) -> None:
    """Keep the change of a part; said again it has the newer note."""
    async with pool.connection() as conn:
        await conn.execute(_CHANGE, (change.asset_id, change.part, change.ts, change.note))


async def forget_change(pool: Pool, change: PartChange) -> bool:
    """Take the change of a part back; whether there was one. A counter that has begun anew stays so."""
    async with pool.connection() as conn:
        return (await conn.execute(_FORGET_CHANGE, (change.asset_id, change.part, change.ts))).rowcount > 0


async def changes(pool: Pool) -> list[PartChange]:
    """The changes of parts, by machine and time."""
    async with pool.connection() as conn, conn.cursor(row_factory=class_row(PartChange)) as cursor:
        return await (await cursor.execute(_CHANGES)).fetchall()


async def last_events(pool: Pool, until: datetime | None = None) -> dict[int, datetime]:
    """When something last happened, as of an instant if it is given, to each machine that has events.

    Its condition begins anew there.
    """
    async with pool.connection() as conn:
        rows = await conn.execute(_LAST, {"until": until})
        return dict(await rows.fetchall())
