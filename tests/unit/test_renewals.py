"""When a machine starts over: once after each repair, at its first row after that."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.renewals import Instants, Renewal, Renewals


def due(renewals: Renewals, ts_us: Sequence[int], known: Instants, slot: int = 0) -> list[Renewal]:
    return renewals.due(np.full(len(ts_us), slot, np.int32), np.array(ts_us, np.int64), known)


def test_a_machine_starts_over_at_its_first_row_after_a_repair_and_only_once() -> None:
    renewals = Renewals()
    assert due(renewals, [10, 20, 30], {0: [20]}) == [Renewal(2, 0, 20)]
    assert due(renewals, [40, 50], {0: [20]}) == []
    assert due(renewals, [60, 70], {0: [20, 60]}) == [Renewal(1, 0, 60)]


def test_a_repair_that_is_heard_of_late_counts_from_the_next_row() -> None:
    renewals = Renewals()
    assert due(renewals, [10, 20, 30], {}) == []
    assert due(renewals, [40, 50], {0: [20]}) == [Renewal(0, 0, 20)]


def test_what_is_older_than_the_first_row_or_than_the_last_repair_says_nothing_new() -> None:
    renewals = Renewals()
    assert due(renewals, [10, 20], {0: [5, 10]}) == []
    assert due(renewals, [30, 40], {0: [25]}) == [Renewal(0, 0, 25)]
    assert due(renewals, [50], {0: [15, 25]}) == []


def test_a_repair_without_a_row_after_it_waits_for_one() -> None:
    renewals = Renewals()
    assert due(renewals, [10, 20], {0: [25]}) == []
    assert due(renewals, [25], {0: [25]}) == []
    assert due(renewals, [26], {0: [25]}) == [Renewal(0, 0, 25)]


def test_machines_start_over_by_their_own_repairs_alone() -> None:
    slot, ts_us = np.array([0, 1, 0, 1], np.int32), np.array([10, 10, 20, 20], np.int64)
    assert Renewals().due(slot, ts_us, {1: [15]}) == [Renewal(3, 1, 15)]


@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=40),
    st.sets(st.integers(0, 60), max_size=5),
    st.lists(st.integers(1, 40), max_size=5),
)
def test_no_cut_and_no_restart_changes_when(ts: list[int], repairs: set[int], cuts: list[int]) -> None:
    known = {0: sorted(repairs)}
    whole = due(Renewals(), ts, known)
    found, renewals, at = list[Renewal](), Renewals(), 0
    for end in sorted({min(cut, len(ts)) for cut in cuts} | {len(ts)}):
        part = due(renewals, ts[at:end], known)
        found += [Renewal(at + each.row, each.slot, each.at_us) for each in part]
        saved, renewals, at = renewals.array().copy(), Renewals(), end
        renewals.take(saved)
    assert found == whole
