"""An alert rule as frozen data, and its JSON as Grafana 9.4 and later understand it."""

from dataclasses import dataclass
from enum import StrEnum

from dashboards.panel import DATA_SOURCE, Json
from dashboards.source import UID
from dashboards.text import Text

_EXPRESSION: Json = {"type": "__expr__", "uid": "__expr__"}

_RANGE = {"from": 600, "to": 0}
"""Seconds before now. The rules' SQL says itself how far it looks back; Grafana wants a range."""


class Severity(StrEnum):
    """How soon somebody has to look, for routing."""

    CRITICAL = "critical"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Rule:
    """Raised once a `value` of `sql` is above `above` for as long as `lasting`.

    key: ASCII, unique; the uid follows from it. sql: a row for each thing that can be wrong, without macros
    and variables: text columns that name the thing, then its `value`. todo: what to do first.
    """

    key: str
    title: Text
    about: Text
    todo: Text
    sql: str
    above: float
    lasting: str = "5m"
    severity: Severity = Severity.CRITICAL

    @property
    def uid(self) -> str:
        """The same in every Grafana."""
        return f"{UID}-al-{self.key}"

    def json(self) -> Json:
        """What files and API have in common. One rule speaks both languages: two would call people twice."""
        return {
            "uid": self.uid,
            "title": f"{self.title.en} · {self.title.zh}",
            "condition": "B",
            "data": [self._query(), self._threshold()],
            "noDataState": "OK",  # no row: nothing is wrong
            "execErrState": "Alerting",  # the database does not answer
            "for": self.lasting,
            "annotations": {
                "summary": self.about.en,
                "summary_zh": self.about.zh,
                "description": self.todo.en,
                "description_zh": self.todo.zh,
            },
            "labels": {"severity": self.severity.value, "source": UID},
        }

    def _query(self) -> Json:
        model = {
            "refId": "A",
            "datasource": DATA_SOURCE,
            "editorMode": "code",
            "format": "table",
            "rawQuery": True,
            "rawSql": self.sql,
            "intervalMs": 60_000,
            "maxDataPoints": 1000,
        }
        return {"refId": "A", "relativeTimeRange": _RANGE, "datasourceUid": UID, "model": model}

    def _threshold(self) -> Json:
        model = {
            "refId": "B",
            "datasource": _EXPRESSION,
            "type": "threshold",
            "expression": "A",
            "conditions": [{"evaluator": {"type": "gt", "params": [self.above]}}],
        }
        return {"refId": "B", "relativeTimeRange": _RANGE, "datasourceUid": "__expr__", "model": model}
