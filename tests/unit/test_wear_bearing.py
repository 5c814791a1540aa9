"""Rating life as ISO 281 has it, and how much of it a load that varies takes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.wear.bearing import ROLLER, BearingLife, RollingBearing

HOUR_US = 3_600_000_000


def test_the_golden_bearing() -> None:
    """C = 14 kN, P = 2 kN, 1500 rpm: 343 million revolutions, 3811 h."""
    bearing = RollingBearing(dynamic_kn=14.0)
    assert bearing.life_mrev(2.0) == pytest.approx(343, rel=1e-12)
    assert bearing.life_h(2.0, 1500.0) == pytest.approx(3811, abs=0.5)


def test_the_golden_bearing_is_used_up_after_its_life() -> None:
    hours = 3812
    duty = np.tile([2.0, 1500.0], (hours, 1))
    used = BearingLife.example().update(np.zeros(hours, np.int32), np.arange(hours) * HOUR_US, duty)
    assert used[3810] < 1 < used[3811] + 1e-4
    assert used[-1] == pytest.approx(3811 / (343e6 / 90_000))


def test_more_reliability_is_less_life() -> None:
    """a1 is .64 for 95 %; and cleanliness and film make it longer again by a_ISO."""
    assert RollingBearing(14.0, reliability=95, life_factor=2.0).life_mrev(2.0) == pytest.approx(
        0.64 * 2 * 343
    )
    lives = [RollingBearing(14.0, reliability=r).life_mrev(2.0) for r in (90, 95, 96, 97, 98, 99)]
    assert lives == sorted(lives, reverse=True)


def test_a_roller_bearing_minds_load_more() -> None:
    assert RollingBearing(20.0, exponent=ROLLER).life_mrev(2.0) == pytest.approx(10 ** (10 / 3))


@given(st.lists(st.tuples(st.floats(0.1, 10), st.floats(1, 5000)), min_size=1, max_size=20))
def test_the_equivalent_load_wears_as_the_loads_it_stands_for(hours: list[tuple[float, float]]) -> None:
    model = BearingLife.example()
    load, rpm = np.array(hours).T
    ts_us = np.arange(len(hours) + 1) * HOUR_US
    duty = np.stack([load, rpm], axis=1)[[0, *range(len(hours))]]
    used = model.update(np.zeros(len(ts_us), np.int32), ts_us, duty)[-1]
    mean = model.bearing.equivalent_load_kn(rpm * 60, load)
    assert used == pytest.approx(rpm.sum() * 60 / 1e6 / model.bearing.life_mrev(mean))


@pytest.mark.parametrize("wrong", [{"reliability": 91}, {"dynamic_kn": 0.0}, {"life_factor": -1.0}])
def test_what_is_no_bearing(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"reliability|above 0"):
        RollingBearing(**{"dynamic_kn": 14.0, **wrong})  # type: ignore[arg-type]
