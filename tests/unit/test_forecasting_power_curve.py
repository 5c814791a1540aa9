"""A power curve by bins: what it is made of, where it says nothing, and the density."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.power_curve import BIN, fit_power_curve, normalised_wind

RNG = np.random.default_rng(3)
WIND = RNG.uniform(0.0, 15.0, 4000)
YIELD = np.clip(WIND - 3.0, 0.0, 9.0) * 300.0


def test_it_gives_back_the_curve_that_made_the_data() -> None:
    curve = fit_power_curve(WIND, YIELD + RNG.normal(0, 20, len(WIND)), 10.0)
    assert np.abs(curve.expected(WIND) - YIELD).max() < 60.0
    assert (np.diff(curve.wind) > 0).all()


def test_a_bin_is_the_mean_of_its_values_and_needs_half_an_hour() -> None:
    wind = np.concatenate([np.full(1100, 5.0), [9.9, 10.0, 10.1], [12.0, 12.1]])
    power = np.concatenate([np.full(1100, 500.0), [990.0, 1000.0, 1010.0], [1500.0, 1500.0]])
    curve = fit_power_curve(wind, power, 10.0)
    assert curve.wind.tolist() == pytest.approx([5.0, 10.0])
    assert curve.power.tolist() == pytest.approx([500.0, 1000.0])
    assert curve.expected(np.array([7.5])) == pytest.approx([750.0])


def test_standstill_and_curtailment_are_no_part_of_it() -> None:
    idle = np.arange(len(WIND)) % 5 == 0
    curve = fit_power_curve(WIND, np.where(idle & (WIND > 5), 0.0, YIELD), 10.0)
    assert curve.expected(np.array([10.0]))[0] == pytest.approx(2100.0, rel=0.02)


def test_beyond_what_was_seen_it_says_nothing() -> None:
    curve = fit_power_curve(WIND, YIELD, 10.0)
    said = curve.expected(np.array([curve.wind[-1] + BIN, 40.0, np.nan, 10.0]))
    assert np.isnan(said).tolist() == [True, True, True, False]


def test_too_little_data_is_refused() -> None:
    with pytest.raises(ValueError, match="needs 180"):
        fit_power_curve(WIND[:100], YIELD[:100], 10.0)
    with pytest.raises(ValueError, match="bins"):
        fit_power_curve(np.full(2000, 5.0), np.full(2000, 100.0), 10.0)


def test_wind_at_the_reference_density_is_as_measured() -> None:
    """15 °C and 101 325 Pa are 1.225 kg/m³; at half the pressure there is half the power."""
    standard = normalised_wind(np.array([8.0]), np.array([15.0]), np.array([101_325.0]))
    assert standard == pytest.approx([8.0], rel=1e-4)
    thin = normalised_wind(np.array([8.0]), np.array([15.0]), np.array([101_325.0 / 2]))
    assert (thin / standard) ** 3 == pytest.approx([0.5])


@given(st.integers(0, 50), st.floats(1.0, 5.0))
def test_the_order_of_rows_and_the_unit_of_power_do_not_matter(seed: int, unit: float) -> None:
    order = np.random.default_rng(seed).permutation(len(WIND))
    one, other = (
        fit_power_curve(WIND, YIELD, 10.0),
        fit_power_curve(WIND[order], unit * YIELD[order], 10.0),
    )
    assert other.power == pytest.approx(unit * one.power)
