"""`faultline assets`: make tenants, sites and machines known."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from console.command_database import with_database, with_databases, with_pool
from console.databases import Databases
from console.fleet_file import load_fleet
from console.output import fail, out, print_json, print_table
from console.settings import load_settings
from fleet.asset import FleetError
from fleet.catalog import pack_of
from storage.access.grants import refresh
from storage.apikeys import create_key, known_keys, revoke
from storage.pool import Pool
from storage.registry import RegistrationReport, load_registry, register

app = typer.Typer(no_args_is_help=True, help="Make tenants, sites and machines known, and give out API keys.")


class Scope(StrEnum):
    """What a key may do."""

    INGEST = "ingest"
    READ = "read"


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command(epilog="Example: faultline assets add examples/fleet.toml")
def add(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A TOML fleet file.")],
    as_json: Json = False,
) -> None:
    """Register everything in a fleet file; may be repeated after every change of the file."""
    fleet = load_fleet(file)

    def add_and_show(found: Databases) -> RegistrationReport:
        report = with_pool(found, lambda pool: register(pool, fleet))
        if found.owner is not None:  # views name the channels of their machines' types
            refresh(found.owner)
        return report

    report = with_databases(load_settings(), add_and_show)
    if as_json:
        print_json(report)
    else:
        out.print(str(report))


@app.command("list", epilog="Example: faultline assets list --tenant acme --json")
def list_assets(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None, as_json: Json = False
) -> None:
    """Show the machines that are known."""
    registry = with_database(load_settings(), load_registry)
    wanted = [tenant] if tenant else registry.tenants
    if tenant and tenant not in registry.tenants:
        fail(f"no tenant {tenant!r}: there are {', '.join(registry.tenants) or 'none yet'}")
    found = registry.assets_of(wanted)
    lacking = [pack_of(registry.equipment_type(one.equipment_type)).lacking(one.ratings) for one in found]
    if as_json:
        told = zip(found, lacking, strict=True)
        print_json([{**asdict(one), "ratings_missing": missing} for one, missing in told])
        return
    header = ["id", "tenant", "site", "name", "equipment type", "title", "no counter for want of ratings"]
    rows = [
        (a.asset_id, a.tenant, a.site, a.name, a.equipment_type, a.title, _missing(names))
        for a, names in zip(found, lacking, strict=True)
    ]
    print_table(f"{len(found)} machines", header, rows)


def _missing(lacking: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"{counter}: {', '.join(names)}" for counter, names in lacking.items())


@app.command(epilog="Example: faultline assets key acme --scope ingest --scope read --days 90")
def key(
    tenant: Annotated[str, typer.Argument(help="Whose key.")],
    scope: Annotated[
        list[Scope] | None, typer.Option(help="What it may do, may be repeated; none: ingest alone.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="It ends after so many days; none: never.")
    ] = None,
) -> None:
    """Make an API key for a tenant and print it: this once, it cannot be shown again.

    `flt_<id>_<secret>`: the id is what `faultline assets revoke` takes.
    """
    lifetime = None if days is None else timedelta(days=days)

    async def make(pool: Pool) -> str:
        if tenant not in (await load_registry(pool)).tenants:
            raise FleetError(f"no tenant {tenant!r}: add it with `faultline assets add` first")
        return await create_key(pool, tenant, scope or [Scope.INGEST], lifetime)

    typer.echo(with_database(load_settings(), make))


@app.command(epilog="Example: faultline assets keys --tenant acme")
def keys(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None, as_json: Json = False
) -> None:
    """Show the API keys that were made, without their secrets."""
    found = with_database(load_settings(), lambda pool: known_keys(pool, tenant))
    if as_json:
        print_json(found)
        return
    header = ["id", "tenant", "may", "made", "ends", "revoked"]
    rows = [
        (k.key_id, k.tenant, ", ".join(k.scopes), *map(_day, (k.created_at, k.expires_at, k.revoked_at)))
        for k in found
    ]
    print_table(f"{len(found)} keys", header, rows)


def _day(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d}" if instant else ""


@app.command("revoke", epilog="Example: faultline assets revoke 0123456789abcdef")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="The id in flt_<id>_<secret>; never the whole key.")],
) -> None:
    """End an API key now."""
    if not with_database(load_settings(), lambda pool: revoke(pool, key_id)):
        fail(f"no key {key_id[:16]!r} that is still good: give the 16 characters between flt_ and the next _")
    out.print(f"{key_id} opens nothing any more", highlight=False)
