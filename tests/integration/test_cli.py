"""The commands as people type them, on the embedded platform."""

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from console.cli import build, command_names, overview
from storage.bootstrap import WRITER
from storage.server.database import Database

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAULTLINE_DATA_DIR", str(data_root))
    monkeypatch.setenv("FAULTLINE_LOG_LEVEL", "error")

    def run(*words: str) -> Result:
        app = build([words[0]]) if words[0] in command_names() else overview()
        return CliRunner().invoke(app, words)

    return run


@pytest.mark.parametrize("command", command_names())
def test_every_command_explains_itself_with_an_example(run: Run, command: str) -> None:
    text = run(command, "--help").output
    assert "Usage:" in text
    if "Commands" not in text:
        assert "Example:" in text


def test_the_commands_are_those_of_the_handbook(run: Run) -> None:
    wanted = {
        "advice",
        "ahead",
        "backtest",
        "contracts",
        "demo",
        "serve",
        "worker",
        "replay",
        "simulate",
        "grafana",
        "stack",
        "tenants",
        "db",
        "assets",
        "deadletters",
        "maintenance",
        "map",
        "models",
        "outlook",
        "plan",
        "check",
        "waveform",
        "chaos",
        "bench",
    }
    assert set(command_names()) == wanted
    shown = run("--help").output
    assert "faultline demo" in shown
    assert all(re.search(rf"│ {name} +[A-Z]", shown) for name in wanted)


def test_help_comes_before_anything_is_imported() -> None:
    asked = "import sys; from console.cli import overview; overview(); sys.exit('fastapi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


def test_a_fleet_comes_in_is_simulated_and_looked_at(run: Run, tmp_path: Path) -> None:
    fleet = str(ROOT / "examples" / "fleet.toml")
    added = json.loads(run("assets", "add", fleet, "--json").stdout)
    wanted = len(tomllib.loads(Path(fleet).read_text())["asset"])
    assert added["assets"]["added"] == wanted
    assert "nothing new" in run("assets", "add", fleet).output
    assert len(json.loads(run("assets", "list", "--json").stdout)) == wanted

    sent = json.loads(run("simulate", "--days", "1", "--truth", "truth.json", "--json").stdout)
    assert sent["rows"] == 8 * 1440
    assert json.loads((tmp_path / "truth.json").read_text())[0]["mode"]

    lab = [
        "--fleet",
        str(ROOT / "examples" / "simulated-fleet.toml"),
        "--days",
        "0.1",
        "--truth",
        "truth.json",
    ]
    for faults, truth in (("random", 1), (str(ROOT / "examples" / "faults.toml"), 3), ("none", 0)):
        assert run("simulate", *lab, "--faults", faults).exit_code == 0
        assert len(json.loads((tmp_path / "truth.json").read_text())) == truth
    lost = run("simulate", "--faults", "nowhere.toml")
    assert lost.exit_code == 2
    assert "name a fault file, random or none" in lost.output

    checked = run("check", "--json")
    assert checked.exit_code == 0
    found = json.loads(checked.stdout)
    assert all(one["ok"] for one in found["checks"])
    sources = {one["name"]: one["source"] for one in found["settings"]}
    assert sources["data_dir"] == "environment FAULTLINE_DATA_DIR"
    assert json.loads(run("deadletters", "list", "--json").stdout) == []
    assert all(one["applied_at"] for one in json.loads(run("db", "status", "--json").stdout))
    key = run("assets", "key", "harbour", "--scope", "read").stdout.strip()
    assert key.startswith("flt_")


