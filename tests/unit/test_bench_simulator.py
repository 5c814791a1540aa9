"""The simulator bench: it counts the values that a day has, of every type, and writes what it shows."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from console.bench import simulator
from console.bench.detection.simulated import fleet_of
from console.commands.bench import app
from streams.simulator.simulate import simulate
from streams.simulator.source import MACHINES


def test_values_that_are_missing_are_not_counted() -> None:
    fleet = fleet_of("elevator", 2)
    values = [frame.values for frame in simulate(fleet, simulator.START, simulator.DAY, seed=1)]
    there = sum(int(np.isfinite(each).sum()) for each in values)
    assert there < sum(each.size for each in values)
    rate, day = (each for each in simulator.readings(2, lambda _: None) if each.measure.startswith("elev"))
    assert rate.value * day.value == pytest.approx(there)


def test_one_command_tells_of_every_type_beside_its_limit(tmp_path: Path) -> None:
    file = tmp_path / "simulator.json"
    done = CliRunner().invoke(app, ["simulator", "--quick", "--runs", "2", "--json", str(file)])
    assert done.exit_code == 0, done.output
    said = json.loads(file.read_text())
    rows = {row["measure"]: row for row in said["rows"]}
    assert rows.keys() == {f"{name}_{what}" for name in MACHINES for what in ("samples", "day")}
    assert all(len(row["runs"]) == 2 and row["rival_value"] and row["goal"] for row in rows.values())
    assert said["machine"]["cores"] > 0
