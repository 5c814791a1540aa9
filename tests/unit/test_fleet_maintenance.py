"""Failures and services divide a machine's history into lives."""

from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fleet.clock import EPOCH
from fleet.maintenance import Life, MaintenanceEvent, MaintenanceKind, lives

HOUR_US = 3_600_000_000


def event(hour: float, kind: MaintenanceKind) -> MaintenanceEvent:
    return MaintenanceEvent(1, EPOCH + timedelta(hours=hour), kind)


def test_a_failure_and_a_service_end_a_life_and_the_last_goes_on() -> None:
    ts_us = np.arange(10) * HOUR_US
    happened = [event(6.5, MaintenanceKind.RESTORED), event(3, MaintenanceKind.FAILED)]
    assert list(lives(ts_us, happened)) == [
        Life(0, 4, failed=True),
        Life(4, 7, failed=False),
        Life(7, 10, failed=False),
    ]


def test_a_repair_just_after_the_failure_makes_no_life_of_its_own() -> None:
    happened = [event(3, MaintenanceKind.FAILED), event(3.5, MaintenanceKind.RESTORED)]
    assert list(lives(np.arange(6) * HOUR_US, happened)) == [
        Life(0, 4, failed=True),
        Life(4, 6, failed=False),
    ]


@given(
    st.lists(st.integers(0, 500), unique=True, max_size=30),
    st.lists(st.tuples(st.integers(-10, 510), st.sampled_from(list(MaintenanceKind))), max_size=8),
)
def test_every_row_is_in_one_life(hours: list[int], happened: list[tuple[int, MaintenanceKind]]) -> None:
    ts_us = np.array(sorted(hours), np.int64) * HOUR_US
    found = list(lives(ts_us, [event(hour, kind) for hour, kind in happened]))
    assert [k for life in found for k in range(life.start, life.end)] == list(range(len(ts_us)))
    assert all(life.end > life.start for life in found)
    assert sum(life.failed for life in found) <= sum(kind == "failed" for _, kind in happened)
