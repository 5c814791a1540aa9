"""Use times severity, where severity is a product of powers, as most lives of parts are written."""

import numpy as np

from forecasting.kernels import kernel
from forecasting.wear.model import Floats


def worn(amount: Floats, x: Floats, exponents: Floats, life: float) -> Floats:
    """amount (n,) times the product of x (n, k) to the powers `exponents` (k,), over `life`: (n,).

    Readings and exponents are 0 or more, and an amount below 0, as of a counter set back, is none: so it is
    never negative.
    """
    used = np.empty(len(amount))
    _worn(amount, x, exponents, life, used)
    return used


@kernel
def _worn(amount: Floats, x: Floats, exponents: Floats, life: float, used: Floats) -> None:
    # one row after the other: compiled to vectors, a power may differ in its last bit with a row's place
    for row in range(len(amount)):
        severity = 1.0
        for k in range(len(exponents)):
            severity *= x[row, k] ** exponents[k]
        used[row] = amount[row] * severity / life if amount[row] > 0 else 0.0
