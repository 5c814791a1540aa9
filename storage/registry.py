"""What is watched, for whom: registered from a fleet description, loaded as one immutable picture."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from fleet.asset import Asset, Channel, EquipmentType, Fleet
from fleet.clock import microseconds
from fleet.registry import Registry
from storage.errors import RegistrationRefused
from storage.pool import Connection, Pool

_LOCK = 0x666C656574  # "fleet": two registrations wait for each other

_CHANNELS = """
select equipment_type, name, unit, low, high, kind, rate_hz, title_en, title_zh
from channel order by equipment_type, column_no
"""

_RENEWALS = "select distinct asset_id, ts from maintenance order by asset_id, ts"

_CHANGES = "select asset_id, ts, part from part_change order by asset_id, ts, part"

# `xmax = 0` tells a row just inserted from one just updated; a row left as it is does not come back.
_TENANTS = """
insert into tenant as known (name, title) select * from unnest(%s::text[], %s::text[])
on conflict (name) do update set title = excluded.title
where known.title <> excluded.title
returning xmax = 0
"""

_SITES = """
insert into site as known (tenant, name, title, timezone, latitude, longitude)
select * from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::float8[], %s::float8[])
on conflict (tenant, name) do update set title = excluded.title, timezone = excluded.timezone,
    latitude = excluded.latitude, longitude = excluded.longitude
where (known.title, known.timezone, known.latitude, known.longitude)
   is distinct from (excluded.title, excluded.timezone, excluded.latitude, excluded.longitude)
returning xmax = 0
"""

_TYPES = """
insert into equipment_type as known (name, title_en, title_zh)
select * from unnest(%s::text[], %s::text[], %s::text[])
on conflict (name) do update set title_en = excluded.title_en, title_zh = excluded.title_zh
where (known.title_en, known.title_zh) <> (excluded.title_en, excluded.title_zh)
returning xmax = 0
"""

_CHANNEL = """
insert into channel as known
    (equipment_type, column_no, name, unit, low, high, kind, rate_hz, title_en, title_zh)
select * from unnest(%s::text[], %s::int[], %s::text[], %s::text[], %s::float8[], %s::float8[], %s::text[],
                     %s::float8[], %s::text[], %s::text[])
on conflict (equipment_type, name) do update set
    low = excluded.low, high = excluded.high, kind = excluded.kind, rate_hz = excluded.rate_hz,
    title_en = excluded.title_en, title_zh = excluded.title_zh
where (known.low, known.high, known.kind, known.rate_hz, known.title_en, known.title_zh)
   <> (excluded.low, excluded.high, excluded.kind, excluded.rate_hz, excluded.title_en, excluded.title_zh)
returning xmax = 0
"""

_ASSETS = """
insert into asset as known (tenant, site, name, equipment_type, title, ratings)
select * from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::jsonb[])
on conflict (tenant, name) do update set
    site = excluded.site, title = excluded.title, ratings = excluded.ratings
