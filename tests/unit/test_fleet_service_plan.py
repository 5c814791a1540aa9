"""Services are planned where waiting costs more than the life given away, within the crews' hours."""

from collections import defaultdict
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import service_schedule
from fleet.asset import FleetError
from fleet.service_moves import Moves, Task
from fleet.service_plan import Need, ServicePlan, plan
from fleet.service_terms import Crews, ServiceTerms, parse_terms
from forecasting.life_distribution import LifeDistribution

FRIDAY = date(2026, 5, 1)


def need(name: str = "a", p50_d: float = 30.0, site: str = "s", spread: float = 1.5, **terms: float) -> Need:
    life = LifeDistribution(24 * p50_d / spread, 24 * p50_d, 24 * p50_d * spread)
    return Need(("acme", site), name, "condition", life, 0.0, 2000.0, ServiceTerms(**terms))


def days_of(made: ServicePlan) -> dict[str, date]:
    return {service.need.asset: service.day for service in made.services}


def test_a_service_comes_before_the_failure_and_not_long_before() -> None:
    made = plan([need(p50_d=40.0)], Crews(), FRIDAY, 90)
    (service,) = made.services
    assert 10 <= (service.day - FRIDAY).days <= 35
    assert service.risk < 0.35
    assert service.day.weekday() < 5


def test_dear_failures_are_gone_for_earlier_than_cheap_ones() -> None:
    dear = plan([need(failure_cost=50_000.0)], Crews(), FRIDAY, 90).services[0]
    cheap = plan([need(failure_cost=600.0)], Crews(), FRIDAY, 90).services[0]
    assert dear.day < cheap.day
    assert dear.risk < cheap.risk


def test_the_day_is_the_best_of_all_days_when_crews_have_time() -> None:
    one, crews = need(p50_d=25.0), Crews()
    made = plan([one], crews, FRIDAY, 60)
    work_days = crews.work_days(FRIDAY + timedelta(1), 60)
    cost = one.cost(np.array([24.0 * (day - FRIDAY).days for day in work_days]))
    assert made.cost == pytest.approx(cost.min() + crews.visit_cost, rel=0.01)


def test_machines_of_a_site_share_a_visit() -> None:
    near = [need("a", 30.0), need("b", 33.0)]
    assert plan(near, Crews(visit_cost=500.0), FRIDAY, 90).visits == 1
    far = [need("a", 30.0, site="s"), need("b", 33.0, site="t")]
    assert plan(far, Crews(visit_cost=500.0), FRIDAY, 90).visits == 2


def test_what_lasts_waits_and_what_is_late_comes_first() -> None:
    needs = [need("late", 0.001), need("lasts", 5000.0), need("soon", 40.0, site="t")]
    made = plan(needs, Crews(), FRIDAY, 90)
    assert days_of(made)["late"] == FRIDAY + timedelta(3)  # Monday
    assert days_of(made)["soon"] > days_of(made)["late"]
    assert [(one.need.asset, one.no_crew) for one in made.waiting] == [("lasts", False)]
    assert made.waiting[0].risk < 0.01


def test_each_week_of_waiting_is_riskier_and_the_days_cost_is_the_least() -> None:
    (service,) = plan([need()], Crews(), FRIDAY, 90).services
    risks = [service.risk, *(one.risk for one in service.postponed)]
    assert risks == sorted(risks)
    assert all(one.cost > 0 for one in service.postponed[1:])


def test_a_week_without_a_free_crew_is_said() -> None:
    crews = Crews(crews=1, hours_per_day=8.0)
    many = [need(f"m{n:02}", 3.0, site=f"s{n}", failure_cost=1e5) for n in range(12)]
    made = plan(many, crews, FRIDAY, 7)
    left = {one.need.asset for one in made.waiting if one.no_crew}
    assert left
    assert left.isdisjoint(days_of(made))
    assert len(left) + len(made.services) == 12


def hours_by_day(made: ServicePlan, crews: Crews) -> dict[date, float]:
    """Crew hours that services of a day or less take."""
    hours: dict[date, float] = defaultdict(float)
    for service in made.services:
        hours[service.day] += service.need.terms.service_h
    for day, _ in {(service.day, service.need.site) for service in made.services}:
        hours[day] += crews.travel_h
    return hours


@pytest.mark.parametrize(("count", "late"), [(70, True), (40, False)])
def test_whoever_waits_for_a_crew_had_none_free_even_if_time_ran_out(
    count: int, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_schedule, "SOLVE_WITHIN_S", 0.0)
    crews, days = Crews(crews=2), 28
    many = [need(f"m{n:02}", 6.0 + n % 7 / 4, f"s{n % 20}", failure_cost=2e4) for n in range(count)]
    made = plan(many, crews, FRIDAY, days)
    left = [one.need for one in made.waiting if one.no_crew]
    assert bool(left) is late
    hours = hours_by_day(made, crews)
    work_days = crews.work_days(FRIDAY + timedelta(1), days)[:10]  # after that all have failed anyway
    there = {(service.day, service.need.site) for service in made.services}
    for one in left:
        takes = [one.terms.service_h + crews.travel_h * ((day, one.site) not in there) for day in work_days]
        assert all(hours[day] + more > 16.0 for day, more in zip(work_days, takes, strict=True))
    assert max(hours.values()) <= 16.0 + 1e-6


