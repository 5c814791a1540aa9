"""Data quality before detection (ISO 13374 data manipulation): what a sensor cannot truthfully have measured.

A sensor that is stuck, out of range, silent or in another unit is a finding about the sensor, never about the
machine, so its values are taken out before anything else sees them. The clock is `detectors/clock`'s matter.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from detectors.contract import Samples
from detectors.quality_rows import EVENT, FRESH, GOES_ON, MOST_EVENTS, NO_UNIT, STATE, check_rows
from detectors.slots import check_samples, grown, plain, wider
from detectors.state_bytes import pack, unpack

VERSION = 2


class FaultKind(StrEnum):
    """What is wrong with a sensor, in the order of the loop's numbers."""

    OUT_OF_RANGE = "out_of_range"
    STUCK = "stuck"
    SILENT = "silent"
    OTHER_UNIT = "other_unit"


KINDS = tuple(FaultKind)


@dataclass(frozen=True, slots=True)
class SensorFault:
    """A sensor's fault as it begins (`end_us` None) or ends, at `row` of the update.

    Slot, channel, kind and onset tell faults apart. `end_us` is the first instant with a good value, after
    silence with any value. `unit` is which of the channel's other units it is, for that kind of fault.
    """

    slot: int
    channel: int
    kind: FaultKind
    onset_us: int
    end_us: int | None
    row: int
    unit: int | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """flags: (n, channels) uint8, the bits of `detectors/quality_rows`, 0 for good or missing.

    x: (n, channels) float32, a copy with NaN wherever a flag is set. faults: in the order of rows.
    """

    flags: NDArray[np.uint8]
    x: NDArray[np.float32]
    faults: list[SensorFault]


class QualityGate:
    """Checks many slots' rows, causally and independent of how they are cut into updates.

    Out of range is outside [low, high] (channels,), infinity included. What follows is for channels that
    vary (`varies`, (channels,) bool); setpoints, counters and states may stand still, jump and be sent only
    when they change.

    - Stuck is the same value `stuck_rows` times in a row, for a channel that was seen to vary, and three
      times as long as it ever stood still before: a machine's idle hours are reported once.
    - Silent is a channel without a value in `silent_rows` of its machine's rows in a row, and three times as
      many as ever before. Rows in which the machine rests do not count. A machine that sends nothing at all
      has no row to tell it by: that gap is seen by who has a clock.
    - A spike is a step of more than eight usual ones; the value after it is believed again, so that a true
      step costs one value and an isolated jump never gets through. On `impulsive` channels ((channels,) bool)
      an isolated jump is what the machine does, so of a single value there only the range is asked. They are
      in another unit only from the tenth value on, and stuck only once they stood still for thirty times as
      long as usual.
    - In another unit are ten values in a row of a machine at work that lie, out of range or not, where the
      channel never was, and go on as before once they are converted: same level, same steps. It ends with a
      value that is nearer to the level as it is. A true step to just there costs up to ten values. Not told
      are a unit that came with the first row, and within the range one that noise blurs, of more than about
      a seventh of the shift.

    `units` (channels, units, 2) are scale and offset of each channel's other units: scale times the right
    value plus offset is what comes, NaN for none. A fault of the sensor is a value stuck, a channel silent
    or in another unit, or `fault_rows` in a row out of range.
    """

    def __init__(
        self,
        low: NDArray[np.floating],
        high: NDArray[np.floating],
        varies: NDArray[np.bool_],
        units: NDArray[np.floating] | None = None,
        impulsive: NDArray[np.bool_] | None = None,
        *,
        stuck_rows: int = 60,
        fault_rows: int = 30,
        silent_rows: int = 60,
    ) -> None:
        if stuck_rows < 2 or fault_rows < 1 or silent_rows < 1:
            raise ValueError("needs stuck_rows >= 2, fault_rows >= 1 and silent_rows >= 1")
        self._patience = stuck_rows, fault_rows, silent_rows
        self._slots = 0
        self._state = np.full((0, len(low)), FRESH, STATE)
        self.widen(low, high, varies, units, impulsive)

    def widen(
        self,
        low: NDArray[np.floating],
        high: NDArray[np.floating],
        varies: NDArray[np.bool_],
        units: NDArray[np.floating] | None = None,
        impulsive: NDArray[np.bool_] | None = None,
    ) -> None:
        """Take over these limits, of as many channels or more; raises `ValueError` for fewer."""
        units = np.empty((len(low), 0, 2)) if units is None else units
        impulsive = np.zeros(len(low), np.bool_) if impulsive is None else impulsive
        shapes = {low.shape, high.shape, varies.shape, units.shape[:1], impulsive.shape}
        if shapes != {(len(low),)}:
            raise ValueError(
                "low, high, varies, units and impulsive must each have one entry for each channel"
            )
        ranges = plain(low, np.float32), plain(high, np.float32)
        flags = plain(varies, np.bool_), plain(impulsive, np.bool_)
        self._limits = *ranges, *flags, plain(units, np.float64)
        self._kind = f"quality {VERSION}: {len(low)} channels"
        self._state = wider(self._state, 1, len(low), FRESH)

    def check(self, samples: Samples, resting: NDArray[np.bool_] | None = None) -> Checked:
        """Flag and clean the rows; `resting` (n,): those in which the machine rests."""
        self._slots = max(self._slots, check_samples(samples, self._state.shape[1]))
        self._state = grown(self._state, self._slots, FRESH)
        resting = np.zeros(len(samples.slot), np.bool_) if resting is None else plain(resting, np.bool_)
        rows = plain(samples.slot, np.int32), plain(samples.ts_us, np.int64), resting
        clean = np.array(samples.x, np.float32)
        flags = np.zeros(clean.shape, np.uint8)
        told = np.empty(MOST_EVENTS * clean.size, EVENT)
        count = check_rows(*rows, self._limits, self._patience, self._state, clean, flags, told)
        return Checked(flags, clean, [_fault(each) for each in told[:count]])

    def state(self) -> bytes:
        """One entry for each slot and channel."""
        return pack(self._kind, {"channels": self._state[: self._slots]})

    def load(self, state: bytes) -> None:
        """Go on from `state`, under this gate's own limits; raises `StateError`."""
        self._state = unpack(self._kind, state, {"channels": self._state})["channels"]
        self._slots = len(self._state)


def _fault(told: np.void) -> SensorFault:
    slot, channel, kind, onset_us, end_us, row, unit = told.tolist()
    return SensorFault(
        slot,
        channel,
        KINDS[kind],
        onset_us,
        None if end_us == GOES_ON else end_us,
        row,
        None if unit == NO_UNIT else unit,
    )
