"""Which of the episodes that would be raised are those that were."""

from datetime import UTC, datetime, timedelta

import pytest

from console.backtest import Raised

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def raised(kind: str, detector: str, first_h: float, last_h: float | None) -> Raised:
    end = None if last_h is None else DAY + timedelta(hours=last_h)
    return Raised(DAY + timedelta(hours=first_h), end, kind, detector, 0.0, "")


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (raised("machine", "t2-knn-3", 0, 9), raised("machine", "t2-knn-4", 5, None), True),
        (raised("machine", "segment-trip-3", 0, 9), raised("machine", "segment-trip-4", 5, None), True),
        (raised("machine", "segment-trip-3", 0, 9), raised("machine", "segment-door-cycle-3", 5, 9), False),
        (raised("machine", "segment-trip-3", 0, 9), raised("machine", "t2-knn-3", 5, 9), False),
        (raised("machine", "novelty-power-3", 0, 9), raised("machine", "novelty-power-4", 5, 9), True),
        (raised("machine", "novelty-power-3", 0, 9), raised("machine", "t2-knn-3", 5, 9), False),
        (raised("limit", "limit-oil-above-105", 0, 9), raised("limit", "limit-oil-above-105", 5, None), True),
        (raised("limit", "limit-oil-above-105", 0, 9), raised("limit", "limit-oil-above-115", 5, 9), False),
        (raised("limit", "limit-oil-above-105", 0, 4), raised("limit", "limit-oil-above-105", 5, 9), False),
        (raised("sensor", "quality-stuck-oil", 0, 9), raised("sensor", "quality-stuck-air", 0, 9), False),
        (raised("limit", "limit-oil-above-105", 0, 9), raised("machine", "t2-knn-3", 0, 9), False),
    ],
)
def test_machine_episodes_pair_by_time_and_limits_and_sensors_by_name_too(
    one: Raised, other: Raised, alike: bool
) -> None:
    assert one.overlaps(other) == other.overlaps(one) == alike
