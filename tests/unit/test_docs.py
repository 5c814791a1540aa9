"""What the handbook tells people to type exists, and so does every page it points to."""

import doctest
import re
from pathlib import Path

import pytest
import typer

from console.cli import build, command_names
from fleet.catalog import packs
from forecasting.wear.catalog import catalog

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def commands() -> dict[str, object]:
    """Every command and subcommand, as words, with its click object."""
    root = typer.main.get_command(build(command_names()))
    found: dict[str, object] = {}
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        found[name] = command
        for inner, subcommand in getattr(command, "commands", {}).items():
            found[f"{name} {inner}"] = subcommand
    return found


def typed(text: str) -> list[str]:
    """Everything after `faultline` in code spans and code blocks."""
    spans = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text)
    return re.findall(r"(?:^|\s)faultline ((?:[a-z-]+ ?)[^\n]*)", "\n".join(spans))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_in_the_page_exists(page: Path) -> None:
    known = commands()
    for line in typed(page.read_text()):
        first, *rest = line.replace("|", " ").replace("(", " ").split()
        if first not in known:
            pytest.fail(f"{page.name} tells people to type `faultline {line}`")
        group = hasattr(known[first], "commands")
        name = f"{first} {rest[0]}" if group and rest else first
        assert name in known, f"{page.name} tells people to type `faultline {line}`"
        options = {option for param in known[name].params for option in param.opts}  # type: ignore[attr-defined]
        for option in re.findall(r"(?<!\S)--[a-z-]+", line):
            assert option in options | {"--help"}, f"{page.name}: faultline {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_and_file_it_points_to_exists(page: Path) -> None:
    for name in re.findall(
        r"`((?:docs|tests|examples|console|streams|storage|fleet|detectors|forecasting)/[\w./-]+)`",
        page.read_text(),
    ):
        path = ROOT / name
        assert path.exists() or path.with_suffix(".py").exists(), f"{page.name} points to {name}"


def test_the_make_targets_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        assert set(re.findall(r"`?make ([a-z]+)", page.read_text())) <= targets | {"it", "sure"}, page.name


def test_the_examples_of_the_wear_models_run() -> None:
    page = ROOT / "docs" / "wear-models.md"
    found = doctest.testfile(str(page), module_relative=False)
    assert found.attempted > 5
    assert not found.failed


def test_every_rating_is_in_the_table() -> None:
    page = (ROOT / "docs" / "wear-models.md").read_text()
    rows = {
        row[1]: row
        for row in re.findall(r"^\| ([a-z-]+) \| `([a-z-]+)` \| (.*) \| (.*) \|$", page, re.MULTILINE)
    }
    for kind, pack in packs().items():
        for one in (each for each in pack.modelled if each.ratings):
            of, _, needed, others = rows.pop(one.name)
            assert of == kind
            for rating in one.ratings:
                family = re.sub(r"\d$", "", rating.name)
                assert f"`{family}" in (needed if rating.needed else others), rating.name
    assert not rows


def test_every_wear_model_is_in_the_table() -> None:
    page = (ROOT / "docs" / "wear-models.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == catalog().keys()
