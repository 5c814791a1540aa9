"""A map: what the columns of a kind of file are, written by hand in TOML.

The format is described in `docs/replay.md`. Every error names the map, the table and the cure.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fleet.asset import Channel, EquipmentType, FleetError
from fleet.catalog import packs
from streams.replay.toml_reader import MapError, Table

MAPS = Path(__file__).parent / "maps"
"""The shipped maps."""

MISSING = ("", "-", "NA", "N/A", "NaN", "nan", "NULL", "null", "None")
"""Cells that say that there is no value."""

UNITS_OF_TIME = {"s": 1_000_000, "ms": 1_000, "us": 1}
"""Formats of a number of units since 1970-01-01 UTC, in microseconds."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a text file is laid out. columns: names where the file has no header line."""

    separator: str = ","
    columns: tuple[str, ...] = ()
    decimal: str = "."
    missing: tuple[str, ...] = MISSING
    encoding: str = "utf-8"


@dataclass(frozen=True, slots=True)
class Time:
    """Where a row's instant comes from.

    With `format` (`iso`, `s`, `ms`, `us` or a strptime pattern) from the text or number in `column`, in
    `timezone` if it says none. With `start` from `column` times `step_s` later, or without a column from
    the number of the row in its file.
    """

    column: str = ""
    format: str = ""
    timezone: str = "UTC"
    start: datetime | None = None
    step_s: float = 0.0


@dataclass(frozen=True, slots=True)
class AssetName:
    """How a row's asset is called: `template` with `{folder}`, `{file}` and `{cell}` filled in, made a name.

    `{folder}` is the name of the folder that the file is in. file: pattern of file names, whose first group
    (or the name without its ending) is `{file}`. column: where `{cell}` comes from.
    """

    template: str
    column: str = ""
    file: str = ""

    def for_file(self, path: Path) -> str:
        """The template with the file's parts filled in; raises `MapError` for a file it is not for."""
        name = path.stem
        if self.file:
            match = re.fullmatch(self.file, path.name)
            if match is None:
                raise MapError(f"{path.name}: the map is for files called {self.file!r}: leave this one out")
            name = match[1] if match.re.groups else name
        return self.template.replace("{folder}", path.absolute().parent.name).replace("{file}", name)


@dataclass(frozen=True, slots=True)
class Source:
    """One column of a file as a channel: value = scale * cell + offset, or the code of a text."""

    column: str
    channel: Channel
    scale: float = 1.0
    offset: float = 0.0
    codes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileMap:
    """What a kind of file says about which equipment; `digest` tells one map's text from another's."""

    name: str
    title: str
    equipment_type: EquipmentType
    layout: Layout
    time: Time
    asset: AssetName
    sources: tuple[Source, ...]
    ignored: frozenset[str]
    join: bool
    rows_per_frame: int
    digest: str

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels in the order of `sources`."""
        return tuple(source.channel.name for source in self.sources)

    @property
    def units(self) -> tuple[str, ...]:
        """Units of the channels in the order of `sources`."""
        return tuple(source.channel.unit for source in self.sources)

    @property
    def columns(self) -> frozenset[str]:
        """All columns that the map names."""
        others = {self.time.column, self.asset.column} - {""}
        return frozenset({source.column for source in self.sources} | others | self.ignored)


def shipped_maps() -> list[str]:
    """Names of the shipped maps."""
    return sorted(path.stem for path in MAPS.glob("*.toml"))


def load_map(name_or_path: str | Path) -> FileMap:
    """A shipped map by its name, or a map file by its path; raises `MapError`."""
    path = MAPS / f"{name_or_path}.toml" if str(name_or_path) in shipped_maps() else Path(name_or_path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        shipped = ", ".join(shipped_maps())
        raise MapError(f"map {name_or_path}: cannot be read ({error}); shipped maps are {shipped}") from error
    return parse_map(text, path.stem)


def parse_map(text: str, name: str) -> FileMap:
    """A map from its TOML text; `name` is what errors call it. Raises `MapError`."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MapError(f"map {name}: not valid TOML: {error}") from error
    top = Table(f"map {name}", document)
    title, join, rows = top.text("title", name), top.boolean("join"), top.count("rows_per_frame", 60)
    layout, time, asset = _layout(top.table("file")), _time(top.table("time")), _asset(top.table("asset"))
    kind, sources = _equipment(top)
    ignored = frozenset(top.texts("ignore"))
    top.done()
    if join and "{" in asset.template:
        raise MapError(
            f"map {name}: join: files that are joined speak of one asset: give [asset] a fixed name"
        )
    digest = hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()
    return FileMap(name, title, kind, layout, time, asset, sources, ignored, join, rows, digest)


