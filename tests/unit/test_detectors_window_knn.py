"""The kernel finds PyOD's distances, and window statistics show what levels do not."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pyod.models.knn import KNN

from detectors.contract import Samples, Scores
from detectors.neighbours import CUT, NEIGHBOURS, STEP, distances, in_steps
from detectors.window_knn import WindowKnn

ROOT = Path(__file__).resolve().parents[2]


def scored(x: NDArray[np.float64]) -> Scores:
    n = len(x)
    rows = Samples(
        np.zeros(n, np.int32), np.arange(n) * 1_000_000, np.zeros(n, np.int16), x.astype(np.float32)
    )
    return WindowKnn(x.shape[1]).update(rows)


def test_the_kernel_finds_the_distances_that_pyod_finds() -> None:
    rng = np.random.default_rng(0)
    neighbours, z = (in_steps(rng.normal(size=(n, 12)).astype(np.float32)) for n in (50, 200))
    neighbours[:10] = neighbours[0]
    pyod = KNN(n_neighbors=NEIGHBOURS, method="mean", algorithm="ball_tree").fit(STEP * neighbours)
    np.testing.assert_allclose(
        distances(z, np.zeros(len(z), np.int32), neighbours[None]),
        pyod.decision_function(STEP * z),
        rtol=1e-6,
    )


def test_steps_change_a_distance_by_less_than_a_hundredth_of_a_standard_deviation() -> None:
    z = np.random.default_rng(0).uniform(-CUT, CUT, (2, 64)).astype(np.float32)
    far, near = (in_steps(one)[None] for one in z)
    found = distances(far, np.zeros(1, np.int32), np.repeat(near[None], NEIGHBOURS, axis=1))
    assert abs(found[0] - np.linalg.norm(z[0] - z[1])) < 0.01


def test_the_largest_deviations_there_can_be_do_not_overflow() -> None:
    high = in_steps(np.full((1, 256), CUT, np.float32))
    low = np.repeat(-high[None], NEIGHBOURS, axis=1)
    assert distances(high, np.zeros(1, np.int32), low)[0] == 2 * CUT * np.sqrt(256)


def test_a_process_that_only_detects_carries_no_pandas() -> None:
    said = """
import sys
import numpy as np
from detectors.contract import Samples
from detectors.neighbours import load_pyod
from detectors.window_knn import WindowKnn
load_pyod()
n = 700
x = np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32)
found = WindowKnn(2).update(Samples(np.zeros(n, np.int32), np.arange(n), np.zeros(n, np.int16), x))
assert np.isfinite(found.score[-1])
assert "pandas" not in sys.modules
import pandas
"""
    subprocess.run([sys.executable, "-c", said], check=True, cwd=ROOT)


def test_more_scatter_at_the_same_level_is_odd() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(900, 3))
    x[600:, 2] *= 4
    found = scored(x)
    assert np.median(found.score[500:600]) < 1.5
    assert np.median(found.score[700:]) > 4
    assert (found.contribution[700:].argmax(axis=1) == 2).mean() > 0.9


def test_two_ways_of_running_are_both_normal() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(1200, 2)) + np.where(np.arange(1200) // 60 % 2, 40, 0)[:, None]
    assert np.median(scored(x).score[600:]) < 1.5


def test_a_score_holds_until_the_next_window() -> None:
    found = scored(np.random.default_rng(3).normal(size=(700, 2)))
    assert np.flatnonzero(np.diff(found.score[429:])).tolist() == list(range(9, 270, 10))
    assert np.isnan(found.score[:429]).all()


def test_windows_without_any_value_teach_nothing() -> None:
    x = np.random.default_rng(4).normal(size=(1000, 2))
    x[:300] = np.nan
    found = scored(x)
    assert np.isnan(found.score[: 300 + 400]).all()
    assert np.isfinite(found.score[-200:]).all()


def test_what_was_half_learned_is_forgotten_too() -> None:
    detector, x = WindowKnn(1), np.random.default_rng(5).normal(size=(900, 1)).astype(np.float32)

    def shown(rows: slice) -> Scores:
        n = rows.stop - rows.start
        return detector.update(
            Samples(
                np.zeros(n, np.int32), np.arange(n), np.zeros(n, np.int16), x[rows] + 50 * (rows.start < 200)
            )
        )

    shown(slice(0, 200))
    detector.relearn(0)
    again = WindowKnn(1)
    again.load(detector.state())
    assert np.isnan(shown(slice(200, 590)).score).all()
    assert np.median(shown(slice(590, 900)).score[100:]) < 1.5


@pytest.mark.parametrize("wrong", [{"length": 3}, {"hop": 31}, {"hop": 0}, {"training": 5}])
def test_parameters_that_cannot_be_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="windows of 4 rows or more"):
        WindowKnn(2, **wrong)
