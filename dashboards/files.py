"""Dashboards and their data source as files that Grafana reads when it starts, for sites without its API.

Grafana: "Provision Grafana", data sources and dashboards; `$NAME` in a file is the environment's.
"""

import json
from collections.abc import Iterator, Sequence

from dashboards.board import Dashboard
from dashboards.source import UID, connection
from dashboards.text import Language

PASSWORD = "FAULTLINE_GRAFANA_PASSWORD"  # noqa: S105 - the variable's name
"""The environment variable of Grafana's process that holds the login's password."""

FOLDER = "GF_PATHS_PROVISIONING"
"""The environment variable that tells Grafana where the files are."""

FOLDERS = {Language.EN: "Faultline", Language.ZH: "Faultline zh 中文"}
"""Titles. Grafana tells them apart by their ASCII alone."""

_EMPTY = ("plugins", "notifiers", "alerting")
"""Folders that Grafana misses with an error in its log, among which its real ones are not seen."""


def files(
    boards: Sequence[Dashboard], host: str, port: int, database: str, role: str
) -> Iterator[tuple[str, str]]:
    """Path and text of each file, below the folder that Grafana's `provisioning` setting names.

    The YAML files are JSON, which YAML contains.
    """
    source = connection(host, port, database, role) | {
        "uid": UID,
        "editable": False,
        "secureJsonData": {"password": f"${PASSWORD}"},
    }
    yield "datasources/faultline.yaml", _text({"apiVersion": 1, "datasources": [source]})
    yield (
        "dashboards/faultline.yaml",
        _text({"apiVersion": 1, "providers": [_provider(each) for each in Language]}),
    )
    for name in _EMPTY:
        yield f"{name}/faultline.yaml", _text({"apiVersion": 1})
    for language in Language:
        for board in boards:
            path = f"dashboards/faultline/{language}/{board.uid(language)}.json"
            yield path, _text(board.json(language))


def _provider(language: Language) -> dict[str, object]:
    return {
        "name": f"faultline-{language}",
        "folder": FOLDERS[language],
        "folderUid": f"faultline-{language}",
        "type": "file",
        "disableDeletion": False,
        "allowUiUpdates": False,
        "options": {"path": f"${FOLDER}/dashboards/faultline/{language}"},
    }


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
