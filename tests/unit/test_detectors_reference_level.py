"""A change is seen from where the machine was at first at the same duty, however its rows are cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors.contract import Samples, StateError
from detectors.reference_level import ReferenceLevel

ROWS = 20
N = 400


def machines(changed: float = 2.0) -> Samples:
    """Two machines in turn, in regimes 0 and 1 at 5 and 9; number 1 changes half-way, in both."""
    rng = np.random.default_rng(4)
    slot, minute = np.tile(np.array([0, 1], np.int32), N), np.repeat(np.arange(N), 2)
    regime = ((minute // 15) % 2).astype(np.int16)
    x = 5.0 + 4.0 * regime + rng.normal(0, 0.1, 2 * N) + changed * ((slot == 1) & (minute >= N // 2))
    x[rng.random(2 * N) < 0.05] = np.nan
    return Samples(slot, minute.astype(np.int64) * 60_000_000, regime, x[:, None].astype(np.float32))


def change_of(slot: int, found: NDArray[np.float32], samples: Samples) -> NDArray[np.float32]:
    mine: NDArray[np.float32] = found[samples.slot == slot, 0]
    return mine


def test_a_change_is_told_at_its_size_in_every_regime_and_a_switch_of_regimes_is_none() -> None:
    samples = machines()
    found = ReferenceLevel(1, ROWS).update(samples)
    steady, moved = change_of(0, found, samples), change_of(1, found, samples)
    assert np.isnan(steady[:ROWS]).all()
    assert np.nanmax(np.abs(steady)) < 0.1
    assert np.nanmax(np.abs(moved[: N // 2])) < 0.1
    assert moved[-50:][np.isfinite(moved[-50:])] == pytest.approx(2.0, abs=0.15)


def test_what_is_missing_or_teaches_the_reference_tells_no_change() -> None:
    samples = machines()
    found = ReferenceLevel(1, ROWS).update(samples)
    assert np.isnan(found[np.isnan(samples.x)]).all()
    alike = Samples(samples.slot, samples.ts_us, samples.regime, samples.x * np.float32(np.nan))
    assert np.isnan(ReferenceLevel(1, ROWS).update(alike)).all()


def test_a_renewed_machine_is_seen_from_where_it_is_then() -> None:
    samples = machines()
    level = ReferenceLevel(1, ROWS)
    level.update(samples.take(slice(0, N + 200)))
    level.renew(1)
    level.renew(7)
    rest = samples.take(slice(N + 200, None))
    found = change_of(1, level.update(rest), rest)
    assert np.isnan(found[:ROWS]).all()
    assert np.nanmax(np.abs(found)) < 0.1


@settings(max_examples=20)
@given(st.lists(st.integers(1, 2 * N), max_size=6))
def test_no_cut_and_no_restart_changes_anything(cuts: list[int]) -> None:
    samples, whole = machines(), ReferenceLevel(1, ROWS)
    expected = whole.update(samples)
    level, found, at = ReferenceLevel(1, ROWS), list[NDArray[np.float32]](), 0
    for end in sorted({*cuts, 2 * N}):
        found.append(level.update(samples.take(slice(at, end))))
        state, level, at = level.state(), ReferenceLevel(1, ROWS), end
        level.load(state)
    np.testing.assert_array_equal(np.concatenate(found), expected)
    assert level.state() == whole.state()


def test_a_channel_that_is_added_costs_nothing_of_the_others() -> None:
    samples, level, alone = machines(), ReferenceLevel(1, ROWS), ReferenceLevel(1, ROWS)
    for one in (level, alone):
        one.update(samples.take(slice(0, N)))
    level.widen(2)
    rest = samples.take(slice(N, None))
    wide = Samples(rest.slot, rest.ts_us, rest.regime, np.hstack([rest.x, rest.x]))
    found = level.update(wide)
    np.testing.assert_array_equal(found[:, :1], alone.update(rest))
    with pytest.raises(ValueError, match="only added"):
        level.widen(1)
    with pytest.raises(StateError):
        ReferenceLevel(1, ROWS).load(level.state())
