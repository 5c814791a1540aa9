"""What surroundings explain is found though machines have faults, and what they do not explain is left."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from console.surroundings import spread
from detectors.contract import StateError
from detectors.surroundings import LAG_H, Surroundings
from detectors.surroundings_fit import LEAST_H, Names, Rival, Weeks, fit, held_out
from fleet.model_gate import surroundings_objections

HOUR = 491_000
NAMES = Names(("oil", "noise", "silent"), ("load",), ("air",))


def smoothed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each hour of a first-order lag, a hundred steps an hour."""
    level, found = values[0], np.empty_like(values)
    share = 1 - np.exp(-1 / (100 * LAG_H))
    for i, value in enumerate(values.tolist()):
        steps = value + (level - value) * (1 - share) ** np.arange(1, 101)
        found[i], level = steps.mean(), steps[-1]
    return found


def weeks(
    machines: int, days: int, faulty: int = 0, follows: float = 1.0, at_once: float = 0.0
) -> list[Weeks]:
    """Oil that follows the load at once, air and the load's square with a lag; faults make that more."""
    found = []
    for m in range(machines):
        rng, hour = np.random.default_rng([days, m]), np.arange(24 * days)
        air = 10 + 5 * np.sin(hour / 24 * 2 * np.pi) + rng.normal(0, 1, len(hour))
        load = 50 + 10 * np.sin(hour / 24 * 2 * np.pi + 1) + rng.normal(0, 3, len(hour))
        duty = smoothed(load)
        oil = 30 + m + follows * (0.8 * smoothed(air) + 0.1 * load + 0.01 * (duty - 50) ** 2)
        if m < faulty:
            oil = oil + 3 * np.clip(hour / len(hour) - 0.3, 0, None) * air
        noise = rng.normal(0, 1, len(hour)) + at_once * load
        x = np.column_stack([oil + rng.normal(0, 0.2, len(hour)), noise, np.full(len(hour), np.nan)])
        found.append(Weeks.of(HOUR + hour, np.column_stack([load, air]), x))
    return found


def left(machines: Sequence[Weeks], rival: Rival | None = None) -> NDArray[np.float64]:
    """(windows, channels) parts of the spread that are left."""
    return np.array([window.left / window.plain for window in held_out(machines, NAMES, rival)])


def test_slopes_are_found_though_a_third_of_the_machines_have_a_fault() -> None:
    found = fit(weeks(9, 42, faulty=3), NAMES)
    assert found.channels == ("oil",)
    assert found.usual == pytest.approx([50, 10], abs=1)
    load, air, load_smoothed, air_smoothed, square = found.slope[0].tolist()
    assert (load, air) == pytest.approx((0.1, 0.0), abs=0.05)
    assert (load_smoothed, air_smoothed) == pytest.approx((0.0, 0.8), abs=0.05)
    assert square == pytest.approx(0.01, abs=0.002)


def test_in_weeks_not_seen_little_is_left_of_what_follows_and_all_of_what_does_not() -> None:
    parts = left(weeks(9, 42, faulty=3))
    assert parts.shape == (4, 3)
    assert (parts[:, 0] < 0.4).all()
    np.testing.assert_array_equal(parts[:, 1], 1.0)


def test_what_follows_the_given_ones_at_once_is_left_to_the_machines_own_baselines() -> None:
    assert fit(weeks(6, 42, at_once=30.0), NAMES).channels == ("oil",)


def test_machines_that_follow_nothing_have_nothing_explained_and_the_gate_refuses() -> None:
    machines = weeks(6, 42, follows=0.0)
    nothing = fit(machines, NAMES)
    assert nothing.channels == ()
    found = spread(list(held_out(machines, NAMES)), nothing, NAMES, None)
    assert found["left"] is None
    (why,) = surroundings_objections(found)
    assert why.startswith("load and weather explain nothing")


def test_the_gate_lets_through_what_explains_machines_of_which_a_third_have_a_fault() -> None:
    machines = weeks(9, 42, faulty=3)
    found = spread(list(held_out(machines, NAMES)), fit(machines, NAMES), NAMES, None)
    assert surroundings_objections(found) == []
    assert found["channels"].keys() == {"oil"}


def test_another_fit_is_asked_about_hours_alone_that_it_had_not_seen() -> None:
    machines = weeks(6, 42)
    half = HOUR + 31 * 24
    windows = list(held_out(machines, NAMES, Rival(fit(machines, NAMES), half)))
    assert [window.rival is not None for window in windows] == [window.first >= half for window in windows]
    assert [window.rival is None for window in windows] == [True, True, False, False]


def test_too_few_machines_or_days_are_refused_with_what_is_needed() -> None:
    with pytest.raises(ValueError, match="2 machines have load and weather on record, 3 are needed"):
        fit(weeks(2, 42), NAMES)
    with pytest.raises(ValueError, match=f"21 days of hours are on record, {LEAST_H // 24} are needed"):
        list(held_out(weeks(6, 21), NAMES))
    blind = [Weeks.of(each.hour, each.around * np.nan, each.x) for each in weeks(6, 42)]
    with pytest.raises(ValueError, match="0 machines have load and weather"):
        fit(blind, NAMES)


def test_missing_hours_and_values_teach_nothing_and_break_nothing() -> None:
    rng = np.random.default_rng(3)
    holes = []
    for each in weeks(6, 42):
        kept = rng.random(len(each.hour)) > 0.2
        x = np.where(rng.random(each.x.shape) < 0.2, np.nan, each.x)
        around = np.where(rng.random((len(each.hour), 2)) < 0.05, np.nan, each.around)
        holes.append(Weeks.of(each.hour[kept], around[kept], x[kept]))
    found = fit(holes, NAMES)
    assert found.channels == ("oil",)
    assert found.slope[0, [1, 3]].sum() == pytest.approx(0.8, abs=0.1)


@pytest.mark.parametrize("follows", [1.0, 0.0])
def test_a_fit_is_the_same_after_it_was_kept(follows: float) -> None:
    found = fit(weeks(6, 42, follows=follows), NAMES)
    again = Surroundings.read(found.state())
    assert again.state() == found.state()
    np.testing.assert_array_equal(again.slope, found.slope)


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"[]",
        b'{"version": 9}',
        Surroundings(("oil",), (), ("air",), np.zeros(1), np.zeros((2, 2))).state(),
        Surroundings(("oil",), ("load",), (), np.zeros(1), np.zeros((1, 2))).state(),
    ],
)
def test_what_is_no_fit_is_refused(state: bytes) -> None:
    with pytest.raises(StateError, match="fit them again"):
        Surroundings.read(state)
