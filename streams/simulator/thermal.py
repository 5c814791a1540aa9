"""Top-oil and hot-spot temperature of a transformer by the difference equations of IEC 60076-7."""

from dataclasses import dataclass

import numpy as np

from streams.simulator.dynamics import Array, LowPass


@dataclass(frozen=True, slots=True)
class ThermalParameters:
    """Characteristics of a cooling class; names as in IEC 60076-7.

    tau_oil_s, tau_winding_s: time constants. oil_rise: top-oil rise at rated losses, K. gradient: hot-spot
    factor times winding gradient (H·gr), K. loss_ratio: load to no-load losses (R). x, y: exponents.
    """

    tau_oil_s: float
    tau_winding_s: float
    oil_rise: float
    gradient: float
    loss_ratio: float
    x: float = 0.8
    y: float = 1.3
    k11: float = 0.5
    k21: float = 2.0
    k22: float = 2.0


ONAN = ThermalParameters(210 * 60, 10 * 60, 60.0, 1.3 * 17, 6.0)
"""ONAN power transformer; the loss ratio belongs to the unit, 6 is that of the standard's example."""

ONAF_EXAMPLE = ThermalParameters(150 * 60, 7 * 60, 52.0, 26.0, 6.0)
"""The ONAF unit of the standard's annex: 72.0 °C top oil and 98.0 °C hot spot at 20 °C and rated load."""


class ThermalModel:
    """Starts in equilibrium with `ambient` (°C) at the load factor `load`."""

    def __init__(self, parameters: ThermalParameters, ambient: float, load: float) -> None:
        p = self.parameters = parameters
        rise = float(self._oil_rise(np.array(load)))
        gradient = p.gradient * load**p.y
        self._oil = LowPass(p.k11 * p.tau_oil_s, ambient + rise)
        self._winding = LowPass(p.k22 * p.tau_winding_s, p.k21 * gradient)
        self._oil_flow = LowPass(p.tau_oil_s / p.k22, (p.k21 - 1) * gradient)

    def _oil_rise(self, load: Array) -> Array:
        p = self.parameters
        return np.asarray(p.oil_rise * ((1 + p.loss_ratio * load**2) / (1 + p.loss_ratio)) ** p.x)

    def run(
        self, ambient: Array, load: Array, step_s: float, rise_factor: Array | float = 1.0
    ) -> tuple[Array, Array]:
        """Top-oil and hot-spot temperatures, °C, after each step of (n,) ambients and load factors.

        `rise_factor` above 1 is cooling that has become less effective.
        """
        p = self.parameters
        gradient = p.gradient * load**p.y
        oil = self._oil.follow(ambient + rise_factor * self._oil_rise(load), step_s)
        winding = self._winding.follow(p.k21 * gradient, step_s)
        return oil, oil + winding - self._oil_flow.follow((p.k21 - 1) * gradient, step_s)


def ageing_rate(hot_spot: Array) -> Array:
    """Relative ageing rate V of non-upgraded paper, 1 at 98 °C, doubling every 6 K (IEC 60076-7)."""
    return np.asarray(2.0 ** ((hot_spot - 98.0) / 6.0))
