"""The mappers (every module of `formats/` that exports `MAPPER`) and the mapping tables for them."""

import pkgutil
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from streams.mappers import formats
from streams.mappers.message import Event, Mapper, Message, Signal
from streams.mappers.table import MappingTable, merged, parse_table
from streams.replay.toml_reader import MapError

TABLES = Path(__file__).parent / "tables"
"""The shipped mapping tables; a format is called by the name of its table."""

MOST_BYTES = 8 << 20
MOST_SIGNALS = 100_000


@cache
def catalog() -> dict[str, Mapper]:
    """The shipped mappers by name."""
    modules = sorted(module.name for module in pkgutil.iter_modules(formats.__path__))
    found = [import_module(f"{formats.__name__}.{name}").MAPPER for name in modules]
    return {mapper.name: mapper for mapper in found}


def shipped_tables() -> list[str]:
    """Names of the shipped mapping tables."""
    return sorted(path.stem for path in TABLES.glob("*.toml"))


def load_table(name: str | Path, folder: Path | None = None) -> MappingTable:
    """The table of that name, from the folder if it is there, else a shipped one, or one by its path.

    Raises `MapError`.
    """
    path = _path(str(name), folder)
    document = _document(path)
    seen = {path}
    while base := document.get("extends"):
        path = _path(str(base), None)
        if path in seen:
            raise MapError(f"mapping table {name}: extends itself by way of {base!r}: leave `extends` out")
        seen.add(path)
        below = _document(path)
        document = merged(below, document) | ({"extends": below["extends"]} if "extends" in below else {})
    table = parse_table(document, Path(str(name)).stem)
    if table.mapper not in catalog():
        raise MapError(
            f"mapping table {name}: there is no mapper {table.mapper!r}; there are {', '.join(catalog())}"
        )
    return table


def _path(name: str, folder: Path | None) -> Path:
    if folder is not None and (folder / f"{name}.toml").is_file():
        return folder / f"{name}.toml"
    return TABLES / f"{name}.toml" if name in shipped_tables() else Path(name)


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise MapError(
            f"format {path}: cannot be read ({error}); shipped formats are {', '.join(shipped_tables())}"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise MapError(f"mapping table {path}: not valid TOML: {error}") from error


def read_message(data: bytes, table: MappingTable) -> Message:
    """What the bytes say, in the format's own names. Raises `MapError`."""
    if len(data) > MOST_BYTES:
        raise MapError(f"a message has at most {MOST_BYTES >> 20} MiB: send less at a time")
    signals: list[Signal] = []
    events: list[Event] = []
    position: Mapping[str, int] = {}
    for number, said in enumerate(catalog()[table.mapper].read(data, table)):
        if number >= MOST_SIGNALS:
            raise MapError(f"a message has at most {MOST_SIGNALS} values: send less at a time")
        if isinstance(said, Signal):
            signals.append(said)
        elif isinstance(said, Event):
            events.append(said)
        else:
            position = said.values
    return Message(tuple(signals), tuple(events), position)
