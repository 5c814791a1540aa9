"""`faultline outlook`: how long what wears on a machine lasts, at past and other loads."""

import re
from typing import Annotated

import typer

from console.command_database import with_database
from console.machines import find_machine
from console.outlook import MachineOutlook, machine_outlook
from console.outlook_view import document, show
from console.output import print_json
from console.settings import load_settings
from forecasting.wear.forward import FEWEST_DAYS
from storage.pool import Pool
from storage.registry import load_registry

EXAMPLE = "Example: faultline outlook northgrid/t1 --load 110% --days 30"


def parse_load(text: str) -> float:
    """1.1 of `110%`; raises `typer.BadParameter`."""
    found = re.fullmatch(r"(\d{1,3}(?:\.\d)?) ?%", text.strip())
    if found is None:
        raise typer.BadParameter(f"say it as 110%, up to 999%, not {text!r}")
    return float(found[1]) / 100


def outlook(
    machine: Annotated[str, typer.Argument(help="TENANT/NAME, as `faultline assets list` shows it.")],
    load: Annotated[
        list[str] | None, typer.Option(help="Also at so much of the past load: 110%; may be repeated.")
    ] = None,
    days: Annotated[
        int, typer.Option(min=FEWEST_DAYS, max=366, help="Days of past duty, from its newest row back.")
    ] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Run each wear counter of a machine forward under the duty of its last days, and at another load.

    Of a transformer with ratings also how long it can carry an overload until its hot spot reaches a limit.
    """
    loads = sorted({1.0, *map(parse_load, load or ())})

    async def operation(pool: Pool) -> MachineOutlook:
        registry = await load_registry(pool)
        return await machine_outlook(pool, registry, find_machine(registry, machine), days, loads)

    found = with_database(load_settings(), operation)
    if as_json:
        print_json(document(machine, days, found))
    else:
        show(machine, days, found)
