"""Segments as the unit: rows cut into trips, door cycles or programs, each told by what it showed as a whole.

Operation-aware monitoring: what a machine does again and again is compared with itself, whole by whole. A
row speaks of the time since the row before it, so a segment lasts from the row before its first to its last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.contract import Samples, StateError
from detectors.segment_rows import FRESH, PART, STATE, Rules, cut
from detectors.slots import check_rows, grown, plain
from detectors.state_bytes import pack, unpack

VERSION = 2


class Take(StrEnum):
    """What is taken of a segment, in the order of the loop's numbers."""

    SECONDS = "seconds"
    """How long its codes were on."""
    TIMES = "times"
    """How many times they came on."""
    MEAN = "mean"
    """Of the channel, over time."""
    TOTAL = "total"
    """The channel's mean times the seconds: its integral, as if no value were missing."""
    PEAK = "peak"
    LAST = "last"
    LONGEST = "longest"
    """How long its codes were on at a stretch, at most."""


TAKES = tuple(Take)


@dataclass(frozen=True, slots=True)
class Window:
    """The time from `from_s` until `until_s` after a code came on, where it came on after the code `after`.

    So a movement is divided by time, and one that begins midway is left out. A row is where its middle is.
    """

    after: int
    from_s: float
    until_s: float


@dataclass(frozen=True, slots=True)
class Part:
    """One feature: what to take of the channel in `column`, in rows with these codes, all if there are none.

    With a `window` only rows in it count. `Take.SECONDS`, `Take.TIMES` and `Take.LONGEST` look at no column.
    """

    take: Take
    column: int = 0
    codes: tuple[int, ...] = ()
    window: Window | None = None


class Segments:
    """Cuts many slots' rows, causally and independent of how they are cut into updates.

    A segment is a run of rows whose code, in `column`, is one of `codes`; a change from one of them to
    another begins the next segment, unless they are `phases` of one. A missing code is the last one known.
    Not told is a segment whose beginning or end was not seen: rows more than `apart_s` from each other say
    nothing of what was between them; nor is one that takes longer than `longest_s`.
    """

    def __init__(
        self,
        column: int,
        codes: Sequence[int],
        parts: Sequence[Part],
        *,
        phases: bool = False,
        apart_s: float = 3.0,
        longest_s: float = 600.0,
    ) -> None:
        if not codes or min(codes) < 0 or not parts or min(apart_s, longest_s) <= 0:
            raise ValueError("needs codes from 0 up, a feature, and times above 0")
        every = np.zeros((1 + len(parts), max(codes) + 1), np.bool_)
        every[0, list(codes)] = True
        for k, part in enumerate(parts, 1):
            every[k, list(part.codes or codes)] = True
        self._rules = Rules(
            column,
            every[0].copy(),
            phases,
            round(apart_s * 1e6),
            round(longest_s * 1e6),
            np.array([TAKES.index(part.take) for part in parts], np.int64),
            np.array([part.column for part in parts], np.int64),
            every[1:].copy(),
            np.array([-1 if part.window is None else part.window.after for part in parts], np.int64),
            np.array([_bounds(part.window) for part in parts], np.float64),
        )
        self._kind = f"segments {VERSION}: {len(parts)} features"
        self._slots = 0
        self._states = np.full(0, FRESH, STATE)
        self._parts = np.zeros((0, len(parts)), PART)

    def update(
        self, slot: NDArray[np.int32], ts_us: NDArray[np.int64], values: NDArray[np.float32]
    ) -> tuple[NDArray[np.int64], Samples]:
        """The rows at which segments were over (m,), and the segments (m, features).

        values: (n, channels), NaN where missing. A segment's regime is its first code, its instant the row's.
        """
        self._slots = max(self._slots, check_rows(slot, ts_us, values))
        self._states = grown(self._states, self._slots, FRESH)
        self._parts = grown(self._parts, self._slots, 0)
        n = len(slot)
        row, first = np.empty(n, np.int64), np.empty(n, np.int16)
        features = np.empty((n, self._parts.shape[1]), np.float32)
        rows = plain(slot, np.int32), plain(ts_us, np.int64), plain(values, np.float32)
        count = cut(*rows, self._rules, self._states, self._parts, row, first, features)
        at = row[:count]
        return at, Samples(slot[at], ts_us[at], first[:count].copy(), features[:count].copy())

    def renew(self, slot: int) -> None:
        """Forget the segment that is on: a repair lies in it."""
        if slot < self._slots:
            self._states[slot] = FRESH

    def state(self) -> bytes:
        """Where each slot is, and what the segments that are on have shown."""
        return pack(self._kind, self._arrays())

    def load(self, state: bytes) -> None:
        """Go on from `state`; raises `StateError`."""
        saved = unpack(self._kind, state, self._arrays())
        if len(saved["states"]) != len(saved["parts"]):
            raise StateError("state of segments contradicts itself; start without it")
        self._states, self._parts = saved["states"], saved["parts"]
        self._slots = len(self._states)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {"states": self._states[: self._slots], "parts": self._parts[: self._slots]}


def _bounds(window: Window | None) -> tuple[float, float]:
    return (0.0, 0.0) if window is None else (window.from_s, window.until_s)
