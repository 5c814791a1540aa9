"""Reads a fleet file from disk."""

from pathlib import Path

from fleet.asset import Fleet, FleetError
from fleet.fleet_file import parse_fleet


def load_fleet(path: Path) -> Fleet:
    """The fleet that a file describes; raises `FleetError`."""
    try:
        return parse_fleet(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise FleetError(f"{path}: cannot be read: {error}") from error
