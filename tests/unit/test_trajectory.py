"""The past stays evenly covered in bounded memory, and the newest point is always there."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.trajectory import CAPACITY, Trajectory


@given(st.integers(1, 5 * CAPACITY))
def test_bounded_even_and_current(points: int) -> None:
    trajectory = Trajectory()
    for i in range(points):
        assert trajectory.add(i * 1_000_000, i / points)
    assert len(trajectory.ts_us) <= CAPACITY
    assert trajectory.ts_us[-1] == (points - 1) * 1_000_000
    gaps = np.diff(trajectory.ts_us)
    assert len(gaps) == 0 or gaps.max() <= 3 * max(1, points // (CAPACITY // 4)) * 1_000_000
    assert (gaps > 0).all()


def test_a_repeat_is_refused_and_changes_nothing() -> None:
    trajectory = Trajectory()
    trajectory.add(10, 0.1)
    assert not trajectory.add(10, 0.9)
    assert not trajectory.add(9, 0.9)
    assert trajectory.level == [0.1]


def test_age_counts_hours_from_the_first_point() -> None:
    trajectory = Trajectory()
    trajectory.add(1_000_000, 0.0)
    trajectory.add(1_000_000 + 7_200_000_000, 0.5)
    assert trajectory.history().age_h.tolist() == [0.0, 2.0]
    assert trajectory.history().x.shape == (2, 1)
