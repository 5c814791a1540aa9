"""Segments as the unit: an elevator's trip, a press's stroke, judged whole by the shape of its vibration.

Each axis of a segment becomes the energies of a few frequency bands, as shares of its whole, and its
kurtosis: a heavier cabin or another sensor changes the energy, a worn guide or a loose door its distribution.
PyOD's KNN says how far a segment is from the nearest one of a machine that was well: one, as a machine makes
several kinds (up, down, to another floor) and few may be known of each.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special

from detectors.baseline import FEWEST
from detectors.neighbours import load_pyod

Floats = NDArray[np.float64]

BANDS = np.array([0.002, 0.02, 0.06, 0.12, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0])
"""Edges as shares of half the sampling rate; at 100 Hz .1, 1, 3, 6, 10, 15, 20, 30, 40 and 50 Hz."""

FEWEST_ROWS = 64
SMOOTHED = 25
"""Rows over which the slow movement is averaged before the kurtosis."""

CUT = 20.0
LEAST_SCATTER = 0.1
"""Least standard deviation of ln(distance) that is believed of a few dozen segments."""
DEGREES = 10


def segment_features(x: NDArray[np.floating]) -> Floats:
    """Of a segment (n, axes), n >= 64 rows at a steady rate: per axis ln of each band's share, and kurtosis.

    Raises `ValueError` for a shorter one or a missing value. (axes * 10,)
    """
    if x.ndim != 2 or len(x) < FEWEST_ROWS or not np.isfinite(x).all():
        raise ValueError(f"a segment needs {FEWEST_ROWS} rows or more and no missing value")
    return np.concatenate([_axis_features(axis) for axis in x.T.astype(np.float64)])


def _axis_features(x: Floats) -> Floats:
    centred = x - x.mean()
    power = np.abs(np.fft.rfft(centred * np.hanning(len(x)))) ** 2
    at = np.searchsorted(BANDS, np.linspace(0, 1, len(power)), side="right") - 1
    inner = (at >= 0) & (at < len(BANDS) - 1)
    energy = np.bincount(at[inner], power[inner], len(BANDS) - 1)
    share = np.log(energy / max(energy.sum(), 1e-30) + 1e-9)
    fast = centred - np.convolve(centred, np.ones(SMOOTHED) / SMOOTHED, "same")
    scatter = fast.std()
    kurtosis = np.mean((fast / scatter) ** 4) if scatter > 0 else 0.0
    return np.append(share, np.log1p(kurtosis))


class SegmentKnn:
    """Distance of a segment's features from the nearest of those that were well.

    Features (m, features) of 20 segments or more, each scaled by its median and quartiles. Raises
    `ValueError` for fewer.
    """

    def __init__(self, well: Floats) -> None:
        if len(well) < FEWEST:
            raise ValueError(f"{len(well)} segments of a machine that was well: {FEWEST} are needed")
        low, self._middle, high = np.quantile(well, [0.25, 0.5, 0.75], axis=0)
        self._scale = np.maximum((high - low) / 1.349, 1e-6)
        self._model = load_pyod().KNN(n_neighbors=1)
        self._model.fit(self._standardised(well))
        usual = np.log(np.maximum(self._model.decision_scores_, 1e-9))
        self._level, self._scatter = usual.mean(), max(usual.std(), LEAST_SCATTER)

    def score(self, features: Floats) -> Floats:
        """-log10 of how improbable each segment (n, features) is for a machine that is well; (n,)."""
        distance = self._model.decision_function(self._standardised(features))
        t = (np.log(np.maximum(distance, 1e-9)) - self._level) / self._scatter
        return np.asarray(np.abs(np.log10(np.maximum(special.stdtr(DEGREES, -t), 1e-30))))

    def _standardised(self, features: Floats) -> Floats:
        return np.asarray(np.clip((features - self._middle) / self._scale, -CUT, CUT))
