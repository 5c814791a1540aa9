"""What surroundings explain of the rows of many slots, by the fit under which each slot's normal is learned.

A fit that is offered later does not take over by itself: what is normal was learned under another.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.contract import StateError
from detectors.kernels import kernel
from detectors.slots import NEVER, check_rows, grown, plain, wider
from detectors.state_bytes import DAMAGE, pack, unpack
from detectors.surroundings import LAG_H, Surroundings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KIND = "explained 1"

LAG_US = LAG_H * 3.6e9

MOST = 1e30
"""What is explained by more than this is none of a machine's."""

LEVEL = np.dtype([("value", np.float64), ("square", np.float64), ("at_us", np.int64)])
"""Of one slot and channel: the value and its square, smoothed, when it was last known."""

UNKNOWN = np.array((0.0, 0.0, NEVER), LEVEL)


class Fit(NamedTuple):
    """Surroundings with the number of the fit, from 1 upward."""

    number: int
    surroundings: Surroundings


class Explained:
    """The part of each row that its slot's surroundings explain; causal, and independent of cuts.

    A slot that comes while a fit is offered is explained by it from its first row on, others as before until
    `adopt`. Surroundings that a slot never showed are taken to be as usual, missing ones as they were of
    late, and after `LAG_H` without them nobody knows.
    """

    def __init__(self, names: Sequence[str]) -> None:
        """`names` are the channels, in order."""
        self._names = tuple(names)
        self._slots = 0
        self._offered: Fit | None = None
        self._fits: dict[int, Surroundings] = {}
        self._number = np.zeros(0, np.int64)
        self._level = np.full((0, len(names)), UNKNOWN)

    def widen(self, names: Sequence[str]) -> None:
        """Go on with channels added at the end; raises `ValueError` for fewer."""
        self._level = wider(self._level, 1, len(names), UNKNOWN)
        self._names = tuple(names)

    def offer(self, fit: Fit | None) -> bool:
        """From now on new slots are explained by this fit, None for none; whether it is another."""
        if fit is not None and not {*fit.surroundings.around, *fit.surroundings.channels} <= {*self._names}:
            fit = None
        if _number(fit) == _number(self._offered):
            return False
        self._offered = fit
        return True

    @property
    def offered(self) -> int:
        """The number of the fit that is offered, 0 for none."""
        return _number(self._offered)

    def reach(self, slots: int) -> None:
        """New slots are explained by what is offered."""
        if slots > self._slots:
            self._number = grown(self._number, slots, 0)
            self._number[self._slots : slots] = _number(self._offered)
            self._slots = slots
            self._keep()

    def adopt(self, slot: int) -> None:
        """From now on the slot is explained by what is offered."""
        if slot < self._slots:
            self._number[slot] = _number(self._offered)
            self._keep()

    def current(self) -> NDArray[np.bool_]:
        """(slots,) which are explained by what is offered."""
        return np.asarray(self._number[: self._slots] == _number(self._offered))

    def update(
        self, slot: NDArray[np.int32], ts_us: NDArray[np.int64], x: NDArray[np.float32]
    ) -> NDArray[np.float32] | None:
        """(n, channels) explained of rows x (n, channels), instants rising within a slot; None for nothing.

        NaN where nothing is known of the surroundings for too long, or they are beyond all measure.
        """
        self.reach(check_rows(slot, ts_us, x))
        if not self._fits:
            return None
        self._level = grown(self._level, self._slots, UNKNOWN)
        numbers = sorted(self._fits)
        own = self._number[: self._slots]
        place = np.where(own > 0, np.searchsorted(numbers, own), -1)
        part = np.zeros(x.shape, np.float32)
        rows = plain(slot, np.int32), plain(ts_us, np.int64), plain(x, np.float32)
        around, to, usual, slope = self._slopes(numbers)
        _explain(*rows, place, around, to, usual, slope, LAG_US, self._level, part)
        return part

    def state(self) -> bytes:
        """The fits that explain a slot or may, and by which each is; what is smoothed."""
        fits = {number: fit.state().decode() for number, fit in self._fits.items()}
        offered = self._offered and (self._offered.number, self._offered.surroundings.state().decode())
        said = json.dumps([fits, offered], sort_keys=True).encode()
        return pack(self._kind, {"fits": np.frombuffer(said, np.uint8), **self._arrays()})

    def load(self, state: bytes) -> None:
        """Go on from `state`; raises `StateError`."""
        saved = unpack(self._kind, state, {"fits": np.empty(0, np.uint8), **self._arrays()})
        try:
            fits, offered = json.loads(saved["fits"].tobytes())
            self._fits = {int(number): Surroundings.read(fit.encode()) for number, fit in fits.items()}
            self._offered = offered and Fit(offered[0], Surroundings.read(offered[1].encode()))
        except DAMAGE as error:
            raise StateError(f"state of explained parts is damaged; start without it: {error}") from error
        self._number, self._level = saved["number"], saved["level"]
        self._slots = len(self._number)
        if not {*self._number.tolist()} <= {0, *self._fits}:
            raise StateError("state of explained parts names fits that it has not; start without it")

    @property
    def _kind(self) -> str:
        return f"{KIND}: {len(self._names)} channels"

    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        return {"number": self._number[: self._slots], "level": self._level[: self._slots]}

    def _keep(self) -> None:
        """Keep the fits that explain a slot, and no others."""
        known = self._fits | ({self._offered.number: self._offered.surroundings} if self._offered else {})
        used = np.unique(self._number[: self._slots]).tolist()
        self._fits = {number: known[number] for number in used if number}

    def _slopes(self, numbers: Sequence[int]) -> tuple[Ints, Ints, Floats, Floats]:
        """Columns of the surroundings (s,) and of the channels explained (m,), by any of the fits.

        And of each fit what is usual (fits, 2, s), of a value and its square, and slopes (fits, m, 4, s): of
        the value now and smoothed, and of the square.
        """
        fits = [self._fits[number] for number in numbers]
        around = sorted({self._names.index(name) for fit in fits for name in fit.around})
        to = sorted({self._names.index(name) for fit in fits for name in fit.channels})
        usual = np.zeros((len(fits), 2, len(around)))
        slope = np.zeros((len(fits), len(to), 4, len(around)))
        for i, fit in enumerate(fits):
            mine = [to.index(self._names.index(name)) for name in fit.channels]
            for j, name in enumerate((*fit.around, *fit.given)):
                by, square = around.index(self._names.index(name)), int(j >= len(fit.around))
                usual[i, square, by] = fit.usual[j]
                for k, each in zip(mine, fit.slope[:, :, j], strict=True):
                    slope[i, k, 2 * square : 2 * square + 2, by] = each
        return np.array(around, np.int64), np.array(to, np.int64), usual, slope


