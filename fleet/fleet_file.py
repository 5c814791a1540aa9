"""Reads a fleet file: who owns which machine with which channels, written by hand in TOML.

Every error names the file, the table and the cure, as in
`fleet.toml: [[asset]] number 3: unknown key 'sites': known keys are equipment_type, name, site, ...`.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fleet.asset import Asset, Channel, EquipmentType, Fleet, FleetError, Site, Tenant, check_name
from fleet.catalog import packs
from fleet.rating import Ratings

T = TypeVar("T")

_NUMBERS = frozenset({"low", "high", "rate_hz", "latitude", "longitude"})
_TABLES = frozenset({"channel", "ratings"})


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that a table must and may have; all are texts but those in `_NUMBERS` and `_TABLES`."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


TENANT = Keys(("name",), ("title",))
SITE = Keys(("tenant", "name"), ("title", "timezone", "latitude", "longitude"))
ASSET = Keys(("tenant", "site", "name", "equipment_type"), ("title", "ratings"))
TYPE = Keys(("name", "channel"), ("title_en", "title_zh"))
CHANNEL = Keys(("name", "unit"), ("low", "high", "kind", "rate_hz", "title_en", "title_zh"))


def parse_fleet(text: str, origin: str) -> Fleet:
    """The fleet that a TOML text describes; `origin` is what errors call it. Raises `FleetError`.

    `equipment_types` holds the types declared in the file and those of the packs that its assets use.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FleetError(f"{origin}: not valid TOML: {error}") from error
    unknown = sorted(set(document) - {"tenant", "site", "asset", "equipment_type"})
    if unknown:
        raise FleetError(
            f"{origin}: unknown table [[{unknown[0]}]]: a fleet file has [[tenant]], [[site]], [[asset]] "
            "and [[equipment_type]]"
        )
    tenants = _tables(document, "tenant", origin, _tenant)
    sites = _tables(document, "site", origin, _site)
    declared = _tables(document, "equipment_type", origin, parse_equipment_type)
    assets = _tables(document, "asset", origin, _asset)
    _check_owners(origin, tenants, sites, assets)
    return Fleet(tenants, sites, assets, _types_in_use(origin, declared, assets))


def parse_equipment_type(table: Mapping[str, Any], where: str) -> EquipmentType:
    """An `[equipment_type]` table with its channels; raises `FleetError`."""
    check_keys(table, TYPE, where)
    channels = table["channel"]
    if not isinstance(channels, list):
        raise FleetError(f"{where}: channel: write each channel as a table [[equipment_type.channel]]")
    if table["name"] in packs():
        raise FleetError(f"{where}: {table['name']} is a shipped equipment type: choose another name")
    return EquipmentType(
        table["name"],
        tuple(_channel(channel, f"{where}: channel {n}") for n, channel in enumerate(channels, 1)),
        table.get("title_en", ""),
        table.get("title_zh", ""),
    )


def check_keys(table: Mapping[str, Any], keys: Keys, where: str) -> None:
    """Raise `FleetError` for an unknown key, a missing one, or one of the wrong kind."""
    if not isinstance(table, Mapping):
        raise FleetError(f"{where}: must be a table")
    known = sorted({*keys.required, *keys.optional})
    for key, value in table.items():
        if key not in known:
            raise FleetError(f"{where}: unknown key {key!r}: known keys are {', '.join(known)}")
        if key in _NUMBERS and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise FleetError(f"{where}: {key} must be a number, not {value!r}")
        if key not in _NUMBERS | _TABLES and not isinstance(value, str):
            raise FleetError(f"{where}: {key} must be text in quotes, not {value!r}")
    if missing := [key for key in keys.required if key not in table]:
        raise FleetError(f"{where}: {missing[0]} is missing: add `{missing[0]} = ...`")


def _tables(
    document: Mapping[str, Any], name: str, origin: str, parse: Callable[[Mapping[str, Any], str], T]
) -> tuple[T, ...]:
    tables = document.get(name, [])
    if not isinstance(tables, list):
        raise FleetError(f"{origin}: write [[{name}]] in double brackets, one table for each {name}")
    return tuple(
        _in_place(parse, table, f"{origin}: [[{name}]] number {n}") for n, table in enumerate(tables, 1)
    )


def _in_place(parse: Callable[[Mapping[str, Any], str], T], table: Mapping[str, Any], where: str) -> T:
    try:
        return parse(table, where)
    except FleetError as error:
        raise error if str(error).startswith(where) else FleetError(f"{where}: {error}") from error


def _tenant(table: Mapping[str, Any], where: str) -> Tenant:
    check_keys(table, TENANT, where)
    return Tenant(**table)


def _site(table: Mapping[str, Any], where: str) -> Site:
    check_keys(table, SITE, where)
    check_name("site", table["name"])
    site = Site(**table)
    try:
        ZoneInfo(site.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise FleetError(
            f"{where}: unknown timezone {site.timezone!r}: use an IANA name such as Asia/Shanghai"
        ) from error
    return site


def _asset(table: Mapping[str, Any], where: str) -> Asset:
    check_keys(table, ASSET, where)
    check_name("asset", table["name"])
    ratings = _ratings(table["equipment_type"], table.get("ratings", {}))
    return Asset(asset_id=0, **{**table, "ratings": ratings})


def _ratings(equipment_type: str, said: Any) -> Ratings:
    if not isinstance(said, Mapping):
        raise FleetError("ratings: write them as a table [asset.ratings]")
    if said and equipment_type not in packs():
        raise FleetError(f"ratings: {equipment_type} has nothing that wants them: leave them out")
    return packs()[equipment_type].read_ratings(said) if said else {}


def _channel(table: Mapping[str, Any], where: str) -> Channel:
    check_keys(table, CHANNEL, where)
    return Channel(**table)


def _check_owners(
    origin: str, tenants: Sequence[Tenant], sites: Sequence[Site], assets: Sequence[Asset]
) -> None:
    names = {tenant.name for tenant in tenants}
    places = {(site.tenant, site.name) for site in sites}
    _once(origin, "tenant", (tenant.name for tenant in tenants))
    _once(origin, "site", (f"{site.tenant}/{site.name}" for site in sites))
    _once(origin, "asset", (f"{asset.tenant}/{asset.name}" for asset in assets))
    for site in sites:
        if site.tenant not in names:
            raise FleetError(
                f"{origin}: site {site.name}: no tenant {site.tenant!r}: add a [[tenant]] for it"
            )
    for asset in assets:
        if (asset.tenant, asset.site) not in places:
            raise FleetError(
                f"{origin}: asset {asset.name}: tenant {asset.tenant!r} has no site {asset.site!r}: "
                "add a [[site]] for it"
            )


def _once(origin: str, kind: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise FleetError(f"{origin}: {kind} {name} is there twice: remove or rename one")
        seen.add(name)


def _types_in_use(
    origin: str, declared: Sequence[EquipmentType], assets: Sequence[Asset]
) -> tuple[EquipmentType, ...]:
    _once(origin, "equipment type", (kind.name for kind in declared))
    known = {kind.name: kind for kind in declared}
    shipped = {name: pack.equipment_type for name, pack in packs().items()}
    for asset in assets:
        kind = asset.equipment_type
        if kind not in known and kind not in shipped:
            raise FleetError(
                f"{origin}: asset {asset.name}: unknown equipment type {kind!r}: known are "
                f"{', '.join(sorted({*known, *shipped}))}; declare another as [[equipment_type]]"
            )
        known.setdefault(kind, shipped.get(kind) or known[kind])
    return tuple(known.values())
