"""How well a forecaster does on machines that it was not fitted on."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.contract import Forecaster, History, Run, Verdict

Floats = NDArray[np.float64]

FOLDS = 5
PARTS = np.array([0.2, 0.35, 0.5, 0.65, 0.8, 0.95])
"""Of each life, the instants that are forecast from."""

FEWEST = 4
"""Failures below which nothing can be said."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Errors of P50 in hours on assets left out, beside those of the dummy: the median life less the age.

    `coverage` is the share of lives between P10 and P90, .8 if all is well; `width_h` is how far apart these
    are. `answered` is the share of instants at which there was a number.
    """

    failures: int
    answered: float
    mae_h: float
    dummy_mae_h: float
    coverage: float
    width_h: float

    def as_json(self) -> dict[str, Any]:
        """Rounded to what matters; None for what there is not without an answer."""
        return {k: round(value, 3) if np.isfinite(value) else None for k, value in asdict(self).items()}


def evaluate(make: Callable[[], Forecaster], runs: Sequence[Run], assets: Sequence[int]) -> Evaluation | None:
    """Cross-validated over assets; `assets` says whose each run is. None if there are too few failures."""
    failed = [n for n, run in enumerate(runs) if run.failed and len(run.history.age_h) >= len(PARTS)]
    owners = sorted({assets[n] for n in failed})
    if len(failed) < FEWEST or len(owners) < 2:
        return None
    fold = {asset: number % FOLDS for number, asset in enumerate(owners)}
    parts = []
    for number in range(min(FOLDS, len(owners))):
        out = [runs[n] for n in failed if fold[assets[n]] == number]
        seen = [run for run, asset in zip(runs, assets, strict=True) if fold.get(asset) != number]
        forecaster = make()
        forecaster.fit(seen)
        parts.append(_compare(forecaster, seen, out))
    return _summary(len(failed), np.vstack(parts))


def _compare(forecaster: Forecaster, seen: Sequence[Run], out: Sequence[Run]) -> Floats:
    """(n, 5): true life, dummy's and three quantiles at each instant of the lives left out, NaN without."""
    lives = [float(run.history.age_h[-1] - run.history.age_h[0]) for run in seen if run.failed]
    usual = float(np.median(lives)) if lives else 0.0
    rows = []
    for run in out:
        age, x = run.history.age_h, run.history.x
        at = np.searchsorted(age - age[0], PARTS * (age[-1] - age[0]))
        said = forecaster.predict([History(age[: i + 1], x[: i + 1]) for i in at])
        for i, one in zip(at, said, strict=True):
            answer = one.verdict is Verdict.ESTIMATE
            quantiles = (one.p10_h, one.p50_h, one.p90_h) if answer else (np.nan, np.nan, np.nan)
            rows.append((age[-1] - age[i], max(usual - (age[i] - age[0]), 0.0), *quantiles))
    return np.array(rows, np.float64).reshape(-1, 5)


def _summary(failures: int, rows: Floats) -> Evaluation:
    known = np.isfinite(rows[:, 3])
    true, dummy, p10, p50, p90 = rows[known].T
    if not known.any():
        return Evaluation(failures, 0.0, np.inf, float(np.abs(rows[:, 1] - rows[:, 0]).mean()), 0.0, np.inf)
    return Evaluation(
        failures,
        float(known.mean()),
        float(np.abs(p50 - true).mean()),
        float(np.abs(dummy - true).mean()),
        float(((p10 <= true) & (true <= p90)).mean()),
        float((p90 - p10).mean()),
    )