def _number(fit: Fit | None) -> int:
    return 0 if fit is None else fit.number


@kernel
def _explain(
    slot: NDArray[np.int32],
    ts_us: Ints,
    x: NDArray[np.float32],
    place: Ints,
    around: Ints,
    to: Ints,
    usual: Floats,
    slope: Floats,
    lag_us: float,
    levels: NDArray[np.void],
    part: NDArray[np.float32],
) -> None:
    away = np.zeros((4, len(around)))
    for i in range(len(slot)):
        fit = place[slot[i]]
        if fit < 0:
            continue
        for j in range(len(around)):
            level, now = levels[slot[i], around[j]], float(x[i, around[j]])
            _follow(level, now, ts_us[i], lag_us)
            for k in range(4):
                away[k, j] = 0.0 if level.at_us == NEVER else np.nan
            if level.at_us != NEVER and ts_us[i] - level.at_us <= lag_us:
                missing = not np.isfinite(now)
                away[0, j] = (level.value if missing else now) - usual[fit, 0, j]
                away[1, j] = level.value - usual[fit, 0, j]
                away[2, j] = (level.square if missing else now * now) - usual[fit, 1, j]
                away[3, j] = level.square - usual[fit, 1, j]
        for m in range(len(to)):
            total = 0.0
            for k in range(4):
                for j in range(len(around)):
                    if slope[fit, m, k, j] != 0.0:  # else it would not matter that nobody knows
                        total += slope[fit, m, k, j] * away[k, j]
            part[i, to[m]] = total if abs(total) < MOST else np.nan


@kernel
def _follow(level: Any, now: float, at_us: int, lag_us: float) -> None:
    """Smooth a value and its square, beginning at the first one; a missing one changes nothing."""
    if np.isfinite(now):
        share = 1.0 if level.at_us == NEVER else -np.expm1(-(at_us - level.at_us) / lag_us)
        level.value += share * (now - level.value)
        level.square += share * (now * now - level.square)
        level.at_us = at_us
