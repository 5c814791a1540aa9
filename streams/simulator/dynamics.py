"""The few linear systems that the machines are made of, over blocks that follow each other without a seam."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]


@dataclass
class LowPass:
    """A first-order lag: `value` follows its target with the time constant `tau_s`."""

    tau_s: float
    value: float

    def follow(self, target: Array, step_s: float) -> Array:
        """The value after each step of (n,) targets; exact for a target that is constant over a step."""
        gain = -np.expm1(-step_s / self.tau_s)
        out, rest = lfilter([gain], [1.0, gain - 1.0], target, zi=[(1.0 - gain) * self.value])
        self.value = float(rest[0] / (1.0 - gain))
        return np.asarray(out, np.float64)


@dataclass
class Wander:
    """A stationary random walk around 0 (Ornstein-Uhlenbeck): weather, load, anything that drifts."""

    tau_s: float
    deviation: float
    value: float = 0.0

    def walk(self, rng: np.random.Generator, n: int, step_s: float) -> Array:
        """The next n values."""
        keep = np.exp(-step_s / self.tau_s)
        kicks = rng.normal(0.0, self.deviation * np.sqrt(1.0 - keep**2), n)
        out, _ = lfilter([1.0], [1.0, -keep], kicks, zi=[keep * self.value])
        self.value = float(out[-1])
        return np.asarray(out, np.float64)
