"""Panels of Grafana as frozen data, and the JSON that Grafana 9.4 and later understand (schemaVersion 37)."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dashboards.source import TYPE, UID
from dashboards.text import Language, Text

Json = dict[str, Any]

DATA_SOURCE: Json = {"type": TYPE, "uid": UID}

NO_DATA = Text("no data in this time", "该时段无数据")

NOTHING = Text("–", "–")
"""In a cell of a table, where `NO_DATA` would speak of the whole panel."""


class Kind(StrEnum):
    """The panels that are used, by their plug-ins, which all come with Grafana."""

    STAT = "stat"
    LINES = "timeseries"
    TABLE = "table"
    STATES = "state-timeline"
    MAP = "geomap"
    BARS = "bars"
    """A table of names and bars: Grafana's bar gauge has no name for a bar that is alone, and makes it as
    high as the panel."""

    @property
    def plugin(self) -> str:
        """What Grafana calls it."""
        return str(Kind.TABLE if self is Kind.BARS else self)


@dataclass(frozen=True, slots=True)
class Query:
    """One SQL statement, in which `{lang}` is the language: columns are there as `title_en` and `title_zh`.

    `over_time`: its first column is `time`, ascending, the others are lines.
    """

    sql: str
    over_time: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """From `value` on the colour is `color` (Grafana's named colours); None is the lowest."""

    value: float | None
    color: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a value is shown as: a code or a text by its words and colour."""

    value: str
    text: Text
    color: str


@dataclass(frozen=True, slots=True)
class Link:
    """To the next level: `url` with the variables and the time range, from a value of the row."""

    title: Text
    url: str


@dataclass(frozen=True, slots=True)
class Column:
    """How one field is shown, by the name that the query gives it."""

    name: str
    title: Text
    unit: str = ""
    steps: tuple[Step, ...] = ()
    said: tuple[Said, ...] = ()
    link: Link | None = None
    width: int | None = None
    hidden: bool = False
    empty: Text = NOTHING
    color: str = ""
    line: Mapping[str, Any] = field(default_factory=dict)
    """Options of a line: fill, width, dashes."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. key: ASCII, unique in its dashboard; its id follows from it, wherever the panel stands.

    about: unit, source view, refresh and meaning. width: of 24. empty: said where there is nothing to show.
    decimals: None is Grafana's choice.
    """

    key: str
    kind: Kind
    title: Text
    about: Text
    queries: tuple[Query, ...]
    width: int
    unit: str = "short"
    steps: tuple[Step, ...] = (Step(None, "text"),)
    said: tuple[Said, ...] = ()
    columns: tuple[Column, ...] = ()
    link: Link | None = None
    low: float | None = None
    high: float | None = None
    decimals: int | None = None
    empty: Text = NO_DATA
    options: Mapping[str, Any] = field(default_factory=dict)
    line: Mapping[str, Any] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """The panel's id."""
        return zlib.crc32(self.key.encode()) % 1_000_000 + 1

    def json(self, language: Language, x: int, y: int, height: int) -> Json:
        """The panel at a place of the grid."""
        return {
            "id": self.number,
            "type": self.kind.plugin,
            "title": self.title.of(language),
            "description": self.about.of(language),
            "datasource": DATA_SOURCE,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": height},
            "targets": [_target(query, place, language) for place, query in enumerate(self.queries)],
            "fieldConfig": {
                "defaults": self._defaults(language),
                "overrides": [
                    *([_BAR] if self.kind is Kind.BARS else []),
                    *(_override(each, self.kind, language) for each in self.columns),
                ],
            },
            "options": {**_OPTIONS[self.kind], **self.options},
            "transformations": [],
            "interval": "1m",
            "maxDataPoints": 1000,
        }

    def _defaults(self, language: Language) -> Json:
        said = {
            "unit": self.unit,
            "noValue": self.empty.of(language),
            "thresholds": _thresholds(self.steps),
            "color": {"mode": "palette-classic" if self.kind in _BY_WORDS else "thresholds"},
            "mappings": _mappings(self.said, language),
            "custom": {**_CUSTOM[self.kind], **self.line},
            "links": [_link(self.link, language)] if self.link else [],
        }
        known = {"min": self.low, "max": self.high, "decimals": self.decimals}
        return said | {name: value for name, value in known.items() if value is not None}


_BY_WORDS = frozenset({Kind.LINES, Kind.STATES})
"""Coloured by series or by word. By thresholds Grafana would call a state by the thresholds around it."""

NEAREST_ZOOM = 15
"""A map that fits its sites goes no nearer: a kilometre is some 200 pixels."""

_OPTIONS: Mapping[Kind, Json] = {
    Kind.STAT: {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "auto",
    },
    Kind.LINES: {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "none"},
    },
    Kind.TABLE: {"showHeader": True, "footer": {"show": False, "reducer": ["sum"], "fields": ""}},
    Kind.STATES: {
        "mergeValues": True,
        "showValue": "auto",
        "alignValue": "left",
        "rowHeight": 0.8,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "single", "sort": "none"},
    },
    Kind.BARS: {"showHeader": False, "footer": {"show": False, "reducer": ["sum"], "fields": ""}},
    Kind.MAP: {
        "view": {"id": "fit", "allLayers": True, "lat": 0, "lon": 0, "zoom": NEAREST_ZOOM, "padding": 30},
        "basemap": {"type": "default", "name": "Layer 0", "config": {}},
        "controls": {"showZoom": True, "mouseWheelZoom": False, "showAttribution": True},
        "tooltip": {"mode": "details"},
        "layers": [],
    },
}


