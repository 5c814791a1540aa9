"""What every forecaster promises; `tests/contract/test_forecasters.py` holds each one in the catalog to it.

A forecast of remaining life (ISO 13381-1) is three quantiles of the time to a stated limit, or an
explicit reason why there is none. It is never a number out of thin air.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray


class ModelError(ValueError):
    """A saved model that this forecaster cannot use: other version, shape or damaged bytes."""


class Verdict(StrEnum):
    """What a forecast says."""

    ESTIMATE = "estimate"
    """p10, p50 and p90 bound the remaining life."""
    MORE_THAN = "more_than"
    """Only p10 is given: the asset lasts at least that long, and the data cannot say more."""
    NO_TREND = "no_trend"
    """No significant wear is visible."""
    TOO_LITTLE_DATA = "too_little_data"
    """The history is too short to say anything."""


@dataclass(frozen=True, slots=True)
class History:
    """One asset so far. age_h: (n,) float64, hours in service, increasing. x: (n, k) float64.

    Column 0 of `x` is the degradation level: 0 is as new, 1 is the limit at which it must be serviced.
    Further columns are whatever else the model was fitted on. setting: (n, s) float64, the set-points that
    the asset ran at, where what is normal depends on them. limit_spread: standard deviation of the logarithm
    of the limit, 0 for one that is exact. A level whose limit is not exact is read off symptoms, which vary
    with duty and weather too.
    """

    age_h: NDArray[np.float64]
    x: NDArray[np.float64]
    setting: NDArray[np.float64] | None = None
    limit_spread: float = 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """A history that has ended: in failure, or (censored) still healthy when last seen."""

    history: History
    failed: bool = True


@dataclass(frozen=True, slots=True)
class Forecast:
    """Remaining life in hours as the 10 %, 50 % and 90 % quantiles, None where the verdict has none."""

    verdict: Verdict
    p10_h: float | None = None
    p50_h: float | None = None
    p90_h: float | None = None
    basis: str = ""
    """What the numbers rest on, in a few words: "trend over 412 h", "31 failures on record"."""


LIMIT = 1.0
"""The degradation level at which an asset must be serviced."""

REACHED = Forecast(Verdict.ESTIMATE, 0.0, 0.0, 0.0, "the limit is reached")
"""Of an asset at its limit or beyond."""


class Forecaster(Protocol):
    """Histories in, forecasts out.

    Causal (uses nothing after the history's last row), deterministic, quantiles ordered and not
    negative, finite on any input, one forecast per history, the model saved as bytes without code.
    """

    NAME: ClassVar[str]
    VERSION: ClassVar[int]

    def __init__(self) -> None:
        """A forecaster with its defaults."""
        ...

    def fit(self, runs: Sequence[Run]) -> None:
        """Learn from ended runs; a forecaster that needs none ignores them."""
        ...

    def predict(self, histories: Sequence[History]) -> list[Forecast]:
        """Forecast each history from its last row."""
        ...

    def state(self) -> bytes:
        """The fitted model, equal to the bit for equal runs."""
        ...

    def load(self, state: bytes) -> None:
        """Use a saved model; raises `ModelError`."""
        ...
