"""The published protocols, on cases that can be worked out by hand."""

import csv
import json
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from console.bench.detection import diagnosis, simulated
from console.bench.detection.change_points import PROFILES as CHANGE_PROFILES
from console.bench.detection.change_points import ChangePoints, change_score
from console.bench.detection.dummies import DUMMIES
from console.bench.detection.event_view import EventView, event_view
from console.bench.detection.nab_score import PROFILES, NabSeries, nab_score
from console.bench.detection.row_accuracy import RowAccuracy, row_accuracy
from console.bench.detection.series import SECOND_US, runs
from console.bench.detection.suites import SUITES, run
from console.bench.result import Reading

STANDARD = PROFILES["standard"]


def bools(text: str) -> NDArray[np.bool_]:
    return np.array([letter == "#" for letter in text])


def test_rows_are_pooled_over_files() -> None:
    files = [(bools("..##"), bools(".##.")), (bools("...."), bools("...#"))]
    assert row_accuracy(files) == RowAccuracy(f1=2 / 5, far=2 / 6, mar=1 / 2)


def test_events_are_found_by_what_overlaps_and_the_rest_is_false() -> None:
    true, said = bools("...####..####...##"), bools(".#...##.###....#..")
    assert event_view([(true, said)]) == EventView(3, 2, 2, 8, 1.0)


@given(st.lists(st.booleans(), max_size=20))
def test_runs_are_all_of_it(on: list[bool]) -> None:
    again = np.zeros(len(on), np.bool_)
    for begin, end in runs(np.array(on, np.bool_)):
        assert begin == 0 or not on[begin - 1]
        again[begin:end] = True
    assert again.tolist() == on


# SKAB's change points


def changes(true: list[int], said: list[int], n: int = 400) -> ChangePoints:
    rows = np.arange(n)
    return ChangePoints(rows * SECOND_US, np.isin(rows, true), np.isin(rows, said))


def test_nothing_is_0_and_everything_at_once_is_100() -> None:
    nothing = change_score([changes([100, 300], [])])
    assert (nothing.by_profile, nothing.missed, nothing.false) == (dict.fromkeys(CHANGE_PROFILES, 0.0), 2, 0)
    at_once = change_score([changes([100, 300], [100, 300])])
    assert at_once.by_profile == pytest.approx(dict.fromkeys(CHANGE_PROFILES, 100.0))


def test_late_counts_less_and_false_costs() -> None:
    half = change_score([changes([100], [130])]).by_profile["standard"]
    assert half == pytest.approx(100 * (1 + (1 - 0.11) / 2) / 2, abs=0.1)
    edge = change_score([changes([100], [160])]).by_profile["standard"]
    assert edge == pytest.approx(100 * (1 - 0.11) / 2, abs=0.1)
    spoilt = change_score([changes([100], [20, 100, 110, 161])])  # the second in the window counts nothing
    assert spoilt.false == 2
    assert spoilt.by_profile["standard"] == pytest.approx(100 * (2 - 0.22) / 2)
    assert spoilt.by_profile["low_fp"] == pytest.approx(100 * (2 - 0.44) / 2)


def test_a_window_begins_where_the_one_before_ends() -> None:
    assert change_score([changes([100, 120], [165])]).by_profile["low_fp"] > 0
    assert change_score([changes([100, 120], [130])]).missed == 1


# NAB


def nab(scores: dict[int, float], windows: list[tuple[int, int]], n: int = 200) -> NabSeries:
    score = np.zeros(n)
    score[list(scores)] = list(scores.values())
    return NabSeries(score, windows)


def test_the_first_row_of_a_window_is_perfect_and_the_last_is_worth_little() -> None:
    first = nab_score([nab({100: 0.9}, [(100, 119)])], STANDARD)
    assert first.score == pytest.approx(100)
    assert first.threshold == 0.9
    last = nab_score([nab({119: 0.9}, [(100, 119)])], STANDARD).score
    assert last == pytest.approx(50 + 50 * np.tanh(2.5 / 20) / np.tanh(2.5))  # 2 sigmoid(x) - 1 = tanh(x / 2)