def markers(color: str, label: str) -> Json:
    """A map's layer: a marker at each row's `latitude` and `longitude`; fields that give colour and words."""
    return {
        "type": "markers",
        "name": "sites",
        "location": {"mode": "coords", "latitude": "latitude", "longitude": "longitude"},
        "tooltip": True,
        "config": {
            "showLegend": False,
            "style": {
                "color": {"field": color, "fixed": "text"},
                "opacity": 0.8,
                "size": {"fixed": 8, "min": 2, "max": 15},
                "symbol": {"mode": "fixed", "fixed": "img/icons/marker/circle.svg"},
                "text": {"mode": "field", "field": label, "fixed": ""},
                "textConfig": {
                    "fontSize": 12,
                    "offsetX": 0,
                    "offsetY": -16,
                    "textAlign": "center",
                    "textBaseline": "middle",
                },
            },
        },
    }


GAP_MS = 15 * 60 * 1000
"""A line goes on over a gap that is shorter: wind turbines tell every ten minutes."""

_CUSTOM: Mapping[Kind, Json] = {
    Kind.STAT: {},
    Kind.LINES: {"lineWidth": 1, "fillOpacity": 0, "showPoints": "auto", "spanNulls": GAP_MS},
    Kind.TABLE: {"align": "auto", "displayMode": "auto", "inspect": True, "minWidth": 70},
    Kind.STATES: {"lineWidth": 0, "fillOpacity": 70, "spanNulls": False},
    Kind.BARS: {"align": "auto", "displayMode": "auto", "inspect": False},
    Kind.MAP: {},
}

_BAR: Json = {
    "matcher": {"id": "byType", "options": "number"},
    "properties": [
        {"id": "custom.displayMode", "value": "basic"},
        {"id": "custom.width", "value": 180},  # the names have the rest
    ],
}


def _target(query: Query, place: int, language: Language) -> Json:
    return {
        "refId": chr(ord("A") + place),
        "datasource": DATA_SOURCE,
        "editorMode": "code",
        "format": "time_series" if query.over_time else "table",
        "rawQuery": True,
        "rawSql": query.sql.replace("{lang}", language),
    }


def _thresholds(steps: Sequence[Step]) -> Json:
    return {"mode": "absolute", "steps": [{"color": step.color, "value": step.value} for step in steps]}


def _mappings(said: Sequence[Said], language: Language) -> list[Json]:
    if not said:
        return []
    options = {
        each.value: {"index": place, "text": each.text.of(language), "color": each.color}
        for place, each in enumerate(said)
    }
    return [{"type": "value", "options": options}]


def _link(link: Link, language: Language) -> Json:
    return {
        "title": link.title.of(language),
        "url": link.url.replace("{lang}", language),
        "targetBlank": False,
    }


def _override(column: Column, kind: Kind, language: Language) -> Json:
    said: dict[str, Any] = {"displayName": column.title.of(language)}
    if column.unit:
        said["unit"] = column.unit
    if column.steps:
        said["thresholds"] = _thresholds(column.steps)
    if column.said:
        said["mappings"] = _mappings(column.said, language)
    if column.link:
        said["links"] = [_link(column.link, language)]
    if column.width:
        said["custom.width"] = column.width
    if column.color:
        said["color"] = {"mode": "fixed", "fixedColor": column.color}
    if kind is Kind.TABLE:
        said |= _cell(column, language)
    said |= {f"custom.{name}": value for name, value in column.line.items()}
    return {
        "matcher": {"id": "byName", "options": column.name},
        "properties": [{"id": name, "value": value} for name, value in said.items()],
    }


def _cell(column: Column, language: Language) -> Json:
    said: Json = {"noValue": column.empty.of(language)}
    if column.hidden:
        said["custom.hidden"] = True
    if column.steps or column.said:
        said |= {"custom.displayMode": "color-text", "color": {"mode": "thresholds"}}
    if column.said:
        said["custom.align"] = "left"  # words, though the code is a number
    return said
