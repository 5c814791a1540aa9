"""What customers and the maker have agreed on, and what of it is used."""

from psycopg import sql
from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from fleet.contract import Contract, Period
from storage.errors import StorageError
from storage.pool import Pool
from storage.usage import IN_PERIOD, METERS

_RECORD = """
insert into contract (tenant, name, meter, unit, allowance, every, begin_ts, end_ts, site, asset,
                      title_en, title_zh)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

_KNOWN = """
select tenant, name, meter, unit, allowance, every, begin_ts as begin, end_ts as "end", site, asset,
       title_en, title_zh
from contract where %(tenant)s::text is null or tenant = %(tenant)s order by tenant, name
"""

_END = "update contract set end_ts = %s where tenant = %s and name = %s"

_COVERED = sql.SQL(
    "a.tenant = %(tenant)s and (%(site)s::text is null or a.site = %(site)s) "
    "and (%(asset)s::text is null or a.name = %(asset)s)"
)

_METERS = sql.SQL(
    """
select m.name, m.unit from ({meters}) as m
where m.equipment_type in (select a.equipment_type from asset as a where {covered})
union select 'wear:' || w.counter, '%%'
from wear_counter as w join asset as a using (asset_id) where {covered}
order by 1, 2
"""
).format(meters=METERS, covered=_COVERED)

_USED = sql.SQL(
    """
select sum(u.used) from asset as a,
(select %(meter)s::text as meter, %(unit)s::text as unit) as c,
(select %(start)s::timestamptz as start_ts, %(end)s::timestamptz as end_ts) as p,
lateral ({in_period}) as u where {covered}
"""
).format(in_period=IN_PERIOD, covered=_COVERED)


async def record_contract(pool: Pool, contract: Contract) -> None:
    """Keep a contract. Raises `StorageError` if there is one of that name, for it may not change."""
    end = (contract.end, contract.site, contract.asset, contract.title_en, contract.title_zh)
    what = (contract.meter, contract.unit, contract.allowance, contract.every, contract.begin)
    try:
        async with pool.connection() as conn:
            await conn.execute(_RECORD, (contract.tenant, contract.name, *what, *end))
    except UniqueViolation as error:
        raise StorageError(
            f"{contract.tenant} has a contract {contract.name!r} already: choose another name"
        ) from error


async def end_contract(pool: Pool, contract: Contract) -> None:
    """Let it end when the contract says now."""
    async with pool.connection() as conn:
        await conn.execute(_END, (contract.end, contract.tenant, contract.name))


async def contracts(pool: Pool, tenant: str | None = None) -> list[Contract]:
    """The contracts of one tenant or all, by tenant and name."""
    async with pool.connection() as conn, conn.cursor(row_factory=class_row(Contract)) as cursor:
        await cursor.execute(_KNOWN, {"tenant": tenant})
        return await cursor.fetchall()


async def meters(
    pool: Pool, tenant: str, site: str | None = None, asset: str | None = None
) -> list[tuple[str, str]]:
    """Name and unit of each meter that any of these machines has."""
    async with pool.connection() as conn:
        covered = {"tenant": tenant, "site": site, "asset": asset}
        return await (await conn.execute(_METERS, covered)).fetchall()


async def used(pool: Pool, contract: Contract, period: Period) -> float | None:
    """What all machines of a contract used in a period; None where its meter was never read in it."""
    asked = {
        "tenant": contract.tenant,
        "site": contract.site,
        "asset": contract.asset,
        "meter": contract.meter,
        "unit": contract.unit,
        "start": period.start,
        "end": period.end,
    }
    async with pool.connection() as conn:
        row = await (await conn.execute(_USED, asked)).fetchone()
    return row[0] if row else None
