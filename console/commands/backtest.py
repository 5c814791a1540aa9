"""`faultline backtest`: other rules over stored history, before they watch anything."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from operator import itemgetter
from typing import Annotated, Any

import typer

from console.backtest import Backtest, Raised, fit_for
from console.backtest import backtest as run
from console.command_database import with_database
from console.machines import find_machine
from console.output import fail, out, print_json, print_table
from console.settings import load_settings
from detectors.baseline import FEWEST
from detectors.promised_level import HIGHEST, LOWEST
from fleet.asset import Asset
from fleet.catalog import pack_of
from fleet.vertical import VerticalPack
from storage.pool import Pool
from storage.registry import load_registry
from streams.judges import ENSEMBLE, JUDGES

EXAMPLE = "Example: faultline backtest acme/lift-1 --from 2026-03-01 --to 2026-04-01 --on-score 4"


def backtest(
    machine: Annotated[str, typer.Argument(help="TENANT/NAME, as `faultline assets list` shows it.")],
    start: Annotated[datetime, typer.Option("--from", help="First instant, in UTC.")],
    end: Annotated[datetime, typer.Option("--to", help="Instant before which it ends, in UTC.")],
    detector: Annotated[str, typer.Option(help=f"What judges: {', '.join(JUDGES)}.")] = ENSEMBLE,
    on_score: Annotated[
        float | None,
        typer.Option(min=LOWEST, max=HIGHEST, help="Level at which an episode begins at first, -log10 p."),
    ] = None,
    false_per_day: Annotated[
        float | None,
        typer.Option(min=0.001, max=10, help="False episodes promised a day; the level moves there."),
    ] = None,
    persistence: Annotated[
        int | None, typer.Option(min=1, help="Rows above the level before it begins.")
    ] = None,
    baseline_rows: Annotated[
        int | None, typer.Option(min=FEWEST, help="Rows that teach what is normal.")
    ] = None,
    surroundings: Annotated[
        int | None, typer.Option(min=0, help="Which fit of them explains; 0 for none, else the one in use.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Run the worker's detection over a machine's stored history: what it would have raised, beside what was.

    Without options with the rules of the machine's type. The first rows of the span teach what is normal.
    Nothing is written.
    """
    first, last = (instant.replace(tzinfo=UTC) for instant in (start, end))
    if first >= last:
        fail(f"--from {start} is not before --to {end}", 2)
    if detector not in JUDGES:
        fail(f"no detector {detector}: there are {', '.join(JUDGES)}", 2)
    settings = load_settings()
    given = {
        "on_score": on_score,
        "false_per_day": settings.false_per_day if false_per_day is None else false_per_day,
        "persistence": persistence,
        "baseline_rows": baseline_rows,
    }
    rules: dict[str, Any] = {name: value for name, value in given.items() if value is not None}

    async def operation(pool: Pool) -> Backtest:
        asset, pack = await _find(pool, machine)
        changed = replace(pack, detection=replace(pack.detection, **rules))
        fit = await fit_for(pool, asset, surroundings)
        return await run(pool, asset, changed, first, last, detector, fit)

    found = with_database(settings, operation)
    if not found.rows:
        fail(f"nothing is stored of {machine} between {start} and {end}")
    if as_json:
        print_json(
            {**asdict(found), "new": list(map(asdict, found.new())), "gone": list(map(asdict, found.gone()))}
        )
    else:
        _show(machine, found)


async def _find(pool: Pool, machine: str) -> tuple[Asset, VerticalPack]:
    """The machine called TENANT/NAME and its type's pack; raises `FleetError`."""
    registry = await load_registry(pool)
    asset = find_machine(registry, machine)
    return asset, pack_of(registry.equipment_type(asset.equipment_type))


def _show(machine: str, found: Backtest) -> None:
    new, gone = found.new(), found.gone()
    rows = [("new" if one in new else "as before", *_cells(one)) for one in found.would]
    rows += [("gone", *_cells(one)) for one in gone]
    header = ("", "onset (UTC)", "end", "kind", "peak", "finding")
    rows.sort(key=itemgetter(1))
    print_table(f"{machine}: {found.rows:,} rows", header, rows)
    out.print(
        f"{len(found.would)} would have been raised, {len(found.was)} were; new {len(new)}, gone {len(gone)}"
    )


def _cells(one: Raised) -> tuple[str, str, str, str, str]:
    end = f"{one.end:%Y-%m-%d %H:%M:%S}" if one.end else "still on"
    return f"{one.onset:%Y-%m-%d %H:%M:%S}", end, one.kind, f"{one.peak_score:.1f}", one.says
