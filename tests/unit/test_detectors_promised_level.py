"""The promised level: so many false episodes a day, whatever the cuts, whatever one machine does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors.contract import StateError
from detectors.episodes import Change, EpisodeTracker
from detectors.promised_level import PromisedLevel

MINUTE_US, DAY = 60_000_000, 1440

Rows = tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]]


def level(per_day: float = 1.0, first: float = 4.0) -> PromisedLevel:
    return PromisedLevel(per_day, first, 3, off_s=600)


def healthy(machines: int, days: float, seed: int = 1, noise: float = 1.0) -> Rows:
    """Scores of machines that wander a little, a row a minute, in turn."""
    n = int(days * DAY)
    steps = np.random.default_rng(seed).normal(0, noise, (n, machines))
    wander = np.empty_like(steps)
    last = np.zeros(machines)
    for i in range(n):
        last = wander[i] = 0.9 * last + steps[i]
    slot = np.tile(np.arange(machines, dtype=np.int32), n)
    ts_us = np.repeat(np.arange(n, dtype=np.int64), machines) * MINUTE_US
    return slot, ts_us, np.abs(wander).ravel().astype(np.float32)


def opened(rows: Rows, levels: NDArray[np.float32]) -> NDArray[np.int64]:
    """Minutes at which episodes opened."""
    events = EpisodeTracker(4.0, 3, off_s=600).update(*rows, levels)
    return np.array([rows[1][event.row] // MINUTE_US for event in events if event.change is Change.OPENED])


@pytest.mark.parametrize("per_day", [0.2, 2.0])
@pytest.mark.parametrize("first", [2.0, 12.0])
def test_the_promise_is_kept_wherever_the_level_began(per_day: float, first: float) -> None:
    rows = healthy(30, 10)
    levels = level(per_day, first).update(*rows)
    told = opened(rows, levels)
    realised = (told >= 2 * DAY).sum() / (30 * 8) / per_day
    assert 0.67 <= realised <= 1.5


def test_a_noisier_machine_gets_a_level_of_its_own() -> None:
    calm, wild = healthy(9, 10), healthy(1, 10, seed=2, noise=2.0)
    order = np.argsort(np.append(calm[1], wild[1]), kind="stable")
    slot, ts_us = np.append(calm[0], wild[0] + 9)[order], np.append(calm[1], wild[1])[order]
    score = np.append(calm[2], wild[2])[order]
    found = level().update(slot, ts_us, score)
    last = found[-10:][np.argsort(slot[-10:])]
    assert last[9] > 1.2 * last[:9].max()


def test_one_machine_that_is_often_odd_does_not_silence_the_others() -> None:
    rows = healthy(8, 6)
    slot, ts_us, score = rows
    quiet = level(0.02).update(*rows)
    flapping = (slot == 0) & (ts_us // MINUTE_US % 120 < 30)
    loud = level(0.02).update(slot, ts_us, np.where(flapping, np.float32(15), score))
    assert slot[-1] != 0
    assert loud[-1] < quiet[-1] + 1.5


def test_an_episode_that_lasts_is_a_fault_and_raises_no_level() -> None:
    slot, ts_us, score = healthy(2, 12)
    broken = np.where((slot == 0) & (ts_us > 4 * DAY * MINUTE_US), np.float32(20), score)
    without = level(0.05).update(slot, ts_us, score)
    found = level(0.05).update(slot, ts_us, broken)
    assert abs(found[-1] - without[-1]) < 0.5


def test_a_machine_that_comes_later_begins_with_what_the_fleet_has_shown() -> None:
    slot, ts_us, score = healthy(10, 8)
    late = (slot != 9) | (ts_us > 6 * DAY * MINUTE_US)
    rows = slot[late], ts_us[late], score[late]
    found = level(first=12.0).update(*rows)
    newcomer = found[rows[0] == 9]
    assert newcomer[0] == pytest.approx(found[(rows[0] == 0) & (rows[1] < 6 * DAY * MINUTE_US)][-1], rel=0.3)
    assert newcomer[-1] == pytest.approx(found[rows[0] == 0][-1], rel=0.3)


def test_machines_that_come_one_after_the_other_get_levels_as_well_as_side_by_side() -> None:
    slot, ts_us, score = healthy(6, 8)
    order = np.argsort(slot, kind="stable")
    beside, after = (
        level(0.5).update(slot, ts_us, score),
        level(0.5).update(slot[order], ts_us[order], score[order]),
    )
    assert after[-1] == pytest.approx(beside[-1], rel=0.25)
    assert beside[-1] > 5


def test_it_says_for_how_long_machines_were_watched_but_for_long_gaps() -> None:
    slot, ts_us, score = healthy(2, 9)
    there = (ts_us < 2 * DAY * MINUTE_US) | (ts_us >= 7 * DAY * MINUTE_US)
    follow = level()
    follow.update(slot[there], ts_us[there], score[there])
    assert follow.watched_us == pytest.approx(2 * 4 * DAY * MINUTE_US, rel=1e-3)


def test_without_any_score_the_level_stays() -> None:
    slot, ts_us, score = healthy(2, 3)
    assert set(level().update(slot, ts_us, score * np.nan)) == {np.float32(4.0)}


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 3000), max_size=6), st.integers(0, 2))
def test_no_cut_and_no_restart_changes_anything(cuts: list[int], seed: int) -> None:
    slot, ts_us, score = healthy(3, 0.8, seed)
    score = np.where(np.random.default_rng(seed).random(len(score)) < 0.05, np.float32(np.nan), score)
    whole, parts = level(), level()
    at_once = whole.update(slot, ts_us, score)
    found, at = list[NDArray[np.float32]](), 0
    for end in sorted({min(cut, len(slot)) for cut in cuts} | {len(slot)}):
        found.append(parts.update(slot[at:end], ts_us[at:end], score[at:end]))
        at, fresh = end, level()
        fresh.load(parts.state())
        parts = fresh
    np.testing.assert_array_equal(np.concatenate(found), at_once)
    assert parts.state() == whole.state()


@pytest.mark.parametrize("wrong", [{"per_day": 0.0}, {"first": 0.1}, {"first": 99.0}])
def test_what_cannot_be_promised_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="a level from"):
        level(**wrong)


def test_a_state_that_is_none_is_refused() -> None:
    with pytest.raises(StateError):
        level().load(EpisodeTracker().state())
