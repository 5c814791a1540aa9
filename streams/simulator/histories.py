"""Lives of machines up to their failure: as the forecaster sees them, or as faults of simulated machines."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fleet.catalog import packs
from forecasting.contract import History, Run
from streams.simulator.fault import Fault


@dataclass(frozen=True, slots=True)
class Life:
    """How a class of machine degrades once a fault has begun; hours, engineering defaults.

    healthy_h: typical time before the onset. failing_h: typical time from onset to failure. spread:
    relative standard deviation of both. noise: standard deviation of the level.
    """

    healthy_h: float
    failing_h: float
    spread: float = 0.3
    noise: float = 0.02


LIVES = {
    "elevator": Life(400.0, 340.0),
    "transformer": Life(500.0, 420.0),
    "machine-tool": Life(400.0, 320.0),
    "wind-turbine": Life(900.0, 600.0),
    "excavator": Life(500.0, 360.0),
    "crane": Life(500.0, 380.0),
}

STEP_H = 4.0


def run_to_failure(kind: str, n: int, seed: int) -> list[Run]:
    """`n` histories of an equipment type that end in failure; raises `KeyError` for an unknown one.

    Column 0 of each is the degradation level: about 0 until the onset, then growing as a power of time
    with an exponent around that of the simulated faults, to 1.
    """
    life = LIVES[kind]
    return [_run(life, np.random.default_rng([seed, k])) for k in range(n)]


def fatal_faults(kind: str, assets: Sequence[str], seed: int) -> list[Fault]:
    """One fault for each machine, of any of its type's modes, that ends such a life; raises `KeyError`."""
    life, modes = LIVES[kind], packs()[kind].fault_modes
    faults = []
    for k, asset in enumerate(assets):
        rng = np.random.default_rng([seed, k])
        healthy, failing, exponent = _drawn(life, rng)
        mode = modes[int(rng.integers(len(modes)))].code
        faults.append(Fault(asset, mode, healthy, healthy + failing, shape=exponent))
    return faults


def _drawn(life: Life, rng: np.random.Generator) -> tuple[float, float, float]:
    """Hours healthy, hours failing, and the exponent with which the fault grows."""
    shape = 1.0 / life.spread**2
    healthy, failing = rng.gamma(shape, np.array([life.healthy_h, life.failing_h]) / shape).tolist()
    return healthy, failing, float(rng.uniform(1.3, 1.7))


def _run(life: Life, rng: np.random.Generator) -> Run:
    healthy, failing, exponent = _drawn(life, rng)
    age = np.append(np.arange(0.0, healthy + failing, STEP_H), healthy + failing)
    level = np.clip((age - healthy) / failing, 0.0, 1.0) ** exponent
    level[-1] = 1.0
    level[:-1] += np.abs(rng.normal(0.0, life.noise, len(age) - 1))
    return Run(History(age, np.clip(level, 0.0, 1.0)[:, None]), failed=True)
