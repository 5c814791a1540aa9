"""What a type's views and a channel's columns are called where people write SQL of their own."""

import hashlib
import re

LONGEST = 63
"""Bytes of an identifier in PostgreSQL."""

TAKEN = frozenset({"ts", "tenant", "site", "asset", "asset_id", "score", "suspect", "rows", "score_max"})
"""Columns that no channel can have."""


def stem(equipment_type: str) -> str:
    """The end of the names of a type's views, another one for every type: `hot-press` gives `hot_press`."""
    plain = re.sub(r"[.-]", "_", equipment_type)
    room = LONGEST - len("telemetry_")
    usual = len(plain) <= room and not re.search(r"[._]", equipment_type)
    return plain if usual else _short(plain, equipment_type, room)


def column(channel: str, of: str = "") -> str:
    """A channel's column, or that of its `min` or `max`: `car_load`, `car_load:max`."""
    end = f":{of}" if of else ""
    room = LONGEST - len(end) - 1
    name = channel if len(channel) <= room else _short(channel, channel, room)
    return f"{name}_" if name in TAKEN and not of else f"{name}{end}"


def _short(name: str, whole: str, room: int) -> str:
    """The beginning of a name, and eight digits that tell it from others."""
    return f"{name[: room - 9]}_{hashlib.sha256(whole.encode()).hexdigest()[:8]}"
