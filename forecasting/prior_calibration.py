"""Whether a survival prior says how long machines last, by machines that it was not fitted on.

Most of a type's machines still run, so errors of lives that ended would say of any prior that it is too
long. What each machine went through is its cumulative hazard under a law of the others (Cox and Snell 1968);
failures are then counted against those expected (Breslow and Day, Statistical Methods in Cancer Research II,
1987).
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy.special import pdtr

from forecasting.contract import Run
from forecasting.evaluation import FEWEST, FOLDS
from forecasting.weibull_life import WeibullLife

EARLY, LATE = float(-np.log(0.9)), float(-np.log(0.1))
"""Cumulative hazard at P10 and at P90."""


@dataclass(frozen=True, slots=True)
class PriorCalibration:
    """Failures of machines left out, in all and before P10, beside as many as their priors expected.

    `chance` and `early_chance` are the Poisson probabilities of no more failures than there were, and of so
    many before P10, if the prior is right. `coverage` is the share of the failures between P10 and P90,
    `spread_h` how many hours of age the first of them and the last are apart.
    """

    failures: int
    expected: float
    chance: float
    early: int
    early_expected: float
    early_chance: float
    coverage: float
    spread_h: float

    def as_json(self) -> dict[str, float]:
        """Rounded to what matters."""
        return {name: round(value, 3) for name, value in asdict(self).items()}


def calibration(runs: Sequence[Run], assets: Sequence[int]) -> PriorCalibration | None:
    """Cross-validated over assets (`assets` says whose each run is); None if there are too few failures."""
    found = list(_hazards(runs, assets))
    hazard, failed = np.array([h for h, _ in found]), np.array([f for _, f in found], np.bool_)
    if failed.sum() < FEWEST:
        return None
    early, inside = int((failed & (hazard < EARLY)).sum()), (hazard >= EARLY) & (hazard <= LATE)
    expected, early_expected = float(hazard.sum()), float(np.minimum(hazard, EARLY).sum())
    return PriorCalibration(
        failures=int(failed.sum()),
        expected=expected,
        chance=float(pdtr(failed.sum(), expected)),
        early=early,
        early_expected=early_expected,
        early_chance=float(1.0 - pdtr(early - 1, early_expected)) if early else 1.0,
        coverage=float(inside[failed].mean()),
        spread_h=float(np.ptp([run.history.age_h[-1] for run in runs if run.failed])),
    )


def _hazards(runs: Sequence[Run], assets: Sequence[int]) -> Iterator[tuple[float, bool]]:
    """What each run went through by the law of the other machines, and whether it failed."""
    failing = {asset for run, asset in zip(runs, assets, strict=True) if run.failed}
    owners = sorted(set(assets), key=lambda asset: (asset not in failing, asset))  # failures spread evenly
    fold = {asset: number % FOLDS for number, asset in enumerate(owners)}
    for number in range(min(FOLDS, len(owners))):
        prior = WeibullLife()
        prior.fit([run for run, asset in zip(runs, assets, strict=True) if fold[asset] != number])
        for run, asset in zip(runs, assets, strict=True):
            hazard = prior.hazard(run) if fold[asset] == number else None
            if hazard is not None:
                yield hazard, run.failed
