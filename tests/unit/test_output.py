"""What is printed is what is there, whatever brackets it holds."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console

from console.output import print_table, tell
from console.report import print_summary
from console.summary import Episode, Intake, Machine, State, Summary, Text

BRACKETS = ["[null,1.5]", "[/x]", "[bold]", "[a][/a]", "C:\\", "\\[x]"]


def test_a_table_shows_its_cells_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("letters", ["value"], [(text,) for text in BRACKETS])
    shown = capsys.readouterr().out
    assert [text for text in BRACKETS if text not in shown] == []


def test_progress_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    for text in BRACKETS:
        tell(text)
    assert capsys.readouterr().err.splitlines() == BRACKETS


def test_the_summary_shows_titles_of_the_fleet_file_as_they_are() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    title = Text("motor [kw] [/x]", "")
    episode = Episode("machine", at, None, at, 5.0, title, title, (title,), ())
    machine = Machine("acme", "hall", "p1", "", title, State.ODD, at, 50.0, (episode,), ())
    shown = StringIO()
    print_summary(
        Summary(at, Intake(0, 0, 0, 0, 0, {}, None, None), (machine,)), Console(file=shown, width=200)
    )
    assert shown.getvalue().count(title.en) == 3
