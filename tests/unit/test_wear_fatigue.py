"""What cycles do to a weld, by EN 1993-1-9."""

import numpy as np
import pytest

from forecasting.rainflow import Cycles
from forecasting.wear.fatigue import Fatigue, SnCurve


def of(stress: float, count: float = 1.0) -> Cycles:
    one = np.ones(1)
    return Cycles(stress * one, one, count * one)


def test_the_curve_of_a_weld() -> None:
    """The category at 2 million cycles, .737 of it at 5, .549 of that at 100."""
    curve = SnCurve(71.0)
    assert curve.knee == pytest.approx(0.737 * 71, rel=1e-3)
    assert curve.cut_off == pytest.approx(0.549 * curve.knee, rel=1e-3)
    lives = curve.life(np.array([71.0, curve.knee, curve.cut_off, 0.999 * curve.cut_off, 0.0]))
    assert lives == pytest.approx([2e6, 5e6, 1e8, np.inf, np.inf])


@pytest.mark.parametrize(("stress", "factor"), [(100.0, 1.33), (45.0, 1.61)])
def test_a_tenth_more_stress(stress: float, factor: float) -> None:
    """The slope decides: 1.1³ above the knee, 1.1⁵ below."""
    curve = SnCurve(71.0)
    assert curve.damage(of(1.1 * stress))[0] / curve.damage(of(stress))[0] == pytest.approx(factor, abs=0.005)


def test_damage_adds_up_to_one_at_the_end_of_life() -> None:
    curve = SnCurve(71.0)
    assert curve.damage(of(71.0, 1e6))[0] * 2 == pytest.approx(1.0)


def test_the_counter_is_the_sum_over_closed_cycles() -> None:
    """ASTM E1049 figure 6 in tens of MPa: what closes are ranges 3, 4, 4, 8 with counts .5, .5, 1, .5."""
    model = Fatigue(SnCurve(36.0))
    stress = 10.0 * np.array([-2, 1, -3, 5, -1, 3, -4, 4, -2])
    hour_us = np.arange(1, 10) * 3_600_000_000
    after = model.update(np.zeros(9, np.int32), hour_us, stress[:, None])
    curve = model.curve
    first, second, third, fourth = (
        curve.damage(of(s, c))[0] for s, c in ((30, 0.5), (40, 0.5), (40, 1), (80, 0.5))
    )
    total = np.cumsum([first, second, third, fourth])
    assert after == pytest.approx(
        [0, 0, total[0], total[1], total[1], total[1], total[3], total[3], total[3]]
    )


def test_no_weld_without_a_category() -> None:
    with pytest.raises(ValueError, match="above 0 MPa"):
        SnCurve(0.0)
