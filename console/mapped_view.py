"""Mapped messages for answers and for the command line: instants in ISO 8601."""

from dataclasses import asdict
from typing import Any

from fleet.clock import from_microseconds
from streams.mappers.canonical import FaultEvent, Reading
from streams.mappers.quarantine import Quarantine


def when(us: int | None) -> str | None:
    """The instant in text; None for none, and for one that no calendar has."""
    try:
        return None if us is None else from_microseconds(us).isoformat().replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return None


def plain(one: Reading | FaultEvent) -> dict[str, Any]:
    """A reading or an event."""
    said = asdict(one)
    return {"asset": said.pop("asset"), "ts": when(said.pop("ts_us")), **said}


def quarantined(quarantine: Quarantine) -> dict[str, Any]:
    """What is in a quarantine, the most frequent first."""
    entries = []
    for entry in quarantine.entries():
        said = asdict(entry)
        entries.append(said | {"first": when(said.pop("first_us")), "last": when(said.pop("last_us"))})
    return {"quarantined": entries, "quarantined_others": quarantine.others}
