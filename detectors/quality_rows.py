"""The quality gate's compiled loop: what a row does to what is known of a slot's channels.

Each value goes through the same questions: is it there, is it in range, is it in the channel's unit, does it
move, does it leap.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.kernels import kernel

OUT_OF_RANGE, STUCK, SPIKE, OTHER_UNIT = 1, 2, 4, 8
"""Bits of a flag."""

ENOUGH = 20
"""Changes of a value before it counts as one that varies and its usual step as known."""

PATIENCE = 3
"""Times the longest run of equal values, or of missing ones, so far that the next one may last."""

RARE = 30.0
"""Times the usual run of equal values that the next one may last on an impulsive channel, which stands still
between its impulses: where these come by chance it lasts that long less than once in a million times."""

JUMP = 8.0
"""Times the usual step (root mean square) that one step may be."""

MEMORY = 1.0 / 64
"""Weight of the latest step in the usual step."""

LEVEL_MEMORY = 1.0 / 8
"""Weight of the latest value in the level, which must follow what is warming up."""

UNIT_ROWS = 10
"""Values that must fit another unit before it is believed; as many as open an episode, as a rule."""

CLOSE = 0.05
"""Part of the shift between two units by which the level may miss what the other unit makes of it."""

CLEAR = 0.2
"""Part of that shift which noise may blur, if another unit is to be told from a step within the range."""

LIKE = 4.0
"""Times the usual step, and parts of it, that steps in another unit may be once they are converted."""

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
        ("reports", np.int64),
        ("missing", np.int64),
        ("missing_us", np.int64),
        ("most_missing", np.int64),
        ("silent", np.bool_),
        ("seen", np.int64),
        ("lowest", np.float64),
        ("highest", np.float64),
        ("latest", np.float64),
        ("level", np.float64),
        ("stir2", np.float64),
        ("unit", np.int64),
        ("foreign", np.int64),
        ("foreign_us", np.int64),
        ("away", np.float64),
        ("moved2", np.float64),
    ]
)
"""Of one channel of one slot: `run` equal values `last` since `run_us`, the `longest` run and the number of
`changes` before; the latest `good` value, the mean square `step2` between good ones, whether the value just
before was a `suspect` spike; `out` values in a row out of range since `out_us`; `reports` of a value,
`missing` ones in a row since `missing_us` and the most of them before, whether the channel is `silent`.

