"""Episodes open, follow their peak, close and re-arm, whatever the cuts between updates."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors.contract import StateError
from detectors.episodes import Change, EpisodeEvent, EpisodeTracker

SECOND = 1_000_000


def tracker() -> EpisodeTracker:
    return EpisodeTracker(4.0, 3, fall=0.35, off_s=5, rearm_s=100)


def run(scores: Sequence[float], follow: EpisodeTracker | None = None, start: int = 0) -> list[EpisodeEvent]:
    n = len(scores)
    ts_us = (start + np.arange(n)) * SECOND
    return (follow or tracker()).update(np.zeros(n, np.int32), ts_us, np.array(scores, np.float32))


def test_a_run_above_the_threshold_opens_at_its_first_row() -> None:
    (opened,) = run([0, 0, 5, 5, 5, 5, 5])
    assert opened == EpisodeEvent(Change.OPENED, 4, 0, 2 * SECOND, 4 * SECOND, 5.0)


def test_too_short_a_run_opens_nothing() -> None:
    assert run([5, 5, 0] * 10) == []


def test_a_missing_score_neither_breaks_nor_lengthens_a_run() -> None:
    assert [e.row for e in run([5, np.nan, 5, np.nan, 5])] == [4]


def test_only_the_highest_new_peak_of_an_update_is_told() -> None:
    opened, peak = run([5, 5, 5, 6, 9, 7, 8])
    assert (opened.change, peak.change) == (Change.OPENED, Change.PEAK)
    assert (peak.row, peak.peak_us, peak.peak_score) == (4, 4 * SECOND, 9.0)


def test_it_ends_where_the_score_fell_back_a_good_part_of_the_way_from_its_peak() -> None:
    release = 4 + 0.35 * (14 - 4)
    *_, closed = run([14] * 4 + [release + 0.1] * 20 + [release - 0.1] * 6)
    assert (closed.change, closed.row, closed.end_us) == (Change.CLOSED, 29, 24 * SECOND)
    assert closed.peak_score == 14.0


def test_a_score_that_only_dips_does_not_end_it() -> None:
    assert [e.change for e in run([14] * 4 + ([0] * 4 + [14]) * 10)] == [Change.OPENED]


def test_a_machine_that_stays_odd_is_told_again_only_when_odder_or_after_a_while() -> None:
    follow = tracker()
    run([14] * 4 + [6] * 10, follow)
    assert run([6] * 20, follow, 14) == [], "as odd as when the episode ended"
    assert [e.change for e in run([9] * 3, follow, 34)] == [Change.OPENED], "odder"
    follow = tracker()
    run([14] * 4 + [6] * 10, follow)
    assert [e.change for e in run([6] * 120, follow, 14)] == [Change.OPENED], "the floor has decayed"


def test_peak_comes_before_close_in_one_update() -> None:
    assert [e.change for e in run([5] * 4 + [9] + [0] * 9)] == [Change.OPENED, Change.PEAK, Change.CLOSED]


@st.composite
def histories(draw: st.DrawFn) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]]:
    levels = draw(
        st.lists(st.tuples(st.sampled_from([0.0, 5.0, 7.0, 20.0]), st.integers(1, 12)), max_size=12)
    )
    score = np.array([level for level, times in levels for _ in range(times)], np.float32)
    score[draw(st.lists(st.integers(0, max(len(score) - 1, 0)), max_size=5 if len(score) else 0))] = np.nan
    slot = np.array(draw(st.lists(st.integers(0, 2), min_size=len(score), max_size=len(score))), np.int32)
    return slot, np.arange(len(score)) * SECOND, score


def latest(events: list[EpisodeEvent]) -> dict[tuple[int, int], tuple[int, float, int | None]]:
    """What a store that writes each event under its episode's id holds in the end."""
    return {(e.slot, e.onset_us): (e.peak_us, e.peak_score, e.end_us) for e in events}


@settings(max_examples=60, deadline=None)
@given(histories(), st.integers(1, 9))
def test_cuts_between_updates_change_no_episode(
    history: tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]], size: int
) -> None:
    slot, ts_us, score = history
    whole, cut = tracker(), tracker()
    at_once = whole.update(slot, ts_us, score)
    in_pieces: list[EpisodeEvent] = []
    for k in range(0, len(slot), size):
        part = slice(k, k + size)
        in_pieces += cut.update(slot[part], ts_us[part], score[part])
        fresh = tracker()
        fresh.load(cut.state())
        cut = fresh
    assert latest(at_once) == latest(in_pieces)
    assert whole.state() == cut.state()


@settings(max_examples=60, deadline=None)
@given(histories())
def test_episodes_of_a_slot_follow_one_another(
    history: tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]],
) -> None:
    for slot in range(3):
        open_since, end = None, -1
        for event in tracker().update(*history):
            if event.slot != slot:
                continue
            if event.change is Change.OPENED:
                assert open_since is None
                assert event.onset_us > end
                open_since = event.onset_us
            assert event.onset_us == open_since
            assert event.onset_us <= event.peak_us <= event.row * SECOND
            if event.change is Change.CLOSED:
                assert event.end_us is not None
                assert event.peak_us < event.end_us <= event.row * SECOND
                open_since, end = None, event.end_us


def test_damaged_state_is_refused() -> None:
    with pytest.raises(StateError):
        tracker().load(b"nonsense")


@pytest.mark.parametrize("wrong", [{"persistence": 0}, {"fall": 1.0}, {"off_s": -1}, {"rearm_s": 0}])
def test_parameters_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="persistence"):
        EpisodeTracker(**wrong)  # type: ignore[arg-type]
