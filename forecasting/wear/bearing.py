"""Rating life of rolling bearings, and what of it is used, under loads and speeds that vary (ISO 281)."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from forecasting.wear.contract import SHARE, Lifetime, Quantity
from forecasting.wear.model import Floats, Slots, WearModel
from forecasting.wear.power_law import worn

BALL, ROLLER = 3.0, 10 / 3
"""Life exponent p by point and by line contact (ISO 281:2007, 5.3 and 7.3)."""

RELIABILITY_FACTOR = {90: 1.0, 95: 0.64, 96: 0.55, 97: 0.47, 98: 0.37, 99: 0.25}
"""a1 by the percentage of bearings that outlive L10 a1 (ISO 281:2007, table 12; from memory,
not verified)."""

MOST_LOAD, MOST_RPM = 10.0, 200_000.0
"""Readings beyond this many dynamic ratings, or this speed, are no readings."""


@dataclass(frozen=True, slots=True)
class RollingBearing:
    """dynamic_kn: basic dynamic load rating C. exponent: BALL or ROLLER. reliability: in %, a key of
    RELIABILITY_FACTOR. life_factor: a_ISO for lubrication and contamination (ISO 281, 9.3), 1 for L10.

    Loads above C / 2 are outside what ISO 281 holds for; they are counted by it all the same.
    """

    dynamic_kn: float
    exponent: float = BALL
    reliability: int = 90
    life_factor: float = 1.0

    def __post_init__(self) -> None:
        if self.reliability not in RELIABILITY_FACTOR:
            raise ValueError(f"reliability is one of {sorted(RELIABILITY_FACTOR)} %, not {self.reliability}")
        if min(self.dynamic_kn, self.exponent, self.life_factor) <= 0:
            raise ValueError("dynamic rating, exponent and life factor of a bearing must be above 0")

    def life_mrev(self, load_kn: float) -> float:
        """Lnm = a1 a_ISO (C/P)^p, in million revolutions, at the equivalent load P in kN."""
        factor = RELIABILITY_FACTOR[self.reliability] * self.life_factor
        return float(factor * (self.dynamic_kn / load_kn) ** self.exponent)

    def life_h(self, load_kn: float, rpm: float) -> float:
        """The same in hours, Lnmh."""
        return self.life_mrev(load_kn) * 1e6 / (60 * rpm)

    def equivalent_load_kn(self, revolutions: Floats, load_kn: Floats) -> float:
        """The constant load (kN) that wears as these do, each over so many revolutions: (n,) both."""
        mean = np.average(load_kn**self.exponent, weights=revolutions)
        return float(mean ** (1 / self.exponent))


class BearingLife(WearModel):
    """Share of the rating life used (Palmgren-Miner): revolutions (P/C)^p / (a1 a_ISO), in millions.

    It is 1 where `RollingBearing.reliability` per cent of such bearings still run: a limit for planning, no
    promise for this one. Duty: equivalent dynamic load P in kN, speed in rpm.
    """

    NAME: ClassVar[str] = "bearing_life"
    VERSION: ClassVar[int] = 1

    def __init__(self, bearing: RollingBearing, lifetime: Lifetime = SHARE) -> None:
        self.bearing = bearing
        self._exponents = np.array([bearing.exponent, 1.0])
        self._life = bearing.life_mrev(1.0) * 1e6 / 60
        load = Quantity("load", "kN", MOST_LOAD * bearing.dynamic_kn, load=True)
        super().__init__(lifetime, (load, Quantity("speed", "rpm", MOST_RPM)))

    @classmethod
    def example(cls) -> Self:
        """A deep groove ball bearing of C = 14 kN."""
        return cls(RollingBearing(dynamic_kn=14.0))

    def _use(self, slot: Slots, what: NDArray[np.int8], step_h: Floats, x: Floats) -> Floats:
        return worn(step_h, x, self._exponents, self._life)


WEAR_MODEL: type[WearModel] = BearingLife
