"""What Grafana reads when it starts."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from console.cli import build
from dashboards.catalog import catalog
from dashboards.files import FOLDERS
from dashboards.text import Language
from tests.grafana_fake import slug

LOGIN = "host=db.example port=5433 user=a1_2 dbname=faultline passfile=acme.pgpass"


def export(folder: Path, *words: str, login: str = LOGIN) -> Result:
    return CliRunner().invoke(
        build(["grafana"]), ["grafana", "export", str(folder), "--login", login, *words]
    )


def test_each_dashboard_is_there_in_both_languages_and_the_password_is_not(tmp_path: Path) -> None:
    assert export(tmp_path).exit_code == 0
    source = json.loads((tmp_path / "datasources" / "faultline.yaml").read_text())["datasources"][0]
    assert (source["url"], source["user"]) == ("db.example:5433", "a1_2")
    assert source["jsonData"]["sslmode"] == "verify-full"
    assert source["secureJsonData"] == {"password": "$FAULTLINE_GRAFANA_PASSWORD"}
    for language in ("en", "zh"):
        found = {path.stem for path in (tmp_path / "dashboards" / "faultline" / language).glob("*.json")}
        assert found == {f"faultline-{board.code.lower()}-{language}" for board in catalog()}
    assert "acme.pgpass" not in "".join(path.read_text() for path in tmp_path.rglob("*.*"))


@pytest.mark.parametrize("language", Language)
def test_no_two_names_are_one_to_grafana(language: Language) -> None:
    titles = [*FOLDERS.values(), *(str(board.json(language)["title"]) for board in catalog())]
    assert len(set(map(slug, titles))) == len(titles)


def test_types_can_be_chosen(tmp_path: Path) -> None:
    assert export(tmp_path, "--type", "elevator").exit_code == 0
    names = {path.stem for path in tmp_path.rglob("faultline-ad-*.json")}
    assert names == {"faultline-ad-elevator-en", "faultline-ad-elevator-zh"}


@pytest.mark.parametrize(
    ("words", "login", "cure"),
    [
        (("--type", "boat"), LOGIN, "there are crane, elevator"),
        ((), "host=db", "names no user"),
        ((), "what=ever", "libpq cannot read the login"),
    ],
)
def test_what_cannot_be_used_is_said_with_the_cure(
    tmp_path: Path, words: tuple[str, ...], login: str, cure: str
) -> None:
    done = export(tmp_path, *words, login=login)
    assert done.exit_code == 2
    assert cure in done.stderr
    assert list(tmp_path.iterdir()) == []
