"""An ONAN power transformer under a daily load, with the gases and levels that its monitor reports."""

import numpy as np

from streams.simulator.dynamics import Array, Wander
from streams.simulator.machine import DAY_S, Block
from streams.simulator.thermal import ONAN, ThermalModel, ageing_rate

RATED_CURRENT = 800.0


class Transformer:
    """One transformer; the model beside it is what its monitor expects of a healthy one."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.base_load = rng.uniform(0.5, 0.6)
        self.real = ThermalModel(ONAN, 12.0, self.base_load)
        self.modelled = ThermalModel(ONAN, 12.0, self.base_load)
        self.weather = Wander(2 * DAY_S, 2.0)
        self.demand = Wander(3600, 0.03)
        self.solubility = Wander(0.5 * DAY_S, 0.15)
        self.gases = rng.uniform([25, 30, 1.0], [45, 50, 2.0])
        self.ageing_hours = float(rng.uniform(40_000, 60_000))
        self.tap_operations = float(rng.integers(20_000, 30_000))
        self.saturated = rng.uniform([15, 10], [30, 25])

    def day(self, block: Block, rng: np.random.Generator) -> dict[str, Array]:
        """The day's readings."""
        ambient, load = self._surroundings(block, rng)
        fouled = 1 + 0.35 * block.fault("cooling")
        oil, hot_spot = self.real.run(ambient, load, block.step_s, fouled)
        modelled, _ = self.modelled.run(ambient, load, block.step_s)
        n = block.rows
        ageing = self.ageing_hours + np.cumsum(ageing_rate(hot_spot)) * block.step_s / 3600
        taps = self.tap_operations + np.cumsum(rng.poisson(12 * block.step_s / DAY_S, n)).astype(np.float64)
        self.ageing_hours, self.tap_operations = float(ageing[-1]), float(taps[-1])
        return self._oil_quality(block, rng, oil) | {
            "load_current": RATED_CURRENT * load + rng.normal(0, 2.0, n),
            "ambient_temperature": ambient + rng.normal(0, 0.2, n),
            "top_oil_temperature": oil + rng.normal(0, 0.2, n),
            "hot_spot_temperature": hot_spot + rng.normal(0, 0.4, n),
            "top_oil_residual": oil - modelled + rng.normal(0, 1.2, n),
            "tap_operations": taps,
            "ageing_hours": ageing,
            **self._saturated_gases(block, rng),
        }

    def _surroundings(self, block: Block, rng: np.random.Generator) -> tuple[Array, Array]:
        hour = 2 * np.pi * block.clock_s / DAY_S
        ambient = 14 + 5 * np.sin(hour - 0.75 * np.pi) + self.weather.walk(rng, block.rows, block.step_s)
        daily = 0.16 * np.sin(hour - 0.7 * np.pi) + 0.06 * np.sin(2 * hour - 0.5 * np.pi)
        weekend = 0.08 if block.weekday >= 5 else 0.0
        load = self.base_load + daily - weekend + self.demand.walk(rng, block.rows, block.step_s)
        return ambient, np.clip(load, 0.05, 1.5)

    def _oil_quality(self, block: Block, rng: np.random.Generator, oil: Array) -> dict[str, Array]:
        n = block.rows
        arcing, discharge = block.fault("arcing"), block.fault("partial-discharge")
        overheated = block.fault("thermal-fault")
        hydrogen, ethylene, acetylene = self.gases
        return {
            # oil expands by about 0.07 % per kelvin, which a conservator shows tenfold
            "oil_level": 55 + 0.3 * (oil - 40) - 20 * block.fault("oil-leak") + rng.normal(0, 0.8, n),
            "moisture": (
                9
                + 0.08 * (oil - 40)
                + 8 * block.fault("moisture-ingress")
                + self.solubility.walk(rng, n, block.step_s)
                + rng.normal(0, 0.2, n)
            ),
            "hydrogen": hydrogen + 40 * discharge + 40 * arcing + 30 * overheated + rng.normal(0, 6.0, n),
            "ethylene": ethylene + 60 * overheated + 10 * arcing + rng.normal(0, 6.0, n),
            "acetylene": acetylene + 6 * arcing + np.abs(rng.normal(0, 0.8, n)),
            "partial_discharge": 30 * (1 + 4 * discharge) * rng.lognormal(0, 0.3, n),
        }

    def _saturated_gases(self, block: Block, rng: np.random.Generator) -> dict[str, Array]:
        """Methane and ethane, of which hot oil makes most."""
        methane, ethane = self.saturated
        overheated = block.fault("thermal-fault")
        noise = rng.normal(0, 5.0, (2, block.rows))
        return {
            "methane": np.abs(methane + 35 * overheated + 8 * block.fault("arcing") + noise[0]),
            "ethane": np.abs(ethane + 20 * overheated + noise[1]),
        }
