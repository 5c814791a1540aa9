"""Alert rules as a file that Grafana reads when it starts, and as the body for its provisioning API."""

import json
from collections.abc import Iterator, Sequence

from dashboards.alerts.rule import Rule
from dashboards.source import UID
from dashboards.text import Language

GROUP = "faultline-operations"

FOLDER_UID = f"{UID}-{Language.EN}"

FOLDER = "Faultline alerts 告警"
"""Of rules from files. Grafana makes it before it reads the dashboards, under a uid of its own choice: in the
dashboards' folder they would not be found by ours."""

EVERY_S = 60


def alert_files(rules: Sequence[Rule]) -> Iterator[tuple[str, str]]:
    """Path and text of each.

    `alerting/` is of Grafana's provisioning folder (9.1 and later). `api/` is not: its file is the body of
    `PUT /api/v1/provisioning/folder/faultline-en/rule-groups/faultline-operations`.
    """
    group = {
        "orgId": 1,
        "name": GROUP,
        "folder": FOLDER,
        "interval": f"{EVERY_S}s",
        "rules": [rule.json() for rule in rules],
    }
    yield "alerting/faultline.yaml", _text({"apiVersion": 1, "groups": [group]})
    place = {"folderUID": FOLDER_UID, "ruleGroup": GROUP}
    body = {
        "title": GROUP,
        "folderUid": FOLDER_UID,
        "interval": EVERY_S,
        "rules": [rule.json() | place for rule in rules],
    }
    yield "api/rule-group.json", _text(body)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
