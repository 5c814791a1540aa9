"""The suites of verticals, on small folders laid out as the published ones: labelled, not, and hostile."""

import csv
import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from console.bench.detection.roc import roc_area
from console.bench.result import Reading
from console.bench.verticals import ai4i, cnc_mill
from console.bench.verticals.suites import SUITES, run
from console.bench.verticals.two_classes import DUMMIES, f1, log_loss, one_threshold
from console.commands.bench import app


def figures(readings: list[Reading]) -> dict[str, float]:
    return {reading.measure: reading.value for reading in readings}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def table(path: Path, header: list[str], cells: list[list[object]]) -> None:
    with path.open("w", newline="") as lines:
        csv.writer(lines).writerows([header, *cells])


# Who knows nothing


def test_the_dummies_know_the_classes_and_one_threshold() -> None:
    x, positive = np.arange(10.0)[:, None], np.arange(10) >= 7
    asked = np.array([[1.0], [8.0]])
    assert one_threshold(x, positive, asked).tolist() == [False, True]
    assert one_threshold(-x, positive, -asked).tolist() == [False, True]
    assert DUMMIES["majority"](x, positive, asked).tolist() == [False, False]
    assert f1(positive, DUMMIES["always"](x, positive, x)) == pytest.approx(6 / 13)
    assert log_loss(positive, np.full(10, 0.5)) == pytest.approx(np.log(2))


# AI4I


PROCESS = ["UDI", "Product ID", "Type", *ai4i.MEASURED, "Machine failure", "TWF", "HDF", "PWF", "OSF", "RNF"]


def processes(n: int, first: int = 1) -> list[list[object]]:
    """Processes that fail beyond 9 kW or a strain by type."""
    rng, found = np.random.default_rng(first), list[list[object]]()
    for udi in range(first, first + n):
        kind, air = rng.choice(["L", "M", "H"]), 300 + rng.normal()
        speed, torque, wear = rng.uniform(1200, 2000), rng.uniform(20, 70), rng.uniform(0, 220)
        too_much = torque * speed * 2 * np.pi / 60 > 9000
        strained = torque * wear > {"L": 11e3, "M": 12e3, "H": 13e3}[kind]
        failed = int(too_much or strained)
        told = [failed, 0, 0, int(too_much), int(strained), 0]
        found.append([udi, f"{kind}{udi}", kind, air, air + 10, speed, torque, wear, *told])
    return found


def unlabelled(cells: list[list[object]]) -> list[list[object]]:
    return [[*row[:8], "", "", "", "", "", ""] for row in cells]


@pytest.fixture
def ai4i_folder(tmp_path: Path) -> Path:
    table(tmp_path / "dev.csv", PROCESS, processes(900))
    return tmp_path


def test_ai4i_finds_the_limits_and_refuses_what_knows_them(ai4i_folder: Path) -> None:
    said = ai4i_folder / "said.out"
    found = figures(run(SUITES["ai4i"], ai4i_folder, said))
    for split in ("five-fold", "by time"):
        assert found[f"{split}: F1"] > 0.85
        assert found[f"{split}: F1"] > found[f"{split}: F1, best single threshold"]
    assert found["columns refused as leaks"] == 3
    assert list(rows(said)[0]) == ["UDI", "failure_probability", "failure"]
    assert [row["UDI"] for row in rows(said)] == [str(udi) for udi in range(1, 901)]


def test_ai4i_finds_nothing_where_failures_are_chance(tmp_path: Path) -> None:
    """Who had seen the labels would find some of them again."""
    true = np.random.default_rng(11).random(400) < 0.4
    cells = [[*row[:8], int(failed)] for row, failed in zip(processes(400), true, strict=True)]
    table(tmp_path / "dev.csv", PROCESS[:9], cells)
    run(SUITES["ai4i"], tmp_path, tmp_path / "said.out")
    said = np.array([float(row["failure_probability"]) for row in rows(tmp_path / "said.out")])
    assert 0.4 < roc_area(said, true) < 0.6


@pytest.mark.parametrize("columns", ["empty", "absent"])
def test_ai4i_predicts_what_has_no_label_and_does_not_learn_from_it(ai4i_folder: Path, columns: str) -> None:
    before, said = figures(run(SUITES["ai4i"], ai4i_folder, None)), ai4i_folder / "said.out"
    asked = processes(300, first=2001)
    empty = columns == "empty"
    table(
        ai4i_folder / "test.csv",
        PROCESS if empty else PROCESS[:8],
        unlabelled(asked) if empty else [row[:8] for row in asked],
    )
    assert figures(run(SUITES["ai4i"], ai4i_folder, said)) == before
    told = {int(row["UDI"]): row["failure"] == "1" for row in rows(said)}
    true = np.array([row[8] == 1 for row in asked])
    assert f1(true, np.array([told[int(str(row[0]))] for row in asked])) > 0.85


