"""A model answers only if it is better than knowing nothing, no worse than the champion, and honest."""

import numpy as np
import pytest

from fleet.model_gate import (
    FEWEST_CHECKED,
    FEWEST_COMPARED,
    LifeSaid,
    against_champion,
    objections,
    prior_objections,
    proposals,
    surroundings_objections,
)
from fleet.model_scope import Scope, nearest
from forecasting.comparison import Comparison
from forecasting.drift import decile_edges, error_profile, expected_error, shares, stability_index

GOOD = {"answered": 0.9, "mae_h": 40.0, "dummy_mae_h": 100.0, "coverage": 0.82}


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (GOOD, None),
        (GOOD | {"mae_h": 100.0}, "no less than the median life"),
        (GOOD | {"coverage": 0.5}, "50% of the lives"),
        (GOOD | {"coverage": 1.0}, "100% of the lives"),
        (GOOD | {"answered": 0.3}, "a number at 30% of the instants"),
        (None, "too few failures"),
    ],
)
def test_what_speaks_against_a_model(new: dict[str, float] | None, said: str | None) -> None:
    found = objections(new)
    assert found == [] if said is None else said in found[0]


FEW = FEWEST_COMPARED - 1


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"here": Comparison(9, 41.9, 40.0)}, []),
        ({"here": Comparison(9, 43.0, 40.0)}, ["it errs by 43 h, the champion by 40 h (9 lives here)"]),
        ({"here": Comparison(FEW, 10.0, 40.0)}, ["too few lives tell it from the champion: 4 here, of 5"]),
        ({"a": Comparison(FEW, 90.0, 40.0), "b": Comparison(9, 10.0, 40.0)}, []),
        ({"a": Comparison(9, 90.0, 40.0), "b": Comparison(9, 10.0, 40.0)}, ["by 90 h, the champion by 40 h"]),
        ({"here": Comparison(9, 40.0, np.inf)}, []),
    ],
)
def test_one_comparison_with_enough_lives_is_needed_and_none_may_be_lost(
    found: dict[str, Comparison], said: list[str]
) -> None:
    against = against_champion(found)
    assert len(against) == len(said)
    assert all(words in why for words, why in zip(said, against, strict=True))


SOUND = {
    "failures": 8,
    "expected": 7.0,
    "chance": 0.7,
    "early": 1,
    "early_expected": 1.2,
    "early_chance": 0.7,
    "coverage": 0.75,
    "spread_h": 900.0,
}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (SOUND, None),
        (None, "too few failures on record"),
        (SOUND | {"spread_h": 0.5, "coverage": 0.0}, "at the same age (0% of them between P10 and P90)"),
        (SOUND | {"early": 6, "early_chance": 0.002}, "6 of 8 failures came before P10"),
        (SOUND | {"expected": 30.0, "chance": 1e-6}, "8 machines failed"),
    ],
)
def test_what_speaks_against_a_prior(found: dict[str, float] | None, said: str | None) -> None:
    against = prior_objections(found)
    assert against == [] if said is None else said in against[0]


def test_a_tenants_own_comes_before_the_types_and_anothers_never() -> None:
    lift, acme, other = Scope("lift"), Scope("lift", "acme"), Scope("lift", "other")
    assert nearest({lift: 1, acme: 2}, acme) == 2
    assert nearest({lift: 1, other: 3}, acme) == 1
    assert nearest({other: 3, Scope("press", "acme"): 4}, acme) is None
    assert nearest({acme: 2}, lift) is None


def test_a_shift_and_broken_intervals_are_reasons_to_fit_again() -> None:
    assert proposals({"the wear": 0.1}, [], None) == []
    assert "the wear has shifted" in proposals({"the wear": 0.3}, [], None)[0]
    broken = [LifeSaid(0.0, 10.0, None)] * FEWEST_CHECKED
    assert proposals({}, broken[1:], None) == []
    assert "0% of the forecasts for 10 lives" in proposals({}, broken, None)[0]
    held = LifeSaid(1.0, 10.0, None)
    assert proposals({}, [held] * (FEWEST_CHECKED - 2) + broken[:2], None) == []


