"""Bends that a wire rope endures (Feyrer, Wire Ropes: Tension, Endurance, Reliability, 3.4.3)."""

import math
from dataclasses import dataclass
from typing import ClassVar, Self

from forecasting.wear.contract import SHARE, Lifetime, Quantity
from forecasting.wear.counted import CountedModel
from forecasting.wear.model import WearModel

FORCE = Quantity("force", "N", 1e7, load=True)
STRENGTH = 1770.0
"""Nominal strength of the wires in N/mm² to which the constants refer."""


@dataclass(frozen=True, slots=True)
class RopeDrive:
    """A rope of diameter d over sheaves of diameter D, bent over a length l; all in mm, strength in N/mm².

    constants: b0 to b5 of the rope's construction, for the number of bends that is meant (mean to breakage,
    or to discard for one rope in ten): from the book's tables or the maker. None is given here, as no public
    source was found to check them by.
    """

    rope_mm: float
    sheave_mm: float
    bent_mm: float
    constants: tuple[float, float, float, float, float, float]
    strength: float = STRENGTH

    def __post_init__(self) -> None:
        if not 0 < self.rope_mm < min(self.sheave_mm, self.bent_mm) or self.strength <= 0:
            raise ValueError("a rope is thinner than its sheave is wide and its bent part is long")
        if self.slope >= 0:
            raise ValueError("b1 + b4 lg(D/d) must be below 0: more force, fewer bends")

    @property
    def slope(self) -> float:
        """Exponent of the force in the number of bends, below 0."""
        return self.constants[1] + self.constants[4] * math.log10(self.sheave_mm / self.rope_mm)

    def bends(self, force_n: float) -> float:
        """N at a tensile force S in N:

        lg N = b0 + [b1 + b4 lg(D/d)] [lg(S/d²) - 0.4 lg(R0/1770)] + b2 lg(D/d) + b3 lg d + 1/[b5 + lg(l/d)]
        (equation 3.55; from memory, not verified).
        """
        b0, _, b2, b3, _, b5 = self.constants
        d = self.rope_mm
        stress = math.log10(force_n / d**2) - 0.4 * math.log10(self.strength / STRENGTH)
        geometry = b2 * math.log10(self.sheave_mm / d) + b3 * math.log10(d)
        length = 1 / (b5 + math.log10(self.bent_mm / d))
        return float(10 ** (b0 + self.slope * stress + geometry + length))


class RopeBends(CountedModel):
    """Share of a rope's bends used (Palmgren-Miner). Duty: bends so far of its most bent part, force in N."""

    NAME: ClassVar[str] = "rope_bends"
    VERSION: ClassVar[int] = 1

    def __init__(self, drive: RopeDrive, lifetime: Lifetime = SHARE) -> None:
        self.drive = drive
        super().__init__(lifetime, "bends", (FORCE,), (-drive.slope,), drive.bends(1.0))

    @classmethod
    def example(cls) -> Self:
        """An elevator's rope with constants of the right order, made up for tests."""
        return cls(RopeDrive(10.0, 400.0, 2000.0, constants=(1.3, 0.03, 6.2, -0.3, -1.6, 1.0)))


WEAR_MODEL: type[WearModel] = RopeBends
