"""The short set of fault runs, as anyone can run it: every promise is kept."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from console.chaos.run import load_of
from console.chaos.scenario import catalog
from storage.server.launcher import Installation

SEED = "1"


@pytest.mark.kafka
@pytest.mark.timescale
@pytest.mark.timeout(1500)
def test_every_promise_is_kept_under_faults(
    kafka_jars: Path, timescaledb: Installation, tmp_path: Path
) -> None:
    verdicts = tmp_path / "verdicts.json"
    command = [str(Path(sys.executable).with_name("faultline")), "chaos", "--short", "--seed", SEED]
    ran = subprocess.run([*command, "--json", str(verdicts)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr + ran.stdout
    found = json.loads(verdicts.read_text())
    assert {one["scenario"] for one in found} == {s.name for s in catalog().values() if s.short}
    assert not [one for one in found if one["violations"]]


def test_each_load_lies_within_the_days_that_are_accepted() -> None:
    for scenario in catalog().values():
        load_of(scenario, 1)
    with pytest.raises(ValueError, match="give it more assets"):
        load_of(replace(catalog()["random_kills"], assets=6), 1)


def test_each_kind_of_fault_that_is_promised_has_a_scenario() -> None:
    names = set(catalog())
    assert {f"crash_{point}_{n}" for point in ("after_poll", "before_commit") for n in (1, 2, 7)} <= names
    assert {
        "random_kills",
        "zombie",
        "kafka_killed",
        "kafka_down",
        "topic_recreated",
        "postgres_killed",
        "postgres_down",
        "backends_killed",
        "commit_cut",
        "older_copy",
        "disk_full",
        "lock_held",
        "connections_exhausted",
        "rebalance_storm",
        "poison_0.1",
        "poison_10",
        "poison_100",
        "chunk_sizes",
        "migration_killed",
    } <= names
