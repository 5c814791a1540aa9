"""Cooling and load of transformers: life that a weak cooler costs, and load that could still be carried."""

from dataclasses import dataclass

import numpy as np

from fleet.advice import Loss
from fleet.hours import Hours

HALVES_K = 6.0
"""Kelvin that double the ageing of plain paper (IEC 60076-7, relative ageing rate)."""

RISE_EXPONENT = 1.6
"""Of the hot spot's rise over the air with load: 2 x with x = .8, the oil's part, and the winding's y is 1.3
to 1.6 (IEC 60076-7): the largest gives the least headroom."""


@dataclass(frozen=True, slots=True)
class CoolingLoss:
    """Oil above what the model expects of a healthy cooler (channel `residual`, K) ages the paper faster.

    `ageing` is the counter of hours of insulation life.
    """

    name: str
    title_en: str
    title_zh: str
    residual: str
    ageing: str
    least_k: float = 3.0

    @property
    def channels(self) -> tuple[str, ...]:
        """Residual and ageing."""
        return self.residual, self.ageing

    def loss(self, hours: Hours, before: Hours) -> Loss | None:
        """Hours of insulation life that the excess temperature cost."""
        residual = hours.of(self.residual)
        known = residual[np.isfinite(residual)]
        if not len(known):
            return None
        excess, aged = float(known.mean()), hours.grown(self.ageing)
        share = 1 - 2 ** (-max(excess, 0.0) / HALVES_K)
        return Loss(
            aged * share,
            "h",
            len(known),
            excess >= self.least_k,
            False,
            f"Oil {excess:.1f} K above model: {share:.0%} of {aged:.0f} h of insulation life is lost to it",
            f"油温比模型高 {excess:.1f} K：{aged:.0f} h 绝缘寿命消耗中有 {share:.0%} 可避免",
        )


@dataclass(frozen=True, slots=True)
class LoadHeadroom:
    """Load that was left in the hottest hour until the hot spot is at `allowed` °C (98: reference ageing)."""

    name: str
    title_en: str
    title_zh: str
    load: str
    ambient: str
    hot_spot: str
    allowed: float = 98.0
    least: float = 0.1

    @property
    def channels(self) -> tuple[str, ...]:
        """Load, ambient and hot spot."""
        return self.load, self.ambient, self.hot_spot

    def loss(self, hours: Hours, before: Hours) -> Loss | None:
        """Current that was not used in the hottest hour, worth telling from the share `least` of it."""
        load, ambient, hot_spot = (hours.of(channel) for channel in self.channels)
        known = np.isfinite(load + ambient + hot_spot) & (hot_spot > ambient)
        if not known.any():
            return None
        hottest = int(np.argmax(np.where(known, hot_spot, -np.inf)))
        rise, room = hot_spot[hottest] - ambient[hottest], self.allowed - ambient[hottest]
        factor = float(max(room / rise, 0.0) ** (1 / RISE_EXPONENT))
        at = f"{load[hottest]:.0f} A, {hot_spot[hottest]:.0f} °C"
        return Loss(
            max(factor - 1, 0.0) * float(load[hottest]),
            "A",
            int(known.sum()),
            factor - 1 >= self.least,
            True,
            f"Hottest hour: {at} with {ambient[hottest]:.0f} °C outside; {self.allowed:g} °C come at "
            f"{factor:.2f} times that load",
            f"最热时段：{at}，环境 {ambient[hottest]:.0f} °C；"
            f"负载达 {factor:.2f} 倍时才到 {self.allowed:g} °C",
        )
