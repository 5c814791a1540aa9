"""A dashboard as frozen data: rows of panels, variables, annotations, and its JSON in a language."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from dashboards.panel import DATA_SOURCE, Json, Panel
from dashboards.text import Language, Text

SCHEMA_VERSION = 37
"""Of Grafana 9.4; later versions migrate upwards when they load it, none downwards."""

TAG = "faultline"
"""On every dashboard that is ours: nothing without it is ever changed or deleted."""

WIDTH = 24


class Audience(StrEnum):
    """Who looks, by the kind of their access to the database (`storage/access`)."""

    CUSTOMER = "customer"
    TECHNICIAN = "technician"
    MAKER = "maker"
    OPERATIONS = "operations"


OF_MACHINES = (Audience.CUSTOMER, Audience.TECHNICIAN, Audience.MAKER)
"""Who sees machines: the others see how the platform works."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the top, filled by SQL: columns `__text` and `__value`, or one column for both."""

    name: str
    title: Text
    sql: str
    several: bool = False
    """More than one may be chosen, and "all" is at first."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """Marks over time by SQL: columns `time`, `timeend`, `text`, `tags`."""

    name: Text
    sql: str
    color: str


@dataclass(frozen=True, slots=True)
class Row:
    """Panels side by side, `height` units of 30 pixels high."""

    height: int
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard. code: two capitals and a name in ASCII, in uid and title.

    The title begins with the code: of a title Grafana makes a slug from its ASCII alone, and two dashboards
    of a folder with one slug are one to it.
    """

    code: str
    title: Text
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    since: str = "now-7d"
    refresh: str = "1m"
    audience: tuple[Audience, ...] = OF_MACHINES
    home_of: Audience | None = None
    """Who sees it first."""
    equipment_type: str | None = None
    """Whose machines it shows, one at a time; None: it is about more than one machine."""

    def uid(self, language: Language) -> str:
        """The same in every organisation."""
        return f"{TAG}-{self.code.lower()}-{language}"

    def panels(self) -> tuple[Panel, ...]:
        """All of them, from the top left."""
        return tuple(panel for row in self.rows for panel in row.panels)

    def json(self, language: Language) -> Json:
        """What Grafana stores, but for its own `id` and `version`."""
        return {
            "uid": self.uid(language),
            "title": f"{self.code} · {self.title.of(language)}",
            "tags": [TAG, f"{TAG}-{language}"],
            "schemaVersion": SCHEMA_VERSION,
            "editable": False,
            "graphTooltip": 1,
            "refresh": self.refresh,
            "timezone": "browser",
            "time": {"from": self.since, "to": "now"},
            "timepicker": {},
            "templating": {"list": [_variable(each, language) for each in self.variables]},
            "annotations": {"list": [_annotation(each, language) for each in self.annotations]},
            "links": [self._other(language)],
            "panels": self._placed(language),
        }

    def _placed(self, language: Language) -> list[Json]:
        found, y = [], 0
        for row in self.rows:
            x = 0
            for panel in row.panels:
                found.append(panel.json(language, x, y, row.height))
                x += panel.width
            y += row.height
        return found

    def _other(self, language: Language) -> Json:
        """The link to the same dashboard in the other language."""
        other = Language.ZH if language is Language.EN else Language.EN
        return {
            "type": "link",
            "title": _NAMES[other],
            "url": f"/d/{self.uid(other)}",
            "keepTime": True,
            "includeVars": True,
            "targetBlank": False,
            "asDropdown": False,
            "icon": "external link",
            "tags": [],
            "tooltip": "",
        }


_NAMES: Mapping[Language, str] = {Language.EN: "English", Language.ZH: "中文"}


def _variable(variable: Variable, language: Language) -> Json:
    return {
        "type": "query",
        "name": variable.name,
        "label": variable.title.of(language),
        "datasource": DATA_SOURCE,
        "definition": variable.sql.replace("{lang}", language),
        "query": variable.sql.replace("{lang}", language),
        "refresh": 1,
        "sort": 0,
        "regex": "",
        "hide": 0,
        "multi": variable.several,
        "includeAll": variable.several,
        "skipUrlSync": False,
        "options": [],
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]} if variable.several else {},
    }


def _annotation(annotation: Annotation, language: Language) -> Json:
    return {
        "name": annotation.name.of(language),
        "datasource": DATA_SOURCE,
        "enable": True,
        "hide": False,
        "iconColor": annotation.color,
        "target": {
            "refId": "annotation",
            "rawQuery": True,
            "format": "table",
            "rawSql": annotation.sql.replace("{lang}", language),
        },
    }
