"""What a type's views and a channel's columns are called where people write SQL of their own."""

import hashlib
import re

LONGEST = 63
"""Bytes of an identifier in PostgreSQL."""

TAKEN = frozenset({"ts", "tenant", "site", "asset", "asset_id", "score", "suspect", "rows", "score_max"})
"""Columns that no channel can have."""

_LONGEST_STEM = LONGEST - len("telemetry_")


def stem(equipment_type: str) -> str:
    """The end of the names of a type's views, another one for every type: `hot-press` gives `hot_press`."""
    plain = re.sub(r"[.-]", "_", equipment_type)
    if len(plain) <= _LONGEST_STEM and not re.search(r"[._]", equipment_type):
        return plain
    return f"{plain[: _LONGEST_STEM - 9]}_{hashlib.sha256(equipment_type.encode()).hexdigest()[:8]}"


def column(channel: str, suffix: str = "") -> str:
    """A channel's column, or that of its `min` or `max`: its name, unless another column has that."""
    room = LONGEST - len(suffix) - 2
    name = f"{channel[:room]}_{suffix}" if suffix else channel[:LONGEST]
    return f"{name}_" if name in TAKEN else name
