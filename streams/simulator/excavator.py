"""A hydraulic excavator of 22 t: shifts of digging, loading and travelling, an engine, pumps and coolers."""

from dataclasses import dataclass

import numpy as np

from streams.simulator.climate import OpenAir
from streams.simulator.dynamics import Array, Flags, Indices, LowPass, Wander
from streams.simulator.machine import Block
from streams.simulator.shift import Spells, hours_of_work

RATED_KW = 110.0
SPELL_S = 700.0
"""How long the machine does one thing, on average."""

LITRES_PER_KWH, IDLE_LITRES, DIESEL_KG = 0.27, 2.0, 0.84
"""Fuel of a diesel engine: about 230 g/kWh, what it takes to turn itself, L/h, and a litre's mass."""

WARM = 45.0
"""°C of the hydraulic oil from which controllers let the pumps work in full."""


@dataclass(frozen=True, slots=True)
class Duty:
    """What a kind of work asks for: rpm, shares of rated load, MPa, seconds for a cycle of the boom."""

    speed: float
    load: float
    hydraulic: float
    pump: float
    swing: float
    cycle_s: float = np.nan


OFF, IDLE = 0, 1
DUTIES = (
    Duty(0.0, 0.0, 0.0, 0.0, 0.0),
    Duty(950.0, 0.15, 0.04, 4.0, 0.8),
    Duty(1_850.0, 0.76, 0.90, 24.0, 6.0, 17.0),  # digs a trench
    Duty(1_850.0, 0.66, 0.75, 21.0, 11.0, 22.0),  # loads trucks: swings far
    Duty(1_850.0, 0.55, 0.60, 18.0, 0.8),  # travels
)
SHARES = np.array([0.0, 0.22, 0.38, 0.34, 0.06])
"""Of the spells of a shift."""


def _of(kind: Indices, quantity: str) -> Array:
    return np.array([getattr(duty, quantity) for duty in DUTIES], np.float64)[kind]


class Cooled:
    """Coolant and hydraulic oil: a fan with a thermostat holds them as far as their coolers go."""

    def __init__(self) -> None:
        self.coolant, self.oil = LowPass(12 * 60, 18.0), LowPass(35 * 60, 18.0)

    def run(
        self, ambient: Array, load: Array, losses: Array, step_s: float, dirt: tuple[Array, Array]
    ) -> tuple[Array, Array]:
        """°C of coolant and oil after each step (n,), the coolers being so dirty; without load they cool.

        load: of the engine, share of its rated; losses: of the hydraulics, share of those at full work.
        """
        radiator, cooler = dirt
        coolant = np.clip(83 + 4 * load, ambient + 72 * load * (1 + radiator), ambient + 400 * load)
        oil = np.clip(60 + 6 * losses, ambient + 36 * losses * (1 + cooler), ambient + 90 * losses)
        return self.coolant.follow(coolant, step_s), self.oil.follow(oil, step_s)


