"""Benches of damaged bearings: a small folder laid out as PRONOSTIA's, and who sees waveforms."""

from pathlib import Path

import numpy as np
import pytest

from console.bench.verticals import bearings
from console.bench.verticals.pack_month import Case, Finding, Told
from console.bench.verticals.suites import SUITES, run
from console.bench.verticals.waveforms import Watched, outcome_of, readings_of, without
from fleet.catalog import packs
from streams.rows import Rows
from streams.simulator.fault import Fault
from streams.simulator.vibration import Housing, State, block

DAY_US = 86_400_000_000


def write_bearing(folder: Path, blocks: int, damaged_from: int, end: str = ",") -> None:
    """A bearing that is sound and then hit at its outer ring, as strong as the noise."""
    folder.mkdir(parents=True)
    rng, housing = np.random.default_rng(4), Housing(bearings.RATE_HZ, 2560, bearings.POINT.band)
    orders = bearings.BEARING.orders()
    for k in range(blocks):
        state = State(30.0, 0.5, 2.0, 3.0 if k >= damaged_from else 0.0)
        x = block(housing, orders, "outer", state, rng).samples / bearings.G
        lines = [end.join(("9", "39", "39", "65664", f"{value:.4f}", "0.1")) for value in x]
        (folder / f"acc_{k + 1:05}.csv").write_text("\n".join(lines) + "\n")


def test_a_bearing_is_found_once_it_is_damaged_and_its_rms_is_beside_it(tmp_path: Path) -> None:
    write_bearing(tmp_path / "Learning_set" / "Bearing1_1", 160, 110)
    write_bearing(tmp_path / "Full_Test_Set" / "Bearing1_4", 62, 62, ";")
    predictions = tmp_path / "found.csv"
    said = {each.measure: each for each in run(SUITES["bearings"], tmp_path, predictions)}
    header, first, second = predictions.read_text().splitlines()
    assert tuple(header.split(",")) == bearings.COLUMNS
    damaged = dict(zip(bearings.COLUMNS, first.split(","), strict=True))
    assert (damaged["bearing"], damaged["life_min"], damaged["unusable"]) == ("Bearing1_1", "26.7", "0")
    assert 0 < float(damaged["ours_min"]) <= 50 / 6
    assert (damaged["zone_d_min"], damaged["20_g_min"]) == ("", "")
    assert second == "Bearing1_4,10.3,0,,,,,"
    found = said["found, and by zone_d"]
    assert (found.value, found.rival_value) == (0.5, 0.0)
    assert said["lead time, and by own_rms"].value == pytest.approx(float(damaged["ours_min"]))


@pytest.mark.parametrize(("blocks", "says"), [(0, "no folder Learning_set/Bearing1_1"), (60, "60 files")])
def test_a_folder_of_another_form_is_told(tmp_path: Path, blocks: int, says: str) -> None:
    if blocks:
        write_bearing(tmp_path / "Learning_set" / "Bearing1_1", blocks, blocks)
    with pytest.raises(ValueError, match=says):
        bearings.run(tmp_path)


def test_a_file_of_another_form_is_named(tmp_path: Path) -> None:
    write_bearing(tmp_path / "Learning_set" / "Bearing1_1", 61, 61)
    (tmp_path / "Learning_set" / "Bearing1_1" / "acc_00003.csv").write_text("a,b\n")
    with pytest.raises(ValueError, match="acc_00003"):
        bearings.run(tmp_path)


@pytest.mark.parametrize("kind", ["machine-tool", "wind-turbine"])
def test_without_waveforms_the_levels_that_a_transmitter_measures_are_left(kind: str) -> None:
    pack = packs()[kind]
    width = len(pack.equipment_type.channels)
    rows = Rows(np.zeros(2, np.int32), np.arange(2, dtype=np.int64), np.ones((2, width), np.float32))
    left = without(kind, rows).values
    for point in pack.points:
        assert np.isnan(left[:, [pack.equipment_type.column(name) for name in point.lines]]).all()
        assert (left[:, pack.equipment_type.column(point.velocity)] == 1).all()
    assert (rows.values == 1).all()


def case(days_before: float | None, *modes: str) -> Case:
    failure_us = 20 * DAY_US
    finding = None if days_before is None else Finding(failure_us - round(days_before * DAY_US), modes, modes)
    return Case(Fault("m-0", "spindle-bearing", 0.0, 480.0), failure_us, finding, None, None, 0.0)


def test_the_figures_are_of_all_damaged_bearings_beside_the_rival() -> None:
    ours = Watched([case(6.0, "spindle-bearing"), case(2.0, "tool-wear")], 1, 4.0)
    rival = Watched([case(1.0, "spindle-bearing"), case(None)], 0, 4.0)
    said = {each.measure: (each.value, each.rival_value) for each in readings_of("mill", ours, rival)}
    assert said == {
        "mill: found before failure": (1.0, 0.5),
        "mill: lead time, median": (4.0, 1.0),
        "mill: lead time, least": (2.0, 1.0),
        "mill: right mode first": (0.5, 0.5),
        "mill: false cases": (0.25, 0.0),
    }


def test_sound_time_is_that_before_a_machines_fault() -> None:
    fault = Fault("m-0", "spindle-bearing", 240.0, 480.0)
    found = outcome_of("machine-tool", 2, [fault], {0: Told(), 1: Told()}, 0.0, 720.0)
    assert found.machine_months == pytest.approx((240 + 720) / 720)
    assert [each.finding for each in found.cases] == [None]
