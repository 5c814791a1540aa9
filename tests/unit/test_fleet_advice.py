"""Each rule of advice where it speaks, with the right saving, and where it stays silent."""

import numpy as np
import pytest

from fleet.advice import Advice, AdviceRule, Confidence, advise
from fleet.catalog import packs
from fleet.cycle_advice import ExcessCycles
from fleet.hours import Hours
from fleet.idle_advice import Availability, IdleEnergy, IdleShare
from fleet.power_curve_advice import PowerCurveLoss
from fleet.transformer_advice import CoolingLoss, LoadHeadroom

WEEK = 168
TITLES = "Do it", "照做"


def hours(
    codes: dict[int, float] | None = None, n: int = WEEK, **channels: float | np.ndarray[tuple[int], np.dtype]
) -> Hours:
    """So many hours of a span of a week, each with these shares of codes and these means."""
    mean = np.column_stack([np.full(n, np.nan), *(np.broadcast_to(each, n) for each in channels.values())])
    shares = np.zeros((n, max(codes, default=-1) + 1 if codes else 0))
    for code, share in (codes or {}).items():
        shares[:, code] = share
    return Hours(("nothing", *channels), WEEK, np.arange(n), mean, mean, shares)


def said(rule: AdviceRule, now: Hours, before: Hours | None = None) -> Advice | None:
    nothing = now.between(0, 0)
    found = advise([rule], now, nothing if before is None else before, nothing)
    return found[0] if found else None


IDLE = IdleShare("idle", *TITLES, idle=(1,), on=(1, 2, 3), target=0.3)


def test_idle_time_beyond_the_target_could_be_saved() -> None:
    found = said(IDLE, hours({0: 0.5, 1: 0.25, 2: 0.25}))  # 84 h on, 42 h of them idle, 25.2 are enough
    assert found
    assert (found.saving, found.unit, found.confidence) == (16.8, "h", Confidence.HIGH)
    assert found.reason_en == "Idle for 42 of 84 h (50%); 30% is enough"
    fuel = IdleShare("fuel", *TITLES, idle=(1,), on=(1, 2), target=0.3, per_hour=5.0, unit="L")
    litres = said(fuel, hours({0: 0.5, 1: 0.25, 2: 0.25}))
    assert litres
    assert (litres.saving, litres.unit, litres.confidence) == (84.0, "L", Confidence.MEDIUM)
    assert said(IDLE, hours({0: 0.5, 1: 0.1, 2: 0.4})) is None
    assert said(IDLE, hours({0: 1.0})) is None  # never on


def test_whole_hours_at_rest_could_be_switched_off() -> None:
    rule = IdleEnergy("off", *TITLES, idle=(0,), saved_kw=1.5)
    shares = np.where(np.arange(WEEK) < 50, 1.0, 0.5)
    week = hours({0: 0.5, 1: 0.5})
    week.shares[:, 0], week.shares[:, 1] = shares, 1 - shares
    found = said(rule, week)
    assert found
    assert (found.saving, found.unit) == (75.0, "kWh")
    assert said(rule, hours({0: 0.9, 1: 0.1})) is None  # never for a whole hour
    assert said(rule, hours()) is None  # its state is not known


def test_a_spindle_that_turns_without_a_program_counts_alone() -> None:
    rule = IdleEnergy("spin", *TITLES, idle=(0,), saved_kw=2.0, channel="speed", above=100.0)
    turning = np.where(np.arange(WEEK) < 30, 5000.0, 0.0)
    found = said(rule, hours({0: 1.0}, speed=turning))
    assert found
    assert found.saving == 60.0
    assert said(rule, hours({0: 1.0}, speed=0.0)) is None


def test_hours_lost_within_those_that_are_worked_are_told() -> None:
    rule = Availability("oee", *TITLES, idle=(0,))
    found = said(rule, hours({0: 0.4, 1: 0.6}))
    assert found
    assert found.saving == pytest.approx(0.25 * WEEK)
    assert said(rule, hours({0: 0.1, 1: 0.9})) is None
    assert said(rule, hours({0: 1.0})) is None  # not used at all


