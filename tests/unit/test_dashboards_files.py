"""What Grafana reads when it starts."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from console.cli import build
from dashboards.alerts.files import FOLDER
from dashboards.alerts.rules import rules
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
        assert found == {
            f"faultline-{board.code.lower()}-{language}" for board in catalog() if board.code != "OP"
        }
    assert "acme.pgpass" not in "".join(path.read_text() for path in tmp_path.rglob("*.*"))


@pytest.mark.parametrize("words", [(), ("--operations",)])
def test_no_folder_is_missing_that_grafana_looks_into(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert export(tmp_path, *words).exit_code == 0
    for name in ("datasources", "plugins", "notifiers", "alerting", "dashboards"):
        assert json.loads((tmp_path / name / "faultline.yaml").read_text())["apiVersion"] == 1


@pytest.mark.parametrize("language", Language)
def test_no_two_names_are_one_to_grafana(language: Language) -> None:
    titles = [FOLDER, *FOLDERS.values(), *(str(board.json(language)["title"]) for board in catalog())]
    assert len(set(map(slug, titles))) == len(titles)


def test_types_can_be_chosen(tmp_path: Path) -> None:
    assert export(tmp_path, "--type", "elevator").exit_code == 0
    names = {path.stem for path in tmp_path.rglob("faultline-ad-*.json")}
    assert names == {"faultline-ad-elevator-en", "faultline-ad-elevator-zh"}


def test_who_runs_the_platform_gets_its_board_and_alerts(tmp_path: Path) -> None:
    assert export(tmp_path, "--operations", "--disk-gb", "500").exit_code == 0
    boards = {path.stem for path in (tmp_path / "dashboards").rglob("*.json")}
    assert boards == {"faultline-op-en", "faultline-op-zh"}
    (group,) = json.loads((tmp_path / "alerting" / "faultline.yaml").read_text())["groups"]
    body = json.loads((tmp_path / "api" / "rule-group.json").read_text())
    assert [rule["uid"] for rule in group["rules"]] == [rule.uid for rule in rules(500)]
    assert [rule["uid"] for rule in body["rules"]] == [rule.uid for rule in rules(500)]
    assert {rule["folderUID"] for rule in body["rules"]} == {body["folderUid"]} == {"faultline-en"}


def test_without_the_size_of_the_disk_there_is_no_alert_about_it(tmp_path: Path) -> None:
    assert export(tmp_path, "--operations").exit_code == 0
    assert "faultline-al-disk" not in (tmp_path / "alerting" / "faultline.yaml").read_text()


@pytest.mark.parametrize(
    ("words", "login", "cure"),
    [
        (("--disk-gb", "9"), LOGIN, "give both"),
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
