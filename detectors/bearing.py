"""Which frequencies a damaged rolling bearing shows (their use: ISO 13373-2)."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Orders:
    """Defect frequencies as multiples of the shaft's.

    bpfo, bpfi: rollers pass a point of the outer, of the inner ring. bsf: turns of a roller about itself; a
    damaged spot meets both rings, so it is 2 bsf that is seen. ftf: turns of the cage.
    """

    bpfo: float
    bpfi: float
    bsf: float
    ftf: float


@dataclass(frozen=True, slots=True)
class Bearing:
    """A rolling bearing with its outer ring at rest.

    Diameters in mm: of a roller, and of the circle of the rollers' centres. Raises `ValueError` for what
    is no bearing.
    """

    rollers: int
    roller_mm: float
    pitch_mm: float
    contact_deg: float = 0.0

    def __post_init__(self) -> None:
        if self.rollers < 3 or not 0 < self.roller_mm < self.pitch_mm or not 0 <= self.contact_deg < 90:
            raise ValueError("needs 3 rollers, smaller than their circle, and 0 <= contact angle < 90°")

    def orders(self) -> Orders:
        """Kinematic orders, without slip: with r = (d/D) cos φ and n rollers,

        BPFO = n/2 (1 - r), BPFI = n/2 (1 + r), BSF = D/2d (1 - r²), FTF = (1 - r)/2 (Harris, Rolling Bearing
        Analysis). Real rollers slip by 1 to 2 %.
        """
        r = self.roller_mm / self.pitch_mm * math.cos(math.radians(self.contact_deg))
        return Orders(
            bpfo=self.rollers / 2 * (1 - r),
            bpfi=self.rollers / 2 * (1 + r),
            bsf=self.pitch_mm / (2 * self.roller_mm) * (1 - r * r),
            ftf=(1 - r) / 2,
        )
