"""What the report makes of limits, episodes and sensor faults: what comes first, and in which words."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from console.report import html
from console.summary import (
    URGENCY_TEXT,
    Episode,
    Intake,
    Likely,
    Machine,
    Outlook,
    State,
    Summary,
    Text,
    state_of,
)
from fleet.advice import Advice, Confidence
from fleet.sign import Urgency

AT = datetime(2026, 3, 1, tzinfo=UTC)
BASIS = "Judged by its own normal", "依据本机自身的正常水平判定"
NOTHING = Intake(0, 0, 0, 0, 0, {}, None, None)
FORCE = "Force at 31 kN is above the limit of 25 kN (ISO 1)", "压力达到 31 kN，高于限值 25 kN（ISO 1）"


def episode(kind: str, on: bool = True, peak_score: float = 0.0) -> Episode:
    title, check = Text(f"{kind} title", f"{kind}标题"), Text(f"{kind} check", f"{kind}检查")
    basis = Text(*BASIS) if kind == "machine" else None
    return Episode(
        kind, AT, None if on else AT, AT, peak_score, title, check, (Text(*FORCE),), ("force",), basis
    )


def machine(*episodes: Episode) -> Machine:
    kind = Text("Press", "压力机")
    return Machine("acme", "hall", "p1", "", kind, state_of(episodes), AT, 50.0, episodes, ())


@pytest.mark.parametrize(
    ("episodes", "state", "worst"),
    [
        ([episode("machine", peak_score=9.0), episode("limit"), episode("event")], State.REPORTED, "event"),
        ([episode("machine", peak_score=9.0), episode("event", on=False)], State.ODD, "machine"),
        ([episode("machine", peak_score=9.0), episode("limit"), episode("sensor")], State.LIMIT, "machine"),
        ([episode("machine", on=False, peak_score=9.0), episode("limit")], State.LIMIT, "limit"),
        ([episode("machine", peak_score=9.0), episode("limit", on=False)], State.ODD, "machine"),
        ([episode("sensor"), episode("limit", on=False)], State.SENSOR, "sensor"),
        ([episode("limit", on=False), episode("sensor", on=False)], State.WAS_ODD, "limit"),
        ([episode("shift", on=False), episode("sensor", on=False)], State.WAS_ODD, "sensor"),
        ([episode("shift", on=False)], State.FINE, "shift"),
    ],
)
def test_a_limit_says_how_a_machine_is_and_a_diagnosis_says_why(
    episodes: list[Episode], state: State, worst: str
) -> None:
    assert state_of(episodes) == state
    assert (machine(*episodes).worst or episodes[0]).kind == worst


def test_a_forecast_from_before_a_repair_gives_no_date() -> None:
    said = Outlook(
        "condition", Text("condition", "状态"), AT, "estimate", None, None, None, "trend", "trend-1", True
    )
    repaired = replace(machine(), outlooks=(said,))
    assert repaired.soonest is None
    page = html(Summary(AT, NOTHING, (repaired,)))
    assert page.count("repaired since; the next forecast follows") == 2  # in the overview, and on its own


def test_a_machine_at_its_limit_says_so_in_both_languages() -> None:
    said = Outlook(
        "condition", Text("condition", "状态"), AT, "estimate", 0.0, 0.0, 0.0, "the limit", "trend-1", False
    )
    page = html(Summary(AT, NOTHING, (replace(machine(), outlooks=(said,)),)))
    assert "at its limit, 0 h left" in page
    assert "已达限值，剩余 0 小时" in page


def test_a_machine_without_an_episode_is_fine() -> None:
    assert state_of([]) == State.FINE


def test_the_page_says_which_rating_a_machine_lacks() -> None:
    lacking = replace(machine(), lacking={"brake": ("brake_b10d",)}, assumed=(Text("as rated", "按额定值"),))
    page = html(Summary(AT, NOTHING, (lacking,)))
    for words in (
        "No counter",
        "无计数器",
        "brake: ",
        "the fleet file does not say",
        "brake_b10d",
        "as rated",
        "按额定值",
    ):
        assert words in page
    assert "No counter" not in html(Summary(AT, NOTHING, (machine(),)))


def test_the_page_says_in_both_languages_which_limit_is_passed_and_what_to_look_at() -> None:
    page = html(Summary(AT, NOTHING, (machine(episode("limit")),)))
    for words in (
        *FORCE,
        "limit title",
        "limit标题",
        "limit check",
        "limit检查",
        "beyond a limit",
        "超出限值",
    ):
        assert words in page
    assert '<td class="state limit">' in page
    assert '<b>1</b><span lang="en">beyond a limit</span>' in page
    assert "peak score" not in page  # a limit has none
    assert BASIS[0] not in page


def test_the_page_says_in_both_languages_by_what_a_machine_was_judged() -> None:
    page = html(Summary(AT, NOTHING, (machine(episode("machine")),)))
    assert all(words in page for words in BASIS)


def test_the_page_ranks_what_an_episode_may_come_from_with_reasons_parts_and_urgency() -> None:
    likely = Likely(
        Text("Seal leaks", "密封泄漏"),
        0.84,
        "ELU",
        URGENCY_TEXT[Urgency.DAYS],
        Text("Look at the seal.", "检查密封。"),
        Text("Seal kit.", "密封套件。"),
        (Text("Force is down", "压力下降"),),
        (Text("Stroke shows little", "行程无明显变化"),),
    )
    page = html(Summary(AT, NOTHING, (machine(replace(episode("machine"), modes=(likely,))),)))
    for words in (
        *("Seal leaks", "密封泄漏", "84 %", "ISO 14224 ELU", "within days", "数日内检查", "检查密封。"),
        *("Seal kit.", "密封套件。"),
        '<span class="for"><span lang="en">Force is down',
        '<span class="against"><span lang="en">Stroke shows little',
    ):
        assert words in page
    assert "what could be saved" not in page
    assert "may come from" not in html(Summary(AT, NOTHING, (machine(episode("machine")),)))


def test_the_page_says_what_could_be_saved_and_what_came_true() -> None:
    sleep = Advice(
        "off",
        "Switch it off",
        "关闭",
        1234.0,
        "kWh",
        Confidence.MEDIUM,
        "At rest",
        "待机",
        2000.0,
        766.0,
    )
    page = html(Summary(AT, NOTHING, (replace(machine(), advice=(sleep,)),)))
    for words in ("Switch it off", "关闭", "1,234 kWh", "medium confidence", "可信度中", "766 / 2,000"):
        assert words in page
