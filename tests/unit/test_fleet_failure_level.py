"""A condition is held against the fault mode that is named, if it is known at which deviation that fails."""

from dataclasses import replace

import numpy as np
import pytest

from fleet.asset import FleetError
from fleet.catalog import packs
from fleet.failure_level import failure_level

PACK = packs()["elevator"]
MODE = replace(PACK.fault_modes[0], fails_at=3.0)
KNOWN = replace(PACK, fault_modes=(MODE, *PACK.fault_modes[1:]))


def condition(deviation: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The level that is told of a machine at that deviation."""
    return np.array([(deviation - 1.0) / (PACK.detection.d_fail - 1.0)])


def level(deviation: float) -> float:
    found = failure_level(KNOWN, MODE.code, condition(deviation))
    assert found is not None
    return float(found[0])


def test_a_healthy_machine_is_as_new_and_one_at_the_modes_deviation_at_the_limit() -> None:
    assert level(1.0) == 0.0
    assert level(3.0) == pytest.approx(1.0)
    assert level(6.0) > 2.0, "no end at the limit"


def test_a_fault_twice_as_large_is_twice_the_level() -> None:
    """A fault of k standard deviations and noise of one show as sqrt(1 + k²)."""
    once, twice = (level(float(np.hypot(1.0, fault))) for fault in (0.4, 0.8))
    assert twice == pytest.approx(2 * once)


def test_without_a_mode_that_says_when_it_fails_there_is_no_level() -> None:
    silent = replace(PACK, fault_modes=tuple(replace(mode, fails_at=None) for mode in PACK.fault_modes))
    assert failure_level(silent, MODE.code, condition(2.0)) is None
    assert failure_level(KNOWN, "unknown", condition(2.0)) is None
    assert failure_level(KNOWN, "", condition(2.0)) is None


def test_a_mode_cannot_fail_where_machines_are_healthy() -> None:
    with pytest.raises(FleetError, match="door-drive: fails_at is above 1"):
        replace(MODE, fails_at=1.0)