def test_ai4i_names_what_is_wrong(ai4i_folder: Path) -> None:
    bad = ai4i_folder / "zz.csv"
    for cells, message in (
        ([[*processes(1, 5000)[0][:8], "maybe", 0, 0, 0, 0, 0]], "line 2: Machine failure is 'maybe'"),
        ([[5000, "L1", "L", "hot", 310, 1500, 40, 5, 0, 0, 0, 0, 0, 0]], "'hot', not a number"),
        ([processes(1)[0]], "UDI of its own"),
    ):
        table(bad, PROCESS, cells)
        with pytest.raises(ValueError, match=message):
            run(SUITES["ai4i"], ai4i_folder, None)
    bad.write_bytes(b"\x00\xff,\n\x00")
    with pytest.raises(ValueError, match=r"zz\.csv"):
        run(SUITES["ai4i"], ai4i_folder, None)
    bad.unlink()
    table(ai4i_folder / "dev.csv", PROCESS, unlabelled(processes(50)))
    with pytest.raises(ValueError, match="needed to learn from"):
        run(SUITES["ai4i"], ai4i_folder, None)


# CNC mill


def experiment(path: Path, number: int, worn: bool) -> None:
    """A worn tool needs a larger current."""
    rng = np.random.default_rng(number)
    header = [cnc_mill.STAGE, cnc_mill.FEED, *cnc_mill.SIGNALS]
    current = 20.0 + 6.0 * worn
    cells = [
        [f"Layer {k % 3 + 1} Up", 50 if k % 9 == 0 else 6, *rng.normal([current, 5, 5], 0.1)]
        for k in range(90)
    ]
    table(path / f"experiment_{number:02}.csv", header, [["Prep", 6, 0, 0, 0], *cells])


def mill(folder: Path, blind: list[str]) -> Path:
    """Twelve experiments; those of `blind` are not in the list of labels, or have none."""
    labels = list[list[object]]()
    for number in range(1, 13):
        experiment(folder, number, worn=number % 2 == 0)
        labels.append([number, "worn" if number % 2 == 0 else "unworn", "yes"])
    labels = [
        [one[0], "", ""] if str(one[0]) == blind[0] else one for one in labels if str(one[0]) not in blind[1:]
    ]
    table(folder / "train.csv", ["No", "tool_condition", "machining_finalized"], labels)
    return folder


def test_cnc_mill_judges_each_experiment_by_the_others(tmp_path: Path) -> None:
    said = tmp_path / "said.out"
    found = figures(run(SUITES["cnc-mill"], mill(tmp_path, ["11", "12"]), said))
    assert found["judged right"] == 100.0 > found["judged right, majority"]
    assert found["log loss"] < found["log loss, a coin"]
    assert list(rows(said)[0]) == ["file", "worn_probability"]
    told = {row["file"]: float(row["worn_probability"]) > 0.5 for row in rows(said)}
    assert told == {f"experiment_{number:02}.csv": number % 2 == 0 for number in range(1, 13)}


def test_nobody_is_judged_by_who_saw_its_label(tmp_path: Path) -> None:
    found = cnc_mill.read(mill(tmp_path, ["0"]))
    first = cnc_mill._left_out(found.x, found.worn)
    for number in range(0, 12, 5):
        flipped = found.worn ^ (np.arange(12) == number)
        assert cnc_mill._left_out(found.x, flipped)[number] == first[number]


def test_cnc_mill_names_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="experiment_01"):
        run(SUITES["cnc-mill"], tmp_path, None)
    mill(tmp_path, ["0"])
    (tmp_path / "train.csv").unlink()
    with pytest.raises(ValueError, match="3 worn and as many unworn"):
        run(SUITES["cnc-mill"], tmp_path, None)
    table(tmp_path / "train.csv", ["No", "tool_condition"], [[1, "blunt"]])
    with pytest.raises(ValueError, match="'blunt', not unworn or worn"):
        run(SUITES["cnc-mill"], tmp_path, None)
    mill(tmp_path, ["0"])
    table(
        tmp_path / "experiment_03.csv",
        [cnc_mill.STAGE, cnc_mill.FEED, *cnc_mill.SIGNALS],
        [["Prep", 6, 1, 1, 1]],
    )
    with pytest.raises(ValueError, match=r"experiment_03\.csv: no stage of cutting"):
        run(SUITES["cnc-mill"], tmp_path, None)


