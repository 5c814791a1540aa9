"""The fast fit of many growth curves says what statsmodels says of each of them."""

import numpy as np
import pytest
import statsmodels.api as sm

from forecasting.growth import Floats, fit, freedom


def history(rng: np.random.Generator, even: bool) -> tuple[Floats, Floats]:
    """Times in spans before now (0) and a level that grows from the middle on."""
    time = np.linspace(-1.0, 0.0, 60) if even else np.sort(np.append(-rng.random(59), 0.0))
    noise = np.convolve(rng.normal(0, 0.02, 80), 0.6 ** np.arange(20))[:60]
    return time, 0.1 + 0.6 * np.clip((time + 0.5) / 0.5, 0, 1) ** 1.5 + noise


@pytest.mark.parametrize("even", [True, False])
@pytest.mark.parametrize("rho", [0.0, 0.6, 0.95])
def test_it_is_the_generalised_least_squares_of_statsmodels(even: bool, rho: float) -> None:
    time, level = history(np.random.default_rng(3), even)
    onsets, exponents = np.array([-0.7, -0.5]), np.array([1.0, 2.0])
    fits = fit(time, level, onsets, exponents, rho)
    steps = np.abs(np.subtract.outer(time, time)) / np.median(np.diff(time))
    for i, (onset, exponent) in enumerate(zip(fits.onset, fits.exponent, strict=True)):
        shape = np.clip((time - onset) / -onset, 0, 1) ** exponent
        model = sm.GLS(level, sm.add_constant(shape), sigma=rho**steps if rho else None).fit()
        np.testing.assert_allclose([fits.base[i], fits.rise[i]], model.params, rtol=1e-6)
        ours = fits.covariance[i] * freedom(len(time)) / model.df_resid  # rho is estimated too: one less
        np.testing.assert_allclose(ours[[0, 1, 2]], model.cov_params()[[0, 0, 1], [0, 1, 1]], rtol=1e-4)
