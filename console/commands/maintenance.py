"""`faultline maintenance`: say when machines failed and when they were restored."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from console.command_database import with_database
from console.output import fail, out, print_json, print_table
from console.settings import load_settings
from fleet.asset import Asset, FleetError
from fleet.catalog import packs
from fleet.maintenance import MaintenanceEvent, MaintenanceKind, PartChange
from storage.maintenance import changes, events, forget_change, forget_event, record_change, record_event
from storage.pool import Pool
from storage.registry import load_registry

app = typer.Typer(
    no_args_is_help=True,
    help="Say when machines failed and were restored: detection and remaining life begin anew there.",
)

MACHINE = "The machine, as TENANT/NAME."

Part = Annotated[
    int | None,
    typer.Option(min=1, max=9_999, help="Only this part, as a tool by its number: the machine goes on."),
]

At = Annotated[
    datetime, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"], help="When, UTC.")
]


@app.command(
    epilog="Example: faultline maintenance add acme/lift-7 failed --at 2026-03-01T07:30 --note 'belt torn'"
)
def add(
    machine: Annotated[str, typer.Argument(help=MACHINE)],
    kind: Annotated[MaintenanceKind, typer.Argument(help="Either way it is as good as new afterwards.")],
    at: At,
    note: Annotated[str, typer.Option(help="What was found or done.")] = "",
    part: Part = None,
) -> None:
    """Record that a machine, or a part of it, failed and was repaired, or was restored before it failed."""
    instant = at.replace(tzinfo=UTC)
    if instant > datetime.now(UTC) + timedelta(minutes=5):
        fail(f"{instant:%Y-%m-%d %H:%M} is in the future: record what has happened")

    async def keep(pool: Pool) -> None:
        asset = await _asset(pool, machine)
        pack = packs().get(asset.equipment_type)
        if part is not None and (pack is None or pack.parts is None):
            raise FleetError(f"{machine} has no parts that are counted: leave --part out")
        if part is None:
            await record_event(pool, MaintenanceEvent(asset.asset_id, instant, kind, note))
        else:
            await record_change(pool, PartChange(asset.asset_id, part, instant, note))

    with_database(load_settings(), keep)
    what = machine if part is None else f"{machine} part {part}"
    out.print(f"{what} {kind} {instant:%Y-%m-%d %H:%M}: kept", highlight=False, markup=False)


@app.command(epilog="Example: faultline maintenance undo acme/lift-7 failed --at 2026-03-01T07:30")
def undo(
    machine: Annotated[str, typer.Argument(help=MACHINE)],
    kind: Annotated[MaintenanceKind, typer.Argument(help="As it was recorded.")],
    at: At,
    part: Part = None,
) -> None:
    """Take a record back; a part's counter that has begun anew stays so."""

    async def forget(pool: Pool) -> bool:
        asset = await _asset(pool, machine)
        instant = at.replace(tzinfo=UTC)
        if part is not None:
            return await forget_change(pool, PartChange(asset.asset_id, part, instant))
        return await forget_event(pool, MaintenanceEvent(asset.asset_id, instant, kind))

    if not with_database(load_settings(), forget):
        fail("there is no such record: `faultline maintenance list` shows what there is")


@app.command("list", epilog="Example: faultline maintenance list --tenant acme --json")
def list_events(
    tenant: Annotated[str | None, typer.Option(help="Only this customer's machines.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show what is on record."""

    async def find(pool: Pool) -> list[tuple[Asset, MaintenanceEvent | PartChange]]:
        registry = await load_registry(pool)
        said: list[MaintenanceEvent | PartChange] = [*await events(pool), *await changes(pool)]
        found = [(registry.asset_by_id(each.asset_id), each) for each in said]
        return [(asset, each) for asset, each in found if tenant in {None, asset.tenant}]

    found = with_database(load_settings(), find)
    if as_json:
        print_json(
            [{"tenant": a.tenant, "asset": a.name, "ts": e.ts, **_what(e), "note": e.note} for a, e in found]
        )
        return
    rows = [
        (a.tenant, a.name, f"{e.ts:%Y-%m-%d %H:%M}", " ".join(map(str, _what(e).values())), e.note)
        for a, e in found
    ]
    print_table(f"{len(rows)} records", ["customer", "machine", "when (UTC)", "what", "note"], rows)


def _what(said: MaintenanceEvent | PartChange) -> dict[str, object]:
    return {"kind": said.kind} if isinstance(said, MaintenanceEvent) else {"kind": "part", "part": said.part}


async def _asset(pool: Pool, machine: str) -> Asset:
    tenant, _, name = machine.partition("/")
    for asset in (await load_registry(pool)).assets:
        if (asset.tenant, asset.name) == (tenant, name):
            return asset
    raise FleetError(f"no machine {machine!r}: write TENANT/NAME; `faultline assets list` shows them")
