"""The on-level that keeps a promise: no more than so many false episodes for each machine and day.

Rows are not what an operator counts: neighbouring scores are alike, so a level from the scores' quantiles
misses a promise of episodes by factors. Here the episodes themselves are counted, as they would have been
under each of a ladder of levels, and the level is where that count is what was promised.
"""

import numpy as np
from numpy.typing import NDArray

from detectors.contract import StateError
from detectors.episode_rows import FRESH, STATE, count, watch
from detectors.reviews import Reviews
from detectors.slots import NEVER, check_rows, grown, plain
from detectors.state_bytes import pack, unpack

Floats = NDArray[np.float64]

VERSION = 1

LOWEST, HIGHEST = 0.25, 24.0
LADDER = np.geomspace(LOWEST, HIGHEST, 21).astype(np.float32)
"""Levels under which episodes are counted; the promised level lies between two of them."""

DAY_US = 86_400_000_000

LASTING_US = 3 * DAY_US
"""An episode that lasts longer was not about nothing, and nobody's promise speaks of it."""

REMEMBERED_EPISODES, SHORTEST_DAYS, LONGEST_DAYS = 20, 7.0, 60.0
"""Counts fade with the time in which the fleet has so many episodes as promised, within these limits."""

MOST_OF_ONE = 3
"""A machine speaks for the others with so many episodes, and so many times their median more, at the most."""

FIRST_EPISODES, RAREST = 3.0, 3.0
"""What is believed of the first level before anything was counted: that it has as many episodes as promised,
worth so many of them, and that higher ones have e times as few for each unit, down to a third."""

LEAST_ALIKE, MOST_ALIKE = 0.5, 20.0
"""What the fleet's counts are worth against a machine's own, in episodes, within these limits."""


