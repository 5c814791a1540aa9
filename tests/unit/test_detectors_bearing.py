"""Defect frequencies of real bearings."""

import numpy as np
import pytest

from detectors.bearing import Bearing, prominence_db
from detectors.waveform import Spectrum

SKF_6205 = Bearing(9, 0.3126 * 25.4, 1.537 * 25.4)


def test_the_orders_of_a_known_bearing() -> None:
    """SKF 6205 as the Case Western bearing data centre gives it, which lists 2 BSF as "rolling element"."""
    orders = SKF_6205.orders()
    assert orders.bpfo == pytest.approx(3.58478, abs=1e-5)
    assert orders.bpfi == pytest.approx(5.41522, abs=1e-5)
    assert orders.ftf == pytest.approx(0.39831, abs=1e-5)
    assert orders.bsf == pytest.approx(2.35672, abs=1e-5)
    assert 2 * orders.bsf == pytest.approx(4.7135, abs=1e-4)


def test_rings_share_the_passes_and_a_steep_contact_makes_them_equal() -> None:
    for angle in (0.0, 15.0, 40.0, 89.999):
        orders = Bearing(16, 15.0, 120.0, angle).orders()
        assert orders.bpfo + orders.bpfi == pytest.approx(16)
        assert orders.bpfo == pytest.approx(16 * orders.ftf)
    assert orders.bpfo == pytest.approx(orders.bpfi, rel=1e-5)


@pytest.mark.parametrize(
    "wrong", [(2, 8.0, 39.0, 0.0), (9, 39.0, 8.0, 0.0), (9, 0.0, 39.0, 0.0), (9, 8.0, 39.0, 90.0)]
)
def test_what_is_no_bearing_is_refused(wrong: tuple[int, float, float, float]) -> None:
    with pytest.raises(ValueError, match="smaller than their circle"):
        Bearing(*wrong)


def spectrum(**peaks: float) -> Spectrum:
    """Up to 1000 Hz in steps of 1 Hz, 1 everywhere but at the peaks, named after their Hz."""
    amplitude = np.ones(1001)
    for name, value in peaks.items():
        amplitude[int(name.removeprefix("at"))] = value
    return Spectrum(np.arange(1001.0), amplitude)


def test_lines_that_stand_out_are_the_mean_of_three_harmonics_over_the_floor() -> None:
    assert prominence_db(spectrum(at100=15, at200=10, at300=5), 100, 1000) == pytest.approx(20)
    assert prominence_db(spectrum(at102=15, at198=14), 100, 1000) == pytest.approx(20), "rollers slip"
    assert prominence_db(spectrum(at104=28), 100, 1000) == pytest.approx(0), "somebody else's line"


def test_harmonics_beyond_the_bands_width_do_not_count() -> None:
    found = spectrum(at400=100, at800=2)
    assert prominence_db(found, 400, 1000) == pytest.approx(20 * np.log10(51))
    assert prominence_db(found, 400, 600) == pytest.approx(40)
    with pytest.raises(ValueError, match="400 Hz does not show in a band 300 Hz wide"):
        prominence_db(found, 400, 300)


def test_where_there_is_nothing_nothing_stands_out() -> None:
    assert prominence_db(Spectrum(np.arange(1001.0), np.zeros(1001)), 100, 1000) == 0