class Excavator:
    """One excavator with its own soil, pump and counters; `normal` is what its monitor expects."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.air, self.soil = OpenAir(14.0), Wander(1500.0, 0.07)
        self.pump, self.thirst = rng.normal(1.0, 0.02), rng.normal(1.0, 0.02)
        self.real, self.normal = Cooled(), Cooled()
        self.exhaust = LowPass(90.0, 20.0)
        self.engine_h = float(rng.uniform(2_000, 6_000))
        self.idle_h, self.fuel_l = 0.3 * self.engine_h, 13.0 * self.engine_h
        self.cycles = float(rng.integers(100_000, 400_000))

    def day(self, block: Block, rng: np.random.Generator) -> dict[str, Array]:
        """The day's readings."""
        kind = self._work(block, rng)
        ambient = self.air.temperature(block, rng)
        effort = np.exp(self.soil.walk(rng, block.rows, block.step_s)) * (kind != OFF)
        load = np.minimum(_of(kind, "load") * effort, 1.0)
        power = _of(kind, "hydraulic") * effort
        coolant, oil, readings = self._temperatures(block, rng, ambient, load, power)
        readings |= self._engine(block, rng, kind, load, (ambient, coolant))
        readings |= self._hydraulics(block, rng, kind, effort, oil)
        mode = np.where((kind > IDLE) & (oil < WARM), IDLE, kind)
        return (
            readings
            | self._counters(block, mode, kind, readings["fuel_rate"])
            | {
                "mode": mode.astype(np.float64),
                "ambient_temperature": ambient + rng.normal(0, 0.3, block.rows),
            }
        )

    def _work(self, block: Block, rng: np.random.Generator) -> Indices:
        spells = [self._spells(*hours, rng) for hours in hours_of_work(block, rng)]
        kind = np.zeros(block.rows, np.int64)
        for each in spells:
            spell, on = each.at(block.clock_s)
            kind = np.where(on, each.kind[spell], kind)
        return kind

    def _spells(self, begin: float, end: float, rng: np.random.Generator) -> Spells:
        n = int(2 * (end - begin) / SPELL_S) + 1
        edges = begin + np.append(0.0, np.cumsum(rng.gamma(2.0, SPELL_S / 2, n)))
        kind = rng.choice(len(DUTIES), n, p=SHARES)
        kind[0] = IDLE
        return Spells(edges[:-1], np.minimum(edges[1:], end), kind)

    def _temperatures(
        self, block: Block, rng: np.random.Generator, ambient: Array, load: Array, power: Array
    ) -> tuple[Array, Array, dict[str, Array]]:
        """Those of coolant and oil, and what is read of them."""
        fault, clean = block.fault, np.zeros(block.rows)
        dirt = 0.75 * fault("engine-cooling"), 1.6 * fault("hydraulic-cooling")
        losses = power * (1 + 0.35 * fault("pump-leakage"))
        coolant, oil = self.real.run(ambient, load, losses, block.step_s, dirt)
        normal = self.normal.run(ambient, load, power, block.step_s, (clean, clean))
        noise, unsure = rng.normal(0, 0.4, (2, block.rows)), rng.normal(0, 1.0, (2, block.rows))
        return (
            coolant,
            oil,
            {
                "coolant_temperature": coolant + noise[0],
                "hydraulic_oil_temperature": oil + noise[1],
                "coolant_residual": coolant - normal[0] + unsure[0],
                "hydraulic_oil_residual": oil - normal[1] + unsure[1],
            },
        )

    def _engine(
        self,
        block: Block,
        rng: np.random.Generator,
        kind: Indices,
        load: Array,
        temperatures: tuple[Array, Array],
    ) -> dict[str, Array]:
        ambient, coolant = temperatures
        runs = kind != OFF
        speed = _of(kind, "speed") * rng.normal(1, 0.006, block.rows)
        hot = 130 + load * (330 + 60 * block.fault("injector") + 25 * block.fault("air-filter"))
        exhaust = self.exhaust.follow(np.where(runs, hot, ambient), block.step_s)
        return (
            self._fuel(block, rng, kind, load)
            | self._air(block, rng, load, speed)
            | {
                "engine_speed": speed,
                "exhaust_temperature": exhaust + rng.normal(0, 3.0, block.rows),
                "engine_oil_pressure": self._oil_pressure(block, rng, speed, coolant),
                "intake_temperature": ambient + 4 + 22 * load + rng.normal(0, 0.5, block.rows),
                "battery_voltage": self._voltage(block, rng, runs),
            }
        )

    def _fuel(self, block: Block, rng: np.random.Generator, kind: Indices, load: Array) -> dict[str, Array]:
        needed = (kind != OFF) * (IDLE_LITRES + LITRES_PER_KWH * RATED_KW * load)
        burnt = needed * self.thirst * (1 + 0.16 * block.fault("injector")) * rng.normal(1, 0.02, block.rows)
        shown = 100 * load * rng.normal(1, 0.03, block.rows)
        power = np.where(kind > IDLE, shown / 100 * RATED_KW, np.nan)
        return {
            "engine_load": shown,
            "fuel_rate": burnt,
            "specific_fuel": 1000 * DIESEL_KG * burnt / power,
        }

    def _air(self, block: Block, rng: np.random.Generator, load: Array, speed: Array) -> dict[str, Array]:
        n, clogged = block.rows, block.fault("air-filter")
        flow = (0.25 + load) * speed / 1850
        return {
            "boost_pressure": 135 * load**1.2 * (1 - 0.14 * clogged) + np.abs(rng.normal(0, 1.5, n)),
            "air_filter_pressure": 2.2 * flow**2 * (1 + 1.8 * clogged) + np.abs(rng.normal(0, 0.08, n)),
        }

    def _oil_pressure(self, block: Block, rng: np.random.Generator, speed: Array, coolant: Array) -> Array:
        """kPa: grows with the pump's speed, falls as the oil thins."""
        sound = (110 + 290 * speed / 1850 - 0.5 * (coolant - 85)) * (speed > 0)
        return np.abs(sound * (1 - 0.45 * block.fault("engine-lubrication")) + rng.normal(0, 6.0, block.rows))

    def _voltage(self, block: Block, rng: np.random.Generator, runs: Flags) -> Array:
        return np.where(runs, 28.2 - 2.6 * block.fault("alternator"), 25.4) + rng.normal(0, 0.12, block.rows)

    def _hydraulics(
        self, block: Block, rng: np.random.Generator, kind: Indices, effort: Array, oil: Array
    ) -> dict[str, Array]:
        n, fault, works = block.rows, block.fault, kind > IDLE
        leak, swing = fault("pump-leakage"), fault("swing-drive")
        thin = np.exp((oil - 60) / 45)  # leakage grows as viscosity falls
        pressure = _of(kind, "pump") * effort**0.5
        efficiency = 100 * (0.86 * self.pump - 0.02 * thin - 0.13 * leak)
        flow = _of(kind, "hydraulic")
        return {
            "pump_pressure": np.abs(pressure * rng.normal(1, 0.03, n)),
            "case_drain_flow": 0.09 * pressure * thin * (1 + 1.6 * leak) * rng.lognormal(0, 0.08, n),
            "hydraulic_efficiency": np.where(works, efficiency + rng.normal(0, 1.6, n), np.nan),
            "cycle_time": _of(kind, "cycle_s") * (1 + 0.14 * leak + 0.02 * swing) * rng.normal(1, 0.05, n),
            "hydraulic_filter_pressure": 110
            * flow
            / thin
            * (1 + 2.2 * fault("hydraulic-filter"))
            * rng.lognormal(0, 0.07, n),
            "swing_pressure": _of(kind, "swing") * (1 + 0.5 * swing) * rng.lognormal(0, 0.08, n),
        }

    def _counters(self, block: Block, mode: Indices, kind: Indices, fuel_rate: Array) -> dict[str, Array]:
        hours = block.step_s / 3600
        made = np.where(kind > IDLE, block.step_s / np.nan_to_num(_of(kind, "cycle_s"), nan=np.inf), 0.0)
        counted = {
            "engine_time": self.engine_h + np.cumsum(kind != OFF) * hours,
            "idle_time": self.idle_h + np.cumsum(mode == IDLE) * hours,
            "fuel_used": self.fuel_l + np.cumsum(fuel_rate) * hours,
            "swings": np.floor(self.cycles + np.cumsum(made)),
        }
        self.engine_h, self.idle_h = float(counted["engine_time"][-1]), float(counted["idle_time"][-1])
        self.fuel_l, self.cycles = float(counted["fuel_used"][-1]), self.cycles + float(made.sum())
        return counted
