"""Which model may answer: what speaks against one, by forecasts for machines that it was not fitted on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forecasting.comparison import Comparison

LEAST_COVERAGE, MOST_COVERAGE = 0.65, 0.95
"""Of intervals that promise 80 %, on a few dozen lives."""

WORSE = 1.05
"""So many times the champion's error count as worse."""

FEWEST_COMPARED = 5
"""Lives below which two models cannot be told apart: five that all say the same are no chance (1 in 32)."""

CHANCE = 0.05
"""A prior is wrong if what happened had so little probability under it."""

SAME_AGE_H = 1.0
"""Failures this close together in age say nothing of how lives differ."""

MAJOR_SHIFT = 0.25
"""Population stability index from which a shift is major (Siddiqi, Credit Risk Scorecards, 2006)."""

FEWEST_CHECKED = 10
"""Lives that ended in failure, below which their forecasts say nothing of a model."""

ERRS_MORE = 1.5
"""So many times the error that was to be expected count as more."""

FEWER_HELD = 0.15
"""So much less of the lives held than at the fit count as fewer."""

LEAST_ANSWERED = 0.5
"""Of the instants asked about."""

MOST_LEFT = 0.8
"""Of the spread of what machines show, if what surroundings explain is to be worth a new normal."""

Scores = Mapping[str, float]
"""As `forecasting.evaluation.Evaluation` has them, in hours and shares; no error without an answer."""


@dataclass(frozen=True, slots=True)
class LifeSaid:
    """Of a life that ended in failure: the share `held` of its forecasts whose interval its end kept to.

    `error_h` is the mean error of their P50 in hours, `expected_h` what it was at so much life left when the
    model was fitted, if that is known.
    """

    held: float
    error_h: float
    expected_h: float | None


def objections(new: Scores | None) -> list[str]:
    """Why a model should not answer, whatever answers now; none if nothing speaks against it."""
    if new is None:
        return ["there are too few failures on record to judge it"]
    if new["answered"] < LEAST_ANSWERED:
        return [f"it has a number at {new['answered']:.0%} of the instants asked about"]
    found = []
    if new["mae_h"] >= new["dummy_mae_h"]:
        found.append(
            f"it errs by {new['mae_h']:.0f} h, no less than the median life does ({new['dummy_mae_h']:.0f} h)"
        )
    if not LEAST_COVERAGE <= new["coverage"] <= MOST_COVERAGE:
        found.append(f"{new['coverage']:.0%} of the lives are between P10 and P90, where 80 % should be")
    return found


def against_champion(found: Mapping[str, Comparison]) -> list[str]:
    """Why a model should not take the champion's place, by comparisons and where each was made.

    One with enough lives is needed, and none with enough may say that it is worse.
    """
    enough = {where: each for where, each in found.items() if each.lives >= FEWEST_COMPARED}
    if not enough:
        seen = ", ".join(f"{each.lives} {where}" for where, each in found.items())
        return [f"too few lives tell it from the champion: {seen}, of {FEWEST_COMPARED}"]
    return [
        f"it errs by {each.mae_h:.0f} h, the champion by {each.champion_mae_h:.0f} h "
        f"({each.lives} lives {where})"
        for where, each in enough.items()
        if each.mae_h > WORSE * each.champion_mae_h
    ]


def prior_objections(found: Scores | None) -> list[str]:
    """Why a survival prior should not be used; `found` as `forecasting.prior_calibration` has it."""
    if found is None:
        return ["there are too few failures on record to judge it, or they give no law of lives"]
    failures, inside = f"{found['failures']:.0f}", f"{found['coverage']:.0%} of them between P10 and P90"
    if found["spread_h"] <= SAME_AGE_H:
        return [f"all {failures} failures came at the same age ({inside}): how lives differ cannot be told"]
    against = []
    if found["early_chance"] < CHANCE:
        early = f"{found['early']:.0f} of {failures} failures came before P10"
        against.append(f"{early} ({inside}), where {found['early_expected']:.1f} were expected")
    if found["chance"] < CHANCE:
        against.append(f"{failures} machines failed ({inside}), where {found['expected']:.1f} were expected")
    return against


def surroundings_objections(spread: Mapping[str, Any]) -> list[str]:
    """Why a fit of what surroundings explain should not be used; `spread` as its lineage has it."""
    left, channels = spread["left"], spread["channels"]
    if left is None:
        return [
            "load and weather explain nothing of what these machines measure in weeks that it had not seen"
        ]
    found = []
    if left > MOST_LEFT:
        found.append(f"it leaves {left:.0%} of the spread in weeks that it had not seen, {MOST_LEFT:.0%} pay")
    found += [
        f"from {one['from'][:10]} on it left {one['left']:.0%} of the spread"
        for one in spread["windows"]
        if one["left"] is None or one["left"] > 1
    ]
    found += [f"{name} spreads more with it" for name, part in channels.items() if part is None or part > 1]
    return found + _against_fit_in_use(spread.get("beside"))


def _against_fit_in_use(beside: Mapping[str, Any] | None) -> list[str]:
    if beside is None:
        return []
    name, left, its_left = beside["model"], beside["left"], beside["its_left"]
    if left is None or its_left is None:
        return [f"nothing on record since {name} was fitted tells it from that"]
    if left > WORSE * its_left:
        return [f"it leaves {left:.0%} of the spread, and {name}, which is in use, {its_left:.0%}"]
    return []


def proposals(shifts: Mapping[str, float], said: Sequence[LifeSaid], held_then: float | None) -> list[str]:
    """Why a model should be fitted again: its machines have shifted, or its forecasts have become worse.

    shifts: population stability index by what is seen. said: what it said of each life that has ended in
    failure since it answers; a life counts once, since its forecasts, two a day, are all wrong together.
    held_then: coverage on machines left out when it was fitted, if that is known.
    """
    found = [
        f"{what} has shifted (stability index {index:.2f}, {MAJOR_SHIFT:g} is major)"
        for what, index in shifts.items()
        if index > MAJOR_SHIFT
    ]
    return found if len(said) < FEWEST_CHECKED else found + _held_less(said, held_then) + _errs_more(said)


def _held_less(said: Sequence[LifeSaid], then: float | None) -> list[str]:
    share = sum(life.held for life in said) / len(said)
    if share >= LEAST_COVERAGE and (then is None or share >= then - FEWER_HELD):
        return []
    before = "" if then is None else f", and {then:.0%} did when it was fitted"
    held = f"{share:.0%} of the forecasts for {len(said)} lives held (end between P10 and P90)"
    return [f"{held}, where 80 % should{before}"]


def _errs_more(said: Sequence[LifeSaid]) -> list[str]:
    known = [(life.error_h, life.expected_h) for life in said if life.expected_h is not None]
    if len(known) < FEWEST_CHECKED:
        return []
    now, then = (sum(column) / len(known) for column in zip(*known, strict=True))
    if now <= ERRS_MORE * then:
        return []
    return [f"its forecasts for {len(known)} lives erred by {now:.0f} h, {then:.0f} h when it was fitted"]
