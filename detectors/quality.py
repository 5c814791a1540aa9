"""Data quality before detection (ISO 13374 data manipulation): what a sensor cannot truthfully have measured.

A sensor that is stuck or out of range is a finding about the sensor, never about the machine, so its values
are taken out before anything else sees them.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.contract import Samples
from detectors.kernels import kernel
from detectors.slots import check_samples, grown, plain, wider
from detectors.state_bytes import pack, unpack

OUT_OF_RANGE, STUCK, SPIKE = 1, 2, 4
"""Bits of a flag."""

ENOUGH = 20
"""Changes of a value before it counts as one that varies and its usual step as known."""

PATIENCE = 3
"""Times the longest run of equal values so far that the next one may last."""

JUMP = 8.0
"""Times the usual step (root mean square) that one step may be."""

MEMORY = 1.0 / 64
"""Weight of the latest step in the usual step."""

VERSION = 1

STATE = np.dtype(
    [
        ("last", np.float32),
        ("run", np.int64),
        ("run_us", np.int64),
        ("longest", np.int64),
        ("changes", np.int64),
        ("stuck", np.bool_),
        ("good", np.float32),
        ("step2", np.float64),
        ("suspect", np.bool_),
        ("out", np.int64),
        ("out_us", np.int64),
    ]
)
"""Of one channel of one slot: `run` equal values `last` since `run_us`, the `longest` run and the number of
`changes` before; the latest `good` value, the mean square `step2` between good ones, whether the value just
before was a `suspect` spike; `out` values in a row out of range since `out_us`."""

FRESH = np.array((np.nan, 0, 0, 0, 0, False, np.nan, 0.0, False, 0, 0), STATE)


class FaultKind(StrEnum):
    """What is wrong with a sensor."""

    OUT_OF_RANGE = "out_of_range"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True)
class SensorFault:
    """A sensor's fault as it begins (`end_us` None) or ends, at `row` of the update.

    Slot, channel, kind and onset tell faults apart. `end_us` is the first instant with a good value.
    """

    slot: int
    channel: int
    kind: FaultKind
    onset_us: int
    end_us: int | None
    row: int


@dataclass(frozen=True, slots=True)
class Checked:
    """flags: (n, channels) uint8, bits `OUT_OF_RANGE`, `STUCK`, `SPIKE`, 0 for good or missing.

    x: (n, channels) float32, a copy with NaN wherever a flag is set. faults: in the order of rows.
    """

    flags: NDArray[np.uint8]
    x: NDArray[np.float32]
    faults: list[SensorFault]


class QualityGate:
    """Checks many slots' rows, causally and independent of how they are cut into updates.

    Out of range is outside [low, high] (channels,), infinity included. Stuck is the same value `stuck_rows`
    times in a row, for a channel that varies (`varies`, (channels,) bool, and as seen so far), and three
    times as long as it ever stood still before: a machine's idle hours are reported once. A spike is a step
    of more than eight usual ones; the value after it is believed again, so that a true step costs one value
    and an isolated jump never gets through. A fault of the sensor is a value stuck, or `fault_rows` in a row
    out of range. A missing value changes nothing.
    """

    def __init__(
        self,
        low: NDArray[np.floating],
        high: NDArray[np.floating],
        varies: NDArray[np.bool_],
        *,
        stuck_rows: int = 60,
        fault_rows: int = 30,
    ) -> None:
        if stuck_rows < 2 or fault_rows < 1:
            raise ValueError("needs stuck_rows >= 2 and fault_rows >= 1")
        self._patience = stuck_rows, fault_rows
        self._slots = 0
        self._state = np.full((0, len(low)), FRESH, STATE)
        self.widen(low, high, varies)

    def widen(self, low: NDArray[np.floating], high: NDArray[np.floating], varies: NDArray[np.bool_]) -> None:
        """Take over these limits, of as many channels or more; raises `ValueError` for fewer."""
        if not low.shape == high.shape == varies.shape == (len(low),):
            raise ValueError("low, high and varies must each have one entry for each channel")
        self._limits = plain(low, np.float32), plain(high, np.float32), plain(varies, np.bool_)
        self._kind = f"quality {VERSION}: {len(low)} channels"
        self._state = wider(self._state, 1, len(low), FRESH)

    def check(self, samples: Samples) -> Checked:
        """Flag and clean the rows."""
        self._slots = max(self._slots, check_samples(samples, self._state.shape[1]))
        self._state = grown(self._state, self._slots, FRESH)
        slot, ts_us = plain(samples.slot, np.int32), plain(samples.ts_us, np.int64)
        clean = np.array(samples.x, np.float32)
        flags = np.zeros(clean.shape, np.uint8)
        told = np.empty(2 * clean.size, EVENT)
        count = _check(slot, ts_us, *self._limits, self._patience, self._state, clean, flags, told)
        return Checked(flags, clean, [_fault(each) for each in told[:count]])

    def state(self) -> bytes:
        """One entry for each slot and channel."""
        return pack(self._kind, {"channels": self._state[: self._slots]})

    def load(self, state: bytes) -> None:
        """Go on from `state`, under this gate's own limits; raises `StateError`."""
        self._state = unpack(self._kind, state, {"channels": self._state})["channels"]
        self._slots = len(self._state)


