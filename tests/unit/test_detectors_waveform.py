"""Levels, bands and envelopes of signals whose truth is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors.bearing import Bearing
from detectors.waveform import band_rms, envelope_spectrum, levels, velocity_rms

RATE_HZ = 12_000.0
SECOND = np.arange(12_000) / RATE_HZ


def sine(hz: float, amplitude: float) -> NDArray[np.float64]:
    return amplitude * np.sin(2 * np.pi * hz * SECOND)


def test_levels_of_a_sine_and_of_gaussian_noise() -> None:
    found = levels(np.stack([5 + sine(50, 2), np.random.default_rng(1).normal(0, 3, 12_000)]))
    assert found.rms == pytest.approx([2 / np.sqrt(2), 3], rel=0.02)
    assert found.peak[0] == pytest.approx(2, rel=1e-3)
    assert found.crest[0] == pytest.approx(np.sqrt(2), rel=1e-3)
    assert found.kurtosis == pytest.approx([1.5, 3], rel=0.05)


def test_a_constant_has_no_level() -> None:
    found = levels(np.full(100, 7.0))
    assert [found.rms, found.peak, found.crest, found.kurtosis] == pytest.approx([0] * 4, abs=0)


def test_each_band_holds_what_lies_in_it() -> None:
    signal = 9 + sine(50, 2) + sine(400, 1) + sine(3000, 0.5)
    found = band_rms(signal, RATE_HZ, [(10, 100), (100, 1000), (1000, 6000), (4000, 6000)])
    assert found == pytest.approx(np.array([2, 1, 0.5, 0]) / np.sqrt(2), abs=1e-9)


@given(st.integers(2, 400), st.integers(0, 2**32 - 1))
def test_the_bands_together_hold_everything(n: int, seed: int) -> None:
    signal = np.random.default_rng(seed).normal(size=(2, n))
    halves = band_rms(signal, 100.0, [(0, 20), (20, 51)])
    assert np.hypot(*halves.T) == pytest.approx(levels(signal).rms)


def test_the_envelope_of_a_modulated_carrier_is_its_modulation() -> None:
    signal = (1 + 0.5 * np.cos(2 * np.pi * 30 * SECOND)) * np.sin(2 * np.pi * 3000 * SECOND) + sine(50, 4)
    spectrum = envelope_spectrum(signal, RATE_HZ, (2500, 3500))
    assert spectrum.peak_near(30, 0.5) == pytest.approx(0.5, rel=1e-6)
    assert spectrum.peak_near(50, 5) == pytest.approx(0, abs=1e-9)
    assert spectrum.amplitude[0] == pytest.approx(0, abs=1e-12)


def test_a_damaged_outer_ring_is_seen_in_the_envelope_and_nowhere_else() -> None:
    """Each pass of a roller rings a 3 kHz resonance, far below the noise in RMS."""
    shaft_hz, rng = 30.0, np.random.default_rng(4)
    orders = Bearing(9, 7.94, 39.04).orders()
    hits = np.arange(0, 1, 1 / (orders.bpfo * shaft_hz))
    since = np.maximum(SECOND[:, None] - hits, 0)
    rings = (np.exp(-800 * since) * np.sin(2 * np.pi * 3000 * since)).sum(axis=1)
    noise = rng.normal(0, 0.3, len(SECOND))
    sound, damaged = (
        envelope_spectrum(noise + extra, RATE_HZ, (2000, 4000)) for extra in (0 * SECOND, rings)
    )
    at = orders.bpfo * shaft_hz
    floor = np.median(damaged.amplitude[1:500])
    assert damaged.peak_near(at, 1) > 10 * floor
    assert damaged.peak_near(2 * at, 1) > 5 * floor
    assert damaged.peak_near(orders.bpfi * shaft_hz, 1) < 5 * floor
    assert sound.peak_near(at, 1) < 5 * floor


def test_what_lies_outside_the_spectrum_is_refused() -> None:
    with pytest.raises(ValueError, match="holds no line up to 6000 Hz"):
        envelope_spectrum(SECOND, RATE_HZ, (7000, 8000))
    with pytest.raises(ValueError, match="no line of a spectrum up to 6000 Hz"):
        envelope_spectrum(SECOND, RATE_HZ, (2000, 4000)).peak_near(9000, 1)


def test_the_velocity_of_a_sine_is_its_acceleration_over_its_frequency() -> None:
    x = sine(50, 2 * np.pi * 50 * 1e-3) + sine(3000, 40) + sine(3, 1)
    assert velocity_rms(x, RATE_HZ, (10, 1000)) == pytest.approx(1 / np.sqrt(2), rel=1e-3)


def test_what_drifts_below_the_band_does_not_leak_into_the_velocity() -> None:
    drift = 2 * SECOND + sine(1.5, 1)
    assert velocity_rms(drift, RATE_HZ, (10, 1000)) < 0.05


def test_a_block_shorter_than_the_bands_periods_has_no_velocity() -> None:
    with pytest.raises(ValueError, match="no line from 10 to 50 Hz in blocks of"):
        velocity_rms(SECOND[:120], RATE_HZ, (10, 50))
