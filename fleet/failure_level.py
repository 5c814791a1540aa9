"""How far a machine is on its way to functional failure of the fault mode that its finding names."""

import numpy as np
from numpy.typing import NDArray

from fleet.vertical import HEALTHY, VerticalPack

Floats = NDArray[np.float64]

SPREAD = 0.3
"""Standard deviation of the logarithm of the level at which machines fail of one mode: two in three between
.74 and 1.35 times the mode's. Engineering default: see docs/packs.md."""


def failure_level(pack: VerticalPack, mode: str, condition: Floats) -> Floats | None:
    """(n,) what a fault has added, 1 where such a machine fails of that mode; None if that is not known.

    condition: (n,) the level told of the machine, 0 at the deviation of a healthy one and 1 at the type's
    `d_fail`. Noise and fault add as squares, so it is the root of what is over the healthy square that grows
    as the fault does.
    """
    fails_at = next((one.fails_at for one in pack.fault_modes if one.code == mode), None)
    if fails_at is None:
        return None
    deviation = HEALTHY + condition * (pack.detection.d_fail - HEALTHY)
    added = np.maximum(deviation**2 - HEALTHY**2, 0.0)
    return np.asarray(np.sqrt(added / (fails_at**2 - HEALTHY**2)))
