"""Window statistics against NumPy's, whatever the gaps and cuts."""

import numpy as np
from numpy.typing import NDArray

from detectors.windows import Windows


def plainly(window: NDArray[np.float64]) -> list[float]:
    t = np.flatnonzero(np.isfinite(window))
    if 2 * len(t) < len(window):
        return [np.nan] * 4
    values = window[t]
    rise = np.polyfit(t, values, 1)[0] * len(window)
    return [values.mean(), values.std(), rise, np.ptp(values)]


def test_features_are_those_of_each_window() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2)).cumsum(axis=0)
    x[rng.random(x.shape) < 0.2] = np.nan
    x[100:130, 1] = np.nan
    windows = Windows(2, length=30, hop=7)
    windows.reach(1)
    slot = np.zeros(200, np.int32)
    pieces = [windows.complete(slot[k : k + 11], x[k : k + 11].astype(np.float32)) for k in range(0, 200, 11)]
    found = np.concatenate([features for _, features in pieces])
    ends = range(30, 201, 7)
    expected = [[plainly(x[end - 30 : end, k]) for k in range(2)] for end in ends]
    assert np.isnan(found).any()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_windows_of_slots_do_not_mix() -> None:
    windows = Windows(1, length=4, hop=2)
    windows.reach(2)
    slot = np.array([0, 1] * 5, np.int32)
    ends, features = windows.complete(slot, np.where(slot == 0, 1.0, 9.0).astype(np.float32)[:, None])
    assert ends.tolist() == [6, 7]
    assert features[:, 0, 0].tolist() == [1.0, 9.0]