def test_fewer_intervals_that_hold_and_larger_errors_than_at_the_fit_are_reasons_too() -> None:
    said = [LifeSaid(0.7, 30.0, 20.0)] * FEWEST_CHECKED
    assert proposals({}, said, 0.8) == []
    (fewer,) = proposals({}, said, 0.9)
    assert fewer.startswith("70% of the forecasts for 10 lives held")
    assert fewer.endswith("and 90% did when it was fitted")
    worse = [LifeSaid(0.8, 31.0, 20.0)] * FEWEST_CHECKED
    assert proposals({}, worse, 0.8) == ["its forecasts for 10 lives erred by 31 h, 20 h when it was fitted"]
    assert proposals({}, worse[1:], 0.8) == []
    unknown = [LifeSaid(0.8, 31.0, None)]
    assert proposals({}, worse[1:] + unknown, 0.8) == []


def test_errors_are_expected_by_the_life_that_is_left() -> None:
    left = np.arange(100.0)
    profile = error_profile(left, left / 10.0)
    assert len(profile["left_h"]) == 5
    assert expected_error(profile, [9.5, 49.5, 500.0]) == pytest.approx([0.95, 4.95, 8.95])
    assert error_profile([], [])["left_h"] == []


def test_the_stability_index_is_nothing_for_the_same_and_major_for_another_half() -> None:
    rng = np.random.default_rng(0)
    then, same, other = rng.normal(size=2000), rng.normal(size=2000), rng.normal(1.0, 1.0, 2000)
    edges = decile_edges(then)
    before = shares(edges, then)
    assert before == pytest.approx([0.1] * 10, abs=0.01)
    assert stability_index(before, edges, same) < 0.05
    assert stability_index(before, edges, other) > 0.25
    # Siddiqi's definition by hand: two bins, .5/.5 before and .8/.2 now
    assert stability_index([0.5, 0.5], [0.0], [-1.0] * 8 + [1.0] * 2) == pytest.approx(
        0.3 * np.log(1.6) - 0.3 * np.log(0.4)
    )


def test_values_that_are_all_alike_have_no_bins_to_shift_between() -> None:
    edges = decile_edges([3.0] * 50)
    assert edges == [3.0]
    assert decile_edges([]) == []
    assert stability_index(shares(edges, [3.0] * 50), edges, [3.0] * 50) < 0.01


def explained(
    left: float | None = 0.4, windows: tuple[float, ...] = (0.3, 0.5, 0.4, 0.4), **more: object
) -> dict[str, object]:
    parts = [{"from": f"2026-0{n}-01T00:00:00+00:00", "left": part} for n, part in enumerate(windows, 1)]
    return {"left": left, "windows": parts, "channels": {"oil": left}, **more}


def test_what_surroundings_explain_is_used_where_it_is_clearly_better_in_weeks_not_seen() -> None:
    assert surroundings_objections(explained()) == []
    assert surroundings_objections(explained(0.8)) == []
    assert surroundings_objections(explained(0.85)) == [
        "it leaves 85% of the spread in weeks that it had not seen, 80% pay"
    ]
    assert surroundings_objections(explained(windows=(0.3, 0.3, 1.2, 0.3))) == [
        "from 2026-03-01 on it left 120% of the spread"
    ]
    assert surroundings_objections(explained(channels={"oil": 0.2, "gas": 1.1})) == [
        "gas spreads more with it"
    ]
    (why,) = surroundings_objections(explained(None))
    assert why.startswith("load and weather explain nothing")


def test_it_is_held_against_what_is_in_use_in_weeks_that_neither_had_seen() -> None:
    def beside(left: float | None, its_left: float | None) -> list[str]:
        said = {"model": "surroundings:1", "windows": 2, "left": left, "its_left": its_left}
        return surroundings_objections(explained(beside=said))

    assert beside(0.4, 0.39) == []
    assert beside(0.5, 0.4) == ["it leaves 50% of the spread, and surroundings:1, which is in use, 40%"]
    assert beside(None, None) == ["nothing on record since surroundings:1 was fitted tells it from that"]