def test_doors_that_open_again_are_told_by_their_counters() -> None:
    rule = ExcessCycles("door", *TITLES, cycles="doors", work="trips", allowed=1.2)
    trips = 1000 + 10.0 * np.arange(WEEK)
    found = said(rule, hours(doors=1.5 * trips, trips=trips))
    assert found
    assert found.saving == pytest.approx(0.3 * 1670)
    assert said(rule, hours(doors=1.1 * trips, trips=trips)) is None
    assert said(rule, hours(doors=1.5 * trips, trips=1000.0)) is None  # too few trips
    reset = np.where(np.arange(WEEK) < 80, trips, trips - 1800)
    again = said(rule, hours(doors=1.5 * reset, trips=reset))  # a counter that is set back
    assert again
    assert again.saving == pytest.approx(0.3 * 1660)


def test_oil_above_its_model_costs_insulation_life() -> None:
    rule = CoolingLoss("cool", *TITLES, residual="residual", ageing="ageing")
    ageing = 0.5 * np.arange(WEEK)
    found = said(rule, hours(residual=6.0, ageing=ageing))
    assert found
    assert found.saving == pytest.approx(0.5 * 83.5, abs=0.1)  # 6 K double the ageing
    assert said(rule, hours(residual=1.0, ageing=ageing)) is None


def test_a_cool_transformer_could_carry_more() -> None:
    rule = LoadHeadroom("more", *TITLES, load="load", ambient="ambient", hot_spot="spot")
    spot = np.where(np.arange(WEEK) == 100, 59.0, 40.0)
    found = said(rule, hours(load=500.0, ambient=20.0, spot=spot))
    assert found
    assert found.saving == pytest.approx(500 * ((78 / 39) ** (1 / 1.6) - 1), abs=0.1)
    assert (found.unit, found.confidence) == ("A", Confidence.MEDIUM)
    assert said(rule, hours(load=500.0, ambient=20.0, spot=95.0)) is None


def test_less_power_at_the_same_wind_than_before_is_energy_lost() -> None:
    rule = PowerCurveLoss("curve", *TITLES, power="power", wind="wind")
    wind = 4.0 + np.arange(WEEK) % 12
    before = hours(power=100.0 * wind, wind=wind)
    found = said(rule, hours(power=90.0 * wind, wind=wind), before)
    assert found
    assert found.saving == pytest.approx(10.0 * wind.sum())
    assert found.unit == "kWh"
    assert said(rule, hours(power=99.0 * wind, wind=wind), before) is None
    assert said(rule, hours(power=50.0 * wind, wind=wind + 30), before) is None  # winds without a curve


def test_what_was_advised_is_held_against_what_came() -> None:
    idle, better = hours({1: 0.6, 2: 0.4}), hours({1: 0.4, 2: 0.6})
    found = said(IDLE, better, idle)
    assert found
    assert (found.advised, found.saving, found.realised) == pytest.approx((50.4, 16.8, 33.6))
    worse = said(IDLE, idle, better)
    assert worse
    assert worse.realised == pytest.approx(-33.6)
    done = said(IDLE, hours({1: 0.1, 2: 0.9}), idle)
    assert done
    assert (done.saving, done.realised) == pytest.approx((0.0, 50.4))
    fresh = said(IDLE, idle)
    assert fresh
    assert (fresh.advised, fresh.realised) == (None, None)


@pytest.mark.parametrize(("n", "confidence"), [(140, "high"), (100, "medium"), (60, "low"), (20, None)])
def test_few_hours_give_little_confidence_or_no_advice(n: int, confidence: str | None) -> None:
    found = said(IDLE, hours({1: 0.6, 2: 0.4}, n))
    assert (found and found.confidence) == confidence


@pytest.mark.parametrize("name", ["elevator", "machine-tool", "transformer"])
def test_the_packs_advice_is_told_in_english_and_chinese(name: str) -> None:
    rules = packs()[name].advice
    assert len({rule.name for rule in rules}) == len(rules) >= 2
    for rule in rules:
        assert rule.title_en.isascii()
        assert not rule.title_zh.isascii()
