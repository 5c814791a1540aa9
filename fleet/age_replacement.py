"""At which age to replace a part, if at all (Barlow and Hunter 1960): cost a day in the long run.

Replaced at age T or at failure, whichever comes first, a part costs (planned S(T) + failed (1 - S(T))) over
the mean time in service, the integral of S up to T. Only a part that wears out has a T that pays.
"""

import numpy as np
from numpy.typing import NDArray

from forecasting.weibull import Weibull

Floats = NDArray[np.float64]

AGES = 400
OLDEST = 5.0
"""Ages are looked at up to this many scales of the life, where hardly any part is left."""

WORTH = 0.02
"""Less than this share of the cost saved is no reason to touch a part that runs."""


def best_age(law: Weibull, planned: float, failed: float) -> float | None:
    """The age, in the unit of the law's scale, at which a replacement is cheapest; None where none pays.

    planned, failed: what a replacement costs before a failure and after it, above 0. The law's covariates are
    left aside.
    """
    age = law.scale * np.geomspace(1e-3, OLDEST, AGES)
    alive = law.survival(age, np.zeros(len(law.effect)))
    served = np.cumsum(np.diff(age, prepend=0.0) * (alive + np.append(1.0, alive[:-1])) / 2)
    rate = (planned * alive + failed * (1 - alive)) / served
    best = int(rate.argmin())
    return float(age[best]) if rate[best] < (1 - WORTH) * rate[-1] else None


def cost_rate(lives: Floats, age: float | None, planned: float, failed: float) -> float:
    """What lives (n,) that ended in failure would have cost by unit of time, with replacement at `age`."""
    at = np.inf if age is None else age
    spent = np.where(lives <= at, failed, planned)
    return float(spent.sum() / np.minimum(lives, at).sum())
