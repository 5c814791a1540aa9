"""Rows to means over equal spans of time, told once a span is over: what moves slowly, without noise."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.contract import Samples, StateError
from detectors.kernels import kernel
from detectors.slots import NEVER, check_rows, grown, plain
from detectors.state_bytes import pack, unpack

VERSION = 1

SUM = np.dtype([("value", np.float64), ("rows", np.int64)])
"""Of one slot and column in the span that goes on."""


class SpanMeans:
    """Means of many slots' columns, causal and independent of how their rows are cut into updates.

    Spans of `every_us` microseconds are counted from 1970 UTC. One without a value is not told.
    """

    def __init__(self, columns: Sequence[int], every_us: int) -> None:
        if not columns or every_us <= 0:
            raise ValueError("needs a column and spans of time")
        self._columns, self._every_us = np.array(columns, np.int64), every_us
        self._kind = f"span means {VERSION}: {len(columns)} columns, {every_us} us"
        self._slots = 0
        self._span = np.full(0, NEVER, np.int64)
        self._sums = np.zeros((0, len(columns)), SUM)

    def update(
        self,
        slot: NDArray[np.int32],
        ts_us: NDArray[np.int64],
        x: NDArray[np.float32],
        counts: NDArray[np.bool_],
    ) -> tuple[NDArray[np.int64], Samples]:
        """The rows that were the first after a span (m,), and the spans' means (m, columns) at its end.

        x: (n, channels), NaN where nothing is to be trusted. counts: (n,), the rows that are taken in.
        """
        self._slots = max(self._slots, check_rows(slot, ts_us, x, counts))
        self._span = grown(self._span, self._slots, NEVER)
        self._sums = grown(self._sums, self._slots, 0)
        rows = plain(slot, np.int32), plain(ts_us, np.int64), plain(x, np.float32), plain(counts, np.bool_)
        at, end_us = np.empty((2, len(slot)), np.int64)
        means = np.empty((len(slot), len(self._columns)), np.float32)
        told = _add(*rows, self._columns, self._every_us, self._span, self._sums, at, end_us, means)
        at = at[:told]
        return at, Samples(slot[at], end_us[:told].copy(), np.zeros(told, np.int16), means[:told].copy())

    def renew(self, slot: int) -> None:
        """Forget the span that goes on."""
        if slot < self._slots:
            self._span[slot], self._sums[slot] = NEVER, np.zeros((), SUM)

    def state(self) -> bytes:
        """The sums of the spans that go on."""
        return pack(self._kind, self._arrays())

    def load(self, state: bytes) -> None:
        """Go on from `state`; raises `StateError`."""
        saved = unpack(self._kind, state, self._arrays())
        if len(saved["span"]) != len(saved["sums"]):
            raise StateError("state of span means contradicts itself; start without it")
        self._span, self._sums = saved["span"], saved["sums"]
        self._slots = len(self._span)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {"span": self._span[: self._slots], "sums": self._sums[: self._slots]}


@kernel
def _add(
    slot: NDArray[np.int32],
    ts_us: NDArray[np.int64],
    x: NDArray[np.float32],
    counts: NDArray[np.bool_],
    columns: NDArray[np.int64],
    every_us: int,
    spans: NDArray[np.int64],
    sums: NDArray[Any],
    at: NDArray[np.int64],
    end_us: NDArray[np.int64],
    means: NDArray[np.float32],
) -> int:
    """Take rows in; returns how many spans were written to the last three arrays."""
    told = 0
    for i in range(len(slot)):
        s, span = slot[i], ts_us[i] // every_us
        if span != spans[s]:
            if spans[s] != NEVER and _close(sums[s], means[told]):
                at[told], end_us[told] = i, (spans[s] + 1) * every_us
                told += 1
            spans[s] = span
        if counts[i]:
            for k in range(len(columns)):
                value = x[i, columns[k]]
                if np.isfinite(value):
                    sums[s, k].value += value
                    sums[s, k].rows += 1
    return told


@kernel
def _close(sums: NDArray[Any], means: NDArray[np.float32]) -> bool:
    """Write the span's means, NaN where there was no value, and begin anew; returns whether there was one."""
    any_value = False
    for k in range(len(sums)):
        rows = sums[k].rows
        means[k] = sums[k].value / rows if rows > 0 else np.nan
        any_value = any_value or rows > 0
        sums[k].value, sums[k].rows = 0.0, 0
    return any_value
