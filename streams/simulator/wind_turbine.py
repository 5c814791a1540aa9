"""A geared wind turbine of 2 MW: Weibull wind, a power curve, speed control, a drive train that warms."""

import numpy as np
from scipy.special import log_ndtr

from streams.simulator.climate import OpenAir, season
from streams.simulator.dynamics import Array, Flags, LowPass, Wander
from streams.simulator.machine import DAY_S, Block

RATED_KW, RATED_WIND = 2_000.0, 10.5
CUT_IN, CUT_OUT = 3.5, 25.0
AREA_M2, POWER_COEFFICIENT = 6_362.0, 0.44
KNEE = 8.0
"""How sharply the power curve bends at rated power; turbulence within a row rounds it."""

TIP_SPEED_RPM = 1.59
"""Rotor speed for each m/s of wind at the best tip speed ratio, 7.5, of a rotor of 90 m."""
SLOWEST_RPM, RATED_RPM = 8.5, 15.5

GAS_CONSTANT, STANDARD_DENSITY = 287.058, 1.225

WEIBULL_SHAPE = 2.0
WINDIEST_DAY = 15

ASKEW = 15.0
"""Degrees by which a turbine that is wholly misaligned misses the wind."""

LIMITED_TO = 0.6
"""Share of rated power that the grid's operator allows at times."""

STANDS, WAITS, PRODUCES, LIMITED = 0.0, 1.0, 2.0, 3.0


def power_curve(wind: Array) -> Array:
    """Power in kW at (n,) winds in m/s at standard density, 0 outside cut-in and cut-out (IEC 61400-12-1)."""
    caught = 0.5e-3 * STANDARD_DENSITY * AREA_M2 * POWER_COEFFICIENT * wind**3
    power = caught / (1 + (caught / RATED_KW) ** KNEE) ** (1 / KNEE)
    return np.where((wind >= CUT_IN) & (wind <= CUT_OUT), power, 0.0)


def normalised(wind: Array, temperature: Array, pressure: Array) -> Array:
    """Wind at standard density with the same power (IEC 61400-12-1); m/s, °C, hPa."""
    density = 100 * pressure / (GAS_CONSTANT * (temperature + 273.15))
    return np.asarray(wind * np.cbrt(density / STANDARD_DENSITY))


class Wind:
    """Weibull winds, m/s: a Gaussian process through the quantiles, stronger in winter and at night."""

    def __init__(self, scale: float) -> None:
        self.scale = scale
        # with the swings below the variance is 1
        self.synoptic, self.gusts = Wander(0.8 * DAY_S, 0.92), Wander(1200.0, 0.28)

    def blow(self, block: Block, rng: np.random.Generator) -> Array:
        """The wind at each row."""
        swing = 0.3 * season(block, WINDIEST_DAY) + 0.15 * np.cos(2 * np.pi * block.clock_s / DAY_S)
        slow = self.synoptic.walk(rng, block.rows, block.step_s)
        z = swing + slow + self.gusts.walk(rng, block.rows, block.step_s)
        return np.asarray(self.scale * (-log_ndtr(-z)) ** (1 / WEIBULL_SHAPE))


Severity = tuple[Array | float, Array | float, Array | float]


class Cooled:
    """What has a cooler: gearbox oil, generator winding, converter."""

    def __init__(self) -> None:
        self.oil, self.winding, self.converter = (
            LowPass(50 * 60, 45.0),
            LowPass(30 * 60, 30.0),
            LowPass(600, 15.0),
        )

    def run(
        self, nacelle: Array, load: Array, turns: Array, step_s: float, faults: Severity
    ) -> tuple[Array, Array, Array]:
        """°C after each step, at shares of rated power and speed (n,), the coolers being so far gone."""
        oil_cooler, fan, pump = faults
        # the cooler holds the sump from where it opens; what does not come so far is left as it is
        uncooled = nacelle + 12 * turns + 80 * load
        oil = self.oil.follow(np.minimum(uncooled, 54 + 7 * load + 16 * oil_cooler), step_s)
        winding = self.winding.follow((6 + 70 * load**1.6) * (1 + 0.45 * fan), step_s)
        converter = self.converter.follow((4 + 26 * load) * (1 + 0.7 * pump), step_s)
        return oil, nacelle + winding, nacelle + converter


