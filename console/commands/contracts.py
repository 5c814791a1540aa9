"""`faultline contracts`: what customers may use machines for, and how far that is used up."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from console.command_database import with_database
from console.output import out, print_json, print_table
from console.settings import load_settings
from fleet.asset import FleetError
from fleet.contract import Contract, Every, Period, Standing
from storage.contracts import contracts, end_contract, meters, record_contract, used
from storage.pool import Pool
from storage.registry import load_registry
from storage.rollup import run_due
from storage.usage import keep_wear

app = typer.Typer(
    no_args_is_help=True,
    help="Say what customers may use machines for, by month or year, and see how far that is used up.",
)

NAME = "Tenant and a name for it, as TENANT/NAME."

FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M"]

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Told = tuple[Contract, Period | None, Standing | None]


@app.command(epilog="Example: faultline contracts add acme/trips trips 50000 --every month --from 2026-01-01")
def add(
    name: Annotated[str, typer.Argument(help=NAME)],
    meter: Annotated[
        str,
        typer.Argument(help="A counter, the channel of electrical power, or wear:COUNTER of one machine."),
    ],
    allowance: Annotated[
        float, typer.Argument(help="For a whole period and all machines together, in the meter's unit.")
    ],
    begin: Annotated[datetime, typer.Option("--from", formats=FORMATS, help="When it begins, UTC.")],
    every: Annotated[Every, typer.Option(help="The period, by the calendar in UTC.")] = Every.MONTH,
    until: Annotated[
        datetime | None, typer.Option(formats=FORMATS, help="When it ends, UTC; none: it goes on.")
    ] = None,
    site: Annotated[str | None, typer.Option(help="Only the machines at this site.")] = None,
    machine: Annotated[str | None, typer.Option(help="Only this machine.")] = None,
    title_en: Annotated[str, typer.Option(help="What readers of English call it.")] = "",
    title_zh: Annotated[str, typer.Option(help="What readers of Chinese call it.")] = "",
) -> None:
    """Record what a customer may use. A contract is not changed later: end it and add another."""
    tenant, _, called = name.partition("/")

    async def keep(pool: Pool) -> Contract:
        await _check_place(pool, tenant, site, machine)
        unit = _unit(meter, await meters(pool, tenant, site, machine))
        end = until and until.replace(tzinfo=UTC)
        what = (tenant, called, meter, unit, allowance, every, begin.replace(tzinfo=UTC), end)
        contract = Contract(*what, site, machine, title_en, title_zh)
        await record_contract(pool, contract)
        return contract

    kept = with_database(load_settings(), keep)
    out.print(
        f"{name}: {kept.allowance:g} {kept.unit} each {kept.every}: kept", highlight=False, markup=False
    )


@app.command(epilog="Example: faultline contracts end acme/trips --at 2026-07-01")
def end(
    name: Annotated[str, typer.Argument(help=NAME)],
    at: Annotated[datetime, typer.Option(formats=FORMATS, help="When, UTC; as it begins: it never was.")],
) -> None:
    """Let a contract end, also one that has an end already."""

    async def finish(pool: Pool) -> None:
        found = [each for each in await contracts(pool) if f"{each.tenant}/{each.name}" == name]
        if not found:
            raise FleetError(f"no contract {name!r}: `faultline contracts list` shows what there is")
        await end_contract(pool, replace(found[0], end=at.replace(tzinfo=UTC)))

    with_database(load_settings(), finish)
    out.print(f"{name} ends {at:%Y-%m-%d %H:%M}", highlight=False, markup=False)


@app.command("list", epilog="Example: faultline contracts list --tenant acme --json")
def list_contracts(
    tenant: Annotated[str | None, typer.Option(help="Only this customer's.")] = None,
    at: Annotated[
        datetime | None,
        typer.Option(formats=FORMATS, help="In what period, UTC; none: now."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the contracts with what their machines used so far of the period that is on, or was."""
    instant = at.replace(tzinfo=UTC) if at else datetime.now(UTC)
    found = with_database(load_settings(), lambda pool: _told(pool, tenant, instant))
    if as_json:
        print_json([_document(*each) for each in found])
        return
    header = ["contract", "machines", "meter", "period until", "used", "allowed", "% used", "% at end"]
    print_table(f"{len(found)} contracts", header, [_row(*each) for each in found])


async def _told(pool: Pool, tenant: str | None, at: datetime) -> list[Told]:
    while await run_due(pool):
        pass
    await keep_wear(pool)
    return [await _standing(pool, each, at) for each in await contracts(pool, tenant)]


async def _standing(pool: Pool, contract: Contract, at: datetime) -> Told:
    period = contract.period(at)
    so_far = await used(pool, contract, period) if period else None
    now = max(at, datetime.now(UTC))  # what was used of a period that is over is all of it
    return contract, period, period.standing(so_far, now) if period and so_far is not None else None


def _document(contract: Contract, period: Period | None, standing: Standing | None) -> dict[str, Any]:
    return {
        **asdict(contract),
        "start": period and period.start,
        "until": period and period.end,
        "allowed": period and period.allowed,
        "used": standing and standing.used,
        "share": standing and standing.share,
        "projected": standing and standing.projected,
    }


def _row(contract: Contract, period: Period | None, standing: Standing | None) -> Sequence[object]:
    place = contract.asset or contract.site or "all"
    said = f"{contract.tenant}/{contract.name}", place, f"{contract.meter} ({contract.unit})"
    if period is None:
        return *said, "not in force", "", "", "", ""
    until, allowed = f"{period.end:%Y-%m-%d %H:%M}", f"{period.allowed:,.1f}"
    if standing is None:
        return *said, until, "not measured", allowed, "", ""
    at_end = "" if standing.projected is None else f"{100 * standing.projected / period.allowed:.0f}"
    return *said, until, f"{standing.used:,.1f}", allowed, f"{100 * standing.share:.0f}", at_end


async def _check_place(pool: Pool, tenant: str, site: str | None, machine: str | None) -> None:
    registry = await load_registry(pool)
    if tenant not in registry.tenants:
        raise FleetError(f"no tenant {tenant!r}: write TENANT/NAME; `faultline assets list` shows them")
    machines = registry.assets_of([tenant])
    if site is not None and site not in {each.site for each in machines}:
        raise FleetError(f"{tenant} has no machine at {site!r}: `faultline assets list` shows them")
    if machine is not None and machine not in {each.name for each in machines}:
        raise FleetError(f"{tenant} has no machine {machine!r}: `faultline assets list` shows them")


def _unit(meter: str, known: Sequence[tuple[str, str]]) -> str:
    units = [unit for name, unit in known if name == meter]
    if not units:
        there = ", ".join(f"{name} ({unit})" for name, unit in known) or "none"
        raise FleetError(f"no such machine has a meter {meter!r}: there are {there}")
    if len(units) > 1:
        raise FleetError(
            f"{meter} is counted in {' and '.join(units)}: make a contract for each with --site or --machine"
        )
    return units[0]
