"""Which frequencies a damaged rolling bearing shows (their use: ISO 13373-2)."""

import math
from dataclasses import dataclass

import numpy as np

from detectors.waveform import Floats, Spectrum

SLIP = 0.02
"""Rollers slip by 1 to 2 %, and the shaft's speed is not known better: so far a line is looked for."""

HARMONICS = 3
"""Of a defect frequency that are looked at."""

FEWEST_PASSES = 8
"""Periods of a defect frequency in a block, below which its lines are not told from their neighbours."""


@dataclass(frozen=True, slots=True)
class Orders:
    """Defect frequencies as multiples of the shaft's.

    bpfo, bpfi: rollers pass a point of the outer, of the inner ring. bsf: turns of a roller about itself; a
    damaged spot meets both rings, so it is 2 bsf that is seen. ftf: turns of the cage.
    """

    bpfo: float
    bpfi: float
    bsf: float
    ftf: float


@dataclass(frozen=True, slots=True)
class Bearing:
    """A rolling bearing with its outer ring at rest.

    Diameters in mm: of a roller, and of the circle of the rollers' centres. Raises `ValueError` for what
    is no bearing.
    """

    rollers: int
    roller_mm: float
    pitch_mm: float
    contact_deg: float = 0.0

    def __post_init__(self) -> None:
        if self.rollers < 3 or not 0 < self.roller_mm < self.pitch_mm or not 0 <= self.contact_deg < 90:
            raise ValueError("needs 3 rollers, smaller than their circle, and 0 <= contact angle < 90°")

    def orders(self) -> Orders:
        """Kinematic orders, without slip: with r = (d/D) cos φ and n rollers,

        BPFO = n/2 (1 - r), BPFI = n/2 (1 + r), BSF = D/2d (1 - r²), FTF = (1 - r)/2 (Harris, Rolling Bearing
        Analysis). Real rollers slip by 1 to 2 %.
        """
        r = self.roller_mm / self.pitch_mm * math.cos(math.radians(self.contact_deg))
        return Orders(
            bpfo=self.rollers / 2 * (1 - r),
            bpfi=self.rollers / 2 * (1 + r),
            bsf=self.pitch_mm / (2 * self.roller_mm) * (1 - r * r),
            ftf=(1 - r) / 2,
        )


def prominence_db(envelope: Spectrum, hz: float, reach_hz: float) -> Floats:
    """(...,): how far the lines at a defect frequency and its harmonics stand out of the envelope's spectrum.

    In dB, the mean of the largest amplitudes near each over the median amplitude from half the frequency to
    half of it beyond the last harmonic; of harmonics up to `reach_hz`, the width of the band that the
    envelope is of. Noise alone has some 10 dB, as the largest of many lines is taken. A loud machine does not
    hide a damaged ring in it, as it does in RMS. 0 where there is nothing at all. Raises `ValueError` where
    the first harmonic lies beyond the reach.
    """
    orders = range(1, min(HARMONICS, int(reach_hz / (hz * (1 + SLIP)))) + 1)
    if not orders:
        raise ValueError(f"{hz:g} Hz does not show in a band {reach_hz:g} Hz wide")
    lines = envelope.frequency_hz
    around = (lines >= hz / 2) & (lines <= min((orders[-1] + 0.5) * hz, reach_hz))
    floor = np.median(envelope.amplitude[..., around], axis=-1)
    peaks = [envelope.peak_near(k * hz, max(k * hz * SLIP, float(lines[1]))) for k in orders]
    mean = np.mean(peaks, axis=0)
    ratio = np.divide(mean, floor, out=np.ones_like(floor), where=(floor > 0) & (mean > 0))
    return np.asarray(20 * np.log10(ratio))
