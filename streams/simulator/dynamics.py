"""The few linear systems that the machines are made of, over blocks that follow each other without a seam."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.kernels import kernel

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
        gain = float(-np.expm1(-step_s / self.tau_s))
        out = np.empty(len(target))
        self.value = _recur(target, gain, 1.0 - gain, self.value, out) / (1.0 - gain)
        return out


@dataclass
class Wander:
    """A stationary random walk around 0 (Ornstein-Uhlenbeck): weather, load, anything that drifts."""

    tau_s: float
    deviation: float
    value: float = 0.0

    def walk(self, rng: np.random.Generator, n: int, step_s: float) -> Array:
        """The next n values."""
        keep = float(np.exp(-step_s / self.tau_s))
        kicks = rng.normal(0.0, self.deviation * np.sqrt(1.0 - keep**2), n)
        out = np.empty(n)
        _recur(kicks, 1.0, keep, self.value, out)
        self.value = float(out[-1])
        return out


@kernel
def _recur(x: Array, gain: float, keep: float, value: float, out: Array) -> float:
    """out (n,) is `gain` of x and `keep` of the out before it; returns what the next one keeps."""
    kept = keep * value
    for i in range(len(x)):
        out[i] = kept + gain * x[i]
        kept = keep * out[i]
    return kept
