"""Which model may answer: what speaks against one, by its scores on machines that it was not fitted on."""

from collections.abc import Mapping, Sequence

LEAST_COVERAGE, MOST_COVERAGE = 0.65, 0.95
"""Of intervals that promise 80 %, on a few dozen lives."""

WORSE = 1.05
"""So many times the champion's error count as worse."""

MAJOR_SHIFT = 0.25
"""Population stability index from which a shift is major (Siddiqi, Credit Risk Scorecards, 2006)."""

FEWEST_CHECKED = 10
"""Lives that ended in failure, below which the coverage of their forecasts says nothing."""

LEAST_ANSWERED = 0.5
"""Of the instants asked about."""

Scores = Mapping[str, float]
"""As `forecasting.evaluation.Evaluation` has them, in hours and shares; no error without an answer."""


def objections(new: Scores | None, champion: Scores | None) -> list[str]:
    """Why a model should not answer; none if nothing speaks against it."""
    if new is None:
        return ["there are too few failures on record to judge it"]
    if new["answered"] < LEAST_ANSWERED:
        return [f"it has a number at {new['answered']:.0%} of the instants asked about"]
    found = []
    if new["mae_h"] >= new["dummy_mae_h"]:
        found.append(
            f"it errs by {new['mae_h']:.0f} h, no less than the median life does ({new['dummy_mae_h']:.0f} h)"
        )
    if champion is not None and champion["answered"] and new["mae_h"] > WORSE * champion["mae_h"]:
        found.append(f"it errs by {new['mae_h']:.0f} h, the champion by {champion['mae_h']:.0f} h")
    if not LEAST_COVERAGE <= new["coverage"] <= MOST_COVERAGE:
        found.append(f"{new['coverage']:.0%} of the lives are between P10 and P90, where 80 % should be")
    return found


def proposals(shifts: Mapping[str, float], held: Sequence[float]) -> list[str]:
    """Why a model should be fitted again: what its machines show has shifted, or its intervals do not hold.

    shifts: population stability index by what is seen. held: of each life that has ended in failure since,
    the share of the forecasts of its end in which that came between P10 and P90. A life counts once, since
    its forecasts, two a day, are all wrong together.
    """
    found = [
        f"{what} has shifted (stability index {index:.2f}, {MAJOR_SHIFT:g} is major)"
        for what, index in shifts.items()
        if index > MAJOR_SHIFT
    ]
    if len(held) >= FEWEST_CHECKED:
        share = sum(held) / len(held)
        if share < LEAST_COVERAGE:
            found.append(
                f"{share:.0%} of the forecasts for {len(held)} lives held (end between P10 and P90), where "
                "80 % should"
            )
    return found
