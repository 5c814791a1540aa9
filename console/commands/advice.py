"""`faultline advice`: what each machine could save, and whether earlier advice came true."""

from typing import Annotated

import typer

from console.advice import DAYS, MachineAdvice, advice_on
from console.command_database import with_database
from console.output import out, print_json, print_table
from console.settings import load_settings
from fleet.advice import Advice
from fleet.asset import FleetError
from storage.pool import Pool
from storage.registry import load_registry
from storage.rollup import run_due

EXAMPLE = "Example: faultline advice acme/lift-1 --days 30 --json"

HEADER = ("machine", "what to do", "saves", "confidence", "because", "since the span before")


def advice(
    machine: Annotated[
        str | None, typer.Argument(help="TENANT/NAME, as `faultline assets list` shows it; none: all.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="Span to look at, up to the newest hour.")] = DAYS,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say what machines could save over a span like the last one, by what is stored of it hour by hour.

    Beside it: what the same rules would have promised a span earlier, and how much less was lost since.
    """

    async def operation(pool: Pool) -> list[MachineAdvice]:
        registry = await load_registry(pool)
        if machine not in {None, *(f"{one.tenant}/{one.name}" for one in registry.assets)}:
            raise FleetError(f"no machine {machine!r}: `faultline assets list` shows them as TENANT and NAME")
        while await run_due(pool):
            pass
        return await advice_on(pool, registry, days, machine=machine)

    found = with_database(load_settings(), operation)
    if as_json:
        print_json([one.plain() for one in found])
    elif found:
        rows = [_row(one, each) for one in found for each in one.advice]
        print_table(f"By the last {days} days of each machine", HEADER, rows)
    else:
        out.print("Nothing to advise: no rule finds a loss, or less than a day of hours is stored.")


def _row(one: MachineAdvice, each: Advice) -> tuple[str, ...]:
    name = f"{one.tenant}/{one.asset}"
    saves = f"{each.saving:,.0f} {each.unit}".removesuffix(" 1")
    return name, each.title_en, saves, each.confidence, each.reason_en, came_true(each)


def came_true(each: Advice) -> str:
    """Promised and realised, in words; empty if nothing was promised."""
    if each.advised is None or each.realised is None:
        return ""
    unit = "" if each.unit == "1" else f" {each.unit}"
    return f"{each.realised:,.0f} of {each.advised:,.0f}{unit} saved"