def _layout(table: Table) -> Layout:
    layout = Layout(
        table.text("separator", ","),
        table.texts("columns"),
        table.text("decimal", "."),
        table.texts("missing", MISSING),
        table.text("encoding", "utf-8"),
    )
    table.done()
    if layout.separator != "whitespace" and len(layout.separator) != 1:
        raise table.error(f'separator {layout.separator!r}: one character or "whitespace"')
    if layout.decimal not in {".", ","} or layout.decimal == layout.separator:
        raise table.error(f'decimal {layout.decimal!r}: "." or ",", and not the separator')
    return layout


def _time(table: Table) -> Time:
    start, rate_hz = table.instant("start"), table.number("rate_hz", 0.0)
    step_s = table.number("step_s", 1.0 / rate_hz if rate_hz > 0 else 0.0)
    time = Time(
        table.text("column", ""), table.text("format", ""), table.text("timezone", "UTC"), start, step_s
    )
    table.done()
    if start is None and not (time.column and time.format):
        raise table.error("say where the instant comes from: `column` and `format`, or `start` and `rate_hz`")
    if start is not None and (time.format or step_s <= 0):
        raise table.error("with `start` give `rate_hz` or `step_s` above 0, and no `format`")
    try:
        ZoneInfo(time.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise table.error(
            f"unknown timezone {time.timezone!r}: use an IANA name such as Europe/Berlin"
        ) from error
    return time


def _asset(table: Table) -> AssetName:
    asset = AssetName(table.text("name"), table.text("column", ""), table.text("file", ""))
    table.done()
    if bool(asset.column) != ("{cell}" in asset.template):
        raise table.error("`column` and {cell} in `name` belong together: give both or neither")
    try:
        re.compile(asset.file)
    except re.error as error:
        raise table.error(f"file {asset.file!r}: not a regular expression: {error}") from error
    return asset


def _equipment(top: Table) -> tuple[EquipmentType, tuple[Source, ...]]:
    """The equipment type, shipped or made of the map's channels, and the map's columns."""
    table = top.table("equipment_type")
    name, titles = table.text("name"), (table.text("title_en", ""), table.text("title_zh", ""))
    table.done()
    pack = packs().get(name)
    shipped = {channel.name: channel for channel in pack.equipment_type.channels} if pack else None
    sources = tuple(_source(channel, shipped) for channel in top.tables("channel"))
    try:
        declared = EquipmentType(name, tuple(source.channel for source in sources), *titles)
    except FleetError as error:
        raise top.error(str(error)) from error
    if twice := {s.column for s in sources if [t.column for t in sources].count(s.column) > 1}:
        raise top.error(f"column {sorted(twice)[0]!r} is the source of two channels: keep one")
    return (pack.equipment_type if pack else declared), sources


def _source(table: Table, shipped: Mapping[str, Channel] | None) -> Source:
    column, name, unit = table.text("column"), table.text("name"), table.text("unit")
    scale, offset, codes = table.number("scale", 1.0), table.number("offset", 0.0), table.numbers("codes")
    channel = _declared(table, name, unit) if shipped is None else _shipped(table, name, unit, shipped)
    table.done()
    return Source(column, channel, scale, offset, codes)


def _declared(table: Table, name: str, unit: str) -> Channel:
    low, high = table.number("low", float("-inf")), table.number("high", float("inf"))
    kind, rate = table.text("kind", "measurement"), table.number("rate_hz", 1.0)
    try:
        return Channel(
            name, unit, low, high, kind, rate, table.text("title_en", ""), table.text("title_zh", "")
        )
    except FleetError as error:
        raise table.error(str(error)) from error


def _shipped(table: Table, name: str, unit: str, known: Mapping[str, Channel]) -> Channel:
    if name not in known:
        raise table.error(f"the equipment type has no channel {name!r}; it has {', '.join(known)}")
    if unit != known[name].unit:
        raise table.error(
            f"{name} is in {known[name].unit}: convert with scale and offset, then say that unit"
        )
    return known[name]
