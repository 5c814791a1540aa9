"""The shipped maps, and which of them fits a file."""

import re
from collections.abc import Sequence
from pathlib import Path

from fleet.asset import Asset, Fleet, Site, Tenant
from streams.replay.arrow_batches import PARQUET, check_columns
from streams.replay.mapping import FileMap, load_map, shipped_maps
from streams.replay.reader import Reading
from streams.replay.rows import RowReader, Tally, asset_name
from streams.replay.toml_reader import MapError


def catalogue() -> dict[str, FileMap]:
    """Every shipped map by name."""
    return {name: load_map(name) for name in shipped_maps()}


def recognise(path: Path) -> FileMap | None:
    """The shipped map whose columns and file names the file has, if there is one."""
    return next((file_map for file_map in catalogue().values() if _fits(path, file_map)), None)


def _fits(path: Path, file_map: FileMap) -> bool:
    try:
        file_map.asset.for_file(path)
        used = check_columns(path, file_map)
    except (MapError, OSError, ValueError):
        return False
    return len(used) > 1 and (not file_map.layout.columns or _has_width(path, file_map))


def _has_width(path: Path, file_map: FileMap) -> bool:
    """Without a header line nothing but the number of cells tells."""
    if path.suffix.lower() in PARQUET:
        return False
    with path.open(encoding=file_map.layout.encoding) as lines:
        first = next(lines, "")
    blank = file_map.layout.separator == "whitespace"
    cells = first.split() if blank else re.split(re.escape(file_map.layout.separator), first)
    return len(cells) == len(file_map.layout.columns)


def fleet_of(readings: Sequence[Reading], tenant: str, site: str) -> Fleet:
    """The fleet that the readings speak of, to make it known before they are sent.

    Reads the files' asset columns; raises `MapError`.
    """
    kinds = {reading.file_map.equipment_type.name: reading.file_map.equipment_type for reading in readings}
    assets = {name: reading.file_map.equipment_type.name for reading in readings for name in _names(reading)}
    return Fleet(
        (Tenant(tenant),),
        (Site(tenant, site),),
        tuple(Asset(0, tenant, site, name, kind) for name, kind in assets.items()),
        tuple(kinds.values()),
    )


def _names(reading: Reading) -> list[str]:
    """Names of the assets in order of appearance."""
    if not reading.file_map.asset.column:
        return [asset_name(reading.file_map.asset.for_file(reading.paths[0]))]
    names = {
        rows.asset: None for path in reading.paths for rows in RowReader(reading.file_map, path, Tally())
    }
    return list(names)
