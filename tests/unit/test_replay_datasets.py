"""The shipped maps on the real files they were written for, beside an independent reading of the files."""

import csv
import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from streams.replay.catalog import fleet_of, recognise
from streams.replay.checksum import Checksum, checksums
from streams.replay.mapping import load_map, shipped_maps
from streams.replay.reader import Reading, plan

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the public data sets are not in {DATA}")

FILES = {
    "skab": "skab/valve1/*.csv",
    "transformer": "transformer_distribution/*.csv",
    "cnc-mill": "cnc_mill_tool_wear/experiment_*.csv",
    "elevator-trips": "elevator_trips_okko/*.csv",
    "elevator-door": "elevator/*.csv",
    "cmapss": "cmapss/train_FD001.txt",
}


def read(name: str, pattern: str = "") -> tuple[list[Reading], dict[str, Checksum]]:
    paths = sorted(DATA.glob(pattern or FILES[name]))
    if not paths:
        pytest.skip(f"no {pattern or FILES[name]} in the public data sets")
    readings = plan(load_map(name), paths)
    return readings, checksums(frame for reading in readings for frame in reading.frames())


def column(paths: list[Path], name: str, delimiter: str = ",") -> Iterator[float]:
    """The numbers of a column, as float32 because frames are, read by the standard library."""
    for path in paths:
        with path.open(newline="") as lines:
            for row in csv.DictReader(lines, delimiter=delimiter):
                if re.fullmatch(r"[-+0-9.eE]+", row[name]):
                    yield float(np.float32(row[name]))


def test_every_shipped_map_is_tested_here_and_recognises_its_files() -> None:
    assert sorted(FILES) == shipped_maps()
    for name, pattern in FILES.items():
        for path in sorted(DATA.glob(pattern))[:3]:
            found = recognise(path)
            assert found is not None
            assert found.name == name
    for other in ("cnc_mill_tool_wear/train.csv", "cmapss/RUL_FD001.txt", "cmapss/readme_nasa.txt"):
        assert not (DATA / other).exists() or recognise(DATA / other) is None


def test_skabs_experiments_are_assets_in_the_order_of_time() -> None:
    readings, found = read("skab")
    assert [reading.paths[0].stem for reading in readings[:4]] == ["0", "1", "2", "3"]
    paths = [path for reading in readings for path in reading.paths]
    current = list(column(paths, "Current", ";"))
    assert len(found) == 16
    assert found["skab-valve1-0"].rows == 1147
    assert sum(checksum.rows for checksum in found.values()) == len(current) == 18_160
    assert sum(checksum.samples for checksum in found.values()) == 8 * len(current)
    amperes = math.fsum(checksum.sums["motor_current"] for checksum in found.values())
    assert amperes == pytest.approx(math.fsum(current), rel=1e-12)
    assert all(not reading.tally.unreadable and not reading.tally.repeated for reading in readings)


def test_the_transformers_two_files_are_one_asset_with_every_instant_of_either() -> None:
    (reading,), found = read("transformer")
    instants = set()
    for path in reading.paths:
        with path.open(newline="") as lines:
            instants |= {row["DeviceTimeStamp"] for row in csv.DictReader(lines)}
    assert found["distribution-transformer-1"].rows == len(instants) == 3948
    assert (reading.tally.rows, reading.tally.repeated, reading.tally.conflicting) == (8610, 1012, 494)
    assert found["distribution-transformer-1"].samples == 4 * 3853 + 10 * 3745


def test_each_milling_experiment_is_an_asset_at_ten_hertz() -> None:
    readings, found = read("cnc-mill")
    assert found["cnc-mill-01"].rows == 1055
    assert sum(checksum.rows for checksum in found.values()) == 14_149
    assert sum(checksum.samples for checksum in found.values()) == 14_149 * 48
    power = math.fsum(column([readings[0].paths[0]], "S1_OutputPower"))
    assert found["cnc-mill-01"].sums["spindle_output_power"] == pytest.approx(power, rel=1e-12)
    frame = next(readings[0].frames())
    assert len(frame.channels) == 48
    assert set(np.diff(frame.ts_us)) == {100_000}


def test_the_elevators_trips_are_one_elevator_with_millisecond_instants() -> None:
    readings, found = read("elevator-trips")
    assert list(found) == ["ae-575"]
    assert found["ae-575"].rows == 60_520
    assert found["ae-575"].sums["direction"] == 51_913 + 2 * 8_607  # trips up and down
    x = math.fsum(column([path for reading in readings for path in reading.paths], "x"))
    assert found["ae-575"].sums["acceleration_x"] == x
    starts = [reading.first_us() for reading in readings]
    assert starts[0] == 1_680_493_393_000_000
    assert starts == sorted(starts)


def test_the_doors_cells_that_became_dates_are_missing_and_counted() -> None:
    (reading,), found = read("elevator-door")
    assert reading.tally.unreadable == {"vibration": 5242, "ball-bearing": 535}
    assert found["elevator-door-1"].rows == 112_001
    assert found["elevator-door-1"].samples == 3 * 112_001 - 5242 - 535
    vibration = math.fsum(column(list(reading.paths), "vibration", ";"))
    assert found["elevator-door-1"].sums["vibration"] == pytest.approx(vibration, rel=1e-12)


def test_each_turbofan_is_an_asset_with_an_hour_between_flights() -> None:
    readings, found = read("cmapss")
    assert len(found) == 100
    assert sum(checksum.rows for checksum in found.values()) == 20_631
    assert found["train_fd001-1"].rows == 192
    frame = next(readings[0].frames())
    assert frame.asset == "train_fd001-1"
    assert (len(frame.channels), int(np.diff(frame.ts_us)[0])) == (24, 3_600_000_000)
    assert frame.values[:6, 0] == pytest.approx([-0.0007, -0.0004, 100.0, 518.67, 641.82, 1589.70])
    assert frame.values[-1, 0] == pytest.approx(23.4190)
    fleet = fleet_of(readings, "nasa", "test-cell")
    assert len(fleet.assets) == 100
    assert fleet.assets[0].equipment_type == "turbofan"
