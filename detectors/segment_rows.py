"""The compiled loop that cuts rows into segments and gathers what each shows."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.kernels import kernel
from detectors.slots import NEVER

SECONDS, TIMES, MEAN, TOTAL, PEAK, LAST, LONGEST = range(7)
"""What is taken of a segment, in the order of `detectors.segments.Take`."""

STATE = np.dtype(
    [
        ("code", np.int64),
        ("on", np.bool_),
        ("first", np.int64),
        ("since_us", np.int64),
        ("last_us", np.int64),
        ("after", np.int64),
        ("came_us", np.int64),
    ]
)
"""Of a slot: the latest code known, -1 for none; whether a segment is on whose beginning was seen, its first
code and the instant before it; the latest row's instant; which code the latest one came on after, -1 if that
is not known, and the instant before it did."""

FRESH = np.array((-1, False, -1, NEVER, NEVER, -1, NEVER), STATE)

PART = np.dtype(
    [
        ("held", np.float64),
        ("value", np.float64),
        ("seconds", np.float64),
    ]
)
"""Of a feature of a slot: what its value rests on (seconds, rows or times), the value so far, and how long
its codes were on; of the longest stretch, that one and the latest."""


class Rules(NamedTuple):
    """column: of the code. member: (codes,) which make a segment. phases: whether they make one together.

    take, of: (features,) what is taken of which column. counts: (features, codes) in which rows.
    after: (features,) the code that theirs must have come on after, -1 for any. window_s: (features, 2) from
    when until when after that.
    """

    column: int
    member: NDArray[np.bool_]
    phases: bool
    apart_us: int
    longest_us: int
    take: NDArray[np.int64]
    of: NDArray[np.int64]
    counts: NDArray[np.bool_]
    after: NDArray[np.int64]
    window_s: NDArray[np.float64]


@kernel
def cut(
    slot: NDArray[np.int32],
    ts_us: NDArray[np.int64],
    x: NDArray[np.float32],
    rules: Rules,
    states: NDArray[Any],
    parts: NDArray[Any],
    row: NDArray[np.int64],
    first: NDArray[np.int16],
    features: NDArray[np.float32],
) -> int:
    """Move each slot on row by row; returns how many segments were written to the last three arrays."""
    column, member, phases, take = rules.column, rules.member, rules.phases, rules.take
    ended = 0
    for i in range(len(slot)):
        state, mine = states[slot[i]], parts[slot[i]]
        before = state.code
        if state.last_us == NEVER or ts_us[i] - state.last_us > rules.apart_us:
            before, state.on = -1, False
        code = int(x[i, column]) if np.isfinite(x[i, column]) else state.code
        if code != before:
            state.after, state.came_us = before, state.last_us
        inside = _among(code, member)
        if state.on and not (inside and (phases or code == state.first)):
            row[ended], first[ended], state.on = i, state.first, False
            _tell(take, mine, features[ended])
            ended += 1
        if inside:
            changed = before >= 0 and not (_among(before, member) and (phases or before == code))
            if not state.on and changed:
                state.on, state.first, state.since_us = True, code, state.last_us
                _begin(mine)
            state.on = state.on and ts_us[i] - state.since_us <= rules.longest_us
            if state.on:
                _gather(code, before, ts_us[i], x[i], rules, state, mine)
        state.code, state.last_us = code, ts_us[i]
    return ended


@kernel
def _among(code: int, codes: NDArray[np.bool_]) -> bool:
    return 0 <= code < len(codes) and codes[code]


@kernel
def _begin(mine: NDArray[Any]) -> None:
    for k in range(len(mine)):
        mine[k].held = mine[k].value = mine[k].seconds = 0.0


@kernel
def _gather(
    code: int,
    before: int,
    ts_us: int,
    values: NDArray[np.float32],
    rules: Rules,
    state: Any,
    mine: NDArray[Any],
) -> None:
    """Take in a row, which speaks of the time since the row before it."""
    take, of, counts = rules.take, rules.of, rules.counts
    seconds = (ts_us - state.last_us) * 1e-6
    middle_s = (ts_us - state.came_us) * 1e-6 - seconds / 2
    for k in range(len(take)):
        if not counts[k, code] or not _in_window(k, state.after, middle_s, rules):
            continue
        part, value = mine[k], float(values[of[k]])
        part.seconds += seconds
        if take[k] == SECONDS:
            part.held += seconds
        elif take[k] == TIMES:
            part.held += 0 if _among(before, counts[k]) else 1
        elif take[k] == LONGEST:
            part.value = seconds + (part.value if _among(before, counts[k]) else 0.0)
            part.held = max(part.held, part.value)
        elif not np.isfinite(value):
            continue
        elif take[k] == MEAN or take[k] == TOTAL:
            part.held += seconds
            part.value += value * seconds
        elif take[k] == LAST:
            part.held, part.value = 1.0, value
        else:
            part.value = value if part.held == 0 else max(part.value, value)
            part.held = 1.0


@kernel
def _in_window(k: int, after: int, since_s: float, rules: Rules) -> bool:
    if rules.after[k] < 0:
        return True
    from_s, until_s = rules.window_s[k]
    return bool(after == rules.after[k] and from_s <= since_s < until_s)


@kernel
def _tell(take: NDArray[np.int64], mine: NDArray[Any], features: NDArray[np.float32]) -> None:
    """What the segment was as a whole, NaN for a feature that it did not show or that no float32 can hold."""
    for k in range(len(take)):
        features[k] = _whole(take[k], mine[k])
        if not np.isfinite(features[k]):
            features[k] = np.nan


@kernel
def _whole(take: int, part: Any) -> float:
    if part.held == 0:
        return np.nan
    if take in (SECONDS, TIMES, LONGEST):
        return float(part.held)
    if take == MEAN:
        return float(part.value / part.held)
    if take == TOTAL:
        return float(part.value / part.held * part.seconds)
    return float(part.value)