def test_a_false_one_just_behind_a_window_costs_less_than_one_far_away() -> None:
    near, far = (nab_score([nab({100: 0.9, at: 0.9}, [(100, 119)])], STANDARD).score for at in (120, 199))
    assert far == pytest.approx(100 * (2 - 0.11) / 2)
    assert near == pytest.approx(100 * (2 - 0.11 * np.tanh(2.5 / 19)) / 2)


def test_the_threshold_is_one_for_all_and_leaves_false_ones_out() -> None:
    corpus = [nab({100: 0.9, 60: 0.3}, [(100, 119)]), nab({50: 0.3, 100: 0.8}, [(100, 119)])]
    found = nab_score(corpus, STANDARD)
    assert found.score == pytest.approx(100)
    assert found.threshold == 0.8


def test_probation_is_not_scored() -> None:
    assert nab_score([nab({29: 0.9, 100: 0.9}, [(100, 119)])], STANDARD).score == pytest.approx(100)
    assert nab_score([nab({30: 0.9, 100: 0.9}, [(100, 119)])], STANDARD).score < 100


@pytest.mark.parametrize("profile", PROFILES.values())
def test_who_says_nothing_or_too_much_has_0(profile: object) -> None:
    windows = [(100, 119), (150, 159)]
    for score in (np.zeros(2000), np.ones(2000)):
        assert nab_score([NabSeries(score, windows)], profile).score == pytest.approx(0)  # type: ignore[arg-type]


# Whole suites


def skab_file(path: Path, labels: bool, seed: int, n: int = 900) -> None:
    """A pump whose flow drops between rows 600 and 800."""
    rng = np.random.default_rng(seed)
    fault = (np.arange(n) >= 600) & (np.arange(n) < 800) & labels
    columns = np.stack([rng.normal(5, 1, n), rng.normal(30, 0.5, n) - 20 * fault, rng.normal(230, 4, n)], 1)
    start = datetime.fromisoformat("2026-03-01T10:00:00")
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["datetime", "Current", "Flow", "Voltage", *(["anomaly", "changepoint"] * labels)])
        for row, values in enumerate(columns.tolist()):
            said = [float(fault[row]), float(row in (600, 800))] if labels else []
            writer.writerow([start + timedelta(seconds=row), *values, *said])


def by_measure(readings: list[Reading]) -> dict[str, float]:
    return {reading.measure: reading.value for reading in readings}


def test_a_folder_like_skabs_with_and_without_labels(tmp_path: Path) -> None:
    for group, labels in (("valve1", True), ("new", False)):
        (tmp_path / group).mkdir()
        skab_file(tmp_path / group / "0.csv", labels, seed=3)
    scores, told = tmp_path / "scores.txt", []
    found = run(SUITES["skab"], tmp_path, scores, lambda file, at, count: told.append((file, at, count)))
    assert told == [("new/0.csv", 0, 2), ("valve1/0.csv", 1, 2)]
    values = by_measure(found)
    assert values["f1"] > 0.8 > values["f1, all positive"]
    assert values["far"] < 20 < values["far, all positive"] == 100
    assert (values["events_found"], values["false_episodes"]) == (1, 0)
    assert values["false_episodes, new/0.csv"] == 0
    assert values["alarmed, new/0.csv"] == 0
    assert {f"f1, {name}" for name in DUMMIES} <= values.keys()
    lines = list(csv.DictReader(scores.read_text().splitlines()))
    assert list(lines[0]) == ["file", "datetime", "score", "anomaly", "changepoint"]
    assert len(lines) == 1800
    on = [line["anomaly"] == "1" for line in lines if line["file"] == "valve1/0.csv"]
    assert not any(on[:600])
    assert all(on[640:800])


def test_what_is_decided_does_not_depend_on_what_comes_later(tmp_path: Path) -> None:
    for name, n in (("whole", 900), ("cut", 700)):
        (tmp_path / name).mkdir()
        skab_file(tmp_path / name / "0.csv", labels=True, seed=3, n=900)
        lines = (tmp_path / name / "0.csv").read_text().splitlines(keepends=True)
        (tmp_path / name / "0.csv").write_text("".join(lines[: n + 1]))
        run(SUITES["skab"], tmp_path / name, tmp_path / f"{name}.txt", lambda *_: None)
    whole, cut = ((tmp_path / f"{name}.txt").read_text().splitlines() for name in ("whole", "cut"))
    assert whole[:701] == cut