# Transformer


def substation(folder: Path, n: int = 700, labelled: bool = True, winding: bool = True) -> Path:
    """Oil 4 K over the air and more with the load, in the end as if not cooled; the winding 5 K above."""
    rng, overview, electrical = np.random.default_rng(4), list[list[object]](), list[list[object]]()
    for k in range(n):
        time = f"2020-01-{k // 96 + 1:02}T{k % 96 // 4:02}:{k % 4 * 15:02}"
        air, load = 20 + 8 * np.sin(k / 15), 100 + 50 * np.sin(k / 9)
        oil = round(air + 4 + 6 * (load / 150) ** 2 + rng.normal(0, 0.3) + 15 * (k > 650), 1)
        oil = 246 if k in (500, 501) else oil
        alarm = [int(oil > 200), 0, 0] if labelled else []
        overview.append([time, oil, oil + 5 if winding else 0, air, 40, *alarm])
        electrical.append([time, 230, 230, 230, load, load, load, 400, 400, 400, 5])
    names = [
        "DeviceTimeStamp",
        "OTI",
        "WTI",
        "ATI",
        "OLI",
        *(["OTI_A", "OTI_T", "MOG_A"] if labelled else []),
    ]
    table(folder / "Overview.csv", names, overview)
    volts = ["VL1", "VL2", "VL3", "IL1", "IL2", "IL3", "VL12", "VL23", "VL31", "INUT"]
    table(folder / "CurrentVoltage.csv", ["DeviceTimeStamp", *volts], electrical)
    return folder


def test_transformer_gives_oil_and_hot_spot(tmp_path: Path) -> None:
    said = tmp_path / "said.out"
    found = figures(run(SUITES["transformer"], substation(tmp_path), said))
    assert found["top oil: mean error"] < found["top oil: mean error, constant"]
    assert found["hot spot: mean error"] < 10.0
    assert "auc" in found
    header, *_ = told = rows(said)
    assert list(header) == ["time", "alarm", "hot_spot_c"]
    assert len(told) == 700
    hot = np.array([float(row["hot_spot_c"]) for row in told])
    oil = np.array([float(row["OTI"]) for row in rows(tmp_path / "Overview.csv")])
    assert hot.max() < 80.0  # no sensor that says 246 is believed
    assert (hot > oil)[oil < 200].all()
    blind = figures(run(SUITES["transformer"], substation(tmp_path, labelled=False, winding=False), said))
    assert blind["top oil: mean error"] == found["top oil: mean error"]
    assert "auc" not in blind
    assert not [name for name in blind if name.startswith("hot spot")]
    assert len(rows(said)) == 700


def test_transformer_names_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Overview\.csv"):
        run(SUITES["transformer"], tmp_path, None)
    substation(tmp_path)
    text = (tmp_path / "Overview.csv").read_text().replace(",ATI,", ",AIR,")
    (tmp_path / "Overview.csv").write_text(text)
    with pytest.raises(ValueError, match="no column ATI"):
        run(SUITES["transformer"], tmp_path, None)


# Work orders


def orders(folder: Path, kinds: tuple[str, ...] = ("PM01",)) -> Path:
    """A pump that lasts about 40 days and a hose that lasts any time, on two machines; and bad rows."""
    rng, cells = np.random.default_rng(6), list[list[object]]()
    for machine in ("A", "B"):
        for component, shape, scale in (("Pump", 6.0, 40.0), ("Hose", 0.8, 25.0)):
            day = date(2001, 1, 1)
            for number in range(60):
                kind = kinds[number % len(kinds)]
                cells.append([day.isoformat(), machine, "repair", kind, 10, component])
                day += timedelta(1 + int(scale * rng.weibull(shape)))
    cells += [["never", "A", "?", "PM01", 0, "Pump"], ["2002-01-01", "A", "?", "PM01", 0, ""]]
    header = ["BscStartDate", "Asset", "OriginalShorttext", "PMType", "Cost", "MajorSystem"]
    table(folder / "excavators-cleaned.csv", header, cells)
    return folder


