"""A tower crane: lifts of a load spectrum, a hoist whose motor, gear and brake warm, a rope that bends."""

from dataclasses import dataclass

import numpy as np

from streams.simulator.climate import OpenAir
from streams.simulator.dynamics import Array, Flags, Indices, LowPass, Wander
from streams.simulator.machine import DAY_S, Block
from streams.simulator.shift import Spells, hours_of_work

RESTS, HOISTS, LOWERS, SLEWS = 0, 1, 2, 3
PARTS = np.array([HOISTS, SLEWS, LOWERS, RESTS, SLEWS])
"""Of a lift: up, across, down, the load is taken off, back."""

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
    """A day's lifts in order. load, moment: (l,) % of the rated; parts: what each consists of, in order."""

    load: Array
    moment: Array
    parts: Spells


@dataclass(frozen=True, slots=True)
class Now:
    """What goes on at each row (n,): the lift, whether one is under way, what it is doing, its load in %."""

    lift: Indices
    works: Flags
    part: Indices
    load: Array


class Crane:
    """One crane with its own site and drives; `normal_motor` is what its monitor expects of the motor."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.air, self.gale = OpenAir(14.0), Wander(0.4 * DAY_S, 0.33)
        self.drive, self.shake = rng.normal(1.0, 0.03), rng.normal(1.0, 0.06, 2)
        self.lean, self.worn = rng.uniform(0.03, 0.06), rng.uniform(0.5, 1.0)
        self.motor, self.brake, self.gear = (LowPass(tau * 60, 18.0) for tau in (35, 20, 70))
        self.normal_motor = LowPass(35 * 60, 18.0)
        self.lifts = float(rng.integers(8_000, 30_000))
        self.hoist_h = self.lifts * 150 / 3600

    def day(self, block: Block, rng: np.random.Generator) -> dict[str, Array]:
        """The day's readings: those of the latest lift while one is under way."""
        lifts, wind = self._lifts(block, rng), self._wind(block, rng)
        ambient = self.air.temperature(block, rng)
        at, works = lifts.parts.at(block.clock_s)
        lift = at // len(PARTS)
        now = Now(lift, works, np.where(works, lifts.parts.kind[at], RESTS), lifts.load[lift])
        noise = rng.normal(0, 1, (4, len(lifts.load)))[:, lift]
        readings = self._hoist(block, now, noise[:2]) | self._heat(block, rng, now, ambient)
        readings |= self._slewing(block, now, wind, noise[2:]) | self._structure(block, rng, wind)
        return (
            readings
            | self._counters(block, lifts, now)
            | {
                "motion": works.astype(np.float64),
                "hoist_load": np.where(works, now.load, 0.0) + np.abs(rng.normal(0, 0.3, block.rows)),
                "load_moment": np.where(works, lifts.moment[lift], 0.0)
                + np.abs(rng.normal(0, 0.3, block.rows)),
                "wind_speed": wind,
                "ambient_temperature": ambient + rng.normal(0, 0.3, block.rows),
            }
        )

    def _wind(self, block: Block, rng: np.random.Generator) -> Array:
        """m/s at the top, log-normal."""
        slow = np.exp(self.gale.walk(rng, block.rows, block.step_s))
        return np.asarray(4.5 * slow * rng.lognormal(0, 0.1, block.rows))

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
        begins = np.concatenate([begun, ends[:, :-1]], axis=1)
        parts_of_all = Spells(begins.ravel(), ends.ravel(), np.tile(PARTS, len(begun)))
        return Lifts(load, load * rng.uniform(0.5, 1.0, len(begun)), parts_of_all)

    def _current(self, block: Block, load: Array) -> Array:
        return np.asarray((28 + 0.55 * load) * self.drive + 9 * block.fault("brake-drag"))

    def _hoist(self, block: Block, now: Now, noise: Array) -> dict[str, Array]:
        stop = 110 * (1 + 0.7 * block.fault("brake-wear")) * (1 + 0.08 * noise[0])
        shake = (0.9 + 0.006 * now.load + 2.2 * block.fault("hoist-gear")) * np.exp(0.15 * noise[1])
        return {
            "hoist_speed": np.where(now.works, FULL_SPEED / (1 + 0.6 * now.load / 100), np.nan),
            "hoist_motor_current": np.where(now.works, self._current(block, now.load), np.nan),
            "brake_stopping_distance": np.where(now.works, stop, np.nan),
            "hoist_vibration": np.where(now.works, shake * self.shake[0], np.nan),
        }

    def _heat(self, block: Block, rng: np.random.Generator, now: Now, ambient: Array) -> dict[str, Array]:
        """Motor, brake and gear warm while the hook goes up or down."""
        fault, step = block.fault, block.step_s
        runs = (now.part == HOISTS) | (now.part == LOWERS)
        rise = 75 * runs * (self._current(block, now.load) / 60) ** 2
        motor = self.motor.follow(ambient + rise * (1 + 1.1 * fault("motor-cooling")), step)
        normal = self.normal_motor.follow(ambient + rise, step)
        brake = self.brake.follow(ambient + runs * (30 + 0.25 * now.load + 250 * fault("brake-drag")), step)
        gear = self.gear.follow(ambient + runs * (34 + 0.2 * now.load + 28 * fault("hoist-gear")), step)
        noise = rng.normal(0, 0.4, (3, block.rows))
        return {
            "hoist_motor_temperature": motor + noise[0],
            "hoist_motor_residual": motor - normal + rng.normal(0, 1.2, block.rows),
            "brake_temperature": brake + noise[1],
            "hoist_gear_temperature": gear + noise[2],
        }

    def _slewing(self, block: Block, now: Now, wind: Array, noise: Array) -> dict[str, Array]:
        worn = block.fault("slewing-bearing")
        current = (14 + 0.25 * wind) * (1 + 0.4 * worn) * (1 + 0.06 * noise[0])
        shake = (0.5 + 0.9 * worn) * self.shake[1] * np.exp(0.18 * noise[1])
        return {
            "slewing_current": np.where(now.works, current, np.nan),
            "slewing_vibration": np.where(now.works, shake, np.nan),
        }

    def _structure(self, block: Block, rng: np.random.Generator, wind: Array) -> dict[str, Array]:
        lean = self.lean + 0.0004 * wind + 0.2 * block.fault("mast-foundation")
        thin = self.worn + 4.5 * block.fault("rope-wear")
        return {
            "mast_tilt": np.abs(lean + rng.normal(0, 0.006, block.rows)),
            "rope_diameter_loss": np.abs(thin + rng.normal(0, 0.2, block.rows)),
        }

    def _counters(self, block: Block, lifts: Lifts, now: Now) -> dict[str, Array]:
        runs: Flags = (now.part == HOISTS) | (now.part == LOWERS)
        begun = np.searchsorted(lifts.parts.start[:: len(PARTS)], block.clock_s, side="right").astype(
            np.float64
        )
        counted = {
            "lifts": self.lifts + begun,
            "hoist_time": self.hoist_h + np.cumsum(runs, dtype=np.float64) * block.step_s / 3600,
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
