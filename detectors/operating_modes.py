"""In which operating mode a machine is: by its own code and by bands of its set-points; has it settled?

What is normal depends on the mode (the operating regime of the PHM literature), and is nothing in particular
just after a switch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.contract import StateError
from detectors.kernels import kernel
from detectors.slots import NEVER, check_rows, grown, plain
from detectors.state_bytes import pack, unpack

VERSION = 1

Band = tuple[int, Sequence[float]]
"""Column of a set-point and the values, ascending, at which a higher band begins."""


@dataclass(frozen=True, slots=True)
class Modes:
    """Of n rows. code: (n,) int16, the machine's own. regime: (n,) int16, code and bands as one number.

    settled: (n,) bool, whether the last switch is long enough ago.
    """

    code: NDArray[np.int16]
    regime: NDArray[np.int16]
    settled: NDArray[np.bool_]


class OperatingModes:
    """Modes of many slots, independent of how their rows are cut into updates.

    `code` is the column of the machine's own code, from 0 to below `codes`; a missing code or set-point is
    the last one known, 0 before the first. A row is settled once `settle_s` have passed since one changed.
    """

    def __init__(self, code: int | None, codes: int, bands: Sequence[Band], settle_s: float) -> None:
        self._columns = np.array([-1 if code is None else code, *(column for column, _ in bands)], np.int64)
        self._sizes = np.array([codes, *(len(edges) + 1 for _, edges in bands)], np.int64)
        self._edges = np.full((1 + len(bands), max((len(edges) for _, edges in bands), default=0)), np.inf)
        for k, (_, edges) in enumerate(bands):
            self._edges[k + 1, : len(edges)] = edges
        self._settle_us = round(settle_s * 1e6)
        self._slots = 0
        self._digits = np.zeros((0, len(self._columns)), np.int16)
        self._since_us = np.zeros(0, np.int64)

    def update(self, slot: NDArray[np.int32], ts_us: NDArray[np.int64], values: NDArray[np.float32]) -> Modes:
        """The mode at each row; `values` (n, channels) as they were measured."""
        self._slots = max(self._slots, check_rows(slot, ts_us, values))
        self._digits = grown(self._digits, self._slots, 0)
        self._since_us = grown(self._since_us, self._slots, NEVER)
        n = len(slot)
        modes = Modes(np.empty(n, np.int16), np.empty(n, np.int16), np.empty(n, np.bool_))
        rows = plain(slot, np.int32), plain(ts_us, np.int64), plain(values, np.float32)
        rules = self._columns, self._sizes, self._edges, self._settle_us
        _follow(*rows, rules, self._digits, self._since_us, modes.code, modes.regime, modes.settled)
        return modes

    def widened(self, before: "OperatingModes") -> "OperatingModes":
        """This one, going on from another with fewer set-points."""
        self._slots, self._since_us = before._slots, before._since_us
        self._digits = np.zeros((len(before._digits), len(self._columns)), np.int16)
        self._digits[:, : before._digits.shape[1]] = before._digits
        return self

    def state(self) -> bytes:
        """The latest code and bands of each slot, and since when."""
        return pack(f"operating modes {VERSION}", self._arrays())

    def load(self, state: bytes) -> None:
        """Go on from `state`; raises `StateError`."""
        saved = unpack(f"operating modes {VERSION}", state, self._arrays())
        if len(saved["digits"]) != len(saved["since_us"]):
            raise StateError("state of operating modes contradicts itself; start without it")
        self._digits, self._since_us = saved["digits"], saved["since_us"]
        self._slots = len(self._digits)

    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        return {"digits": self._digits[: self._slots], "since_us": self._since_us[: self._slots]}


@kernel
def _follow(
    slot: NDArray[np.int32],
    ts_us: NDArray[np.int64],
    values: NDArray[np.float32],
    rules: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], int],
    digits: NDArray[np.int16],
    since_us: NDArray[np.int64],
    code: NDArray[np.int16],
    regime: NDArray[np.int16],
    settled: NDArray[np.bool_],
) -> None:
    columns, sizes, edges, settle_us = rules
    for i in range(len(slot)):
        mine, number, place = digits[slot[i]], 0, 1
        for k in range(len(columns)):
            if columns[k] >= 0 and np.isfinite(values[i, columns[k]]):
                now = _digit(values[i, columns[k]], k, sizes, edges)
                if now != mine[k]:
                    mine[k], since_us[slot[i]] = now, ts_us[i]
            number += place * mine[k]
            place *= sizes[k]
        code[i], regime[i] = mine[0], number
        settled[i] = since_us[slot[i]] == NEVER or ts_us[i] - since_us[slot[i]] >= settle_us


@kernel
def _digit(value: float, k: int, sizes: NDArray[np.int64], edges: NDArray[np.float64]) -> int:
    """The code itself, or how many edges the set-point has reached."""
    if k == 0:
        return int(min(max(value, 0.0), sizes[0] - 1.0))
    return int(np.sum(edges[k] <= value))
