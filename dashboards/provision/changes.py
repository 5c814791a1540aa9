"""When two JSON documents are the same, and where they differ."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

SHOWN = 60
"""Characters of a value in a difference."""


def digest(document: Any) -> str:
    """SHA-256 of a document, whatever the order of its members."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def changes(live: Any, wanted: Any, path: str = "") -> Iterator[str]:
    """Where `wanted` says something else than `live`, each as JSON pointer (RFC 6901), old and new value.

    What only `live` has is not a difference: Grafana adds its defaults to what it stores.
    """
    if isinstance(live, Mapping) and isinstance(wanted, Mapping):
        for name in wanted:
            yield from changes(live.get(name), wanted[name], f"{path}/{name}")
    elif _is_list(live) and _is_list(wanted) and len(live) == len(wanted):
        for k, (old, new) in enumerate(zip(live, wanted, strict=True)):
            yield from changes(old, new, f"{path}/{k}")
    elif live != wanted:
        yield f"{path or '/'}: {_shown(live)} → {_shown(wanted)}"


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _shown(value: Any) -> str:
    if isinstance(value, Mapping) or _is_list(value):
        return f"{len(value)} entries"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} …"
