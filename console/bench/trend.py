"""Whether a noisy line rises, when the noise of one instant is that of the next."""

import numpy as np
from numpy.typing import NDArray
from statsmodels.regression.linear_model import OLS

Floats = NDArray[np.float64]


def trend(instants: Floats, values: Floats, memory_s: float) -> tuple[float, float]:
    """Slope per second of values (n,) at instants (n,) in seconds, and its standard error.

    Samples less than `memory_s` apart may depend on each other: the error is that of Newey and West
    (Econometrica 55, 1987), whose covariance takes in as many neighbours. An ordinary one, which takes all
    samples as independent, is several times too small for a saw.
    """
    step = float(np.median(np.diff(instants)))
    regressors = np.column_stack([np.ones_like(instants), instants - instants.mean()])
    fitted = OLS(values, regressors).fit(cov_type="HAC", cov_kwds={"maxlags": round(memory_s / step)})
    return float(fitted.params[1]), float(fitted.bse[1])
