"""Wear by the operation: ropes bend, contactors switch, brakes stop."""

import math

import numpy as np
import pytest

from forecasting.wear.contract import Lifetime, Quantity
from forecasting.wear.load_spectrum import LoadSpectrum
from forecasting.wear.model import WearModel
from forecasting.wear.operations import Operations
from forecasting.wear.rope import RopeBends, RopeDrive

HOUR_US = 3_600_000_000
CONSTANTS = (1.3, 0.03, 6.2, -0.3, -1.6, 1.0)


def counted(model: WearModel, *rows: tuple[float, ...]) -> list[float]:
    ts_us = (1 + np.arange(len(rows))) * HOUR_US
    after: list[float] = model.update(
        np.zeros(len(rows), np.int32), ts_us, np.array(rows, np.float64)
    ).tolist()
    return after


def test_bends_as_the_equation_has_them() -> None:
    """Equation 3.55 written out, for D/d = 40, l/d = 200 and S/d² = 40 N/mm²."""
    b0, b1, b2, b3, b4, b5 = CONSTANTS
    ratio, strength = math.log10(40), 1960.0
    expected = b0 + (b1 + b4 * ratio) * (math.log10(40) - 0.4 * math.log10(strength / 1770))
    expected += b2 * ratio + b3 * math.log10(10) + 1 / (b5 + math.log10(200))
    drive = RopeDrive(10.0, 400.0, 2000.0, CONSTANTS, strength)
    assert math.log10(drive.bends(4000.0)) == pytest.approx(expected)


def test_a_rope_is_used_up_after_its_bends() -> None:
    drive = RopeDrive(10.0, 400.0, 2000.0, CONSTANTS)
    light, heavy = drive.bends(3000.0), drive.bends(5000.0)
    rows = (7.0, 3000.0), (7.0 + light / 2, 3000.0), (7.0 + light / 2 + heavy / 2, 5000.0)
    assert counted(RopeBends(drive), *rows) == pytest.approx([0.0, 0.5, 1.0])


@pytest.mark.parametrize(
    ("sheave", "constants", "message"),
    [(9.0, CONSTANTS, "thinner"), (400.0, (1.3, 3.0, 6.2, -0.3, -1.6, 1.0), "more force, fewer bends")],
)
def test_what_is_no_rope(sheave: float, constants: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RopeDrive(10.0, sheave, 2000.0, constants)  # type: ignore[arg-type]


def test_a_device_without_a_severity_counts_operations_up_to_its_b10d() -> None:
    model = Operations(b10d=20_000.0)
    assert model.lifetime == Lifetime("1", warning=16_000.0, limit=20_000.0)
    assert counted(model, (500.0,), (520.0,), (600.0,)) == [0.0, 20.0, 100.0]


def test_a_contactor_wears_by_the_square_of_what_it_breaks() -> None:
    assert counted(Operations.example(), (0.0, 20.0), (1.0, 20.0), (2.0, 40.0), (3.0, 10.0)) == [
        0,
        1,
        5,
        5.25,
    ]


def test_a_brake_wears_by_the_energy_of_its_stops() -> None:
    brake = Operations(1e6, Quantity("stop_energy", "kJ", 1e3, load=True), rated=8.0)
    assert counted(brake, (10.0, 0.0), (12.0, 8.0), (13.0, 4.0)) == [0.0, 2.0, 2.5]


def test_a_counter_that_was_set_back_goes_on_from_there() -> None:
    assert counted(Operations(1e6), (900.0,), (950.0,), (3.0,), (10.0,)) == [0.0, 50.0, 50.0, 57.0]


def test_what_was_counted_in_a_gap_counts() -> None:
    model = Operations(1e6)
    counted(model, (100.0,))
    after = model.update(np.zeros(1, np.int32), np.array([900 * HOUR_US]), np.array([[400.0]]))
    assert after.tolist() == [300.0]
    assert model.unknown_h.tolist() == [0.0]


def test_no_device_without_a_life() -> None:
    with pytest.raises(ValueError, match="B10d"):
        Operations(0.0)


def test_a_crane_of_group_a4_has_so_many_lifts_of_its_rated_load() -> None:
    """U4 with Q2: 250 000 cycles at a load spectrum factor of 0.25 (ISO 4301-1)."""
    crane = LoadSpectrum("U4", "Q2")
    assert (crane.lifetime.warning, crane.lifetime.limit) == (56_250.0, 62_500.0)
    full, half = (0.0, 100.0), (0.0, 50.0)
    assert counted(crane, full, (62_500.0, 100.0))[-1] == pytest.approx(62_500.0)
    assert counted(LoadSpectrum("U4", "Q2"), half, (8.0, 50.0), (9.0, 110.0)) == pytest.approx(
        [0.0, 1.0, 1.0 + 1.1**3]
    )
    with pytest.raises(ValueError, match=r"no classes U9 and Q2: there are U2, .*U7 and Q1, .*Q4"):
        LoadSpectrum("U9", "Q2")
