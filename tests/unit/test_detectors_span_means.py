"""Rows to means over spans of time: told once a span is over, of the rows that count, whatever the cuts."""

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.contract import StateError
from detectors.span_means import SpanMeans

HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000

Rows = tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32], NDArray[np.bool_]]


def fleet(hours: int = 30) -> Rows:
    """Two machines in turn, a row each ten minutes; the second one rests every other hour."""
    rng, n = np.random.default_rng(3), 6 * hours
    slot = np.tile(np.array([0, 1], np.int32), n)
    ts_us = np.repeat(np.arange(n) * 10 * MINUTE_US, 2)
    x = rng.normal(size=(2 * n, 3)).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    return slot, ts_us, x, (slot == 0) | (ts_us // HOUR_US % 2 == 0)


def test_each_span_is_told_at_the_first_row_after_it_with_the_means_of_the_rows_that_count() -> None:
    slot, ts_us, x, counts = fleet(4)
    at, means = SpanMeans([2, 0], HOUR_US).update(slot, ts_us, x, counts)
    assert ts_us[at].tolist() == [HOUR_US, HOUR_US, 2 * HOUR_US, 3 * HOUR_US, 3 * HOUR_US]
    assert means.slot.tolist() == [0, 1, 0, 0, 1]  # the second machine rested in the second hour
    assert means.ts_us.tolist() == ts_us[at].tolist()
    third = (slot == 1) & (ts_us // HOUR_US == 2)
    np.testing.assert_allclose(means.x[4], np.nanmean(x[third][:, [2, 0]], axis=0), rtol=1e-6)


def test_a_span_has_the_instant_of_its_end_however_late_the_next_row_comes() -> None:
    spans, one = SpanMeans([0], HOUR_US), np.ones((1, 1), np.float32)
    slot, yes = np.zeros(1, np.int32), np.ones(1, np.bool_)
    spans.update(slot, np.array([5 * MINUTE_US]), one, yes)
    _, means = spans.update(slot, np.array([50 * HOUR_US]), one, yes)
    assert means.ts_us.tolist() == [HOUR_US]


def test_a_column_without_a_value_is_unknown_and_a_span_without_any_is_not_told() -> None:
    slot, ts_us, x, counts = fleet(3)
    x[ts_us < HOUR_US, 1] = np.nan
    x[(ts_us >= HOUR_US) & (ts_us < 2 * HOUR_US)] = np.nan
    _, means = SpanMeans([0, 1], HOUR_US).update(slot, ts_us, x, np.ones_like(counts))
    assert means.ts_us.tolist() == [HOUR_US, HOUR_US]
    assert np.isnan(means.x[:, 1]).all()
    assert np.isfinite(means.x[:, 0]).all()


@pytest.mark.parametrize("size", [1, 7, 100])
def test_cuts_and_restarts_change_nothing(size: int) -> None:
    rows = fleet()
    whole = SpanMeans([0, 1, 2], HOUR_US)
    _, wanted = whole.update(*rows)
    part, found = SpanMeans([0, 1, 2], HOUR_US), []
    for at in range(0, len(rows[0]), size):
        slot, ts_us, x, counts = rows
        cut = slice(at, at + size)
        found.append(part.update(slot[cut], ts_us[cut], x[cut], counts[cut])[1])
        state = part.state()
        part = SpanMeans([0, 1, 2], HOUR_US)
        part.load(state)
    assert part.state() == whole.state()
    np.testing.assert_array_equal(np.concatenate([each.x for each in found]), wanted.x)
    np.testing.assert_array_equal(np.concatenate([each.ts_us for each in found]), wanted.ts_us)


def test_a_repair_forgets_the_span_that_it_lies_in() -> None:
    spans = SpanMeans([0], HOUR_US)
    slot, yes = np.zeros(1, np.int32), np.ones(1, np.bool_)
    spans.update(slot, np.array([0]), np.full((1, 1), 100, np.float32), yes)
    spans.renew(0)
    spans.update(slot, np.array([MINUTE_US]), np.full((1, 1), 1, np.float32), yes)
    _, means = spans.update(slot, np.array([HOUR_US]), np.full((1, 1), 1, np.float32), yes)
    assert means.x.tolist() == [[1.0]]


def test_what_cannot_be_is_refused() -> None:
    for columns, every_us in (([], HOUR_US), ([0], 0)):
        with pytest.raises(ValueError, match="needs a column"):
            SpanMeans(columns, every_us)
    with pytest.raises(StateError, match="cannot be used"):
        SpanMeans([0], HOUR_US).load(SpanMeans([0], MINUTE_US).state())
