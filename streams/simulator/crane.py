"""A tower crane: lifts of a load spectrum, a hoist whose motor, gear and brake warm, a rope that bends."""

from dataclasses import dataclass

import numpy as np

from streams.simulator.climate import OpenAir
from streams.simulator.dynamics import Array, Flags, Indices, LowPass, Wander
from streams.simulator.machine import DAY_S, Block
from streams.simulator.shift import Spells, hours_of_work

RESTS, HOISTS, LOWERS, SLEWS = 0, 1, 2, 3

FULL_SPEED = 50.0
"""m/min of the empty hook; drives of constant power are slower with a load."""

SLEWING_S, HANDLING_S, SHORTEST_S = 70.0, 60.0, 150.0
"""To turn and travel, and to sling or set down a load, on average; a lift takes longer than the last."""

HOOK = 4.0
"""Hook and sling, % of the rated capacity."""

BENDS_A_LIFT = 6.0
"""Of the most bent part of the rope: three sheaves, up and down."""


@dataclass(frozen=True, slots=True)
class Lifts:
    """A day's lifts in order. load, moment: (l,) % of the rated; spells: the five parts of each."""

    load: Array
    moment: Array
    spells: Spells


PARTS = np.array([HOISTS, SLEWS, LOWERS, RESTS, SLEWS])
"""Up, across, down, the load is taken off, back."""