class WindTurbine:
    """One turbine with its site's wind and its own bearings; `normal` is what its monitor expects."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.wind, self.air = Wind(rng.uniform(7.6, 8.4)), OpenAir(10.0, daily=3.0)
        self.pressure, self.grid = Wander(3 * DAY_S, 8.0), Wander(0.25 * DAY_S, 1.0)
        self.shake = rng.normal(1.0, 0.05, 4)
        self.vane = rng.normal(0.0, 1.0)
        self.nacelle, self.real, self.normal = LowPass(40 * 60, 18.0), Cooled(), Cooled()
        self.gear_rise, self.main_rise = LowPass(20 * 60, 8.0), LowPass(2 * 3600, 15.0)
        self.generator_rise = LowPass(40 * 60, 25.0)
        self.operating_h = float(rng.uniform(20_000, 60_000))
        self.energy_mwh = 0.7 * self.operating_h
        self.starts, self.was_running = float(rng.integers(3_000, 9_000)), True

    def day(self, block: Block, rng: np.random.Generator) -> dict[str, Array]:
        """The day's readings."""
        wind, ambient = self.wind.blow(block, rng), self.air.temperature(block, rng)
        pressure = 1005 + self.pressure.walk(rng, block.rows, block.step_s)
        felt = normalised(wind, ambient, pressure)
        state, power = self._produce(block, rng, felt)
        readings = self._power(block, rng, state, wind, power, (ambient, pressure))
        readings |= self._drive_train(block, rng, power / RATED_KW, readings["rotor_speed"], ambient)
        return (
            readings
            | self._counters(block, state, power)
            | {
                "turbine_state": state,
                "ambient_temperature": ambient + rng.normal(0, 0.3, block.rows),
                "air_pressure": pressure + rng.normal(0, 0.2, block.rows),
            }
        )

    def _produce(self, block: Block, rng: np.random.Generator, felt: Array) -> tuple[Array, Array]:
        """State and power, kW."""
        askew = np.cos(np.deg2rad(ASKEW * block.fault("yaw-misalignment")))
        lost = 0.12 * block.fault("blade-soiling") + 0.02 * block.fault("rotor-imbalance")
        # both lessen what the blades catch, so that at rated power nothing is lost
        power = power_curve(felt * askew * np.cbrt(1 - lost))
        runs = (felt >= CUT_IN) & (felt <= CUT_OUT)
        most = np.where(self.grid.walk(rng, block.rows, block.step_s) > 2.0, LIMITED_TO * RATED_KW, RATED_KW)
        state = np.where(
            runs, np.where(power > most, LIMITED, PRODUCES), np.where(felt < CUT_IN, WAITS, STANDS)
        )
        return state, np.where(runs, np.minimum(power, most), 0.0)

    def _power(
        self,
        block: Block,
        rng: np.random.Generator,
        state: Array,
        wind: Array,
        power: Array,
        air: tuple[Array, Array],
    ) -> dict[str, Array]:
        n, runs = block.rows, state >= PRODUCES
        seen = wind * rng.normal(1.0, 0.01, n)
        measured = power + np.where(runs, rng.normal(0, 8.0, n), rng.normal(-6.0, 0.5, n))
        expected = power_curve(normalised(seen, *air))
        speed = np.clip(TIP_SPEED_RPM * wind, SLOWEST_RPM, RATED_RPM)
        pitch = 23 * np.sqrt(np.clip((wind - RATED_WIND - 0.5) / 14, 0, 1))
        turned = ASKEW * block.fault("yaw-misalignment") + self.vane + rng.normal(0, 3.0, n)
        uneven = (0.12 + 1.2 * block.fault("pitch-drive")) * rng.lognormal(0, 0.3, n)
        return {
            "wind_speed": seen,
            "active_power": measured,
            "power_deviation": np.where(state == PRODUCES, 100 * (measured - expected) / RATED_KW, np.nan),
            "rotor_speed": np.where(runs, speed, 0.6) * rng.normal(1.0, 0.006, n),
            "pitch_angle": np.where(runs, pitch, 80.0) + rng.normal(0, 0.15, n),
            "pitch_deviation": uneven,
            "yaw_error": np.where(runs, turned, np.nan),
        }

    def _drive_train(
        self, block: Block, rng: np.random.Generator, load: Array, rotor: Array, ambient: Array
    ) -> dict[str, Array]:
        turns = rotor / RATED_RPM
        return self._temperatures(block, rng, load, turns, ambient) | self._vibration(block, rng, load, turns)

    def _temperatures(
        self, block: Block, rng: np.random.Generator, load: Array, turns: Array, ambient: Array
    ) -> dict[str, Array]:
        step, fault = block.step_s, block.fault
        nacelle = self.nacelle.follow(ambient + 5 + 7 * load, step)
        faults = fault("gearbox-cooling"), fault("generator-cooling"), fault("converter-cooling")
        oil, winding, converter = self.real.run(nacelle, load, turns, step, faults)
        normal = self.normal.run(nacelle, load, turns, step, (0.0, 0.0, 0.0))
        gear = self.gear_rise.follow(turns * (5 + 9 * load + 13 * fault("gearbox-bearing")), step)
        main = self.main_rise.follow(turns * (11 + 2 * load + 12 * fault("main-bearing")), step)
        bearing = self.generator_rise.follow(turns * (20 + 8 * load + 18 * fault("generator-bearing")), step)
        noise, unsure = rng.normal(0, 0.4, (7, block.rows)), rng.normal(0, 1.2, (3, block.rows))
        return {
            "nacelle_temperature": nacelle + noise[0],
            "gearbox_oil_temperature": oil + noise[1],
            "gearbox_bearing_temperature": oil + gear + noise[2],
            "main_bearing_temperature": nacelle + main + noise[3],
            "generator_winding_temperature": winding + 2 * noise[4],
            "generator_bearing_temperature": nacelle + bearing + noise[5],
            "converter_temperature": converter + noise[6],
            "gearbox_oil_residual": oil - normal[0] + unsure[0],
            "generator_winding_residual": winding - normal[1] + unsure[1],
            "converter_residual": converter - normal[2] + unsure[2],
            "gearbox_filter_pressure": self._filter(block, rng, turns, oil),
        }

    def _filter(self, block: Block, rng: np.random.Generator, turns: Array, oil: Array) -> Array:
        """Differential pressure, bar: flow follows the rotor's pump, cold oil is thick."""
        clean = 0.7 * turns * np.exp(-(oil - 55) / 60)
        return clean * (1 + 2.2 * block.fault("gearbox-filter")) * rng.lognormal(0, 0.06, block.rows) + 0.02

    def _vibration(
        self, block: Block, rng: np.random.Generator, load: Array, turns: Array
    ) -> dict[str, Array]:
        fault = block.fault
        shake = self.shake[:, None] * rng.lognormal(0, 0.12, (4, block.rows))
        return {
            "tower_vibration": (0.02 + turns * (0.07 + 0.05 * load + 0.24 * fault("rotor-imbalance")))
            * shake[0],
            "main_bearing_vibration": (0.05 + turns * (0.6 + 0.3 * load + 1.3 * fault("main-bearing")))
            * shake[1],
            "gearbox_vibration": (0.1 + turns * (1.1 + 0.8 * load + 2.2 * fault("gearbox-bearing")))
            * shake[2],
            "generator_vibration": (0.1 + turns * (1.6 + 1.0 * load + 3.6 * fault("generator-bearing")))
            * shake[3],
        }

    def _counters(self, block: Block, state: Array, power: Array) -> dict[str, Array]:
        runs: Flags = state >= PRODUCES
        hours = block.step_s / 3600
        begun = runs & ~np.append(self.was_running, runs[:-1])
        counted = {
            "operating_time": self.operating_h + np.cumsum(runs, dtype=np.float64) * hours,
            "energy": self.energy_mwh + np.cumsum(power, dtype=np.float64) * hours / 1000,
            "starts": self.starts + np.cumsum(begun, dtype=np.float64),
        }
        self.operating_h, self.energy_mwh = float(counted["operating_time"][-1]), float(counted["energy"][-1])
        self.starts, self.was_running = float(counted["starts"][-1]), bool(runs[-1])
        return counted