class PromisedLevel:
    """Levels of many slots of one equipment type, whatever the cuts between updates.

    A level's false episodes are taken to be Poisson, their rate has a Gamma prior: the fleet's says that
    `level` keeps the promise, a slot's says what the fleet has shown. Levels are set anew at each of the
    `Reviews`, from the rows before it.
    """

    def __init__(
        self,
        per_day: float,
        level: float,
        persistence: int,
        *,
        fall: float = 0.35,
        off_s: float = 30.0,
        rearm_s: float = 3600.0,
    ) -> None:
        if not per_day > 0 or not LOWEST <= level <= HIGHEST:
            raise ValueError(f"needs per_day > 0 and a level from {LOWEST:g} to {HIGHEST:g}")
        self._per_day, self._first = per_day, level
        self._rules = persistence, float(fall), round(off_s * 1e6), rearm_s * 1e6
        self._kind = f"promised level {VERSION}"
        self.watched_us = 0
        """How long slots have had a score since this object was made, all together."""
        self._slots = 0
        self._reviews = Reviews()
        self._states = np.full((0, len(LADDER)), FRESH, STATE)
        self._opened, self._watched_us = np.zeros((0, len(LADDER))), np.zeros(0)
        self._last_us = np.zeros(0, np.int64)
        self._set_us, self._newcomers = 0.0, level
        self._level = np.zeros(0, np.float32)

    def update(
        self, slot: NDArray[np.int32], ts_us: NDArray[np.int64], score: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Each row's level (n,); all arrays are (n,), in time order within a slot."""
        self._reach(check_rows(slot, ts_us, score))
        slot, ts_us, score = plain(slot, np.int32), plain(ts_us, np.int64), plain(score, np.float32)
        level = np.empty(len(slot), np.float32)
        for part, due in self._reviews.cut(slot, ts_us):
            if due:
                self._set_levels(self._reviews.time_us)
            rows = slot[part], ts_us[part], score[part]
            count(*rows, LADDER, self._rules, LASTING_US, self._states, self._opened)
            self.watched_us += watch(*rows, LASTING_US, self._last_us, self._watched_us)
            level[part] = self._level[rows[0]]
        return level

    def _set_levels(self, time_us: float) -> None:
        """From all that came before; `time_us` is the fleet's time."""
        passed, self._set_us = (time_us - self._set_us) / DAY_US, time_us
        known = self._last_us != NEVER
        promised = self._per_day * max(int(known.sum()), 1)
        kept = np.exp(-passed / np.clip(REMEMBERED_EPISODES / promised, SHORTEST_DAYS, LONGEST_DAYS))
        self._opened *= kept
        self._watched_us *= kept
        if not known.any():
            return
        states, last_us = self._states[known], self._last_us[known, None]
        lasting = states["on"] & (last_us - states["onset_us"] > LASTING_US)
        opened = _at_or_above(self._opened[known] - lasting)
        own, fleet = self._rates(opened, self._watched_us[known, None] / DAY_US)
        self._newcomers = float(self._at(fleet))
        self._level[:] = self._newcomers
        self._level[known] = [self._at(rate) for rate in own]

    def _at(self, rate: Floats) -> float:
        """The level at which the rate, which falls along the ladder, is what is promised."""
        return float(np.interp(-np.log(self._per_day), -np.log(rate), LADDER))

    def _rates(self, opened: Floats, days: Floats) -> tuple[Floats, Floats]:
        """False episodes a day under each level, of each slot and of one that nothing is known of.

        opened: (slots, ladder), the episodes of slots that were watched for so many days (slots, 1).
        """
        first = np.minimum(np.exp(LADDER - self._first), RAREST) / self._per_day
        typical = np.minimum(opened, MOST_OF_ONE * (1 + np.median(opened, axis=0)))
        fleet = (typical.sum(axis=0) + FIRST_EPISODES) / (days.sum() + FIRST_EPISODES * first)
        alike = _alikeness(typical)
        own = _at_or_above((opened + alike) / (days + alike / fleet))
        return own, _at_or_above(fleet[None])[0]

    def _reach(self, slots: int) -> None:
        self._slots = max(self._slots, slots)
        self._states = grown(self._states, slots, FRESH)
        self._opened = grown(self._opened, slots, 0.0)
        self._watched_us = grown(self._watched_us, slots, 0.0)
        self._last_us = grown(self._last_us, slots, NEVER)
        self._level = grown(self._level, slots, np.array(self._newcomers, np.float32))

    def state(self) -> bytes:
        """What was counted of each slot, and when levels are set next."""
        return pack(self._kind, self._arrays())

    def load(self, state: bytes) -> None:
        """Go on from `state`, under this one's own promise; raises `StateError`."""
        saved = unpack(self._kind, state, self._arrays())
        fleet, clock = saved.pop("fleet"), saved.pop("review_clock")
        seen_us = saved.pop("review_last_us")
        if len(clock) != 3 or len(fleet) != 2 or len({len(array) for array in saved.values()}) != 1:
            raise StateError("state of promised levels contradicts itself; start without it")
        self._reviews.take(clock, seen_us)
        self._set_us, self._newcomers = fleet.tolist()
        self._states, self._opened, self._level = saved["states"], saved["opened"], saved["level"]
        self._watched_us, self._last_us = saved["watched_us"], saved["last_us"]
        self._slots = len(self._level)

    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        n = self._slots
        return {
            "fleet": np.array([self._set_us, self._newcomers]),
            **self._reviews.arrays(),
            "states": self._states[:n],
            "opened": self._opened[:n],
            "watched_us": self._watched_us[:n],
            "last_us": self._last_us[:n],
            "level": self._level[:n],
        }


def _alikeness(opened: Floats) -> Floats:
    """The shape of the Gamma distribution of the slots' rates under each level, from the counts' moments."""
    mean, variance = opened.mean(axis=0), opened.var(axis=0)
    shape: Floats = mean**2 / np.maximum(variance - mean, 1e-9)
    return np.clip(shape, LEAST_ALIKE, MOST_ALIKE)


def _at_or_above(opened: Floats) -> Floats:
    """The most episodes under a level or any higher one: under a low one they run together."""
    return np.maximum.accumulate(np.maximum(opened, 0.0)[:, ::-1], axis=1)[:, ::-1]
