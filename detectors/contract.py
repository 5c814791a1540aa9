"""What every detector promises; `tests/contract/test_detectors.py` holds each one in the catalog to it.

One detector instance serves many assets of one equipment type. An asset is a *slot*: a small integer
that the caller gives out from 0 upward. State is arrays indexed by slot, so an update costs no Python
per asset, and a snapshot is bytes without code in them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray


class StateError(ValueError):
    """Saved state that this detector cannot continue from: other version, shape or damaged bytes."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Instants of many assets, n rows; within a slot the rows are in time order.

    slot: (n,) int32, from 0. ts_us: (n,) int64, microseconds since 1970 UTC, strictly increasing
    within a slot over all updates. regime: (n,) int16, the operating condition, from 0.
    x: (n, channels) float32; NaN is "missing or not to be trusted".
    """

    slot: NDArray[np.int32]
    ts_us: NDArray[np.int64]
    regime: NDArray[np.int16]
    x: NDArray[np.float32]

    def take(self, where: slice) -> "Samples":
        """Those rows alone."""
        return Samples(self.slot[where], self.ts_us[where], self.regime[where], self.x[where])


WIDE = ("contribution", "expected", "observed")
"""What a verdict says of each channel."""


@dataclass(frozen=True, slots=True)
class Scores:
    """The verdict on each row of `Samples`.

    score: (n,) float32, -log10 of the probability that a healthy machine looks this odd or odder,
    0 and up; NaN is "cannot say yet". contribution: (n, channels) float32, each channel's share of the
    detector's statistic, 0 where the channel was missing. expected: (n, channels) float32, what a
    healthy machine would have shown. observed: (n, channels) float32, what this one shows, smoothed as the
    verdict is; both in the channels' units, NaN where unknown. statistic: (n,) float32, the squared
    distance from healthy over all channels judged (T²); NaN with the score, and while only the fleet's
    prior judges. judged: (n,) int16, how many channels that are. departure: (n,) float32, the same distance
    from the machine as it was first learned, whatever has become normal since; sqrt(departure / judged) is
    what health is made of. NaN with the statistic, and from a detector whose normal never moves by itself.
    shown: (n,) int32, while the fleet's prior judges how many rows the slot had shown of those that teach it
    what is normal in that regime; -1 where it is judged by its own normal, or not at all.
    """

    score: NDArray[np.float32]
    contribution: NDArray[np.float32]
    expected: NDArray[np.float32]
    observed: NDArray[np.float32]
    statistic: NDArray[np.float32]
    judged: NDArray[np.int16]
    departure: NDArray[np.float32]
    shown: NDArray[np.int32]

    @classmethod
    def unknown(cls, rows: int, channels: int) -> "Scores":
        """Nothing can be said yet about any row."""
        return cls(
            np.full(rows, np.nan, np.float32),
            np.zeros((rows, channels), np.float32),
            np.full((rows, channels), np.nan, np.float32),
            np.full((rows, channels), np.nan, np.float32),
            np.full(rows, np.nan, np.float32),
            np.zeros(rows, np.int16),
            np.full(rows, np.nan, np.float32),
            np.full(rows, -1, np.int32),
        )

    def of(self, channels: NDArray[np.int64]) -> "Scores":
        """What is said of those channels."""
        wide = {name: np.take(getattr(self, name), channels, axis=1) for name in WIDE}
        return replace(self, **wide)

    @classmethod
    def joined(cls, parts: "Sequence[Scores]") -> "Scores":
        """The verdicts one after the other; of one alone without a copy."""
        if len(parts) == 1:
            return parts[0]
        return cls(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)))


class Detector(Protocol):
    """Numbers in, scores and contributions out.

    Causal (a row's score depends on earlier rows of its slot alone), independent of how the rows are cut
    into updates, deterministic, finite on any input, bounded in memory per slot, and usable before
    `fit`. It never keeps or changes the caller's arrays.
    """

    NAME: ClassVar[str]
    VERSION: ClassVar[int]
    EXACT: ClassVar[bool]
    """Whether a row's contributions sum to its statistic, where it has one."""

    def __init__(self, channels: int) -> None:
        """A detector with the defaults for that many channels."""
        ...

    def fit(self, x: NDArray[np.float32], regime: NDArray[np.int16]) -> None:
        """Learn the fleet's prior from healthy rows (n, channels) of any assets."""
        ...

    def update(self, samples: Samples) -> Scores:
        """Score the rows and learn from them, in the order given."""
        ...

    def widen(self, channels: int) -> None:
        """Go on with channels added at the end, of which nothing is known yet; raises `ValueError` for fewer.

        What is known of the others stays, and their verdicts are the same while the new ones are missing.
        """
        ...

    def renew(self, slot: int) -> None:
        """Forget the slot: it goes on as a new one would, judged by the fleet's prior if there is one."""
        ...

    def state(self) -> bytes:
        """All that is needed to go on, equal to the bit for equal histories."""
        ...

    def load(self, state: bytes) -> None:
        """Go on from `state`; raises `StateError`."""
        ...