def test_moves_better_a_schedule_and_leave_a_good_one_alone() -> None:
    near = [need("a", 30.0), need("b", 31.0), need("c", 30.0, site="t")]
    crews = Crews(visit_cost=900.0)
    hours = np.arange(24.0, 24.0 * 40, 24.0)
    tasks = [Task(one.site, one.terms.service_h, one.cost(hours), 1e5) for one in near]
    apart = Moves(tasks, crews, len(hours), [3, 20, 39])
    before = apart.cost
    begun = apart.settle()
    assert begun[0] == begun[1] < len(hours)
    assert apart.visits == 2
    assert apart.cost < before
    again = Moves(tasks, crews, len(hours), begun)
    assert again.settle() == begun
    assert again.cost == pytest.approx(apart.cost)


@settings(deadline=None, max_examples=15)
@given(
    st.lists(
        st.tuples(st.floats(0.5, 60.0), st.sampled_from(["s", "t", "u"]), st.floats(0.5, 20.0)),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 2),
)
def test_no_day_has_more_work_than_crews_have_hours(
    fleet: list[tuple[float, str, float]], count: int
) -> None:
    crews = Crews(crews=count, weekdays=(0, 1, 2, 3, 4, 5, 6))
    needs = [
        need(f"m{n}", p50, site, service_h=hours, failure_cost=9000.0)
        for n, (p50, site, hours) in enumerate(fleet)
    ]
    made = plan(needs, crews, FRIDAY, 21)
    work: dict[date, float] = defaultdict(float)
    for service in made.services:
        for offset, hours in enumerate(crews.hours_by_day(service.need.terms.service_h)):
            work[service.day + timedelta(offset)] += hours
    for day, _ in {(service.day, service.need.site) for service in made.services}:
        work[day] += crews.travel_h
    within = {day: hours for day, hours in work.items() if day <= FRIDAY + timedelta(21)}
    assert max(within.values(), default=0.0) <= count * crews.hours_per_day + 1e-6
    assert len(made.services) + len(made.waiting) == len(needs)


def test_terms_are_read_with_what_is_left_out_by_default() -> None:
    terms = parse_terms(
        '[crews]\ncrews = 3\nweekdays = ["sat", "mon"]\n[service]\nservice_h = 2\n'
        "[service.elevator]\nfailure_cost = 9000\n",
        "terms.toml",
    )
    assert terms.crews == Crews(crews=3, weekdays=(0, 5))
    assert terms.of("elevator") == ServiceTerms(service_h=2, failure_cost=9000)
    assert terms.of("crane") == ServiceTerms(service_h=2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("crews = 3", r"write \[crews\] as a table"),
        ("[crew]\n", r"unknown table \[crew\]"),
        ("[crews]\nmen = 3", "unknown key 'men': known keys are crews, hours_per_day"),
        ("[crews]\ncrews = 1.5", "crews must be a number"),
        ('[crews]\nweekdays = ["monday"]', 'list such as \\["mon", "tue"\\]'),
        ('[crews]\nweekdays = [["mon"]]', 'list such as \\["mon", "tue"\\]'),
        ("[service]\nservice_h = inf", "service_h must be a number, not inf"),
        ("[crews]\nvisit_cost = nan", "visit_cost must be a number, not nan"),
        ("[crews]\nweekdays = []", "one day of the week"),
        ("[service]\nservice_h = 0", "service_h must be above 0"),
        ("[service.elevator]\nfailure_cost = 0\nfailure_downtime_h = 0", "raise failure_cost"),
        ('[service]\nservice_cost = "dear"', "service_cost must be a number, not 'dear'"),
        ("[service", "not valid TOML"),
    ],
)
def test_terms_that_cannot_be_say_what_to_change(text: str, said: str) -> None:
    with pytest.raises(FleetError, match=said):
        parse_terms(text, "terms.toml")


def test_terms_of_a_type_that_there_is_not_are_refused() -> None:
    terms = parse_terms("[service.elevatr]\nfailure_cost = 9000\n", "terms.toml")
    with pytest.raises(FleetError, match=r"\[service.elevatr\]: no such equipment type: there are elevator"):
        terms.check({"elevator"})
    terms.check({"elevator", "elevatr"})


def test_a_horizon_without_a_work_day_is_refused() -> None:
    with pytest.raises(FleetError, match="longer horizon"):
        plan([need()], Crews(), FRIDAY, 2)
