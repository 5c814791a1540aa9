"""`faultline ahead`: the next week of a load, a temperature or an energy, hour by hour."""

from datetime import timedelta
from typing import Annotated

import numpy as np
import typer

from console.ahead import Ahead, channel_ahead, document
from console.command_database import with_database
from console.machines import find_machine
from console.output import out, print_json, print_table
from console.settings import load_settings
from fleet.asset import Asset
from forecasting.channel_forecast import DAY, WEEK
from storage.history import HOUR
from storage.pool import Pool
from storage.registry import load_registry
from storage.rollup import run_due

EXAMPLE = "Example: faultline ahead northgrid/t1 load_current --hours 48"


def ahead(
    machine: Annotated[str, typer.Argument(help="TENANT/NAME, as `faultline assets list` shows it.")],
    channel: Annotated[str, typer.Argument(help="One of its channels.")],
    hours: Annotated[int, typer.Option(min=1, max=WEEK, help="How far ahead.")] = WEEK,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document, hour by hour.")] = False,
) -> None:
    """Say what a channel is expected to read in the next hours, with P10 and P90, from its stored hours.

    Of a counter it is what each hour adds. The table sums up days, counted from the first hour on.
    """

    async def operation(pool: Pool) -> tuple[Asset, Ahead]:
        while await run_due(pool):
            pass
        registry = await load_registry(pool)
        asset = find_machine(registry, machine)
        return asset, await channel_ahead(pool, registry, asset, channel, hours)

    asset, found = with_database(load_settings(), operation)
    if as_json:
        print_json(document(asset, found))
    elif not len(found.said.p50):
        out.print(f"{machine} {channel}: too little data: {found.said.basis}", highlight=False)
    else:
        _show(machine, found)


def _show(machine: str, found: Ahead) -> None:
    said = found.said
    rows = []
    for first in range(0, len(said.p50), DAY):
        low, mid, high = (each[first : first + DAY] for each in (said.p10, said.p50, said.p90))
        most = found.start + (first + int(np.argmax(mid))) * HOUR
        day = found.start + timedelta(hours=first)
        cells = (float(low.min()), float(mid.mean()), float(high.max()))
        rows.append([f"{day:%a %Y-%m-%d %H:%M}", *(f"{each:,.4g}" for each in cells), f"{most:%H:%M}"])
    title = f"{machine} {found.channel.name} in {found.unit}, by {said.basis}"
    print_table(title, ["from (UTC)", "lowest P10", "mean P50", "highest P90", "most at"], rows)
