"""Health of a machine, in percent, from how far it has moved from healthy (ISO 13374 health assessment)."""

import numpy as np
from numpy.typing import NDArray

from detectors.kernels import kernel
from detectors.slots import check_rows, grown, plain
from detectors.state_bytes import pack, unpack

VERSION = 1

STATE = np.dtype(
    [("rows", np.int64), ("healthy", np.float64), ("ts_us", np.int64), ("deviation", np.float64)]
)
"""Of one slot: `rows` judged so far, up to the baseline's number, and their mean deviation `healthy`; the
smoothed `deviation` at `ts_us`."""

MOST = 3.0
"""A baseline row counts at most as this many times the mean before it, so that outliers teach little."""


class HealthTracker:
    """Health = 100 (1 - (d - d0) / (d_fail - d0)), at most 100, of many slots.

    d is the deviation sqrt(departure / judged), about 1 when healthy, smoothed exponentially over event time
    with the time constant `tau_s`. d0 is its mean over the slot's first `baseline` judged rows; until then
    health is NaN. At `d_fail` the machine no longer does its job, beyond it health is below 0; a slot whose
    d0 is as high as that would have no scale, so d0 counts as at most half of `d_fail`. 1 - health/100 is the
    degradation level that forecasters extrapolate.
    """

    def __init__(self, *, baseline: int = 300, tau_s: float = 3600.0, d_fail: float = 12.0) -> None:
        if baseline < 1 or tau_s <= 0 or d_fail <= 0:
            raise ValueError("needs baseline >= 1, tau_s > 0 and d_fail > 0")
        self._rules = baseline, tau_s * 1e6, float(d_fail)
        self._kind = f"health {VERSION}: {baseline} rows"
        self._slots = 0
        self._state = np.zeros(0, STATE)

    def update(
        self,
        slot: NDArray[np.int32],
        ts_us: NDArray[np.int64],
        departure: NDArray[np.float32],
        judged: NDArray[np.int16],
    ) -> NDArray[np.float32]:
        """Health in percent after each row (n,), NaN while unknown; only rows with a departure change it.

        departure, judged: (n,), as in `Scores`.
        """
        self._slots = max(self._slots, check_rows(slot, ts_us, departure, judged))
        self._state = grown(self._state, self._slots, 0)
        rows = plain(slot, np.int32), plain(ts_us, np.int64)
        evidence = plain(departure, np.float32), plain(judged, np.int16)
        health = np.empty(len(slot), np.float32)
        _smooth(*rows, *evidence, self._rules, self._state, health)
        return health

    def now(self, slots: NDArray[np.int32]) -> NDArray[np.float32]:
        """Health in percent as it stands (n,), NaN while unknown."""
        n = len(slots)
        return self.update(
            slots, np.zeros(n, np.int64), np.full(n, np.nan, np.float32), np.zeros(n, np.int16)
        )

    def renew(self, slot: int) -> None:
        """Forget the slot's health: its next judged rows say what healthy is."""
        if slot < self._slots:
            self._state[slot] = 0

    def state(self) -> bytes:
        """One entry for each slot."""
        return pack(self._kind, {"slots": self._state[: self._slots]})

    def load(self, state: bytes) -> None:
        """Go on from `state`; raises `StateError`."""
        self._state = unpack(self._kind, state, {"slots": self._state})["slots"]
        self._slots = len(self._state)


@kernel
def _smooth(
    slot: NDArray[np.int32],
    ts_us: NDArray[np.int64],
    departure: NDArray[np.float32],
    judged: NDArray[np.int16],
    rules: tuple[int, float, float],
    states: NDArray[np.void],
    health: NDArray[np.float32],
) -> None:
    baseline, tau_us, d_fail = rules
    for i in range(len(slot)):
        state = states[slot[i]]
        if np.isfinite(departure[i]) and judged[i] > 0:
            d = np.sqrt(float(departure[i]) / judged[i])
            if state.rows < baseline:
                kept = min(d, MOST * state.healthy) if state.rows > 0 else d
                state.rows += 1
                state.healthy += (kept - state.healthy) / state.rows
                state.deviation = state.healthy
            else:
                state.deviation += -np.expm1(-(ts_us[i] - state.ts_us) / tau_us) * (d - state.deviation)
            state.ts_us = ts_us[i]
        d0 = min(state.healthy, d_fail / 2)
        level = (state.deviation - d0) / (d_fail - d0)
        known = state.rows >= baseline
        health[i] = 100.0 * (1.0 - max(level, 0.0)) if known else np.nan
