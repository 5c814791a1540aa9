"""The dashboards keep to the rules, and each rule catches what it is for."""

from dataclasses import replace

import pytest

from dashboards import scales
from dashboards.board import Dashboard, Row, Variable
from dashboards.catalog import catalog
from dashboards.linter import faults
from dashboards.panel import Column, Kind, Link, Panel, Query, Step, markers
from dashboards.text import Text
from forecasting.contract import Verdict

WORD = Text("word", "词")
PANEL = Panel("one", Kind.STAT, WORD, Text("what it is", "说明"), (Query("select 1"),), 12)
BOARD = Dashboard("XX", WORD, (Row(4, (PANEL,)),))


def with_panel(**changes: object) -> Dashboard:
    return replace(BOARD, rows=(Row(4, (replace(PANEL, **changes),)),))  # type: ignore[arg-type]


def test_the_dashboards_keep_to_the_rules() -> None:
    assert {board.code.split("-")[0] for board in catalog()} >= {"FL", "TR", "AD", "CU", "US"}
    assert faults(catalog()) == []


def test_a_board_of_our_own_is_sound() -> None:
    assert faults([BOARD]) == []


MUTE = markers("state", "label")
MUTE["config"]["style"]["text"]["mode"] = "fixed"
TWICE = Row(4, (PANEL, PANEL))
WRONG = {
    "there 2 times": [BOARD, BOARD],
    "panel id": [replace(BOARD, rows=(TWICE,))],
    "does not fit": [with_panel(width=25)],
    "more than 12 panels": [
        replace(BOARD, rows=tuple(Row(1, (replace(PANEL, key=str(k)),)) for k in range(13)))
    ],
    "does not begin with a code": [replace(BOARD, code="x x")],
    "a uid has": [replace(BOARD, code="X" * 40)],
    "no unit": [with_panel(unit="furlong")],
    "do not ascend": [with_panel(steps=(Step(None, "text"), Step(3, "red"), Step(2, "red")))],
    "from a base": [with_panel(steps=(Step(1, "red"),))],
    "Grafana's names": [with_panel(steps=(Step(None, "#ff0000"),))],
    "its text for no data": [with_panel(kind=Kind.LINES, decimals=0)],
    "Grafana's names, for both": [with_panel(columns=(Column("a", WORD, color="pink"),))],
    "no Chinese": [with_panel(about=Text("what", "what"))],
    "Chinese in the English": [with_panel(about=Text("说明", "说明"))],
    "not quoted": [with_panel(queries=(Query("select $asset"),))],
    "is not quoted": [with_panel(queries=(Query("select ${asset}"),))],
    "by its colour alone": [with_panel(kind=Kind.MAP, options={"layers": [MUTE]})],
    "no variable": [with_panel(queries=(Query("select ${asset:sqlstring}"),))],
    "leads nowhere": [with_panel(link=Link(WORD, "/d/faultline-nowhere-{lang}"))],
    "loses the time range": [with_panel(link=Link(WORD, "/d/faultline-xx-{lang}?var-a=1"))],
}


@pytest.mark.parametrize("what", WRONG)
def test_each_rule_catches_what_it_is_for(what: str) -> None:
    found = faults(WRONG[what])
    assert any(what in said for said in found), found


def test_a_column_is_looked_at_too() -> None:
    column = Column("a", WORD, unit="furlong")
    assert any("no unit" in said for said in faults([with_panel(columns=(column,))]))


def test_a_known_variable_in_quotes_is_fine() -> None:
    board = replace(
        with_panel(queries=(Query("select ${asset:sqlstring}"),)),
        variables=(Variable("asset", WORD, "select 1"),),
    )
    assert faults([board]) == []


def test_ids_follow_from_keys_wherever_a_panel_stands() -> None:
    moved = replace(BOARD, rows=(Row(2, (replace(PANEL, key="two"),)), Row(4, (PANEL,))))
    assert moved.panels()[1].number == PANEL.number


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_on_remaining_life_is_put_into_words(verdict: Verdict) -> None:
    assert f"when '{verdict}' then" in scales.LEFT_IN_WORDS
