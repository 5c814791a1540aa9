"""Which fault modes an anomaly speaks for, and how strongly (ISO 13379-1: diagnosis from symptoms).

Naive Bayes over channels: each part of the anomaly falls on a channel and to a side with the probability
that the mode's signs give it, as if `WORTH` parts had been drawn. An unknown fault may show anywhere, most
likely in few channels: its probabilities have a sparse Dirichlet distribution.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import lgamma

import numpy as np
from numpy.typing import NDArray

from fleet.dissolved_gas import GasVerdict
from fleet.sign import Sign, Way
from fleet.vertical import Counted, FaultMode, VerticalPack

WORTH = 6.0
"""Independent observations that the shares of one anomaly are worth: see docs/results.md."""

STRAY = 0.1
"""Part of an anomaly that falls on channels without a sign: see docs/results.md."""

CONTRARY = 0.05
"""Probability that a channel goes the other way than its sign says; engineering default."""

SPARSE = 0.3
"""Parameter of that distribution, for each channel; at 1 any pattern is as likely: see docs/results.md."""

UNKNOWN_PRIOR = 0.1
"""Probability of a fault that the pack does not know, before anything is seen; engineering default."""

WORN, SPENT = 2.0, 4.0
"""How many times likelier a mode is once a counter it names is past its warning, or its limit; engineering
defaults."""

GASES_SAY = 5.0
"""How many times likelier a mode is that the dissolved gases speak for; engineering default."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Symptoms:
    """What an anomaly shows. shares: (channels,) its parts, 0 to 1; expected, actual: (channels,) in the
    channels' units, NaN where unknown. `worn`: the machine's wear counters that are known. `code`: that of
    the state channel. `gas`: what dissolved gases say.
    """

    shares: Values
    expected: Values
    actual: Values
    worn: Sequence[Counted] = ()
    code: int | None = None
    gas: GasVerdict | None = None

    def way(self, column: int) -> Way:
        """Where a channel went, `EITHER` if that is not known."""
        change = self.actual[column] - self.expected[column]
        return Way.UP if change > 0 else Way.DOWN if change < 0 else Way.EITHER

    def unsampled(self, pack: VerticalPack) -> frozenset[str]:
        """The channels of waveforms that say nothing: most machines send none."""
        channels, silent = pack.equipment_type.channels, np.isnan(self.actual) & (self.shares == 0)
        return pack.of_waveforms & {channels[k].name for k in np.flatnonzero(silent).tolist()}

    def signs(self, pack: VerticalPack, mode: FaultMode) -> list[Sign]:
        """The mode's signs that can show now."""
        unsampled = self.unsampled(pack)
        return [sign for sign in mode.signs if sign.shows(self.code) and sign.channel not in unsampled]


def beliefs(pack: VerticalPack, symptoms: Symptoms) -> Values:
    """(modes + 1,) the probability of each fault mode of the pack, last of an unknown one; their sum is 1."""
    unsampled = symptoms.unsampled(pack)
    sampled = (channel for channel in pack.equipment_type.channels if channel.name not in unsampled)
    measured = max(sum(channel.kind == "measurement" for channel in sampled), 1)
    modes = pack.fault_modes
    fit = [WORTH * _fit(pack, mode, symptoms, 1 / measured) for mode in modes]
    beside = [_by_wear(mode, symptoms) * _by_gases(mode, symptoms) for mode in modes]
    prior = [(1 - UNKNOWN_PRIOR) / len(modes) * factor for factor in beside]
    odds = np.log([*prior, UNKNOWN_PRIOR]) + np.array([*fit, _anywhere(symptoms.shares, measured)])
    odds = np.exp(odds - odds.max())
    return np.asarray(odds / odds.sum(), np.float64)


def _fit(pack: VerticalPack, mode: FaultMode, symptoms: Symptoms, evenly: float) -> float:
    """Mean log-probability of the anomaly's parts under a mode; `evenly` is a channel's part among all."""
    chance = np.full(len(symptoms.shares), STRAY * evenly)
    signs = symptoms.signs(pack, mode)
    total = sum(sign.weight for sign in signs)
    for sign in signs:
        column = pack.equipment_type.column(sign.channel)
        chance[column] += (1 - STRAY) * sign.weight / total * agreement(sign, symptoms.way(column))
    return float(symptoms.shares @ np.log(chance))


def agreement(sign: Sign, way: Way) -> float:
    """How many times likelier that way is under the sign than under one for either way."""
    if Way.EITHER in {sign.way, way}:
        return 1.0
    return 2 * (1 - CONTRARY) if sign.way == way else 2 * CONTRARY


def _anywhere(shares: Values, measured: int) -> float:
    """Log-probability of the anomaly's parts under an unknown fault."""
    parts = WORTH * shares[shares > 0]
    total, whole = float(parts.sum()), SPARSE * measured
    each = sum(lgamma(part + SPARSE) - lgamma(SPARSE) for part in parts.tolist())
    return lgamma(whole) - lgamma(whole + total) + each


def _by_wear(mode: FaultMode, symptoms: Symptoms) -> float:
    """How many times likelier the wear counters make a mode."""
    factor = 1.0
    for counter, use in symptoms.worn:
        if counter.name in mode.wear and use >= counter.warning:
            factor = max(factor, SPENT if use >= counter.limit else WORN)
    return factor


def _by_gases(mode: FaultMode, symptoms: Symptoms) -> float:
    return GASES_SAY if symptoms.gas and symptoms.gas.faults.intersection(mode.gases) else 1.0