Of the machine at work: how many good values were `seen`, the `lowest`, `highest` and `latest`, their `level`,
the mean square `stir2` between them; `foreign` values in a row that fit the other `unit` since `foreign_us`,
and until it is believed the sum of how far they were `away` from the level and of their squared steps
`moved2`, both converted."""

FRESH = np.zeros((), STATE)
FRESH["last"] = FRESH["good"] = np.nan

RANGE_FAULT, STUCK_FAULT, SILENT_FAULT, UNIT_FAULT = range(4)
GOES_ON = np.iinfo(np.int64).min
NO_UNIT = -1

EVENT = np.dtype(
    [
        ("slot", np.int32),
        ("channel", np.int32),
        ("kind", np.int8),
        ("onset_us", np.int64),
        ("end_us", np.int64),
        ("row", np.int64),
        ("unit", np.int64),
    ]
)

MOST_EVENTS = 3
"""Of one value: what was missing is there, another unit begins or ends, and one other fault does."""

Where = tuple[int, int, int, int]
"""Slot, channel, row and instant."""

Limits = tuple[
    NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]
]
"""Low, high, varies, impulsive (channels,), and scale and offset of other units (channels, units, 2)."""


@kernel
def check_rows(
    slot: NDArray[np.int32],
    ts_us: NDArray[np.int64],
    resting: NDArray[np.bool_],
    limits: Limits,
    patience: tuple[int, int, int],
    states: NDArray[Any],
    x: NDArray[np.float32],
    flags: NDArray[np.uint8],
    told: NDArray[Any],
) -> int:
    """Flag and clean `x` in place, moving the states on; returns how many events were written to `told`.

    patience: rows of equal values, of values out of range, and of missing values that make a fault.
    """
    low, high, varies, impulsive, units = limits
    stuck_rows, fault_rows, silent_rows = patience
    count = 0
    for i in range(len(slot)):
        for k in range(x.shape[1]):
            value, state = x[i, k], states[slot[i], k]
            where = (slot[i], k, i, ts_us[i])
            if np.isnan(value):
                if varies[k] and not resting[i]:
                    count = _miss(state, silent_rows, where, told, count)
                continue
            state.reports += 1
            if state.missing > 0:
                count = _speak(state, where, told, count)
            out = not low[k] <= value <= high[k]
            if out:
                flags[i, k] = OUT_OF_RANGE
            if resting[i] and state.foreign < UNIT_ROWS:
                state.foreign = 0  # what was only suspected is forgotten over a rest
            if varies[k] and not resting[i] and (state.foreign > 0 or _is_new(state, value)):
                count = _translate(state, float(value), low[k], high[k], units[k], where, told, count)
            if out and state.foreign < UNIT_ROWS:
                count = _stay_out(state, fault_rows, where, told, count)
            elif state.out > 0:
                count = _come_back(state, fault_rows, where, told, count)
            # one impulse may look like another unit
            if state.foreign >= (UNIT_ROWS if impulsive[k] else 1):
                flags[i, k] |= OTHER_UNIT
            elif varies[k] and not out:
                rare = RARE if impulsive[k] else 0.0
                count = _stand_still(state, value, stuck_rows, rare, where, told, count)
                flags[i, k] = STUCK * state.stuck + SPIKE * (not impulsive[k] and _jumps(state, value))
            if flags[i, k]:
                x[i, k] = np.nan
            elif varies[k] and not resting[i] and state.foreign == 0:
                _learn(state, float(value))
    return count


@kernel
def _miss(state: Any, silent_rows: int, where: Where, told: NDArray[Any], count: int) -> int:
    if state.reports == 0:  # nobody waits for it yet
        return count
    if state.missing == 0:
        state.missing_us = where[3]
    state.missing += 1
    long = max(silent_rows, PATIENCE * state.most_missing)
    if state.missing >= long and state.reports > ENOUGH and not state.silent:
        state.silent = True
        return _tell(told, count, where, SILENT_FAULT, state.missing_us, GOES_ON)
    return count


@kernel
def _speak(state: Any, where: Where, told: NDArray[Any], count: int) -> int:
    if state.silent:
        count = _tell(told, count, where, SILENT_FAULT, state.missing_us, where[3])
    state.silent = False
    state.most_missing = max(state.most_missing, state.missing)
    state.missing = 0
    return count


@kernel
def _stay_out(state: Any, fault_rows: int, where: Where, told: NDArray[Any], count: int) -> int:
    if state.out == 0:
        state.out_us = where[3]
    state.out += 1
    if state.out == fault_rows:
        return _tell(told, count, where, RANGE_FAULT, state.out_us, GOES_ON)
    return count


@kernel
def _come_back(state: Any, fault_rows: int, where: Where, told: NDArray[Any], count: int) -> int:
    if state.out >= fault_rows:
        count = _tell(told, count, where, RANGE_FAULT, state.out_us, where[3])
    state.out = 0
    return count


@kernel
def _is_new(state: Any, value: float) -> bool:
    """Whether the channel was never there while the machine worked; where it was, it may go again."""
    return bool(state.seen > ENOUGH and not state.lowest <= value <= state.highest)


@kernel
def _learn(state: Any, value: float) -> None:
    """Take a good value of the machine at work into what is usual for the channel."""
    if state.seen == 0:
        state.lowest = state.highest = state.level = value
    else:
        step2, most = (value - state.latest) ** 2, np.inf
        if state.seen > ENOUGH:
            most = JUMP * JUMP * state.stir2
        state.level = value if step2 > most else state.level + LEVEL_MEMORY * (value - state.level)
        state.stir2 += max(MEMORY, 1.0 / state.seen) * (min(step2, most) - state.stir2)
        state.lowest, state.highest = min(state.lowest, value), max(state.highest, value)
    state.latest = value
    state.seen += 1


@kernel
def _translate(
    state: Any,
    value: float,
    low: float,
    high: float,
    units: NDArray[np.float64],
    where: Where,
    told: NDArray[Any],
    count: int,
) -> int:
    """Go on with the other unit that values seem to be in, begin with one, or leave it."""
    before = state.foreign
    if before == 0:
        state.unit = _likeliest(state, value, units)
        if state.unit == NO_UNIT or (low <= value <= high and not _is_clear(state, units[state.unit])):
            return count
        state.foreign_us, state.away, state.moved2 = where[3], 0.0, 0.0
    own = (value - units[state.unit, 1]) / units[state.unit, 0]
    step2 = (own - state.latest) ** 2
    fits = abs(own - state.level) < abs(value - state.level)
    if before >= UNIT_ROWS:
        fits |= _is_new(state, value) and not _is_new(state, own)
    else:
        fits &= step2 <= JUMP * JUMP * state.stir2
    if not (fits and low <= own <= high):
        if before > 0:
            _believe(state, value, low, high)
        if before >= UNIT_ROWS:
            return _tell_unit(told, count, where, state, where[3])
        return count
    state.foreign, state.latest = before + 1, own
    if before >= UNIT_ROWS:
        state.level += LEVEL_MEMORY * (own - state.level)
        return count
    state.away += own - state.level
    if before > 0:  # the step into the unit is no step within it
        state.moved2 += step2
    if state.foreign == UNIT_ROWS:
        if _is_unit(state, units[state.unit]):
            state.level += state.away / UNIT_ROWS
            return _tell_unit(told, count, where, state, GOES_ON)
        _believe(state, value, low, high)
    return count


@kernel
def _likeliest(state: Any, value: float, units: NDArray[np.float64]) -> int:
    """The unit in which the value is nearest to the level."""
    best, least = NO_UNIT, np.inf
    for j in range(len(units)):
        away = abs((value - units[j, 1]) / units[j, 0] - state.level)
        if away < least:  # not so for the NaN of a unit that there is none of
            best, least = j, away
    return best


@kernel
def _believe(state: Any, value: float, low: float, high: float) -> None:
    """It is not in the other unit; in range it is the level now, or the same would be asked once more."""
    state.foreign = 0
    if low <= value <= high:
        state.latest = state.level = value
        state.suspect = True  # and no spike


@kernel
def _shift(state: Any, unit: NDArray[np.float64]) -> float:
    """How far the level moves by a change to that unit, in the unit in which that is less."""
    return float(abs(unit[0] * state.level + unit[1] - state.level) * min(1.0, 1.0 / abs(unit[0])))


@kernel
def _blur(state: Any) -> float:
    """Three standard errors of a mean of values that are `stir2` from one another."""
    return float(3.0 * np.sqrt(state.stir2 / UNIT_ROWS))


@kernel
def _is_clear(state: Any, unit: NDArray[np.float64]) -> bool:
    return _blur(state) <= CLEAR * _shift(state, unit)


@kernel
def _is_unit(state: Any, unit: NDArray[np.float64]) -> bool:
    """Whether level and steps, converted, are what they were: a fault's or a rest's would hardly be both."""
    near = abs(state.away) / UNIT_ROWS <= CLOSE * _shift(state, unit) + _blur(state)
    moved2 = state.moved2 / (UNIT_ROWS - 1)
    return bool(near and state.stir2 / (LIKE * LIKE) <= moved2 <= state.stir2 * LIKE * LIKE)


@kernel
def _stand_still(
    state: Any, value: float, stuck_rows: int, rare: float, where: Where, told: NDArray[Any], count: int
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
    before = state.reports - state.run  # else the bar would rise as the run goes on
    long = max(stuck_rows, PATIENCE * state.longest, rare * before / max(state.changes, 1))
    stuck = state.changes > ENOUGH and state.run >= long
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
def _tell(told: NDArray[Any], count: int, where: Where, kind: int, onset_us: int, end_us: int) -> int:
    event = told[count]
    event.slot, event.channel, event.row = where[0], where[1], where[2]
    event.kind, event.onset_us, event.end_us = kind, onset_us, end_us
    event.unit = NO_UNIT
    return count + 1


@kernel
def _tell_unit(told: NDArray[Any], count: int, where: Where, state: Any, end_us: int) -> int:
    told_now = _tell(told, count, where, UNIT_FAULT, state.foreign_us, end_us)
    told[count].unit = state.unit
    return told_now