def test_work_orders_have_a_law_and_a_plan_by_component(tmp_path: Path) -> None:
    said = tmp_path / "said.out"
    found = figures(run(SUITES["work-orders"], orders(tmp_path), said))
    assert 0.6 < found["P10 to P90 holds"] < 0.97
    assert found["pinball loss"] < found["pinball loss, exponential"]
    assert found["components that the plan replaces by age"] == 1
    assert found["cost, the plan"] < found["cost, until it fails"]
    hose, pump = rows(said)
    assert (hose["component"], pump["component"]) == ("Hose", "Pump")
    assert float(pump["shape_low"]) < float(pump["shape"]) < float(pump["shape_high"])
    assert float(pump["shape"]) == pytest.approx(6.0, rel=0.25)
    assert hose["replace_at_days"] == ""
    assert 0 < float(pump["replace_at_days"]) < float(pump["p50_days"])


def test_a_planned_service_is_no_failure(tmp_path: Path) -> None:
    said = tmp_path / "said.out"
    run(SUITES["work-orders"], orders(tmp_path, ("PM01", "PM02")), said)
    assert [int(row["failures"]) / int(row["lives"]) for row in rows(said)] == pytest.approx(
        [0.5, 0.5], abs=0.02
    )


def test_work_orders_name_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"excavators-cleaned\.csv"):
        run(SUITES["work-orders"], tmp_path, None)
    table(
        tmp_path / "excavators-cleaned.csv",
        ["BscStartDate", "Asset", "PMType", "MajorSystem"],
        [["x", "", "", ""]],
    )
    with pytest.raises(ValueError, match="no order with a day"):
        run(SUITES["work-orders"], tmp_path, None)


# Trips and wind


def test_trips_are_scored_as_bench_detection_has_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    for number in range(30):
        kind = "KO" if number > 24 else "OK"
        t = np.arange(200)
        shake = 40 * np.sin(t * 1.3) if kind == "KO" else 0
        xyz = rng.normal(0, 10, (200, 3)) + np.column_stack([shake + t * 0, t * 0, 1000 + t * 0])
        cells = [[f"{number * 100_000 + 10 * k}", *xyz[k], "lift"] for k in range(200)]
        table(tmp_path / f"1_{kind} ({number}).csv", ["timeStamp", "x", "y", "z", "name"], cells)
    said = tmp_path / "said.out"
    found = figures(run(SUITES["trips"], tmp_path, said))
    assert found["auc"] > 0.95 > found["auc, random"]
    assert list(rows(said)[0]) == ["file", "score", "anomaly"]
    assert len(rows(said)) == 30


def test_wind_expects_what_the_first_half_of_the_year_yielded(tmp_path: Path) -> None:
    wind = np.random.default_rng(9).uniform(3, 14, 2400)
    power = np.clip(wind - 3, 0, 8) * 400
    header = ["Date/Time", "ActivePower", "Wind Speed (m/s)", "TheoreticalPower", "Wind Direction (°)"]
    cells = [
        [f"{k}", f"{p:.1f}", f"{v:.3f}", f"{1.2 * p:.1f}", 0]
        for k, (v, p) in enumerate(zip(wind, power, strict=True))
    ]
    with (tmp_path / "T1.csv").open("w", newline="", encoding="latin-1") as lines:
        csv.writer(lines).writerows([header, *cells])
    said = tmp_path / "said.out"
    found = figures(run(SUITES["wind"], tmp_path, said))
    assert (
        found["mean error"] < 0.1 * found["mean error, the maker's curve"] < found["mean error, mean power"]
    )
    assert list(rows(said)[0]) == ["time", "expected_kw", "short_kw"]


# The command


def test_the_command_writes_both_files_and_says_what_is_wrong(tmp_path: Path) -> None:
    folder = tmp_path / "mill"
    folder.mkdir()
    mill(folder, ["0"])
    json_file, said = tmp_path / "found.json", tmp_path / "said.csv"
    ask = ["verticals", "--suite", "cnc-mill", "--data", str(folder)]
    done = CliRunner().invoke(app, [*ask, "--json", str(json_file), "--predictions", str(said)])
    assert done.exit_code == 0
    document = json.loads(json_file.read_text())
    assert document["bench"] == "verticals"
    assert document["rows"][0]["measure"] == "judged right"
    assert len(rows(said)) == 12
    assert CliRunner().invoke(app, ["verticals", "--suite", "moon", "--data", str(folder)]).exit_code == 2
    wrong = CliRunner().invoke(app, ["verticals", "--suite", "wind", "--data", str(folder)])
    assert wrong.exit_code == 1
