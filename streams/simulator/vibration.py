"""What an accelerometer on a bearing's housing gives: a shaft, rollers that hit a spot, a housing that rings.

After McFadden and Smith (1984), "Model for the vibration produced by a single point defect in a rolling
element bearing", with the slip that real rollers have (Antoni and Randall 2002).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from detectors.bearing import Orders
from detectors.vibration_block import Block
from streams.simulator.dynamics import Array

RINGS_AT, DAMPING = 0.5, 0.06
"""Where in the measuring point's band the housing rings, and how much of critical it is damped."""

SLIP, UNEVEN = 0.01, 0.01
"""Most that rollers lag behind the kinematics, and standard deviation of the time between two passes."""

SHAFT = (1.0, 0.4, 0.2)
"""Velocity at the harmonics of the shaft, relative."""


@dataclass(frozen=True, slots=True)
class Housing:
    """Samples at `rate_hz`, `samples` in a block. band: Hz, that of the measuring point."""

    rate_hz: float
    samples: int
    band: tuple[float, float]

    def ring(self, force: Array) -> Array:
        """What forces (n,) become: a resonance in the band, and nothing at low frequencies."""
        low, high = self.band
        turn = 2 * np.pi * (low + RINGS_AT * (high - low)) / self.rate_hz
        radius = np.exp(-DAMPING * turn)
        return np.asarray(lfilter([1.0, -1.0], [1.0, -2 * radius * np.cos(turn), radius**2], force))


@dataclass(frozen=True, slots=True)
class State:
    """Of a bearing at one moment. shaft_hz; velocity: mm/s RMS of the shaft's harmonics; noise and impacts:
    m/s² RMS that each has once the housing rings.
    """

    shaft_hz: float
    velocity: float
    noise: float
    impacts: float


Damage = Callable[[Orders], tuple[float, float]]
"""Hits for each turn of the shaft, and turns after which their strength repeats, 0 if it stays."""

DAMAGE: dict[str, Damage] = {
    "outer": lambda orders: (orders.bpfo, 0.0),
    "inner": lambda orders: (orders.bpfi, 1.0),
    "element": lambda orders: (2 * orders.bsf, orders.ftf),
}
"""A spot on the inner ring passes the load once in a turn, one on a roller once in a turn of the cage."""


def block(housing: Housing, orders: Orders, damage: str, state: State, rng: np.random.Generator) -> Block:
    """What the sensor gives at that moment, in m/s²."""
    n = housing.samples
    x = _shaft(housing, state, rng) + _of_rms(housing.ring(rng.normal(size=n)), state.noise)
    if state.impacts > 0:
        x += _of_rms(housing.ring(_hits(housing, orders, damage, state.shaft_hz, rng)), state.impacts)
    return Block(x, housing.rate_hz)


def _shaft(housing: Housing, state: State, rng: np.random.Generator) -> Array:
    turns = state.shaft_hz * np.arange(housing.samples) / housing.rate_hz
    part = state.velocity * 1e-3 * np.sqrt(2) / np.linalg.norm(SHAFT)
    x = np.zeros(housing.samples)
    for k, share in enumerate(SHAFT, 1):
        acceleration = 2 * np.pi * k * state.shaft_hz * share * part
        x += acceleration * np.sin(2 * np.pi * (k * turns + rng.uniform()))
    return x


def _hits(housing: Housing, orders: Orders, damage: str, shaft_hz: float, rng: np.random.Generator) -> Array:
    """A force at each pass of a roller (n,)."""
    per_turn, repeats = DAMAGE[damage](orders)
    rate_hz = per_turn * shaft_hz * (1 - rng.uniform(0, SLIP))
    seconds = housing.samples / housing.rate_hz
    count = int(seconds * rate_hz) + 2
    at_s = (rng.uniform() + np.cumsum(1 + rng.normal(0, UNEVEN, count))) / rate_hz
    at_s = at_s[at_s < seconds]
    strength = 1.0 + 0.9 * np.cos(2 * np.pi * (repeats * shaft_hz * at_s + rng.uniform())) if repeats else 1.0
    force = np.zeros(housing.samples)
    np.add.at(force, (at_s * housing.rate_hz).astype(np.int64), strength)
    return force


def _of_rms(x: Array, rms: float) -> Array:
    return np.asarray(x * (rms / np.sqrt(np.mean(x**2))))
