"""A model answers only if it is better than knowing nothing, no worse than the champion, and honest."""

import numpy as np
import pytest

from fleet.model_gate import FEWEST_CHECKED, objections, proposals
from forecasting.drift import decile_edges, shares, stability_index

GOOD = {"answered": 0.9, "mae_h": 40.0, "dummy_mae_h": 100.0, "coverage": 0.82}


@pytest.mark.parametrize(
    ("new", "champion", "said"),
    [
        (GOOD, None, None),
        (GOOD, GOOD, None),
        (GOOD | {"mae_h": 41.9}, GOOD, None),
        (GOOD | {"mae_h": 43.0}, GOOD, "the champion by 40 h"),
        (GOOD, {"answered": 0.0}, None),
        (GOOD | {"mae_h": 100.0}, None, "no less than the median life"),
        (GOOD | {"coverage": 0.5}, None, "50% of the lives"),
        (GOOD | {"coverage": 1.0}, None, "100% of the lives"),
        (GOOD | {"answered": 0.3}, None, "a number at 30% of the instants"),
        (None, GOOD, "too few failures"),
    ],
)
def test_what_speaks_against_a_model(
    new: dict[str, float] | None, champion: dict[str, float] | None, said: str | None
) -> None:
    found = objections(new, champion)
    assert found == [] if said is None else said in found[0]


def test_a_shift_and_broken_intervals_are_reasons_to_fit_again() -> None:
    assert proposals({"the wear": 0.1}, []) == []
    assert "the wear has shifted" in proposals({"the wear": 0.3}, [])[0]
    broken = [0.0] * FEWEST_CHECKED
    assert proposals({}, broken[1:]) == []
    assert "0% of the forecasts for 10 lives" in proposals({}, broken)[0]
    assert proposals({}, [1.0] * (FEWEST_CHECKED - 2) + [0.0] * 2) == []


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
