"""`faultline advice`: what each machine could save, and whether earlier advice came true."""

from typing import Annotated

import typer
from rich.markup import escape

from console.advice import DAYS, MachineAdvice, advice_on
from console.command_database import with_database
from console.output import out, print_json
from console.settings import load_settings
from fleet.advice import Advice
from fleet.asset import FleetError
from storage.pool import Pool
from storage.registry import load_registry
from storage.rollup import run_due

EXAMPLE = "Example: faultline advice acme/lift-1 --days 30 --json"


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
        out.print(f"By the last {days} days of each machine, for as many to come", highlight=False)
        for one in found:
            for each in one.advice:
                _show(one, each)
    else:
        out.print("Nothing to advise: no rule finds a loss, or less than a day of hours is stored.")


def _show(one: MachineAdvice, each: Advice) -> None:
    confidence = f"[dim]({each.confidence} confidence)[/]"
    out.print(f"[bold]{one.tenant}/{one.asset}[/] {escape(each.title_en)}", highlight=False)
    said = f"saves {_amount(each.saving, each.unit)}" if each.saving else "nothing is left to save"
    out.print(f"  {said} {confidence}: {escape(each.reason_en)}", highlight=False)
    if each.advised is not None and each.realised is not None:
        of = _amount(each.advised, each.unit)
        out.print(f"  {each.realised:,.0f} of the {of} of the span before came true", highlight=False)


def _amount(value: float, unit: str) -> str:
    return f"{value:,.0f}" if unit == "1" else f"{value:,.0f} {unit}"
