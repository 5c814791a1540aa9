"""What the simulated machines that stand outdoors do: weather, wind turbines, excavators, cranes."""

from datetime import date
from math import gamma

import numpy as np
import pytest
from numpy.typing import NDArray

from streams.simulator.climate import OpenAir, season
from streams.simulator.crane import Crane
from streams.simulator.excavator import Excavator
from streams.simulator.machine import DAY_S, Block, Machine
from streams.simulator.wind_turbine import (
    CUT_IN,
    CUT_OUT,
    LIMITED,
    PRODUCES,
    RATED_KW,
    RATED_RPM,
    SLOWEST_RPM,
    Wind,
    WindTurbine,
    normalised,
    power_curve,
)

Values = NDArray[np.float64]

MONDAY = (date(2026, 3, 2) - date(1970, 1, 1)).days


def block(day: int, step_s: float = 600.0) -> Block:
    return Block(np.arange(0.0, DAY_S, step_s), day, step_s, {})


def lived(machine: Machine, days: int, step_s: float) -> dict[str, Values]:
    rng = np.random.default_rng(8)
    each = [machine.day(block(MONDAY + day, step_s), rng) for day in range(days)]
    return {name: np.concatenate([one[name] for one in each]) for name in each[0]}


def test_a_block_knows_its_day_of_the_week() -> None:
    assert [block(MONDAY + day).weekday for day in range(7)] == list(range(7))


def test_july_afternoons_are_warmest() -> None:
    air, rng = OpenAir(10.0, seasonal=9.0, daily=4.0, weather=1e-9), np.random.default_rng(1)
    first = (date(2026, 1, 1) - date(1970, 1, 1)).days
    year = np.stack([air.temperature(block(first + day), rng) for day in range(365)])
    warmest = np.unravel_index(year.argmax(), year.shape)
    assert 195 <= warmest[0] <= 205
    assert warmest[1] == 15 * 6
    assert (year.min(), year.mean(), year.max()) == pytest.approx((-3.0, 10.0, 23.0), abs=0.2)
    assert season(block(first + 199), 200).max() == pytest.approx(1.0, abs=1e-3)


def test_the_power_curve_is_cubic_then_flat_and_nothing_outside() -> None:
    wind = np.array([0.0, CUT_IN - 0.01, 5.0, 7.5, 14.0, CUT_OUT, CUT_OUT + 0.01])
    power = power_curve(wind)
    assert (power[[0, 1, 6]] == 0).all()
    assert power[3] / power[2] == pytest.approx(1.5**3, rel=0.02)
    assert power[4:6] == pytest.approx(RATED_KW, rel=0.02)
    assert (np.diff(power_curve(np.arange(CUT_IN, CUT_OUT, 0.1))) > 0).all()


def test_wind_in_thin_air_counts_as_less() -> None:
    """IEC 61400-12-1: V (ρ/ρ0)^(1/3), with ρ0 = 1.225 kg/m³ at 15 °C and 1013.25 hPa."""
    at = np.array([15.0, 15.0]), np.array([1013.25, 700.0])
    standard, high = normalised(np.array([10.0, 10.0]), *at)
    assert standard == pytest.approx(10.0, abs=1e-3)
    assert high == pytest.approx(10.0 * (700 / 1013.25) ** (1 / 3), abs=1e-3)


def test_winds_of_years_are_weibull() -> None:
    wind, rng = Wind(8.0), np.random.default_rng(2)
    speeds = np.concatenate([wind.blow(block(day), rng) for day in range(5 * 365)])
    assert speeds.mean() == pytest.approx(8.0 * gamma(1.5), rel=0.04)
    assert np.sqrt((speeds**2).mean()) == pytest.approx(8.0, rel=0.04)  # shape 2: Rayleigh
    assert np.quantile(speeds, 0.99) == pytest.approx(8.0 * np.sqrt(np.log(100)), rel=0.05)


def test_a_turbine_turns_with_the_wind_and_pitches_above_its_rated_one() -> None:
    values = lived(WindTurbine(np.random.default_rng(3)), 60, 600.0)
    wind, runs = values["wind_speed"], values["turbine_state"] == PRODUCES
    low, high = runs & (wind > 6) & (wind < 9), runs & (wind > 13)
    assert np.corrcoef(wind[low], values["rotor_speed"][low])[0, 1] > 0.95
    assert values["rotor_speed"][high].mean() == pytest.approx(RATED_RPM, rel=0.01)
    assert values["rotor_speed"][runs].min() > 0.95 * SLOWEST_RPM
    assert np.abs(values["pitch_angle"][low]).max() < 1.0
    assert values["pitch_angle"][high].min() > 4.0
    assert abs(np.nanmean(values["power_deviation"])) < 0.5
    limited = values["turbine_state"] == LIMITED
    assert limited.any()
    assert values["active_power"][limited].max() < 0.65 * RATED_KW


def test_an_excavator_works_on_shift_and_rests_on_sunday() -> None:
    values = lived(Excavator(np.random.default_rng(3)), 14, 60.0)
    mode = values["mode"].reshape(14, 1440)
    assert (mode[[6, 13]] == 0).all()
    assert (mode[:, : 6 * 60] == 0).all()
    assert set(values["mode"]) == {0, 1, 2, 3, 4}
    works = values["mode"] > 1
    assert values["hydraulic_oil_temperature"][works].min() + 2 >= 45
    assert values["hydraulic_oil_temperature"].max() < 80
    assert values["coolant_temperature"].max() < 95
    assert np.isnan(values["cycle_time"][values["mode"] == 4]).all()
    burnt = values["fuel_used"][-1] - values["fuel_used"][0]
    assert burnt == pytest.approx(values["fuel_rate"][1:].sum() / 60, rel=1e-6)


def test_a_crane_lifts_a_spectrum_of_class_q2_and_rests_on_sunday() -> None:
    values = lived(Crane(np.random.default_rng(3)), 28, 60.0)
    motion = values["motion"].reshape(28, 1440)
    assert (motion[6::7] == 0).all()
    assert set(values["motion"]) == {0, 1}
    begun = np.diff(values["lifts"], prepend=values["lifts"][0])
    assert set(begun) == {0, 1}
    assert 40 < begun.sum() / 24 < 120
    loads = values["hoist_load"][begun > 0] / 100
    assert 0.125 < (loads**3).mean() < 0.25  # Kp of ISO 4301-1
    lifts = values["motion"] == 1
    assert np.corrcoef(values["hoist_load"][lifts], values["hoist_motor_current"][lifts])[0, 1] > 0.99
    assert np.isnan(values["hoist_motor_current"][~lifts]).all()
    assert values["brake_temperature"].max() < 100