def test_dead_letters_are_sent_again_once_their_machine_is_known(run: Run, tmp_path: Path) -> None:
    header = "datetime;Accelerometer1RMS;Accelerometer2RMS;Current;Pressure;Temperature;Thermocouple;Voltage"
    rows = [f"2020-03-09 10:00:{s:02};0.1;0.1;1;{s};70;25;230;32" for s in range(40)]
    file = tmp_path / "7.csv"
    file.write_text("\n".join([f"{header};Volume Flow RateRMS", *rows]))
    run("assets", "add", str(ROOT / "examples" / "fleet.toml"))
    send = ("replay", str(file), "--map", "skab", "--tenant", "harbour", "--json")
    assert json.loads(run(*send, "--known-only").stdout)["frames"] == 1
    (letter,) = json.loads(run("deadletters", "list", "--json").stdout)
    assert letter["reason"] == "unknown_asset"
    assert f"{letter['id']}" in run("deadletters", "show", str(letter["id"])).output
    assert json.loads(run(*send, "--resume").stdout)["skipped"] == 1  # registers the machine, sends nothing
    assert json.loads(run("deadletters", "replay", "--json").stdout) == {"sent": 1, "cut": []}
    (letter,) = json.loads(run("deadletters", "list", "--json").stdout)
    assert letter["replayed_at"]
    assert json.loads(run("deadletters", "replay", "--json").stdout) == {"sent": 0, "cut": []}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("assets", "list", "--tenant", "nobody"), "no tenant 'nobody'"),
        (("assets", "key", "nobody"), "faultline assets add"),
        (("deadletters", "show", "17"), "faultline deadletters list"),
        (("outlook", "nobody/t1"), "faultline assets list"),
        (("outlook", "northgrid/t1", "--load", "1.1"), "say it as 110%"),
        (("replay", "some.csv"), "fits no shipped map"),
        (("replay", "some.csv", "--map", "nonsense"), "skab"),
        (("worker",), "set kafka"),
        (("assets", "add", "some.csv"), "some.csv"),
    ],
)
def test_errors_name_the_cure(run: Run, tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    (tmp_path / "some.csv").write_text("a,b\n1,2\n")
    done = run(*words)
    assert done.exit_code != 0
    told = " ".join(f"{done.output} {done.stderr} {done.exception}".split())
    assert says in told


def test_without_a_broker_people_get_one_line_that_names_the_cure(
    plain_database: Database, tmp_path: Path, free_port: int
) -> None:
    environment = {
        "FAULTLINE_KAFKA": f"127.0.0.1:{free_port}",
        "FAULTLINE_DATABASE": plain_database.dsn(WRITER),
        "FAULTLINE_DATA_DIR": str(tmp_path),
    }
    command = [sys.executable, "-c", "from console.cli import main; main()", "simulate", "--days", "0.1"]
    done = subprocess.run(
        command, env=os.environ | environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"error: Kafka at 127.0.0.1:{free_port}" in done.stderr
    assert "faultline stack up" in done.stderr
    assert "Traceback" not in done.stderr


def test_bad_settings_name_the_setting_and_its_place(run: Run, tmp_path: Path) -> None:
    (tmp_path / "faultline.toml").write_text("partitions = 0\ncolour = 1\n")
    told = str(run("check").exception)
    assert "partitions" in told
    assert "colour" in told
    assert "faultline.toml" in told


def test_a_file_is_overruled_by_the_environment(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "faultline.toml").write_text(
        'partitions = 3\ndatabase = "host=127.0.0.1 port=1 password=x"\n'
    )
    monkeypatch.setenv("FAULTLINE_PARTITIONS", "4")
    done = run("check", "--json")
    assert done.exit_code == 1
    settings = {one["name"]: one for one in json.loads(done.stdout)["settings"]}
    assert settings["partitions"]["value"] == "4"
    shown = "host=127.0.0.1 port=1"
    assert settings["database"] == {"name": "database", "value": shown, "source": "faultline.toml"}
    assert "password=x" not in done.output


def test_the_demo_tells_what_it_found_and_leaves_nothing_behind(
    run: Run, tmp_path: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(data_root))
    done = run("demo", "--days", "1", "--report", "report.html")
    assert done.exit_code == 0, done.output
    assert "lift-a" in done.output
    page = (tmp_path / "report.html").read_text()
    assert page.count("<svg") == 8
    assert not re.findall(r'(?:src|href)="(?!#)', page)
    assert "设备状态报告" in page
    assert list(data_root.iterdir()) == []
