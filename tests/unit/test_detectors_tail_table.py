"""How improbable T² is, from a table, beside scipy's F distribution."""

import numpy as np
import pytest
from scipy import stats

from detectors.tail_table import tail, tails

DEGREES = 30


@pytest.mark.parametrize("channels", [1, 3, 32])
def test_it_is_the_tail_of_f(channels: int) -> None:
    table = tails(channels, DEGREES)
    for t2 in np.geomspace(1e-2, 1e6, 200).astype(np.float32):
        wanted = -stats.f.logsf(t2 / channels, channels, DEGREES) / np.log(10)
        assert tail(table[channels], t2) == pytest.approx(wanted, rel=2e-3, abs=5e-4)


def test_a_point_of_the_grid_is_met_exactly() -> None:
    table = tails(2, DEGREES)
    for power in range(-9, 30):
        wanted = -np.log10(stats.f.sf(2.0**power / 2, 2, DEGREES))
        assert tail(table[2], np.float32(2.0**power)) == pytest.approx(wanted, rel=1e-6, abs=1e-7)


def test_more_is_never_less_improbable() -> None:
    table = tails(4, DEGREES)
    found = [tail(table[4], t2) for t2 in np.geomspace(1e-5, 1e12, 5000).astype(np.float32)]
    assert (np.diff(found) >= 0).all()


@pytest.mark.parametrize(("beyond", "end"), [(-1.0, 0), (0.0, 0), (1e-30, 0), (3e38, -1), (np.inf, -1)])
def test_beyond_the_grid_the_score_stays_at_its_end(beyond: float, end: int) -> None:
    table = tails(4, DEGREES)
    assert tail(table[4], np.float32(beyond)) == pytest.approx(table[4][end], rel=1e-5)


def test_without_a_channel_nothing_is_improbable() -> None:
    assert not tails(3, DEGREES)[0].any()
