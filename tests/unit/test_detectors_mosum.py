"""Change points: found soon, once, whatever the pieces; drift that is usual is none."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors.contract import Samples, StateError
from detectors.mosum import ChangePoint, Mosum

CHANNELS, BASELINE, LONGEST = 3, 200, 40


def samples(x: NDArray[np.floating], slot: int = 0, regime: int | NDArray[np.int16] = 0) -> Samples:
    n = len(x)
    return Samples(
        np.full(n, slot, np.int32),
        1_700_000_000_000_000 + np.arange(n) * 1_000_000,
        np.broadcast_to(np.asarray(regime, np.int16), n).copy(),
        x.astype(np.float32),
    )


def noise(n: int, seed: int = 1) -> NDArray[np.float64]:
    return np.array([20.0, 0.0, -5.0]) + np.random.default_rng(seed).normal(size=(n, CHANNELS))


def found(x: NDArray[np.floating], regime: int | NDArray[np.int16] = 0) -> list[ChangePoint]:
    return Mosum(CHANNELS, baseline=BASELINE).update(samples(x, regime=regime))


def test_a_step_is_seen_within_a_window_there_and_back_and_nowhere_else() -> None:
    x = noise(700)
    x[400:500, 1] += 4
    there, back = (
        [point for point in found(x) if begin < point.row <= begin + 2 * LONGEST] for begin in (400, 500)
    )
    assert len(found(x)) == len(there) + len(back)
    assert there[0].row <= 410
    assert back[0].row <= 510
    for point in (there[0], back[0]):
        assert np.argmax(point.share) == 1
        assert point.share.sum() == pytest.approx(point.size, rel=1e-5)
    assert there[0].ts_us == 1_700_000_000_000_000 + there[0].row * 1_000_000


def test_a_step_is_told_with_its_instant_and_both_levels() -> None:
    x = noise(700)
    x[400:, 1] += 4
    first = found(x)[0]
    assert abs(first.since_us - (1_700_000_000_000_000 + 400 * 1_000_000)) <= 1_000_000
    assert first.since_us < first.ts_us
    np.testing.assert_allclose(first.before, [20, 0, -5], atol=1.2)
    np.testing.assert_allclose(first.after - first.before, [0, 4, 0], atol=1.2)


def test_a_channel_that_is_not_judged_has_no_level() -> None:
    x = noise(700)
    x[:, 2] = 7.0
    x[400:, 1] += 4
    assert np.isnan([found(x)[0].before[2], found(x)[0].after[2]]).all()


def test_a_repaired_machine_learns_anew() -> None:
    x, mosum, fresh = noise(700), Mosum(CHANNELS, baseline=BASELINE), Mosum(CHANNELS, baseline=BASELINE)
    mosum.update(samples(x[:300]))
    mosum.renew(0)
    mosum.renew(5)  # of which nothing is known
    x[300:] += 50  # as the machine that left
    assert mosum.update(samples(x[300:])) == []
    fresh.update(samples(x[300:]))
    assert mosum.state() == fresh.state()
    mosum.update(samples(x[:20], slot=1))
    mosum.renew(1)
    assert mosum.update(samples(x[:BASELINE], slot=1)) == []


def test_what_goes_on_changing_is_told_again() -> None:
    x = noise(600)
    x[300:, 1] += np.minimum(np.arange(300), 120) / 10
    rows = [point.row for point in found(x)]
    assert 300 < rows[0] <= 340
    assert np.diff(rows).min() == 30
    assert 400 < rows[-1] <= 420 + 2 * LONGEST


def test_a_small_step_needs_a_long_window() -> None:
    x = noise(600, seed=5)
    x[400:, 1] += 2.5
    assert 405 < found(x)[0].row <= 440


def test_healthy_noise_changes_seldom() -> None:
    rows, points = 0, 0
    for seed in range(20):
        rows += 2000 - BASELINE
        points += len(found(noise(2000, seed)))
    assert points / rows < 1 / 2000


def test_drift_as_it_always_was_is_no_change_and_a_faster_one_is() -> None:
    x = noise(900, seed=3)
    slow = 3 * np.sin(np.arange(900) / 25)
    x[:, 0] += slow
    assert found(x) == []
    x[600:, 0] += 5 * slow[600:]
    assert found(x)


def test_nothing_is_said_of_a_change_of_regime() -> None:
    x = noise(600)
    x[400:] += 50
    assert found(x)
    assert found(x, regime=(np.arange(600) >= 400).astype(np.int16)) == []


def test_missing_values_and_constants_are_no_change() -> None:
    x = noise(600)
    x[300:400] = np.nan
    x[:, 2] = 7.0
    assert found(x) == []
    x[450:, 2] = 9.0  # it never varied: nothing is known about it
    assert found(x) == []


def test_nothing_is_infinite() -> None:
    x = noise(600)
    x[400:] = 3e38
    x[500:] = -3e38
    for point in found(x):
        assert np.isfinite(point.size)
        for each in (point.share, point.before, point.after):
            assert np.isfinite(each).all()


Plain = tuple[int, int, float, int, list[list[float]]]


def plain(points: list[ChangePoint], first: int = 0) -> list[Plain]:
    return [
        (
            point.row + first,
            point.slot,
            point.size,
            point.since_us,
            [each.tolist() for each in (point.share, point.before, point.after)],
        )
        for point in points
    ]


def fleet() -> Samples:
    """Two machines, interleaved, that change at different times."""
    rng, one, other = np.random.default_rng(9), noise(500, 1), noise(500, 2)
    one[300:, 0] += 5
    other[350:, 2] -= 5
    other[np.random.default_rng(3).random(other.shape) < 0.05] = np.nan
    slot = rng.permutation(np.repeat([0, 1], 500)).astype(np.int32)
    x = np.empty((1000, CHANNELS), np.float32)
    x[slot == 0], x[slot == 1] = one, other
    ts = np.empty(1000, np.int64)
    for s in (0, 1):
        ts[slot == s] = np.arange(500) * 1_000_000
    return Samples(slot, ts, np.zeros(1000, np.int16), x)


def cut(rows: Samples, begin: int, end: int) -> Samples:
    return Samples(*(getattr(rows, name)[begin:end] for name in ("slot", "ts_us", "regime", "x")))


@settings(max_examples=20)
@given(st.lists(st.integers(0, 1000), max_size=4))
def test_cuts_and_saved_state_change_nothing(cuts: list[int]) -> None:
    rows, at_once = fleet(), Mosum(CHANNELS, baseline=BASELINE)
    wanted = plain(at_once.update(rows))
    assert {slot for _, slot, *_ in wanted} == {0, 1}
    told, saved = list[Plain](), Mosum(CHANNELS, baseline=BASELINE).state()
    edges = [0, *sorted(cuts), 1000]
    for begin, end in pairwise(edges):
        part = Mosum(CHANNELS, baseline=BASELINE)
        part.load(saved)
        told += plain(part.update(cut(rows, begin, end)), begin)
        saved = part.state()
    assert told == wanted
    assert saved == at_once.state()


def test_another_ones_state_is_refused() -> None:
    with pytest.raises(StateError, match="cannot be used"):
        Mosum(CHANNELS, baseline=BASELINE).load(Mosum(CHANNELS, baseline=BASELINE + 1).state())


@pytest.mark.parametrize("wrong", [{"windows": ()}, {"windows": (1,)}, {"baseline": 100}, {"score": 0.0}])
def test_parameters_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="needs a channel"):
        Mosum(CHANNELS, **wrong)  # type: ignore[arg-type]
