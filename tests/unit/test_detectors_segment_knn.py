"""Segments judged whole: by the shape of their vibration, not by how loud it is."""

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.segment_knn import SegmentKnn, segment_features

RATE_HZ, ROWS = 100.0, 900


def trip(rng: np.random.Generator, rattle: float = 0.0) -> NDArray[np.float64]:
    """Three axes of coloured noise with a hum at 12 Hz, and a rattle at 33 Hz on the last."""
    t = np.arange(ROWS) / RATE_HZ
    noise = rng.normal(size=(ROWS, 3))
    x = noise + np.roll(noise, 1, axis=0) + np.sin(2 * np.pi * 12 * t + rng.uniform(0, 6))[:, None]
    x[:, 2] += rattle * np.sin(2 * np.pi * 33 * t)
    return x


def features(count: int, seed: int, rattle: float = 0.0) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return np.array([segment_features(trip(rng, rattle)) for _ in range(count)])


def test_a_tone_is_in_its_band_however_loud() -> None:
    t = np.arange(ROWS) / RATE_HZ
    for hz, band in ((0.5, 0), (2, 1), (12, 4), (33, 7), (48, 8)):
        tone = np.sin(2 * np.pi * hz * t)[:, None]
        found = segment_features(tone)
        assert np.argmax(found[:9]) == band
        np.testing.assert_allclose(segment_features(1000 * tone + 5), found, atol=1e-6)


def test_a_rattle_is_found_and_healthy_segments_alarm_as_often_as_promised() -> None:
    knn = SegmentKnn(features(60, 1))
    healthy, odd = knn.score(features(400, 2)), knn.score(features(20, 3, rattle=1.0))
    assert np.mean(healthy > 1) <= 0.2
    assert odd.min() > 1
    assert np.median(odd) > 3


def test_features_of_what_does_not_move_are_finite() -> None:
    assert np.isfinite(segment_features(np.full((100, 3), 7.0))).all()


@pytest.mark.parametrize("x", [np.zeros((63, 3)), np.zeros(100), np.full((100, 3), np.nan)])
def test_what_is_no_segment_is_refused(x: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="64 rows or more and no missing value"):
        segment_features(x)


def test_a_few_segments_teach_nothing() -> None:
    with pytest.raises(ValueError, match="20 are needed"):
        SegmentKnn(features(19, 1))
