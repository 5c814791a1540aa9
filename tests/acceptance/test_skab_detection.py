"""The worker's detection on SKAB, by its protocol: what it does today, guarded against getting worse.

Nothing is fitted to labels: these are the product's defaults. The shape of the detectors was settled with the
valve1 files in view, so this is no blind test.
"""

from pathlib import Path

import pytest

from console.bench.detection.suites import SUITES, run

SKAB = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "skab"


@pytest.fixture(scope="module")
def found() -> dict[str, float]:
    """Each measure, the dummies' too."""
    if not SKAB.is_dir():
        pytest.skip("SKAB is not in ../shared/data")
    readings = run(SUITES["skab"], SKAB, None, lambda *_: None)
    return {reading.measure: reading.value for reading in readings}


def test_rows(found: dict[str, float]) -> None:
    assert found["f1"] >= 0.84 > 0.75 > found["f1, all positive"]
    assert found["far"] <= 19
    assert found["mar"] <= 16


def test_events(found: dict[str, float]) -> None:
    assert found["events_found"] >= 15
    assert found["false_episodes"] <= 4
    assert found["delay"] <= 40


def test_change_points(found: dict[str, float]) -> None:
    assert found["change_standard"] >= 65 > 60 > found["change_standard, periodic"]
    assert found["change_low_fp"] >= 60
    assert found["change_false"] <= 60


def test_without_a_fault_there_is_at_most_one_episode_an_hour(found: dict[str, float]) -> None:
    assert found["false_episodes, anomaly-free/anomaly-free.csv"] <= 1


def test_without_a_fault_an_episode_comes_to_an_end(found: dict[str, float]) -> None:
    """The loop warms up all along; after an hour where it has come to is told to be normal."""
    assert found["alarmed, anomaly-free/anomaly-free.csv"] <= 45
