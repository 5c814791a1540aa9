"""What a block of vibration samples shows: levels, bands, and the spectrum of its envelope.

A bearing's damage rings the structure at each pass of a roller: weak at the defect frequency itself, clear in
the envelope of the band that rings (ISO 13373-2, high-frequency resonance technique).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Band = tuple[float, float]
"""From and below, in Hz."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Of each block, (...,): root mean square and peak about the mean, in the unit of the signal; crest is
    peak over RMS; kurtosis is 3 for Gaussian noise and more for impacts. 0 where the block is constant.
    """

    rms: Floats
    peak: Floats
    crest: Floats
    kurtosis: Floats


@dataclass(frozen=True, slots=True)
class Spectrum:
    """frequency_hz: (k,), from 0 in equal steps. amplitude: (..., k), peak amplitude of a sine there."""

    frequency_hz: Floats
    amplitude: Floats

    def peak_near(self, hz: float, tolerance_hz: float) -> Floats:
        """(...,): the largest amplitude within the tolerance; raises `ValueError` outside the spectrum."""
        near = np.abs(self.frequency_hz - hz) <= tolerance_hz
        if not near.any():
            raise ValueError(f"{hz:g} Hz lies in no line of a spectrum up to {self.frequency_hz[-1]:g} Hz")
        return np.asarray(self.amplitude[..., near].max(axis=-1))


def levels(blocks: NDArray[np.floating]) -> Levels:
    """Levels of blocks (..., n), n >= 1."""
    x = _centred(blocks)
    squares = x * x
    square = np.mean(squares, axis=-1)
    rms, peak = np.sqrt(square), np.abs(x).max(axis=-1)
    varies = square > 0
    kurtosis = np.divide(
        np.mean(squares * squares, axis=-1), square**2, out=np.zeros_like(square), where=varies
    )
    return Levels(rms, peak, np.divide(peak, rms, out=np.zeros_like(rms), where=varies), kurtosis)


def band_rms(blocks: NDArray[np.floating], rate_hz: float, bands: Sequence[Band]) -> Floats:
    """Root mean square (..., bands) of what blocks (..., n) hold in each band (Parseval), mean excluded."""
    x = _centred(blocks)
    n = x.shape[-1]
    power = np.abs(np.fft.rfft(x)) ** 2 / n**2
    power[..., 1 : (n + 1) // 2] *= 2  # but for the Nyquist line, each stands for two
    lines = _frequencies(n, rate_hz)
    inside = [power[..., (lines >= low) & (lines < high)].sum(axis=-1) for low, high in bands]
    return np.asarray(np.sqrt(np.stack(inside, axis=-1)))


def velocity_rms(blocks: NDArray[np.floating], rate_hz: float, band: Band) -> Floats:
    """RMS velocity (...,) in mm/s within the band, of blocks (..., n) of acceleration in m/s².

    Integrated in the spectrum, line by line (ISO 20816-1). A Hann window keeps what lies below the band from
    leaking into it, where integration would make the most of it. Raises `ValueError` for a band that holds no
    line.
    """
    x = _centred(blocks)
    n = x.shape[-1]
    window = np.hanning(n + 1)[:n]
    lines = _frequencies(n, rate_hz)
    inside = (lines >= band[0]) & (lines <= band[1]) & (lines > 0)
    if not inside.any():
        raise ValueError(f"no line from {band[0]:g} to {band[1]:g} Hz in blocks of {n / rate_hz:g} s")
    velocity = np.abs(np.fft.rfft(x * window)[..., inside]) / (2 * np.pi * lines[inside])
    return np.asarray(1e3 * np.sqrt(2 * np.sum(velocity**2, axis=-1) / (n * np.sum(window**2))))


def envelope_spectrum(blocks: NDArray[np.floating], rate_hz: float, band: Band) -> Spectrum:
    """Spectrum of the envelope of what blocks (..., n) hold in the band, the envelope's mean taken out.

    The band's analytic signal comes from the one-sided spectrum, its magnitude is the envelope. Raises
    `ValueError` for a band without a line.
    """
    x = _centred(blocks)
    n = x.shape[-1]
    lines = _frequencies(n, rate_hz)
    inside = (lines >= band[0]) & (lines < band[1]) & (lines > 0) & (lines < rate_hz / 2)
    if not inside.any():
        raise ValueError(f"the band {band[0]:g} to {band[1]:g} Hz holds no line up to {rate_hz / 2:g} Hz")
    one_sided = np.zeros((*x.shape[:-1], n), np.complex128)
    one_sided[..., : len(lines)] = np.where(inside, 2 * np.fft.rfft(x), 0)
    envelope = _centred(np.abs(np.fft.ifft(one_sided)))
    amplitude = 2 * np.abs(np.fft.rfft(envelope)) / n
    return Spectrum(lines, amplitude)


def _centred(blocks: NDArray[np.floating]) -> Floats:
    x: Floats = np.array(blocks, np.float64)
    x -= x.mean(axis=-1, keepdims=True)
    return x


def _frequencies(n: int, rate_hz: float) -> Floats:
    return np.fft.rfftfreq(n, 1 / rate_hz).astype(np.float64)
