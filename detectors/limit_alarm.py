"""Absolute limits with deadband, delays and rate of change, as ISA-18.2 and IEC 62682 mean them.

Limits come from a standard or the maker and never move, whatever the statistics have learned.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.contract import Samples
from detectors.kernels import kernel
from detectors.slots import NEVER, check_samples, grown, plain
from detectors.state_bytes import pack, unpack

VERSION = 2

LIMIT = np.dtype(
    [
        ("column", np.int32),
        ("sign", np.float64),
        ("per_s", np.bool_),
        ("at", np.float64),
        ("deadband", np.float64),
        ("on_us", np.int64),
        ("off_us", np.int64),
    ]
)

STATE = np.dtype(
    [
        ("on", np.bool_),
        ("since_us", np.int64),
        ("onset_us", np.int64),
        ("last", np.float64),
        ("last_us", np.int64),
        ("peak", np.float64),
        ("peak_us", np.int64),
    ]
)
"""Of one limit of one slot: `since_us` is when the value passed what would change `on`, NEVER if it has not;
the latest value and its instant, for the rate; the value farthest beyond since the onset, and its instant."""

FRESH = np.array((False, NEVER, NEVER, np.nan, NEVER, np.nan, NEVER), STATE)

EVENT = np.dtype(
    [
        ("row", np.int64),
        ("slot", np.int32),
        ("limit", np.int32),
        ("onset_us", np.int64),
        ("end_us", np.int64),
        ("peak", np.float64),
        ("peak_us", np.int64),
    ]
)


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of the channel in `column`, in its unit; with `per_s` of its rate of change per second.

    Raised once the value has been beyond `at`, above it or else below, for `on_delay_s`; cleared once it has
    been back within by more than `deadband` for `off_delay_s`. Raises `ValueError` for negative ones.
    """

    column: int
    at: float
    above: bool = True
    per_s: bool = False
    deadband: float = 0.0
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0

    def __post_init__(self) -> None:
        if self.column < 0 or min(self.deadband, self.on_delay_s, self.off_delay_s) < 0:
            raise ValueError("a limit's column, deadband and delays cannot be negative")
        if not np.isfinite(self.at):
            raise ValueError("a limit must be a finite number")


@dataclass(frozen=True, slots=True)
class LimitEvent:
    """A limit is passed (`end_us` None) or kept again, at `row` of the update.

    Slot, limit (its place in the list) and onset tell them apart. Onset and end are the instants at which the
    value passed, before the delay; the peak is the value, or rate, farthest beyond the limit since the onset.
    """

    row: int
    slot: int
    limit: int
    onset_us: int
    end_us: int | None
    peak: float
    peak_us: int


