"""A machining centre's test program: simulated every morning, judged by itself in the worker's scorer."""

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.segments import Segments
from fleet.catalog import packs
from storage.chunk_result import EpisodeRow, FeatureRow
from streams.rows import Rows
from streams.scorer import Scorer
from streams.simulator.fault import Fault
from streams.simulator.machine import Block
from streams.simulator.machine_tool import MachineTool

PACK = packs()["machine-tool"]
KIND = PACK.equipment_type
(FINGERPRINT,) = (each for each in PACK.segments if each.name == "fingerprint")
FEATURES = [feature.name for feature in FINGERPRINT.features]

STEP_S = 2.0
MORNING = np.arange(5.7 * 3600, 5.9 * 3600, STEP_S)
FIRST_DAY = 20_454
DAYS, ONSET, FAILURE = 56, 36.0, 56.0
MODES = "ball-screw", "lubrication", "spindle-bearing"
HEALTHY = len(MODES)

Values = NDArray[np.float32]


def lived(machine: MachineTool, day: int, rng: np.random.Generator, fault: Fault | None = None) -> Values:
    """The rows of a morning (n, channels)."""
    age_h = 24 * day + MORNING / 3600
    severity = {fault.mode: fault.shows(age_h)} if fault else {}
    told = machine.day(Block(MORNING, FIRST_DAY + day, STEP_S, severity), rng)
    silent = np.full(len(MORNING), np.nan)
    columns = [told.get(channel.name, silent) for channel in KIND.channels]
    return np.stack(columns, axis=1).astype(np.float32)


def instants(day: int) -> NDArray[np.int64]:
    return np.asarray((FIRST_DAY + day) * 86_400_000_000 + (MORNING * 1e6).astype(np.int64))


@cache
def mornings() -> Rows:
    """Of a machine for each fault mode that shows without cutting, and of a healthy one, day by day."""
    asset_id, ts_us, values = [], [], []
    machines = [(MachineTool(rng), rng) for rng in (np.random.default_rng([230, k]) for k in range(4))]
    faults = [Fault("", mode, 24 * ONSET, 24 * FAILURE) for mode in MODES]
    for day in range(DAYS):
        for k, ((machine, rng), fault) in enumerate(zip(machines, [*faults, None], strict=True)):
            asset_id.append(np.full(len(MORNING), k, np.int32))
            ts_us.append(instants(day))
            values.append(lived(machine, day, rng, fault))
    return Rows(np.concatenate(asset_id), np.concatenate(ts_us), np.concatenate(values))


def raised(rows: Rows) -> dict[int, EpisodeRow]:
    """The latest reading of the fingerprint's episode of each machine that has one."""
    found = Scorer(PACK).score(rows, lambda asset_id: ("t", str(asset_id)))
    mine = [row for row in found.episodes if row.detector.startswith("segment-fingerprint")]
    assert all(row.kind == "machine" for row in mine)
    return {row.asset_id: row for row in mine}


def kept(rows: Rows, size: int) -> list[FeatureRow]:
    """What is stored of the runs, with the rows in chunks of that size."""
    scorer = Scorer(PACK)
    parts = (rows.take(slice(at, at + size)) for at in range(0, len(rows.ts_us), size))
    return [row for part in parts for row in scorer.score(part, lambda asset_id: ("t", "m")).features]


def taken(values: Values, ts_us: NDArray[np.int64]) -> Values:
    """The features of each run in the rows of one machine (runs, features)."""
    cut = Segments(
        KIND.column(FINGERPRINT.channel),
        FINGERPRINT.codes,
        FINGERPRINT.parts(KIND),
        phases=FINGERPRINT.phases,
        apart_s=FINGERPRINT.apart_s,
        longest_s=FINGERPRINT.longest_s,
    )
    return cut.update(np.zeros(len(ts_us), np.int32), ts_us, values)[1].x


def test_a_test_a_day_tells_of_each_axis_both_ways_and_of_the_spindle_at_each_speed() -> None:
    rng = np.random.default_rng(1)
    (run,) = taken(lived(MachineTool(rng), 0, rng), instants(0))
    assert np.isfinite(run).all()
    told = dict(zip(FEATURES, run.tolist(), strict=True))
    assert told["test_z_load_forth"] > 1.2 * told["test_z_load_back"]  # it carries the spindle's head
    assert told["test_spindle_low_load"] < told["test_spindle_middle_load"] < told["test_spindle_high_load"]


