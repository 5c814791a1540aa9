"""How far a channel has moved from where it was when the machine was new to us, at the same duty.

What criterion II of ISO 20816-3 asks for: not how high a vibration is, but whether it has changed. The
reference is the mean of the first values in an operating condition. It never moves, unlike what is normal.
"""

import numpy as np
from numpy.typing import NDArray

from detectors.cells import MAX_REGIMES
from detectors.contract import Samples, StateError
from detectors.kernels import kernel
from detectors.slots import check_samples, grown, plain, wider
from detectors.state_bytes import pack, unpack

VERSION = 1

WEIGHT = np.float64(1 / 30)
"""Of a value in the mean change: about the latest thirty at work count, so that one loud row is no change."""


class ReferenceLevel:
    """References of many slots, causally and independent of how rows are cut into updates.

    In each regime the first `rows` values of a channel are its reference there; until then it has no change.
    Regimes share the mean change, each seen from its own reference.
    """

    def __init__(self, channels: int, rows: int) -> None:
        if channels < 0 or rows < 1:
            raise ValueError("needs channels >= 0 and rows >= 1")
        self._rows = rows
        self._slots = 0
        self._take_width(channels)
        self._count = np.zeros((0, MAX_REGIMES, channels), np.int32)
        self._reference = np.zeros((0, MAX_REGIMES, channels))
        self._change = np.zeros((0, channels))

    def _take_width(self, channels: int) -> None:
        self._channels = channels
        self._kind = f"reference {VERSION}: {channels} channels, {self._rows} rows"

    def widen(self, channels: int) -> None:
        """Add channels that have no reference yet; raises `ValueError` for fewer."""
        self._count = wider(self._count, 2, channels, 0)
        self._reference = wider(self._reference, 2, channels, 0.0)
        self._change = wider(self._change, 1, channels, 0.0)
        self._take_width(channels)

    def update(self, samples: Samples) -> NDArray[np.float32]:
        """The mean change (n, channels) after each row, in the channels' units.

        NaN where there is nothing new: while a reference is learned, and where the value is missing.
        """
        self._slots = max(self._slots, check_samples(samples, self._channels))
        for name in ("_count", "_reference", "_change"):
            setattr(self, name, grown(getattr(self, name), self._slots, 0))
        rows = plain(samples.slot, np.int32), plain(samples.regime, np.int16), plain(samples.x, np.float32)
        found = np.full(samples.x.shape, np.nan, np.float32)
        _follow(*rows, self._rows, self._count, self._reference, self._change, found)
        return found

    def renew(self, slot: int) -> None:
        """The slot is another machine now: its next values are its reference."""
        if slot < self._slots:
            self._count[slot] = 0
            self._reference[slot] = self._change[slot] = 0.0

    def state(self) -> bytes:
        """References by slot and regime, changes by slot."""
        return pack(self._kind, self._arrays())

    def load(self, state: bytes) -> None:
        """Go on from `state`; raises `StateError`."""
        saved = unpack(self._kind, state, self._arrays())
        if len({len(array) for array in saved.values()}) != 1:
            raise StateError("state of reference levels contradicts itself; start without it")
        self._count, self._reference = saved["count"], saved["reference"]
        self._change, self._slots = saved["change"], len(saved["change"])

    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        n = self._slots
        return {"count": self._count[:n], "reference": self._reference[:n], "change": self._change[:n]}


@kernel
def _follow(
    slot: NDArray[np.int32],
    regime: NDArray[np.int16],
    x: NDArray[np.float32],
    rows: int,
    count: NDArray[np.int32],
    reference: NDArray[np.float64],
    change: NDArray[np.float64],
    found: NDArray[np.float32],
) -> None:
    for i in range(len(slot)):
        s, r = slot[i], min(regime[i], count.shape[1] - 1)
        for k in range(x.shape[1]):
            value = float(x[i, k])
            if not np.isfinite(value):
                continue
            if count[s, r, k] < rows:
                count[s, r, k] += 1
                reference[s, r, k] += (value - reference[s, r, k]) / count[s, r, k]
            else:
                change[s, k] += WEIGHT * (value - reference[s, r, k] - change[s, k])
                found[i, k] = change[s, k]