class LimitAlarm:
    """Watches many slots' rows, causally and independent of how they are cut into updates.

    A missing value changes nothing: it neither passes a limit nor keeps one, and a rate is taken between the
    values around it.
    """

    def __init__(self, channels: int, limits: tuple[Limit, ...]) -> None:
        self._kind = f"limits {VERSION}"
        self._slots = 0
        self._limits = np.empty(0, LIMIT)
        self._state = np.full((0, 0), FRESH, STATE)
        self.change(channels, limits)

    def change(self, channels: int, limits: tuple[Limit, ...]) -> None:
        """Go on with these limits: one that was there before is as it was, another begins anew."""
        if any(limit.column >= channels for limit in limits):
            raise ValueError(f"a limit's column lies beyond the {channels} channels")
        self._channels = channels
        self._take_over(np.array([_row(limit) for limit in limits], LIMIT))

    def _take_over(self, limits: NDArray[Any]) -> None:
        known = {limit.tolist(): k for k, limit in enumerate(self._limits)}
        state = np.full((len(self._state), len(limits)), FRESH, STATE)
        for k, limit in enumerate(limits):
            if limit.tolist() in known:
                state[:, k] = self._state[:, known[limit.tolist()]]
        self._limits, self._state = limits, state

    def check(self, samples: Samples) -> list[LimitEvent]:
        """What is passed and kept again, in the order of rows."""
        self._slots = max(self._slots, check_samples(samples, self._channels))
        self._state = grown(self._state, self._slots, FRESH)
        slot, ts_us = plain(samples.slot, np.int32), plain(samples.ts_us, np.int64)
        told = np.empty(len(slot) * len(self._limits), EVENT)
        count = _watch(slot, ts_us, plain(samples.x, np.float32), self._limits, self._state, told)
        return [_event(each) for each in told[:count]]

    def renew(self, slot: int, at_us: int) -> list[LimitEvent]:
        """Begin anew with a slot that was repaired then: what is passed is kept again from there.

        Or from its peak on, if the repair was heard of late. Row is 0, the first one of the next update.
        """
        if slot >= self._slots:
            return []
        before = self._state[slot].copy()
        self._state[slot] = FRESH
        return [
            LimitEvent(0, slot, k, onset_us, max(at_us, peak_us), peak, peak_us)
            for k, (on, _, onset_us, _, _, peak, peak_us) in enumerate(before.tolist())
            if on
        ]

    def state(self) -> bytes:
        """The limits, and one entry for each slot and limit."""
        return pack(self._kind, {"limits": self._limits, "state": self._state[: self._slots].ravel()})

    def load(self, state: bytes) -> None:
        """Go on from `state`, whose limits may have been others; raises `StateError`."""
        like = {"limits": self._limits, "state": self._state.ravel()}
        saved, limits = unpack(self._kind, state, like), self._limits
        self._limits = saved["limits"]
        self._slots = len(saved["state"]) // max(1, len(self._limits))
        self._state = saved["state"].reshape(self._slots, len(self._limits))
        self._take_over(limits)


def _row(limit: Limit) -> tuple[int, float, bool, float, float, int, int]:
    """With `sign`, passed means sign * value > sign * at, the limit rounded as values are."""
    sign = 1.0 if limit.above else -1.0
    delays = round(limit.on_delay_s * 1e6), round(limit.off_delay_s * 1e6)
    return limit.column, sign, limit.per_s, sign * float(np.float32(limit.at)), limit.deadband, *delays


def _event(told: np.void) -> LimitEvent:
    row, slot, limit, onset_us, end_us, peak, peak_us = told.tolist()
    return LimitEvent(row, slot, limit, onset_us, None if end_us == NEVER else end_us, peak, peak_us)


@kernel
def _watch(
    slot: NDArray[np.int32],
    ts_us: NDArray[np.int64],
    x: NDArray[np.float32],
    limits: NDArray[Any],
    states: NDArray[Any],
    told: NDArray[Any],
) -> int:
    """Move each limit's state on row by row; returns how many events were written to `told`."""
    count = 0
    for i in range(len(slot)):
        for k in range(len(limits)):
            limit, state = limits[k], states[slot[i], k]
            value = float(x[i, limit.column])
            if not np.isfinite(value):
                continue
            measured = _rate(state, value, ts_us[i]) if limit.per_s else value
            state.last, state.last_us = value, ts_us[i]
            if not np.isfinite(measured):
                continue
            beyond = limit.sign * measured - limit.at
            changes = beyond < -limit.deadband if state.on else beyond > 0
            counts = state.on or (changes and state.since_us != NEVER)
            if not counts or limit.sign * (measured - state.peak) > 0:
                state.peak, state.peak_us = measured, ts_us[i]
            if not changes:
                state.since_us = NEVER
                continue
            if state.since_us == NEVER:
                state.since_us = ts_us[i]
            if ts_us[i] - state.since_us < (limit.off_us if state.on else limit.on_us):
                continue
            event = told[count]
            event.row, event.slot, event.limit, event.end_us = i, slot[i], k, NEVER
            if state.on:
                event.end_us = state.since_us
            else:
                state.onset_us = state.since_us
            event.onset_us, event.peak, event.peak_us = state.onset_us, state.peak, state.peak_us
            state.on, state.since_us = not state.on, NEVER
            count += 1
    return count


@kernel
def _rate(state: Any, value: float, ts_us: int) -> float:
    """Change per second since the value before, NaN for the first."""
    if state.last_us == NEVER:
        return np.nan
    return float((value - state.last) / ((ts_us - state.last_us) * 1e-6))
