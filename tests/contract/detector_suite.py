"""What every detector promises, as checks that take a maker of detectors and raise `AssertionError`."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.contract import Detector, Samples, Scores, StateError

Make = Callable[[int], Detector]
"""Makes a detector for that many channels."""

CHANNELS = 3
ROWS = 640
"""Rows of each slot: enough for every detector's default baseline and some more."""

FLEET = 3

START_US = 1_700_000_000_000_000


def rows(slot: NDArray[Any], x: NDArray[np.floating], regime: int = 0) -> Samples:
    """Samples of one second each, in the order given; (n,), (n, channels)."""
    order = np.zeros(len(slot), np.int64)
    for s in np.unique(slot):
        order[slot == s] = np.arange(np.count_nonzero(slot == s))
    return Samples(
        slot.astype(np.int32),
        START_US + order * 1_000_000,
        np.full(len(slot), regime, np.int16),
        x.astype(np.float32),
    )


def later_than(samples: Samples, seconds: int) -> Samples:
    return replace(samples, ts_us=samples.ts_us + seconds * 1_000_000)


def fleet(length: int = ROWS, seed: int = 7) -> Samples:
    """A small fleet's rows as a gateway might send them: interleaved, with gaps and a second regime."""
    rng = np.random.default_rng(seed)
    slot = rng.permutation(np.repeat(np.arange(FLEET), length))
    x = np.array([20.0, 1.0, -5.0]) + rng.normal(size=(len(slot), CHANNELS)) @ rng.normal(size=(3, CHANNELS))
    x[rng.random(x.shape) < 0.03] = np.nan
    x[slot == 1, 2] = np.nan
    samples = rows(slot, x)
    row = (samples.ts_us - START_US) // 1_000_000
    return replace(samples, regime=((row > 400) & (row < 500)).astype(np.int16))


def part(samples: Samples, which: slice | NDArray[np.int64] | NDArray[np.bool_]) -> Samples:
    return Samples(samples.slot[which], samples.ts_us[which], samples.regime[which], samples.x[which])


def pieces(samples: Samples, size: int) -> Iterator[Samples]:
    for start in range(0, len(samples.slot), size):
        yield part(samples, slice(start, start + size))


def scored(detector: Detector, samples: Samples, size: int = 10**9) -> Scores:
    found = [detector.update(piece) for piece in pieces(samples, size)]
    return Scores(*(np.concatenate([getattr(each, f.name) for each in found]) for f in fields(Scores)))


def part_of(found: Scores, which: NDArray[np.int64]) -> Scores:
    return Scores(*(getattr(found, f.name)[which] for f in fields(Scores)))


def same(a: Scores, b: Scores, rows_of_a: NDArray[np.int64] | slice = slice(None)) -> bool:
    """Whether each field is equal to the bit, NaN being equal to NaN."""
    return all(
        np.array_equal(getattr(a, f.name)[rows_of_a], getattr(b, f.name), equal_nan=True)
        for f in fields(Scores)
    )


def check_causal(make: Make) -> None:
    """The scores of a series that was cut off are those of the whole series up to there."""
    whole, cut = fleet(), part(fleet(), slice(0, 1500))
    early = scored(make(CHANNELS), cut)
    assert same(scored(make(CHANNELS), whole), early, slice(0, 1500)), "later rows changed earlier scores"
    assert np.isfinite(early.score).any()


def check_chunk_independent(make: Make) -> None:
    """Updates of 1, 7 and 1000 rows say what one update says."""
    samples = fleet()
    at_once = scored(make(CHANNELS), samples)
    for size in (1, 7, 1000):
        assert same(at_once, scored(make(CHANNELS), samples, size)), f"updates of {size} rows differ"


def check_deterministic(make: Make) -> None:
    """Two detectors that saw the same say the same and are in the same state."""
    one, two = make(CHANNELS), make(CHANNELS)
    assert same(scored(one, fleet()), scored(two, fleet())), "two runs differ"
    assert one.state() == two.state(), "two runs end in different states"