def test_a_folder_like_nabs(tmp_path: Path) -> None:
    (tmp_path / "data" / "real").mkdir(parents=True)
    (tmp_path / "labels").mkdir()
    start, rng = datetime.fromisoformat("2026-03-01 00:00:00"), np.random.default_rng(1)
    times = [str(start + timedelta(minutes=5 * k)) for k in range(1000)]
    value = rng.normal(10, 1, 1000)
    value[700:760] += 15
    lines = [f"{time},{one}\n" for time, one in zip(times, value.tolist(), strict=True)]
    (tmp_path / "data" / "real" / "cpu.csv").write_text("timestamp,value\n" + "".join(lines))
    (tmp_path / "labels" / "combined_windows.json").write_text(
        json.dumps({"real/cpu.csv": [[times[690] + ".000000", times[780] + ".000000"]]})
    )
    values = by_measure(run(SUITES["nab"], tmp_path, tmp_path / "scores.txt", lambda *_: None))
    assert values["standard"] > 85
    assert values["standard, all positive"] == 0
    first, second, *_ = (tmp_path / "scores.txt").read_text().splitlines()
    assert (first, second) == ("file,timestamp,score", "real/cpu.csv,2026-03-01 00:00:00,0.0")


def trip_file(path: Path, number: int, rattle: float) -> None:
    """Nine seconds of a lift at 100 Hz; a worn guide rattles at 33 Hz."""
    rng, t = np.random.default_rng(number), np.arange(900) / 100
    x = rng.normal(size=(900, 3)) * 10
    x[:, 2] += 10 * rattle * np.sin(2 * np.pi * 33 * t)
    lines = [
        f"AE 1,{1_680_000_000_000 + number * 3_600_000 + 10 * k},{a:.0f},{b:.0f},{c:.0f}\n"
        for k, (a, b, c) in enumerate(x.tolist())
    ]
    path.write_text("name,timeStamp,x,y,z\n" + "".join(lines))


def test_a_folder_of_trips_with_and_without_labels(tmp_path: Path) -> None:
    for number in range(36):
        label = "OK" if number < 30 else "KO"
        trip_file(tmp_path / f"{number:02}_{label}.csv", number, rattle=2.0 * (label == "KO"))
    scores = tmp_path / "scores.txt"
    values = by_measure(run(SUITES["elevator-trips"], tmp_path, scores, lambda *_: None))
    assert values["auc"] == 1.0
    assert values["found"] == 100
    assert values["false_alarms"] <= 20
    assert (values["auc, all positive"], values["auc, clock"]) == (0.5, 0.0)
    lines = list(csv.DictReader(scores.read_text().splitlines()))
    assert [line["anomaly"] for line in lines[30:]] == ["1"] * 6
    assert list(lines[0]) == ["file", "score", "anomaly"]
    for path in tmp_path.glob("*.csv"):
        path.rename(path.with_stem(path.stem[:2]))
    assert run(SUITES["elevator-trips"], tmp_path, scores, lambda *_: None) == []
    unlabelled = [float(line["score"]) for line in csv.DictReader(scores.read_text().splitlines())]
    assert np.median(unlabelled[30:]) > np.median(unlabelled[:30])


def test_an_ok_trip_is_never_its_own_teacher(tmp_path: Path) -> None:
    for number in range(30):
        trip_file(tmp_path / f"{number:02}_OK.csv", number, rattle=2.0 * (number == 7))
    run(SUITES["elevator-trips"], tmp_path, tmp_path / "scores.txt", lambda *_: None)
    lines = (tmp_path / "scores.txt").read_text().splitlines()
    assert np.argmax([float(line["score"]) for line in csv.DictReader(lines)]) == 7


def transformer_files(folder: Path, labels: bool) -> None:
    """Ten days of a transformer, a row each 15 minutes; its oil warms for two days, then it alarms."""
    start, rng = datetime.fromisoformat("2026-03-01T00:00"), np.random.default_rng(3)
    overview = ["DeviceTimeStamp,OTI,ATI" + ",OTI_A" * labels]
    electrical = ["DeviceTimeStamp,IL1,VL1"]
    for k in range(960):
        time = (start + timedelta(minutes=15 * k)).isoformat(timespec="minutes")
        warmer, alarm = max(k - 600, 0) * 0.1 * (k < 800), 790 <= k < 800
        oil, air, load, volts = rng.normal((40 + warmer, 20, 50, 240), 1)
        overview.append(f"{time},{oil:.2f},{air:.2f}" + f",{alarm:d}" * labels)
        electrical.append(f"{time},{load:.2f},{volts:.2f}")
    (folder / "Overview.csv").write_text("\n".join(overview) + "\n")
    (folder / "CurrentVoltage.csv").write_text("\n".join(electrical) + "\n")


