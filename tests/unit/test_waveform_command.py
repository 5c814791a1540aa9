"""`faultline waveform` shows what a block would become, without a database."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from console.cli import build
from tests.unit.test_waveforms import POINT, message, samples

FLEET = """
[[tenant]]
name = "acme"
[[site]]
tenant = "acme"
name = "hall"
[[asset]]
tenant = "acme"
site = "hall"
name = "mill-1"
equipment_type = "machine-tool"
[asset.ratings]
spindle_bearing_bpfo = 8.56
spindle_bearing_bpfi = 10.44
spindle_bearing_bsf = 4.81
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fleet.toml").write_text(FLEET)
    return tmp_path


def ran(folder: Path, data: bytes, *words: str) -> Result:
    (folder / "block.json").write_bytes(data)
    return CliRunner().invoke(
        build(["waveform"]), ["waveform", "block.json", "--fleet", "fleet.toml", *words]
    )


def test_a_block_as_json_and_as_a_table(here: Path) -> None:
    said = json.loads(ran(here, message(samples(9.0)), "--json").stdout)
    assert said["values"].keys() == set(POINT.channels)
    assert said["values"]["spindle_bpfo"] > 20
    assert said["bad"] == []
    shown = ran(here, message(samples(9.0))).output
    assert "mill-1: 6 channels" in shown
    assert "spindle_bpfo" in shown


def test_a_block_that_shows_nothing_is_listed_with_its_cure(here: Path) -> None:
    result = ran(here, message(samples(), rate_hz=1000), "--json")
    assert json.loads(result.stdout)["bad"] == [
        {"point": "spindle", "detail": "low_rate: spindle is sampled at 12800 Hz or more"}
    ]
    assert "blocks that show nothing" in ran(here, message(samples(), rate_hz=1000)).output


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"{", "bad_json"),
        (message(samples()).replace(b"mill-1", b"mill-9"), "no asset 'mill-9': it has mill-1"),
    ],
)
def test_what_cannot_be_read_is_one_line(here: Path, data: bytes, says: str) -> None:
    result = ran(here, data)
    assert result.exit_code == 1
    assert says in result.stderr
