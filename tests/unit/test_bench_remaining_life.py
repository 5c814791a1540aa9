"""The suites of remaining life, on small folders laid out like the published ones."""

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from console.bench.remaining_life import battery, femto
from console.bench.remaining_life.dummies import age_only, constant
from console.bench.remaining_life.record import Record, left_along, out_of_fold
from console.bench.remaining_life.suites import SUITES, run
from console.bench.result import Reading
from forecasting.contract import History, Run

Floats = NDArray[np.float64]


def quiet(line: str) -> None: ...


def figures(readings: list[Reading]) -> dict[str, float]:
    return {reading.measure: reading.value for reading in readings}


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as lines:
        return list(csv.reader(lines))


def life(n: int) -> Run:
    return Run(History(np.arange(1.0, n + 1), np.zeros((n, 1))))


# Whom nobody needs


def test_the_dummies_know_the_record_and_the_age() -> None:
    runs = [life(10), life(20), life(40)]
    assert constant(runs, cap=5.0)(life(3).history)[:, 1:].tolist() == [[5.0, 5.0]] * 3
    said = age_only(runs)(History(np.array([5.0, 25.0, 40.0]), np.zeros((3, 1))))
    assert said[:, 1].tolist() == [15.0, 15.0, 0.0]


def test_out_of_fold_nobody_is_forecast_by_who_saw_it() -> None:
    record = Record("R", {str(n): life(n) for n in range(5, 25)})

    def fit(runs: list[Run]) -> object:
        lengths = {len(run.history.age_h) for run in runs}

        def say(history: History) -> Floats:
            assert len(history.age_h) not in lengths
            return np.full((len(history.age_h), 3), len(lengths))

        return say

    said = out_of_fold(record, fit)  # type: ignore[arg-type]
    assert list(said) == list(record.runs)
    assert {float(quantiles[0, 0]) for quantiles in said.values()} == {16.0}


def test_what_is_left_is_cut_at_the_cap() -> None:
    assert left_along(life(4), 2.0).tolist() == [2.0, 2.0, 1.0, 0.0]


# C-MAPSS


def engine(unit: int, n: int) -> Floats:
    rng = np.random.default_rng([unit, n])
    wear = np.clip(np.arange(n) / n - 0.4, 0, 1)[:, None] * 5.0
    sensors = rng.normal(wear * np.linspace(-1, 1, 21), 0.3)
    settings = np.tile([0.0, 0.0, 100.0], (n, 1))
    return np.column_stack([np.full(n, unit), np.arange(1, n + 1), settings, sensors])


@pytest.fixture
def cmapss(tmp_path: Path) -> Path:
    np.savetxt(
        tmp_path / "train_FD001.txt", np.vstack([engine(unit, 60 + 3 * unit) for unit in range(1, 16)])
    )
    test = [engine(unit, 60 + 3 * unit)[: 30 + unit] for unit in range(20, 24)]
    np.savetxt(tmp_path / "test_FD001.txt", np.vstack(test))
    return tmp_path


def test_cmapss_forecasts_each_test_engine_with_and_without_its_truth(cmapss: Path) -> None:
    said = cmapss / "said.csv"
    blind = figures(run(SUITES["cmapss"], cmapss, said, quiet))
    assert not [name for name in blind if "test" in name]
    header, *found = rows(said)
    assert header == ["dataset", "unit", "cycle", "p05", "p50", "p95"]
    assert [row[:3] for row in found] == [["FD001", str(unit), str(30 + unit)] for unit in range(20, 24)]
    truth = [30 + 2 * unit for unit in range(20, 24)]
    np.savetxt(cmapss / "RUL_FD001.txt", truth)
    seen = figures(run(SUITES["cmapss"], cmapss, None, quiet))
    middle = np.array([float(row[4]) for row in found])
    assert seen["FD001, test: RMSE"] == pytest.approx(((middle - truth) ** 2).mean() ** 0.5, rel=1e-3)
    assert seen["FD001, out of fold: RMSE"] < seen["FD001, out of fold: RMSE, constant"]
    assert {name for name in seen if "test" not in name} == set(blind)