def test_a_transformers_alarm_is_foreseen_by_what_leads_to_it(tmp_path: Path) -> None:
    transformer_files(tmp_path, labels=True)
    scores = tmp_path / "scores.txt"
    values = by_measure(run(SUITES["transformer"], tmp_path, scores, lambda *_: None))
    assert values["auc"] > 0.9
    assert (values["foreseen"], values["false_episodes"]) == (1, 0)
    assert values["auc, oil temperature"] > 0.9
    assert len(scores.read_text().splitlines()) == 961
    transformer_files(tmp_path, labels=False)
    assert run(SUITES["transformer"], tmp_path, scores, lambda *_: None) == []


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("Overview.csv", "DeviceTimeStamp,OTI\n2026-03-01T00:00,1\n", "1 instants are in both files"),
        ("Overview.csv", "time,OTI\n", "first line must be DeviceTimeStamp"),
        ("CurrentVoltage.csv", None, "CurrentVoltage.csv is not in the folder"),
    ],
)
def test_a_transformers_folder_of_another_form_is_named(
    tmp_path: Path, name: str, text: str | None, says: str
) -> None:
    transformer_files(tmp_path, labels=True)
    (tmp_path / name).unlink()
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=says):
        run(SUITES["transformer"], tmp_path, None, lambda *_: None)


@pytest.mark.parametrize(
    ("suite", "says"),
    [("skab", "first line must be datetime"), ("nab", "timestamp,value"), ("elevator-trips", "timeStamp")],
)
def test_what_is_of_another_form_is_named(tmp_path: Path, suite: str, says: str) -> None:
    with pytest.raises(ValueError, match="no CSV file of this suite"):
        run(SUITES[suite], tmp_path, None, lambda *_: None)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "odd.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=says):
        run(SUITES[suite], tmp_path, None, lambda *_: None)


@pytest.mark.parametrize(
    ("header", "rows", "says"),
    [
        ("datetime;a", 400, "odd.csv: 400 rows, of which the first 400 teach"),
        ("datetime;a;anomaly", 401, "odd.csv: it has one of the columns"),
        ("datetime;a", 401, "odd.csv: could not convert string to float: 'x'"),
    ],
)
def test_a_file_that_cannot_be_scored_is_named_with_the_cure(
    tmp_path: Path, header: str, rows: int, says: str
) -> None:
    start, labels = datetime.fromisoformat("2026-03-01 10:00:00"), ";0" * (header.count(";") - 1)
    lines = [f"{start + timedelta(seconds=k)};{'x' if k == 400 else 1}{labels}" for k in range(rows)]
    (tmp_path / "odd.csv").write_text("\n".join([header, *lines]) + "\n")
    with pytest.raises(ValueError, match=says):
        run(SUITES["skab"], tmp_path, None, lambda *_: None)


# The promise on simulated machines


def test_a_promise_is_shown_for_each_type_beside_what_a_quantile_of_rows_would_have_realised() -> None:
    found = list(simulated.readings(2, 7, lambda _: None))
    assert [reading.measure for reading in found][:4] == [
        "elevator, 0.1 a day, after half_a_day",
        "elevator, 0.1 a day, after two_days",
        "elevator, 1 a day, after half_a_day",
        "elevator, 1 a day, after two_days",
    ]
    assert len(found) == 3 * 2 * 2
    assert all(reading.value >= 0 and reading.rival == "quantile of rows" for reading in found)
    assert sum(reading.value for reading in found) > 0


# The right fault mode on simulated machines


def test_the_right_mode_is_named_and_one_that_the_pack_lacks_is_unknown() -> None:
    found = {
        reading.measure: reading.value for reading in diagnosis.readings_of("elevator", 1, lambda _: None)
    }
    assert found["elevator, right mode first"] > 0.9
    assert found["elevator, right mode among three"] > 0.9
    assert found["elevator, mode not in the pack: unknown"] > 0.6
