"""Which asset a machine of a format is: by its name, or by an alias table that people write in TOML."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from fleet.asset import FleetError, check_name
from streams.replay.toml_reader import MapError, Table

FILE = "aliases.toml"

Aliases = Mapping[str, Mapping[str, str]]
"""By tenant, from a machine's name in any format to the asset's."""


def load_aliases(folder: Path | None) -> Aliases:
    """The aliases in the folder, none without the file. Raises `MapError`."""
    if folder is None or not (folder / FILE).is_file():
        return {}
    try:
        return parse_aliases((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise MapError(f"{folder / FILE}: cannot be read: {error}") from error


def parse_aliases(text: str) -> Aliases:
    """Tables of tenants, `[acme]` with `"7020027516" = "digger-4"`. Raises `MapError`."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MapError(f"{FILE}: not valid TOML: {error}") from error
    top = Table(FILE, {})
    found: dict[str, dict[str, str]] = {}
    for tenant, names in document.items():
        if not isinstance(names, dict):
            raise top.error(f"{tenant}: write a table for each tenant, [{tenant}] or the like")
        table = Table(f"{FILE}: [{tenant}]", names)
        found[tenant] = {name: _asset(table, name) for name in names}
    return found


def _asset(table: Table, name: str) -> str:
    try:
        return check_name("asset", table.text(name))
    except FleetError as error:
        raise table.error(f"{name}: {error}") from None


def asset_of(machine: str, aliases: Mapping[str, str]) -> str | None:
    """The alias, else the machine's own name in lower case, if an asset can have it."""
    try:
        return aliases.get(machine) or check_name("asset", machine.lower())
    except FleetError:
        return None
