"""What is explained of rows does not depend on cuts or restarts, and nobody pretends to know surroundings."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors.contract import StateError
from detectors.explained import Explained, Fit
from detectors.surroundings import LAG_H, Surroundings

MINUTE, HOUR = 60_000_000, 3_600_000_000
NAMES = ("oil", "load", "air", "noise")
OIL = Surroundings(
    ("oil",),
    ("load",),
    ("air",),
    np.array([50.0, 10.0, 2600.0]),
    np.array([[[0.0, 0.5, 0.001], [0.2, 0.3, 0]]]),
)
N = 400


def rows(silent: slice = slice(0, 0)) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]]:
    """Two machines in turn, a row a minute each; the air is not known in the `silent` rows."""
    rng = np.random.default_rng(4)
    x = rng.normal([60, 50, 12, 0], [1, 8, 4, 1], (N, 4)).astype(np.float32)
    x[silent, 2] = np.nan
    return np.arange(N, dtype=np.int32) % 2, np.arange(N) // 2 * MINUTE, x


def run(
    data: Sequence[NDArray[np.generic]], cuts: Sequence[int] = (), restarts: bool = False
) -> tuple[NDArray[np.float32], Explained]:
    explained, parts, at = Explained(NAMES), [], 0
    explained.offer(Fit(3, OIL))
    slot, ts_us, x = data
    for end in sorted({*cuts, len(slot)}):
        part = explained.update(slot[at:end], ts_us[at:end], x[at:end])  # type: ignore[arg-type]
        assert part is not None
        parts.append(part)
        at = end
        if restarts:
            state, explained = explained.state(), Explained(NAMES)
            explained.load(state)
    return np.concatenate(parts), explained


def test_slopes_apply_to_values_now_and_smoothed_over_the_lag() -> None:
    hours = np.array([0, 2, 4])
    x = np.array([[0, 50, 10, 0], [0, 50, 20, 0], [0, 60, 20, 0]], np.float32)
    part, _ = run((np.zeros(3, np.int32), hours * HOUR, x))
    kept = np.exp(-2 / LAG_H)
    air = [10, 20 - 10 * kept, 20 - 10 * kept**2]
    load = [50, 50, 60 - 10 * kept]
    square = np.array([2500.0, 2500, 3600])
    expected = 0.5 * (x[:, 2] - 10) + 0.3 * (np.array(air) - 10) + 0.2 * (np.array(load) - 50)
    np.testing.assert_allclose(part[:, 0], expected + 0.001 * (square - 2600), rtol=1e-6)
    np.testing.assert_array_equal(part[:, 1:], 0.0)


@settings(max_examples=25)
@given(st.lists(st.integers(1, N - 1), max_size=6), st.booleans())
def test_no_cut_and_no_restart_changes_a_bit(cuts: list[int], restarts: bool) -> None:
    data = rows(slice(100, 140))
    whole, ended = run(data)
    part, ended_in_parts = run(data, cuts, restarts)
    np.testing.assert_array_equal(part, whole)
    assert ended_in_parts.state() == ended.state()


def test_a_value_that_is_missing_is_as_of_late_and_after_the_lag_nobody_knows() -> None:
    slot, ts_us = np.zeros(4, np.int32), np.array([0, 1, 2, 3]) * HOUR
    x = np.tile(np.array([0, 50, 14, 0], np.float32), (4, 1))
    x[1:, 2] = np.nan
    part, _ = run((slot, ts_us, x))
    assert part[0, 0] == part[1, 0] == part[2, 0] == pytest.approx(0.8 * 4 - 0.1)
    assert np.isnan(part[3, 0])


def test_surroundings_beyond_all_measure_explain_nothing() -> None:
    x = np.array([[0, 50, 10, 0], [0, 3e38, 10, 0]], np.float32)
    part, _ = run((np.zeros(2, np.int32), np.arange(2) * HOUR, x))
    assert np.isfinite(part[0, 0])
    assert np.isnan(part[1, 0])


def test_surroundings_that_a_machine_never_showed_are_as_usual() -> None:
    x = np.tile(np.array([0, 60, np.nan, 0], np.float32), (3, 1))
    part, _ = run((np.zeros(3, np.int32), np.arange(3) * MINUTE, x))
    assert part[:, 0] == pytest.approx(0.2 * 10 + 0.001 * 1000)


def test_a_slot_that_was_there_before_goes_on_as_before_until_it_adopts() -> None:
    slot, ts_us, x = rows()
    explained = Explained(NAMES)
    assert explained.update(slot[:2], ts_us[:2], x[:2]) is None
    assert explained.offer(Fit(3, OIL))
    assert not explained.offer(Fit(3, OIL))
    assert explained.current().tolist() == [False, False]
    explained.adopt(1)
    part = explained.update(slot[2:4], ts_us[2:4], x[2:4])
    assert part is not None
    assert part[0, 0] == 0.0 != part[1, 0]
    explained.reach(3)
    assert explained.current().tolist() == [False, True, True]
    assert explained.offer(None)
    part = explained.update(slot[4:6], ts_us[4:6], x[4:6])
    assert part is not None
    assert part[1, 0] != 0.0, "as it was learned"
    explained.adopt(1)
    explained.adopt(2)
    assert explained.update(slot[6:], ts_us[6:], x[6:]) is None


def test_two_fits_side_by_side_explain_each_its_own() -> None:
    slot, ts_us, x = rows()
    explained = Explained(NAMES)
    explained.offer(Fit(1, OIL))
    explained.update(slot[:1], ts_us[:1], x[:1])
    twice = Surroundings(("oil",), (), ("air",), np.array([10.0]), np.array([[[2.0], [0.0]]]))
    explained.offer(Fit(2, twice))
    part = explained.update(slot[1:], ts_us[1:], x[1:])
    alone, _ = run((slot[::2] * 0, ts_us[::2], x[::2]))
    assert part is not None
    np.testing.assert_array_equal(part[1::2], alone[1:])
    np.testing.assert_allclose(part[::2, 0], 2 * (x[1::2, 2] - 10), rtol=1e-6)


def test_a_fit_to_channels_that_the_type_has_not_explains_nothing() -> None:
    explained = Explained(("oil", "load"))
    assert not explained.offer(Fit(3, OIL))
    assert explained.offered == 0


def test_channels_that_are_added_change_nothing_of_the_others() -> None:
    slot, ts_us, x = rows()
    whole, _ = run((slot, ts_us, x))
    explained = Explained(NAMES)
    explained.offer(Fit(3, OIL))
    explained.update(slot[:100], ts_us[:100], x[:100])
    explained.widen((*NAMES, "more"))
    part = explained.update(slot[100:], ts_us[100:], np.hstack([x[100:], x[100:, :1]]))
    assert part is not None
    np.testing.assert_array_equal(part[:, :4], whole[100:])
    with pytest.raises(ValueError, match="only added"):
        explained.widen(NAMES)


def test_a_damaged_state_is_refused() -> None:
    _, explained = run(rows())
    with pytest.raises(StateError):
        Explained(NAMES).load(explained.state()[:-1])
    with pytest.raises(StateError):
        Explained(NAMES[:3]).load(explained.state())
