"""Faults by chance: one machine in ten, of any fault mode of its pack, at any time, fast or slow."""

from collections.abc import Sequence
from math import ceil

import numpy as np

from fleet.asset import Fleet
from fleet.catalog import packs
from streams.simulator.fault import Fault

ONE_IN = 10
"""Machines for each that has a fault."""

LIFE = 0.3, 0.7
"""From onset to functional failure, parts of the window in which both lie."""

SEVERITY = 0.7, 1.3
"""How much the fault shows at the failure: machines of one type differ."""

SHAPE = 1.3, 1.7


def random_faults(fleet: Fleet, begin_h: float, end_h: float, seed: int) -> tuple[Fault, ...]:
    """Faults that begin and become failures between two instants, hours since the start of the simulation.

    Each mode of a machine's pack is as likely. One machine in ten is rounded up, of those that have a pack.
    """
    assets = [asset for asset in fleet.assets if asset.equipment_type in packs()]
    rng = np.random.default_rng([seed, len(assets)])
    chosen = rng.choice(len(assets), ceil(len(assets) / ONE_IN), replace=False)
    modes = {
        asset.name: [mode.code for mode in packs()[asset.equipment_type].fault_modes] for asset in assets
    }
    return tuple(
        random_fault(assets[k].name, modes[assets[k].name], begin_h, end_h, rng)
        for k in sorted(chosen.tolist())
    )


def random_fault(
    asset: str, modes: Sequence[str], begin_h: float, end_h: float, rng: np.random.Generator
) -> Fault:
    """A fault of any of these modes within that time."""
    mode = modes[int(rng.integers(len(modes)))]
    life_h = (end_h - begin_h) * rng.uniform(*LIFE)
    onset_h = rng.uniform(begin_h, end_h - life_h)
    severity, shape = rng.uniform(*SEVERITY), rng.uniform(*SHAPE)
    return Fault(asset, mode, onset_h, onset_h + life_h, shape=shape, severity=severity)