KINDS = tuple(FaultKind)
RANGE_FAULT, STUCK_FAULT = range(2)
GOES_ON = np.iinfo(np.int64).min

EVENT = np.dtype(
    [
        ("slot", np.int32),
        ("channel", np.int32),
        ("kind", np.int8),
        ("onset_us", np.int64),
        ("end_us", np.int64),
        ("row", np.int64),
    ]
)


def _fault(told: np.void) -> SensorFault:
    slot, channel, kind, onset_us, end_us, row = told.tolist()
    return SensorFault(slot, channel, KINDS[kind], onset_us, None if end_us == GOES_ON else end_us, row)


@kernel
def _check(
    slot: NDArray[np.int32],
    ts_us: NDArray[np.int64],
    low: NDArray[np.float32],
    high: NDArray[np.float32],
    varies: NDArray[np.bool_],
    patience: tuple[int, int],
    states: NDArray[Any],
    x: NDArray[np.float32],
    flags: NDArray[np.uint8],
    told: NDArray[Any],
) -> int:
    """Flag and clean `x` in place, moving the states on; returns how many events were written to `told`."""
    stuck_rows, fault_rows = patience
    count = 0
    for i in range(len(slot)):
        for k in range(x.shape[1]):
            value, state = x[i, k], states[slot[i], k]
            where = (slot[i], k, i, ts_us[i])
            if np.isnan(value):
                continue
            if not low[k] <= value <= high[k]:
                flags[i, k] = OUT_OF_RANGE
                count = _stay_out(state, fault_rows, where, told, count)
            else:
                if state.out >= fault_rows:
                    count = _tell(told, count, where, RANGE_FAULT, state.out_us, ts_us[i])
                state.out = 0
                if varies[k]:
                    count = _stand_still(state, value, stuck_rows, where, told, count)
                    flags[i, k] = STUCK * state.stuck + SPIKE * _jumps(state, value)
            if flags[i, k]:
                x[i, k] = np.nan
    return count


@kernel
def _stay_out(
    state: Any, fault_rows: int, where: tuple[int, int, int, int], told: NDArray[Any], count: int
) -> int:
    if state.out == 0:
        state.out_us = where[3]
    state.out += 1
    if state.out == fault_rows:
        return _tell(told, count, where, RANGE_FAULT, state.out_us, GOES_ON)
    return count


@kernel
def _stand_still(
    state: Any,
    value: float,
    stuck_rows: int,
    where: tuple[int, int, int, int],
    told: NDArray[Any],
    count: int,
) -> int:
    if value != state.last:
        if state.stuck:
            count = _tell(told, count, where, STUCK_FAULT, state.run_us, where[3])
            state.stuck = False
        state.longest = max(state.longest, state.run)
        state.changes += 1
        state.last, state.run, state.run_us = value, 1, where[3]
        return count
    state.run += 1
    stuck = state.changes > ENOUGH and state.run >= max(stuck_rows, PATIENCE * state.longest)
    if stuck and not state.stuck:
        count = _tell(told, count, where, STUCK_FAULT, state.run_us, GOES_ON)
        state.stuck = True
    return count


@kernel
def _jumps(state: Any, value: float) -> bool:
    step2 = (float(value) - float(state.good)) ** 2
    most = JUMP * JUMP * state.step2
    if state.changes > ENOUGH and step2 > most and not state.suspect:
        state.suspect = True
        return True
    if step2 >= 0.0:  # not for the first value
        weight = max(MEMORY, 1.0 / max(state.changes, 1))
        kept = min(step2, most) if state.changes > ENOUGH else step2
        state.step2 += weight * (kept - state.step2)
    state.good, state.suspect = value, False
    return False


@kernel
def _tell(
    told: NDArray[Any],
    count: int,
    where: tuple[int, int, int, int],
    kind: int,
    onset_us: int,
    end_us: int,
) -> int:
    event = told[count]
    event.slot, event.channel, event.row = where[0], where[1], where[2]
    event.kind, event.onset_us, event.end_us = kind, onset_us, end_us
    return count + 1
