"""Life of cutting tools (Taylor 1907), used up at conditions that vary."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from forecasting.wear.contract import SHARE, Lifetime, Quantity
from forecasting.wear.model import Floats, Slots, WearModel
from forecasting.wear.power_law import worn

SPEED = Quantity("cutting_speed", "m/min", 3000.0, load=True)
FEED = Quantity("feed", "mm", 20.0)
DEPTH = Quantity("depth", "mm", 200.0)


@dataclass(frozen=True, slots=True)
class CuttingTool:
    """V T^n f^a ap^b = C: cutting speed V in m/min, life T in minutes, feed f and depth of cut ap in mm.

    Measured for a tool in a material by ISO 3685, to a flank wear of 0.3 mm. n is of the order of 0.08 to 0.2
    for high-speed steel, 0.2 to 0.5 for carbide, 0.5 to 0.7 for ceramics (from memory, not verified). With a
    and b at 0 it is Taylor's first equation, and feed and depth do not matter.
    """

    n: float
    constant: float
    feed_exponent: float = 0.0
    depth_exponent: float = 0.0

    def __post_init__(self) -> None:
        if min(self.n, self.constant) <= 0 or min(self.feed_exponent, self.depth_exponent) < 0:
            raise ValueError("a tool needs n and C above 0, and exponents of feed and depth of 0 or more")

    def life_min(self, speed: float, feed: float = 1.0, depth: float = 1.0) -> float:
        """T in minutes of cutting."""
        worth = speed * feed**self.feed_exponent * depth**self.depth_exponent
        return float((self.constant / worth) ** (1 / self.n))


class ToolLife(WearModel):
    """Share of the tool's life used: cutting time over the life at its conditions, summed up.

    Duty: cutting speed, then feed and depth where the tool has exponents for them; at 0 it does not cut.
    """

    NAME: ClassVar[str] = "tool_life"
    VERSION: ClassVar[int] = 1

    def __init__(self, tool: CuttingTool, lifetime: Lifetime = SHARE) -> None:
        self.tool = tool
        parts = (SPEED, 1.0), (FEED, tool.feed_exponent), (DEPTH, tool.depth_exponent)
        matter = [(quantity, exponent / tool.n) for quantity, exponent in parts if exponent > 0]
        self._exponents = np.array([exponent for _, exponent in matter])
        self._life = tool.life_min(1.0) / 60
        super().__init__(lifetime, [quantity for quantity, _ in matter])

    @classmethod
    def example(cls) -> Self:
        """A carbide tool in steel; the constants are of the usual order and from no measurement."""
        return cls(CuttingTool(n=0.25, constant=350.0, feed_exponent=0.3, depth_exponent=0.15))

    def _use(self, slot: Slots, what: NDArray[np.int8], step_h: Floats, x: Floats) -> Floats:
        return worn(step_h, x, self._exponents, self._life)


WEAR_MODEL: type[WearModel] = ToolLife