where (known.site, known.title, known.ratings) <> (excluded.site, excluded.title, excluded.ratings)
returning xmax = 0
"""


@dataclass(frozen=True, slots=True)
class Change:
    """How many of one kind were new, and how many were known but described otherwise."""

    added: int
    changed: int


@dataclass(frozen=True, slots=True)
class RegistrationReport:
    """What a registration did; all zero when everything was known just so."""

    tenants: Change
    sites: Change
    equipment_types: Change
    channels: Change
    assets: Change

    def __str__(self) -> str:
        parts = [
            f"{change.added} {kind} added" + (f", {change.changed} changed" if change.changed else "")
            for kind, change in (
                ("tenants", self.tenants),
                ("sites", self.sites),
                ("equipment types", self.equipment_types),
                ("channels", self.channels),
                ("assets", self.assets),
            )
            if change.added or change.changed
        ]
        return "; ".join(parts) or "nothing new"


async def load_registry(pool: Pool) -> Registry:
    """Tenants, assets and equipment types as they are now, and when assets and their parts were renewed."""
    async with pool.connection() as conn, conn.transaction(), conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("set transaction isolation level repeatable read, read only")
        types = await _load_types(conn)
        await cursor.execute("select name from tenant order by name")
        tenants = tuple(row["name"] for row in await cursor.fetchall())
        await cursor.execute(
            "select asset_id, tenant, site, name, equipment_type, title, ratings from asset order by asset_id"
        )
        assets = tuple(Asset(**row) for row in await cursor.fetchall())
        return Registry(tenants, assets, types, await _load_renewals(conn), await _load_changes(conn))


async def _load_renewals(conn: Connection) -> dict[int, list[int]]:
    found = defaultdict[int, list[int]](list)
    for asset_id, ts in await (await conn.execute(_RENEWALS)).fetchall():
        found[asset_id].append(microseconds(ts))
    return dict(found)


async def _load_changes(conn: Connection) -> dict[int, list[tuple[int, int]]]:
    found = defaultdict[int, list[tuple[int, int]]](list)
    for asset_id, ts, part in await (await conn.execute(_CHANGES)).fetchall():
        found[asset_id].append((microseconds(ts), part))
    return dict(found)


async def _load_types(conn: Connection) -> tuple[EquipmentType, ...]:
    channels = defaultdict[str, list[Channel]](list)
    for kind, *channel in await (await conn.execute(_CHANNELS)).fetchall():
        channels[kind].append(Channel(*channel))
    titles = await conn.execute("select name, title_en, title_zh from equipment_type order by name")
    return tuple(
        EquipmentType(name, tuple(channels[name]), title_en, title_zh)
        for name, title_en, title_zh in await titles.fetchall()
    )


async def register(pool: Pool, fleet: Fleet, only_new: bool = False) -> RegistrationReport:
    """Add what is new and update titles, bounds, rates, sites with their coordinates, and ratings.

    Removes nothing; all or nothing. With `only_new` known tenants, sites and assets stay as they are.

    Raises `RegistrationRefused` where stored values would change their meaning: a channel of an equipment
    type that is known may not move to another column, go, or change its unit, and an asset may not change
    its equipment type. Channels may be added at the end.
    """
    async with pool.connection() as conn, conn.transaction():
        await conn.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        known = {kind.name: kind for kind in await _load_types(conn)}
        for kind in fleet.equipment_types:
            if kind.name in known:
                _check_channels(known[kind.name], kind)
        await _check_assets(conn, fleet.assets)
        if only_new:
            fleet = await _new_of(conn, fleet)
        return RegistrationReport(
            tenants=await _upsert(conn, _TENANTS, map(astuple, fleet.tenants)),
            sites=await _upsert(conn, _SITES, map(astuple, fleet.sites)),
            equipment_types=await _upsert(conn, _TYPES, map(_titles, fleet.equipment_types)),
            channels=await _upsert(conn, _CHANNEL, _channel_rows(fleet.equipment_types)),
            assets=await _upsert(conn, _ASSETS, map(_asset_row, fleet.assets)),
        )


async def _new_of(conn: Connection, fleet: Fleet) -> Fleet:
    """The fleet without the tenants, sites and assets that are known."""
    tenants = set(await (await conn.execute("select name from tenant")).fetchall())
    sites = set(await (await conn.execute("select tenant, name from site")).fetchall())
    assets = set(await (await conn.execute("select tenant, name from asset")).fetchall())
    return replace(
        fleet,
        tenants=tuple(each for each in fleet.tenants if (each.name,) not in tenants),
        sites=tuple(each for each in fleet.sites if (each.tenant, each.name) not in sites),
        assets=tuple(each for each in fleet.assets if (each.tenant, each.name) not in assets),
    )


def _titles(kind: EquipmentType) -> tuple[str, str, str]:
    return kind.name, kind.title_en, kind.title_zh


def _asset_row(asset: Asset) -> tuple[Any, ...]:
    return asset.tenant, asset.site, asset.name, asset.equipment_type, asset.title, Jsonb(asset.ratings)


def _channel_rows(kinds: Iterable[EquipmentType]) -> Iterator[tuple[Any, ...]]:
    for kind in kinds:
        for column, c in enumerate(kind.channels):
            bounds = float(c.low), float(c.high)  # a list of whole and broken numbers is none to psycopg
            yield kind.name, column, c.name, c.unit, *bounds, c.kind, float(c.rate_hz), c.title_en, c.title_zh


async def _upsert(conn: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> Change:
    columns = [list(column) for column in zip(*rows, strict=True)]
    if not columns:
        return Change(0, 0)
    inserted = [new for (new,) in await (await conn.execute(statement, columns)).fetchall()]
    return Change(sum(inserted), len(inserted) - sum(inserted))


def _check_channels(known: EquipmentType, wanted: EquipmentType) -> None:
    places = {channel.name: column for column, channel in enumerate(wanted.channels)}
    for column, channel in enumerate(known.channels):
        where = f"equipment type {known.name}: channel {channel.name} (column {column})"
        if channel.name not in places:
            raise RegistrationRefused(
                f"{where} is stored but no longer described: its column cannot be given away or renamed; "
                "describe it again and add new channels at the end"
            )
        if places[channel.name] != column:
            raise RegistrationRefused(
                f"{where} is described at column {places[channel.name]}: stored values would be read as "
                "another channel's; keep the order and add new channels at the end"
            )
        if wanted.channels[column].unit != channel.unit:
            raise RegistrationRefused(
                f"{where} is stored in {channel.unit!r} but described in {wanted.channels[column].unit!r}: "
                "stored values would change their meaning; add a channel with another name at the end"
            )


async def _check_assets(conn: Connection, assets: Sequence[Asset]) -> None:
    cursor = await conn.execute("select tenant, name, equipment_type from asset")
    known = {(tenant, name): kind for tenant, name, kind in await cursor.fetchall()}
    for asset in assets:
        kind = known.get((asset.tenant, asset.name), asset.equipment_type)
        if kind != asset.equipment_type:
            raise RegistrationRefused(
                f"asset {asset.tenant}/{asset.name} is stored as {kind} but described as "
                f"{asset.equipment_type}: its stored values would be read as other channels'; "
                "register the machine under a new name"
            )
