"""`faultline map`: what would be stored of a message in a field format, and what is quarantined."""

from pathlib import Path
from typing import Annotated, Any

import typer

from console.mapped_view import plain, quarantined, when
from console.output import fail, out, print_json, print_table
from console.settings import load_settings
from streams.mappers.aliases import asset_of, load_aliases
from streams.mappers.canonical import Canonical, Machine, to_canonical
from streams.mappers.catalog import load_table, read_message, shipped_tables
from streams.mappers.frames import frames
from streams.mappers.quarantine import Quarantine
from streams.mappers.stand_in import equipment_type_of
from streams.mappers.table import MappingTable

EXAMPLE = (
    "Example: faultline map current.xml --format mtconnect   ·   "
    f"shipped formats: {', '.join(shipped_tables())}"
)


def map(  # noqa: A001 - the command's word
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A message as it came.")],
    format_name: Annotated[str, typer.Option("--format", help="A shipped format or a table's TOML file.")],
    kind: Annotated[
        str | None, typer.Option("--type", help="The machines' equipment type, if the format has several.")
    ] = None,
    tenant: Annotated[str, typer.Option(help="Whose aliases count.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Try a message: show what would be stored, fault codes, and what is quarantined. Stores nothing."""
    folder = load_settings().mapping_dir
    table = load_table(format_name, folder)
    equipment_type = equipment_type_of(table, _kind(table, kind))
    aliases = load_aliases(folder).get(tenant, {})
    message = read_message(file.read_bytes(), table)

    def machine(name: str) -> Machine | None:
        asset = asset_of(name, aliases)
        return Machine(asset, equipment_type) if asset else None

    found = to_canonical(message, table, machine)
    rows = len(frames(found.readings, table.tick_s, table.hold))
    if as_json:
        print_json(_plain(found) | {"rows": rows, "position": dict(message.position)})
        return
    _show(found, rows)


def _kind(table: MappingTable, kind: str | None) -> str:
    known = list(table.channels)
    if kind is None and len(known) == 1:
        return known[0]
    if kind not in known:
        fail(f"say with --type which machines these are: {table.name} knows {', '.join(known)}", 2)
    return str(kind)


def _plain(found: Canonical) -> dict[str, Any]:
    said = {
        "readings": [plain(one) for one in found.readings],
        "events": [plain(one) for one in found.events],
    }
    return said | quarantined(found.quarantine)


def _show(found: Canonical, rows: int) -> None:
    readings = [[one.asset, when(one.ts_us), one.channel, one.value, one.unit] for one in found.readings]
    title = f"{len(readings)} readings in {rows} rows"
    print_table(title, ["asset", "instant (UTC)", "channel", "value", "unit"], readings)
    codes = [
        [one.asset, when(one.ts_us), one.code, one.title_en or one.text, "yes" if one.safety else ""]
        for one in found.events
    ]
    if codes:
        header = ["asset", "instant (UTC)", "code", "means", "endangers people"]
        print_table(f"{len(codes)} fault codes", header, codes)
    _show_quarantine(found.quarantine)


def _show_quarantine(quarantine: Quarantine) -> None:
    entries = [
        [str(one.problem), one.name, one.count, one.example, one.detail] for one in quarantine.entries()
    ]
    if entries:
        header = ["problem", "name", "times", "example", "why"]
        print_table(f"{quarantine.total} quarantined", header, entries)
    if quarantine.others:
        out.print(f"{quarantine.others} more with names for which there was no room")