def test_nothing_but_the_test_program_runs_and_parts_are_made_later() -> None:
    rng = np.random.default_rng(1)
    values = lived(MachineTool(rng), 0, rng)
    step = values[:, KIND.column("test_step")]
    assert set(step) == {0, *FINGERPRINT.codes}
    assert (np.diff(step[step > 0]) >= 0).all()
    assert (values[step > 0, KIND.column("program")] == 0).all()


def test_a_worn_screw_turns_round_late_on_its_own_axis() -> None:
    worn = Fault("", "ball-screw", 0.0, 1.0)
    runs = []
    for fault in (None, worn):
        rng = np.random.default_rng(5)
        machine = MachineTool(rng)
        runs.append(taken(lived(machine, 0, rng, fault), instants(0))[0])
    more = dict(zip(FEATURES, (runs[1] / runs[0]).tolist(), strict=True))
    axis = "xyz"[machine.test.worn_axis]
    assert more[f"test_{axis}_reversal"] == pytest.approx(4, rel=0.05)
    assert more[f"test_{axis}_load_back"] == pytest.approx(1.5, rel=0.01)
    assert more[f"test_{axis}_load_peak"] > 1.6, "it is worn most in the middle of its travel"
    others = [name for name in FEATURES if not name.startswith(f"test_{axis}_")]
    assert [more[name] for name in others] == pytest.approx([1.0] * len(others), rel=1e-6)


def test_faults_are_found_and_named_by_the_test_alone_and_a_sound_machine_stays_quiet() -> None:
    found = raised(mornings())
    assert {MODES[asset_id]: row.evidence["code"] for asset_id, row in found.items()} == {
        mode: mode for mode in MODES
    }
    days = {asset_id: row.onset_us / 86_400e6 - FIRST_DAY for asset_id, row in found.items()}
    assert all(ONSET < day < (ONSET + FAILURE) / 2 for day in days.values())
    said = [one["channel"] for one in found[MODES.index("ball-screw")].evidence["evidence"]]
    assert any(name.endswith("_reversal") for name in said)
    sentence = found[MODES.index("lubrication")].evidence["evidence"][0]
    assert "Lubrication pressure in the test" in sentence["sentence_en"]
    assert "测试润滑压力" in sentence["sentence_zh"]


def test_what_is_cut_meanwhile_changes_nothing() -> None:
    """Parts in between, with any tool and load, are other segments."""
    rows = mornings().take(slice(0, 4 * len(MORNING)))
    shown = taken(rows.values[: len(MORNING)], rows.ts_us[: len(MORNING)])
    cutting = rows.values[: len(MORNING)].copy()
    idle = cutting[:, KIND.column("test_step")] == 0
    cutting[idle, KIND.column("program")] = 3.0
    cutting[idle, KIND.column("spindle_load")] = 140.0
    np.testing.assert_array_equal(taken(cutting, rows.ts_us[: len(MORNING)]), shown)


def test_a_test_that_stops_half_way_says_what_it_saw() -> None:
    rng = np.random.default_rng(1)
    values = lived(MachineTool(rng), 0, rng)
    step = values[:, KIND.column("test_step")]
    step[step > 5] = 0
    (run,) = taken(values, instants(0))
    told = dict(zip(FEATURES, np.isfinite(run).tolist(), strict=True))
    assert told["test_x_reversal"]
    assert told["test_lubrication"]
    assert not told["test_y_reversal"]
    assert not told["test_spindle_low_load"]


def test_each_run_is_kept_beside_what_the_machine_showed_at_first() -> None:
    rows = mornings()
    found = kept(rows, len(rows.ts_us))
    assert len(found) == DAYS * (len(MODES) + 1) * len(FEATURES)
    assert found[0].expected is None
    assert {row.unit for row in found} == {"%", "µm", "mm/s", "m/s²", "bar"}
    screw = MODES.index("ball-screw")
    last = {row.feature: row for row in found if row.asset_id == screw}
    moved = {name: row.value / row.expected for name, row in last.items() if row.expected}
    assert max(moved, key=lambda name: moved[name]).endswith("_reversal")
    sound = {row.feature: row for row in found if row.asset_id == HEALTHY}
    assert all(row.value == pytest.approx(row.expected, rel=0.2) for row in sound.values())


def test_what_is_kept_does_not_depend_on_how_rows_are_cut() -> None:
    rows = mornings().take(slice(0, 8 * len(MORNING)))
    assert sorted(map(repr, kept(rows, 501))) == sorted(map(repr, kept(rows, len(rows.ts_us))))