def check_state(make: Make) -> None:
    """A detector that loads a state goes on to the bit as the one that saved it, with its prior."""
    samples = fleet()
    for cut in (50, 1000, 1900):
        one, two = make(CHANNELS), make(CHANNELS)
        one.fit(samples.x, samples.regime)
        scored(one, part(samples, slice(0, cut)))
        two.update(part(samples, slice(0, 100)))  # what it knew before must be forgotten
        two.load(one.state())
        assert two.state() == one.state(), "the state changed by being loaded"
        rest = part(samples, slice(cut, None))
        assert same(scored(one, rest), scored(two, rest)), "a loaded detector goes on differently"
        assert two.state() == one.state(), "a loaded detector ends in another state"


def check_rejects_damage(make: Make) -> None:
    """Bytes that are no state of such a detector raise `StateError`."""
    detector, other = make(CHANNELS), make(CHANNELS + 1)
    detector.update(fleet())
    state = detector.state()
    flipped = bytearray(state)
    flipped[len(state) // 2] ^= 0xFF
    for bad in (b"", b"nonsense", state[: len(state) // 2], bytes(flipped), other.state()):
        with pytest.raises(StateError):
            make(CHANNELS).load(bad)


def check_slots_independent(make: Make) -> None:
    """Other assets, their number and order, and the number of the slot itself change nothing for a slot."""
    samples = fleet()
    mine = np.flatnonzero(samples.slot == 1)
    alone = part(samples, mine)
    alone = replace(alone, slot=np.zeros(len(mine), np.int32))
    among, by_itself = scored(make(CHANNELS), samples), scored(make(CHANNELS), alone)
    assert same(among, by_itself, mine), "other assets changed a slot's scores"
    sorted_by_slot = np.argsort(samples.slot, kind="stable")
    regrouped = scored(make(CHANNELS), part(samples, sorted_by_slot))
    assert same(among, regrouped, sorted_by_slot), "the order among assets changed the scores"


def check_finite(make: Make) -> None:
    """No input makes a score, contribution, expected or observed value infinite, or a score negative."""
    rng = np.random.default_rng(5)
    huge = rng.choice(np.array([3e38, -3e38, 1e-40, 0.0, 1.0], np.float32), (ROWS, CHANNELS))
    constant, dead = np.full((ROWS, CHANNELS), 7.0), np.full((ROWS, CHANNELS), np.nan)
    noise = rng.normal(size=(ROWS, CHANNELS))
    surge = np.where(np.arange(ROWS)[:, None] < 500, noise, 3e38)
    flickering = np.where(rng.random((ROWS, CHANNELS)) < 0.5, noise, np.nan)
    appearing = np.where(np.arange(ROWS)[:, None] < 400, np.nan, noise)
    for name, x in {
        "huge": huge,
        "constant": constant,
        "dead": dead,
        "surge": surge,
        "flickering": flickering,
        "appearing": appearing,
    }.items():
        detector = make(CHANNELS)
        detector.fit(x.astype(np.float32), np.zeros(ROWS, np.int16))
        found = detector.update(rows(np.zeros(ROWS), x))
        assert not np.isinf(found.score).any(), f"infinite score on {name} values"
        assert not (found.score < 0).any(), f"negative score on {name} values"
        assert not np.isinf(found.statistic).any(), f"infinite statistic on {name} values"
        assert np.isfinite(found.contribution).all(), f"infinite contribution on {name} values"
        assert not np.isinf(found.expected).any(), f"infinite expected value on {name} values"
        assert not np.isinf(found.observed).any(), f"infinite observed value on {name} values"


def check_bounded(make: Make) -> None:
    """The state of a slot does not grow with the number of its rows."""
    detector = make(CHANNELS)
    sizes = []
    for seed in range(8):
        samples = fleet(seed=seed)
        step = np.int64(seed * ROWS * 1_000_000)
        detector.update(replace(samples, ts_us=samples.ts_us + step))
        sizes.append(len(detector.state()))
    assert sizes[-1] <= sizes[3], f"the state grows: {sizes}"


def check_contributions(make: Make) -> None:
    """Contributions sum to the statistic, if exact; a channel that is missing contributes nothing."""
    detector = make(CHANNELS)
    samples = fleet()
    found = scored(detector, samples)
    known = np.isfinite(found.statistic)
    assert known.any()
    total = found.contribution.sum(axis=1)[known]
    assert (found.contribution[samples.slot == 1, 2] == 0).all(), "a channel that never spoke contributes"
    if detector.EXACT:
        np.testing.assert_allclose(total, found.statistic[known], rtol=1e-4, atol=1e-4)
        assert (found.contribution[np.isnan(samples.x)] == 0).all(), "a missing value contributes"
    assert (found.judged[known] >= 1).all()
    assert (found.judged[samples.slot == 1] <= 2).all(), "judges a channel that never spoke"


def check_leaves_arrays_alone(make: Make) -> None:
    """The caller's arrays are not changed, not kept, and may be read-only; results are not kept either."""
    samples = fleet()
    expected = scored(make(CHANNELS), samples, 500)
    detector = make(CHANNELS)
    found = []
    for piece in pieces(samples, 500):
        arrays = [getattr(piece, f.name).copy() for f in fields(Samples)]
        for array in arrays:
            array.flags.writeable = False
        kept = [array.copy() for array in arrays]
        verdict = detector.update(Samples(*arrays))
        found.append(Scores(*(getattr(verdict, f.name).copy() for f in fields(Scores))))
        for array, copy in zip(arrays, kept, strict=True):
            assert np.array_equal(array, copy, equal_nan=True), "the caller's array was changed"
            array.flags.writeable = True
            array[...] = 0
        for f in fields(Scores):
            getattr(verdict, f.name)[...] = 0
    joined = Scores(*(np.concatenate([getattr(each, f.name) for each in found]) for f in fields(Scores)))
    assert same(expected, joined), "changing arrays after an update changed later scores"


def check_usable_before_fit(make: Make) -> None:
    """Without a fit there is no error, at first no score, and scores once the slot knows itself."""
    detector = make(CHANNELS)
    nothing = detector.update(part(fleet(), slice(0, 0)))
    assert len(nothing.score) == 0
    found = scored(detector, fleet())
    assert np.isnan(found.score[:10]).all(), "a score out of nothing"
    assert np.isnan(found.statistic[:10]).all()
    assert np.isfinite(found.score[-10:]).all(), "no score after a whole baseline"


def check_prior(make: Make) -> None:
    """After a fit a new slot gets scores before it has a baseline, but no statistic of its own."""
    rng = np.random.default_rng(3)
    detector = make(CHANNELS)
    detector.fit(rng.normal(size=(2000, CHANNELS)).astype(np.float32), np.zeros(2000, np.int16))
    found = detector.update(rows(np.zeros(100), rng.normal(size=(100, CHANNELS))))
    assert np.isfinite(found.score[-50:]).all(), "the prior is not used"
    assert np.isnan(found.statistic).all(), "the prior's statistic passes for the slot's own"
    odd = detector.update(rows(np.ones(100), 8 + rng.normal(size=(100, CHANNELS))))
    assert np.median(odd.score[-50:]) > np.median(found.score[-50:]) + 1, "the prior does not judge"
    shown, row = found.shown[np.isfinite(found.score)], np.flatnonzero(np.isfinite(found.score))
    assert ((shown >= 0) & (shown <= row)).all(), "counts rows that the slot had not shown"
    assert (np.diff(shown) >= 0).all(), "forgets rows that the slot has shown"
    later = detector.update(later_than(rows(np.zeros(600), rng.normal(size=(600, CHANNELS))), 100))
    assert (later.shown[np.isfinite(later.statistic)] == -1).all(), "calls the slot's own normal the fleet's"
    assert np.isfinite(later.statistic).any()


def check_sees_a_shift(make: Make) -> None:
    """A shift of four standard deviations in one channel raises the score and is laid to that channel."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=(800, CHANNELS)) + 50
    x[600:, 1] += 4
    found = scored(make(CHANNELS), rows(np.zeros(800), x))
    before, after = slice(500, 600), slice(700, 800)
    assert np.median(found.score[after]) > np.median(found.score[before]) + 2, "the score does not rise"
    assert (np.argmax(found.contribution[after], axis=1) == 1).mean() > 0.9, "another channel is blamed"
    assert np.nanmedian(np.abs(found.expected[before] - 50)) < 0.5, "expects what was never seen"
    assert np.nanmedian(np.abs(found.observed[after, 1] - 54)) < 1, "says that it sees what is not there"


def check_widens(make: Make) -> None:
    """Channels added later change nothing while they are missing, and there is no way back to fewer."""
    x = np.random.default_rng(21).normal(size=(2000, CHANNELS))
    samples = rows(np.zeros(2000), x)
    early, late = part(samples, slice(0, 1000)), part(samples, slice(1000, 2000))
    narrow, wide = make(CHANNELS), make(CHANNELS)
    narrow.update(early)
    wide.update(early)
    wide.widen(CHANNELS + 2)
    nothing = np.full((1000, 2), np.nan, np.float32)
    before = narrow.update(late)
    after = wide.update(replace(late, x=np.concatenate([late.x, nothing], axis=1)))
    np.testing.assert_allclose(after.score, before.score, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(after.contribution[:, :CHANNELS], before.contribution, rtol=1e-3, atol=1e-3)
    assert (after.contribution[:, CHANNELS:] == 0).all(), "a channel that never spoke contributes"
    again = make(CHANNELS + 2)
    again.load(wide.state())
    assert again.state() == wide.state(), "what was widened cannot be saved"
    with pytest.raises(ValueError, match="only added"):
        wide.widen(CHANNELS)


def check_renews(make: Make) -> None:
    """A slot that is renewed goes on as a new one, and the others as if nothing had happened."""
    samples = fleet()
    for cut in (100, 700, 1500):
        renewed, left, new = make(CHANNELS), make(CHANNELS), make(CHANNELS)
        for detector in (renewed, left, new):
            detector.fit(samples.x, samples.regime)
        before, after = part(samples, slice(0, cut)), part(samples, slice(cut, None))
        renewed.update(before)
        left.update(before)
        renewed.renew(1)
        renewed.renew(FLEET + 50)  # of which nothing is known
        again = make(CHANNELS)
        again.load(renewed.state())
        found, mine = renewed.update(after), np.flatnonzero(after.slot == 1)
        assert same(found, new.update(part(after, mine)), mine), "something of before the renewal is left"
        others = np.flatnonzero(after.slot != 1)
        assert same(part_of(found, others), part_of(left.update(after), others)), "others were renewed too"
        assert same(again.update(after), found), "a renewed slot cannot be saved"


def check_promise(make: Make) -> None:
    """On healthy noise a score above 2 (p < .01) comes at most twice as often as promised."""
    rng = np.random.default_rng(13)
    slots, length = 20, 1500
    x = rng.normal(size=(slots * length, CHANNELS))
    found = scored(make(CHANNELS), rows(np.repeat(np.arange(slots), length), x))
    score = found.score[np.isfinite(found.score)]
    assert (score > 2).mean() <= 0.02, f"{(score > 2).mean():.3f} of healthy rows are above 2"
    assert (score > 0.3).mean() >= 0.05, "hardly any row looks even slightly odd: no probability"


CHECKS = (
    check_causal,
    check_chunk_independent,
    check_deterministic,
    check_state,
    check_rejects_damage,
    check_slots_independent,
    check_finite,
    check_bounded,
    check_contributions,
    check_leaves_arrays_alone,
    check_usable_before_fit,
    check_prior,
    check_sees_a_shift,
    check_widens,
    check_renews,
    check_promise,
)
