"""Alert rules are whole in both languages and need nothing that an alert has not."""

import re

import pytest

from dashboards.alerts.rule import Rule
from dashboards.alerts.rules import rules
from dashboards.source import UID

EVERY = rules(disk_gb=100)


def test_uids_are_grafanas_and_no_two_are_one() -> None:
    uids = [rule.uid for rule in EVERY]
    assert len(set(uids)) == len(uids)
    assert all(re.fullmatch(r"[a-z-]{1,40}", uid) for uid in uids)


@pytest.mark.parametrize("rule", EVERY, ids=lambda rule: rule.key)
def test_a_rule_is_whole(rule: Rule) -> None:
    made = rule.json()
    query, threshold = made["data"]
    assert query["datasourceUid"] == UID
    assert "$" not in query["model"]["rawSql"]  # alerts know no variable, and a macro would look at a range
    assert threshold["model"]["expression"] == query["refId"]
    assert made["condition"] == threshold["refId"]
    for name in ("summary", "description"):
        assert re.search(r"[\u4e00-\u9fff]", made["annotations"][f"{name}_zh"])
        assert not re.search(r"[\u4e00-\u9fff]", made["annotations"][name])
    assert re.fullmatch(r"\d+[mh]", made["for"])