def test_a_folder_of_something_else_says_so(cmapss: Path, tmp_path: Path) -> None:
    np.savetxt(cmapss / "RUL_FD001.txt", [1, 2, 3])
    with pytest.raises(ValueError, match="3 lives for the 4 engines"):
        run(SUITES["cmapss"], cmapss, None, quiet)
    np.savetxt(cmapss / "train_FD001.txt", np.ones((3, 4)))
    with pytest.raises(ValueError, match="4 columns, not 26"):
        run(SUITES["cmapss"], cmapss, None, quiet)
    empty = tmp_path / "empty"
    empty.mkdir()
    for suite in ("cmapss", "battery"):
        with pytest.raises(ValueError, match="no data"):
            run(SUITES[suite], empty, None, quiet)
    with pytest.raises(ValueError, match="is not in the folder"):
        run(SUITES["femto"], empty, None, quiet)


# FEMTO


def bearing(path: Path, n: int, shown: int) -> None:
    rms = 0.4 * np.exp(3.0 * (np.arange(n) / n) ** 4)[:shown]
    columns = "h_rms,h_band4,h_band5,v_rms,v_band4,v_band5\n"
    path.write_text(columns + "".join(f"{one},.1,.1,{one / 2},.2,0\n" for one in rms))


@pytest.mark.parametrize("whole", [True, False])
def test_femto_scores_test_bearings_where_their_files_go_on(tmp_path: Path, whole: bool) -> None:
    listed = ["bearing,set,snapshots_total,snapshots_visible_in_Test_set"]
    for number in range(1, 7):
        bearing(tmp_path / f"L{number}.csv", 100 + 40 * number, 1000)
        listed.append(f"L{number},Learning_set,,")
    bearing(tmp_path / "T.csv", 200, 1000 if whole else 150)
    listed.append("T,Full_Test_Set,,150.0")
    (tmp_path / "bearings.csv").write_text("\n".join(listed) + "\n")
    said = tmp_path / "said.csv"
    found = figures(run(SUITES["femto"], tmp_path, said, quiet))
    assert found["out of fold: PHM 2012 score"] > found["out of fold: PHM 2012 score, part of the age"]
    assert ("test: PHM 2012 score" in found) == whole
    header, row = rows(said)
    assert (header, row[:2]) == (["bearing", "snapshot", "p05", "p50", "p95"], ["T", "150"])
    assert femto.read(tmp_path).left == ({"T": 500.0} if whole else {})


# Batteries


def test_a_cell_ends_where_its_capacity_stays_at_the_limit() -> None:
    capacity = np.linspace(2.0, 1.0, 101)
    capacity[20] = 0.5
    own = battery._until(1.4, capacity)
    assert own.failed
    assert own.history.age_h[-1] == 63  # the median of five is at 1.4 for the cycle of the 61st
    assert not battery._until(0.9, capacity).failed


def test_batteries_are_asked_at_half_of_their_life(tmp_path: Path) -> None:
    for number, n in enumerate((100, 120, 140)):
        text = "cycle,capacity_Ah\n" + "".join(f"{k + 1},{2.0 - 0.8 * k / n}\n" for k in range(n))
        (tmp_path / f"B000{number}.csv").write_text(text)
    said = tmp_path / "said.csv"
    found = figures(run(SUITES["battery"], tmp_path, said, quiet))
    assert found["NASA: cells with a number"] == 3
    assert found["NASA: mean error"] < 0.2 * found["NASA: mean error, age only"]
    assert [row[:3] for row in rows(said)[1:]] == [
        ["NASA", f"B000{k}", str(n)] for k, n in enumerate((39, 46, 54))
    ]
