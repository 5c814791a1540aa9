"""Mapping tables and aliases as a process found them at its start, and what it has quarantined since then."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from console.settings import SettingsError
from streams.mappers.aliases import FILE, Aliases, load_aliases
from streams.mappers.catalog import load_table, shipped_tables
from streams.mappers.quarantine import Quarantine
from streams.mappers.table import MappingTable
from streams.replay.toml_reader import MapError


@dataclass(frozen=True)
class Mappings:
    """tables: by the name of the format. quarantined: by tenant."""

    tables: Mapping[str, MappingTable]
    aliases: Aliases
    quarantined: dict[str, Quarantine] = field(default_factory=dict)

    def of(self, tenant: str) -> Quarantine:
        """What was quarantined of a tenant's messages."""
        return self.quarantined.setdefault(tenant, Quarantine())


def load_mappings(folder: Path | None) -> Mappings:
    """The shipped tables and those in the folder, which come first. Raises `SettingsError`."""
    try:
        own = {path.stem for path in folder.glob("*.toml") if path.name != FILE} if folder else set()
        names = sorted(own | set(shipped_tables()))
        return Mappings({name: load_table(name, folder) for name in names}, load_aliases(folder))
    except MapError as error:
        raise SettingsError(f"mapping_dir: {error}") from error