class Crane:
    """One crane with its own site, drives and history."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.air, self.gale = OpenAir(14.0), Wander(0.4 * DAY_S, 0.4)
        self.drive, self.shake = rng.normal(1.0, 0.03), rng.normal(1.0, 0.06, 2)
        self.lean, self.worn = rng.uniform(0.03, 0.06), rng.uniform(0.5, 1.0)
        self.motor, self.brake, self.gear = (LowPass(tau * 60, 18.0) for tau in (35, 20, 70))
        self.lifts = float(rng.integers(8_000, 30_000))
        self.hoist_h = self.lifts * 150 / 3600

    def day(self, block: Block, rng: np.random.Generator) -> dict[str, Array]:
        """The day's readings."""
        lifts, wind = self._lifts(block, rng), self._wind(block, rng)
        ambient = self.air.temperature(block, rng)
        spell, on = lifts.spells.at(block.clock_s)
        part = np.where(on, lifts.spells.kind[spell], RESTS)
        lift = spell // len(PARTS)
        carries = on & (spell % len(PARTS) < 3)
        load = np.where(carries, lifts.load[lift], HOOK)
        readings = self._hoist(block, rng, part, load, ambient)
        readings |= self._slewing(block, rng, part, wind) | self._wear(block, rng, wind)
        return (
            readings
            | self._counters(block, lifts, part, spell)
            | {
                "motion": part.astype(np.float64),
                "hoist_load": np.abs(load + rng.normal(0, 0.5, block.rows)),
                "load_moment": np.where(carries, lifts.moment[lift], 0.2 * HOOK)
                + np.abs(rng.normal(0, 0.5, block.rows)),
                "wind_speed": wind,
                "ambient_temperature": ambient + rng.normal(0, 0.3, block.rows),
            }
        )

    def _wind(self, block: Block, rng: np.random.Generator) -> Array:
        """m/s at the top, log-normal."""
        return (
            5.0 * np.exp(self.gale.walk(rng, block.rows, block.step_s)) * rng.lognormal(0, 0.12, block.rows)
        )

    def _lifts(self, block: Block, rng: np.random.Generator) -> Lifts:
        """Loads of a spectrum of class Q2 (ISO 4301-1); the last lift never comes."""
        starts, lasts = list[Array](), list[Array]()
        for begin, end in hours_of_work(block, rng):
            parts = _parts(int((end - begin) / SHORTEST_S), rng)
            whole = parts.sum(axis=1)
            start = begin + np.cumsum(whole + rng.gamma(2.0, HANDLING_S / 2, len(whole))) - whole
            starts.append(start[start + whole < end])
            lasts.append(parts[start + whole < end])
        begun = np.concatenate([*starts, [np.inf]])[:, None]
        lasting = np.concatenate([*lasts, np.ones((1, len(PARTS)))])
        ends = begun + np.cumsum(lasting, axis=1)
        load = HOOK + (100 - HOOK) * rng.beta(1.4, 1.6, len(begun))
        spells = Spells(
            (begun + np.cumsum(lasting, axis=1) - lasting).ravel(), ends.ravel(), np.tile(PARTS, len(begun))
        )
        return Lifts(load, load * rng.uniform(0.5, 1.0, len(begun)), spells)

    def _hoist(
        self, block: Block, rng: np.random.Generator, part: Indices, load: Array, ambient: Array
    ) -> dict[str, Array]:
        n, fault, up = block.rows, block.fault, part == HOISTS
        runs = up | (part == LOWERS)
        drag = fault("brake-drag")
        speed = np.where(runs, FULL_SPEED / (1 + 0.6 * load / 100), 0.0)
        current = np.where(up, 28 + 0.55 * load, 20 + 0.18 * load) * self.drive + 7 * drag
        heat = np.where(runs, (current / 60) ** 2, 0.0)
        motor = self.motor.follow(ambient + 75 * heat * (1 + 0.7 * fault("motor-cooling")), block.step_s)
        rubbed = runs * (30 + 0.25 * load + 110 * drag) + 10 * fault("brake-wear") * runs
        brake = self.brake.follow(ambient + rubbed, block.step_s)
        gear = self.gear.follow(ambient + runs * (34 + 0.2 * load + 28 * fault("hoist-gear")), block.step_s)
        stop = (60 + 0.5 * load * (part == LOWERS)) * (1 + 0.7 * fault("brake-wear")) * rng.normal(1, 0.08, n)
        shake = (0.9 + 0.006 * load + 1.3 * fault("hoist-gear")) * rng.lognormal(0, 0.15, n)
        return {
            "hoist_speed": speed * rng.normal(1, 0.01, n),
            "hoist_motor_current": np.where(runs, current, 0.5) + rng.normal(0, 0.3, n).clip(-0.5),
            "hoist_motor_temperature": motor + rng.normal(0, 0.4, n),
            "brake_temperature": brake + rng.normal(0, 0.4, n),
            "brake_stopping_distance": np.where(runs, stop, np.nan),
            "hoist_gear_temperature": gear + rng.normal(0, 0.4, n),
            "hoist_vibration": np.where(runs, shake * self.shake[0], 0.05),
        }

    def _slewing(
        self, block: Block, rng: np.random.Generator, part: Indices, wind: Array
    ) -> dict[str, Array]:
        n, turns, worn = block.rows, part == SLEWS, block.fault("slewing-bearing")
        current = (14 + 0.25 * wind) * (1 + 0.4 * worn) * rng.normal(1, 0.06, n)
        shake = (0.5 + 0.9 * worn) * self.shake[1] * rng.lognormal(0, 0.18, n)
        return {
            "slewing_current": np.where(turns, current, 0.3),
            "slewing_vibration": np.where(turns, shake, 0.03),
        }

    def _wear(self, block: Block, rng: np.random.Generator, wind: Array) -> dict[str, Array]:
        lean = self.lean + 0.0004 * wind + 0.2 * block.fault("mast-foundation")
        thin = self.worn + 4.5 * block.fault("rope-wear")
        return {
            "mast_tilt": np.abs(lean + rng.normal(0, 0.006, block.rows)),
            "rope_diameter_loss": np.abs(thin + rng.normal(0, 0.2, block.rows)),
        }

    def _counters(self, block: Block, lifts: Lifts, part: Indices, spell: Indices) -> dict[str, Array]:
        runs: Flags = (part == HOISTS) | (part == LOWERS)
        begun = np.searchsorted(lifts.spells.start[:: len(PARTS)], block.clock_s, side="right").astype(
            np.float64
        )
        counted = {
            "lifts": self.lifts + begun,
            "hoist_time": self.hoist_h + np.cumsum(runs) * block.step_s / 3600,
            "rope_bends": (self.lifts + begun) * BENDS_A_LIFT,
        }
        self.lifts = float(counted["lifts"][-1])
        self.hoist_h = float(counted["hoist_time"][-1])
        return counted


def _parts(n: int, rng: np.random.Generator) -> Array:
    """(n, parts) seconds of so many lifts."""
    height = rng.uniform(15.0, 70.0, n)
    ride = height / FULL_SPEED * 60 * 1.35
    slew = rng.gamma(6.0, SLEWING_S / 6, (2, n))
    return np.stack([ride, slew[0], ride, rng.gamma(4.0, HANDLING_S / 4, n), slew[1]], axis=1)
