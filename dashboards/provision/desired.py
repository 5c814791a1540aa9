"""What an organisation is to hold: data source, folders by language, dashboards, alert rules, preferences."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from dashboards.alerts.files import FOLDER_UID, GROUP
from dashboards.alerts.rule import Rule
from dashboards.alerts.rules import rules
from dashboards.board import Audience, Dashboard
from dashboards.boards.asset import board_of
from dashboards.catalog import catalog
from dashboards.files import FOLDERS
from dashboards.provision.port import Json, Kind
from dashboards.source import UID
from dashboards.text import Language
from fleet.asset import EquipmentType

_UID = re.compile(r"[a-zA-Z0-9_-]{1,40}")
"""What Grafana takes for one."""

VIEWERS_VIEW: Json = {"items": [{"role": "Editor", "permission": 1}, {"role": "Viewer", "permission": 1}]}
"""Permissions of a folder. Administrators may do everything anyhow."""

LANGUAGES = {Language.EN: "en-US", Language.ZH: "zh-Hans"}
"""As Grafana calls them."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is to be there."""

    kind: Kind
    uid: str
    spec: Json


def boards_for(audience: Audience, equipment_types: Collection[EquipmentType]) -> tuple[Dashboard, ...]:
    """The dashboards of an audience, and one for the machines of each of these types.

    A type whose name cannot stand in a uid has none.
    """
    shared = [board for board in catalog() if board.equipment_type is None]
    of_types = [board_of(kind) for kind in equipment_types]
    named = [board for board in of_types if _UID.fullmatch(board.uid(Language.EN))]
    return tuple(board for board in (*shared, *named) if audience in board.audience)


def desired(
    audience: Audience, language: Language, equipment_types: Collection[EquipmentType], source: Json
) -> tuple[Item, ...]:
    """Everything, in the order in which one needs the other. `source`: `dashboards.source.connection`."""
    boards = boards_for(audience, equipment_types)
    (home,) = (board for board in boards if board.home_of is audience)
    return (
        Item(Kind.DATA_SOURCE, UID, source),
        *(Item(Kind.FOLDER, folder(each), {"title": FOLDERS[each]}) for each in Language),
        *(Item(Kind.PERMISSIONS, folder(each), VIEWERS_VIEW) for each in Language),
        *(_board(board, each) for each in Language for board in boards),
        *(_rule(each) for each in (rules() if audience is Audience.OPERATIONS else ())),
        Item(
            Kind.PREFERENCES,
            "organization",
            {"homeDashboardUID": home.uid(language), "language": LANGUAGES[language]},
        ),
    )


def folder(language: Language) -> str:
    """The uid of a language's folder."""
    return f"{UID}-{language}"


def _rule(rule: Rule) -> Item:
    plain = {name: value for name, value in rule.json().items() if name != "uid"}
    return Item(Kind.ALERT, rule.uid, plain | {"folderUID": FOLDER_UID, "ruleGroup": GROUP})


def _board(board: Dashboard, language: Language) -> Item:
    plain = {name: value for name, value in board.json(language).items() if name != "uid"}
    return Item(Kind.DASHBOARD, board.uid(language), {"folder": folder(language), "dashboard": plain})
