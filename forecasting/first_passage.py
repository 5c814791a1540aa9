"""Remaining life of a counter that only grows: first passage of a Gamma process at the pace of late."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betainc, gammaln

from forecasting.contract import LIMIT, Forecast, Forecaster, History, Run, Verdict
from forecasting.model_bytes import pack, unpack
from forecasting.points import in_order, usable
from forecasting.robust_trend import RobustTrend

Floats = NDArray[np.float64]

FEWEST_POINTS = 12

BLOCKS = ((168.0, 6, 8), (24.0, 6, 28))
"""Hours of a block of use, fewest and most of them that count: whole weeks, or else whole days, so that
nights and weekends do not pass for noise; what is longer ago tells little of the pace to come."""
SHORT_BLOCKS = 8
"""Of a history of less than six days so many blocks are made."""

SHAPES = np.geomspace(0.05, 1e5, 60)
"""Shapes of a block's use, from bursts to clockwork; all are weighed by how well they explain the blocks."""
NEGLIGIBLE = 1e-4
"""A shape of this weight beside the best is left out."""
IDLE = 1e-3
"""A block without use counts as this part of an even share: a Gamma variable is never 0."""
MOST_ALIKE = 0.9
"""Blocks that resemble the one before say less; no less than a nineteenth of what independent ones would."""

HORIZON = 20.0
"""Nothing is said beyond this many times the observed span."""
FURTHEST = 7.0
"""Quantiles are looked for within this many e-folds of an even pace."""


class FirstPassage:
    """A counter (cycles, hours, damage) goes on as it went of late, with what its blocks of use leave open.

    The quantiles hold the scatter of the use to come and that the past one tells the pace only roughly, not
    another duty than the one so far. A history that falls is no counter: there `RobustTrend` answers.
    """

    NAME: ClassVar[str] = "first_passage"
    VERSION: ClassVar[int] = 1

    def __init__(self) -> None:
        self._kind = f"{self.NAME}-{self.VERSION}"
        self._trend = RobustTrend()

    def fit(self, runs: Sequence[Run]) -> None:
        """Nothing is learned from other runs."""

    def predict(self, histories: Sequence[History]) -> list[Forecast]:
        """Forecast each history from its last row."""
        return [_counted(history) or self._trend.predict([history])[0] for history in histories]

    def state(self) -> bytes:
        """The name and version only."""
        return pack(self._kind, {})

    def load(self, state: bytes) -> None:
        """Accept what `state` gave; raises `ModelError`."""
        unpack(self._kind, state, {})


def _counted(history: History) -> Forecast | None:
    """The forecast of a counter since its last reset; None if it is none, stands still or is done."""
    age, x = in_order(history.age_h, history.x[:, :1])
    if not len(age) or x[-1, 0] >= LIMIT:
        return None
    age, level = usable(age, x[:, 0])
    if len(age) < FEWEST_POINTS or (np.diff(level) < 0).any() or level[-1] <= level[0]:
        return None
    block_h, use = _blocks(age, level)
    if use.sum() <= 0:
        return Forecast(Verdict.NO_TREND, basis=f"no use in the last {block_h * len(use):.0f} h")
    basis = f"use in the last {block_h * len(use):.0f} h"
    p10, p50, p90 = (block_h * blocks for blocks in _first_passage(use, LIMIT - float(level[-1])))
    furthest = HORIZON * float(age[-1] - age[0])
    if p90 > furthest:
        return Forecast(Verdict.MORE_THAN, min(p10, furthest), basis=basis)
    return Forecast(Verdict.ESTIMATE, p10, p50, p90, basis)


def _blocks(age: Floats, level: Floats) -> tuple[float, Floats]:
    """Hours of a block, and the use in each (n,) up to now."""
    span = float(age[-1] - age[0])
    for hours, fewest, most in BLOCKS:
        if span >= fewest * hours:
            n = min(int(span / hours), most)
            break
    else:
        hours, n = span / SHORT_BLOCKS, SHORT_BLOCKS
    return hours, np.diff(np.interp(age[-1] - hours * np.arange(n, -1, -1), age, level))


def _first_passage(use: Floats, needed: float) -> list[float]:
    """P10, P50, P90 of the blocks until `needed` is used.

    For a Gamma process the part of future use in all use, past and future, is a Beta variable, and the shares
    of the past blocks are a Dirichlet one: neither depends on the unknown scale, so the law is exact for each
    shape (van Noortwijk 2009, sections 2 and 4; scale under the prior 1 / scale).
    """
    n, total = len(use), float(use.sum())
    weight = _shape_weights(use / total)
    shape, weight = _independent(use) * SHAPES[weight > 0], weight[weight > 0]
    part = needed / (needed + total)
    even = float(np.log(n * needed / total))

    def log_blocks(chance: float) -> float:
        def short(log: float) -> float:
            return float(weight @ betainc(np.exp(log) * shape, n * shape, part)) - (1.0 - chance)

        soonest, latest = even - FURTHEST, even + FURTHEST
        if short(latest) > 0:
            return latest
        return float(brentq(short, soonest, latest)) if short(soonest) > 0 else soonest

    return [float(np.exp(log_blocks(chance))) for chance in (0.1, 0.5, 0.9)]


def _shape_weights(share: Floats) -> Floats:
    """Posterior of SHAPES, flat in the logarithm, from the shares (n,) that the blocks have of all use."""
    n = len(share)
    share = np.maximum(share, IDLE / n)
    share = share / share.sum()
    log = gammaln(n * SHAPES) - n * gammaln(SHAPES) + SHAPES * np.log(share).sum()
    weight = np.exp(log - log.max())
    weight[weight < NEGLIGIBLE] = 0.0
    return np.asarray(weight / weight.sum())


def _independent(use: Floats) -> float:
    """How many independent blocks a block is worth, by lag-1 autocorrelation less its bias (Kendall 1954)."""
    d, n = use - use.mean(), len(use)
    rho = max(float(d[1:] @ d[:-1]) / max(float(d @ d), 1e-300), 0.0)
    rho = min(rho + (1.0 + 4.0 * rho) / n, MOST_ALIKE)
    return (1.0 - rho) / (1.0 + rho)


FORECASTER: type[Forecaster] = FirstPassage
