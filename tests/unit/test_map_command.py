"""`faultline map` shows what would be stored, without a database."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from console.cli import build
from tests.contract.mapper_samples import SAMPLES


def ran(*words: str) -> Result:
    return CliRunner().invoke(build(["map"]), ["map", *words])


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, name: str) -> str:
    path = folder / "message"
    path.write_bytes(SAMPLES[name].data)
    return str(path)


def test_a_message_as_json(alone: Path) -> None:
    result = ran(written(alone, "mtconnect"), "--format", "mtconnect", "--json")
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert {
        "asset": "mill-3",
        "ts": "2026-03-01T12:00:01Z",
        "channel": "spindle_speed",
        "unit": "r/min",
        "value": 1200.0,
    } in said["readings"]
    assert said["position"] == {"instance_id": 1700000000, "next_sequence": 118}
    assert (said["rows"], said["events"][0]["code"], said["quarantined_others"]) == (3, "313", 0)
    assert {entry["name"] for entry in said["quarantined"]} == {
        name for _, name in SAMPLES["mtconnect"].quarantined
    }


def test_a_message_as_tables(alone: Path) -> None:
    result = ran(written(alone, "gbt24476"), "--format", "gbt24476")
    assert result.exit_code == 0
    for words in ("6 readings in 1 rows", "lift-a", "Passengers", "lampOfTheCar"):
        assert words in result.stdout


def test_a_tenants_aliases_and_tables_count(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAULTLINE_MAPPING_DIR", str(alone))
    (alone / "aliases.toml").write_text('[acme]\nEX-7 = "old-digger"')
    (alone / "can.toml").write_text('extends = "j1939"\n[channel.dumper]\nengine_speed = "190"')
    words = (written(alone, "j1939"), "--format", "can", "--type", "dumper", "--tenant", "acme", "--json")
    (reading,) = json.loads(ran(*words).stdout)["readings"]
    assert (reading["asset"], reading["channel"], reading["value"]) == ("old-digger", "engine_speed", 1200.0)


@pytest.mark.parametrize("words", [(), ("--type", "submarine")])
def test_which_machines_these_are_must_be_said_where_a_format_has_several(
    alone: Path, words: tuple[str, ...]
) -> None:
    result = ran(written(alone, "aemp"), "--format", "aemp", *words)
    assert result.exit_code == 2
    assert "--type" in result.stderr
    assert "excavator, crane" in " ".join(result.stderr.split())
