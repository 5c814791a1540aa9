"""A service plan as people and scripts read it."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

from console.output import out, print_table
from console.service_needs import Unknown
from fleet.service_plan import DAY_H, POSTPONED_WEEKS, Need, Service, ServicePlan, Waiting
from fleet.service_terms import Terms

LATER = f"+{', '.join(map(str, POSTPONED_WEEKS))} w"
HEADER = ("date", "machine", "runs out", "days left", "risk", LATER)


def show(made: ServicePlan, unknown: Sequence[Unknown], days: int) -> None:
    """Print the plan for people."""
    title = f"services: {len(made.services)}, visits: {made.visits}, within {days} days"
    print_table(title, HEADER, [_row(one) for one in made.services])
    if made.services:
        out.print(
            "days left: P10 to P90; risk: of a failure before the date, or if it is so many weeks later"
        )
    waiting = [one for one in made.waiting if one.risk >= 0.005]
    if waiting:
        header = ("machine", "runs out", "days left", "risk", "")
        print_table("Can wait beyond that", header, [_waits(one) for one in waiting])
    for why, count in Counter(one.why for one in unknown).most_common():
        soonest = min(
            (one.lasts_until for one in unknown if one.why == why and one.lasts_until), default=None
        )
        until = f", the first until {soonest:%Y-%m-%d}" if soonest else ""
        out.print(f"{count} without a date: {why}{until}", highlight=False)


def _row(one: Service) -> tuple[str, ...]:
    later = ", ".join(_percent(postponed.risk) for postponed in one.postponed)
    need = one.need
    return (
        f"{one.day:%Y-%m-%d}",
        _place(need),
        need.target,
        _days_left(need),
        f"{_percent(one.risk)} %",
        f"{later} %",
    )


def _waits(one: Waiting) -> tuple[str, ...]:
    need = one.need
    why = "due, but no crew is free" if one.no_crew else ""
    return _place(need), need.target, _days_left(need), f"{_percent(one.risk)} %", why


def _place(need: Need) -> str:
    return "/".join((*need.site, need.asset))


def _days_left(need: Need) -> str:
    p10_h, _, p90_h = need.left_h
    return f"{p10_h / DAY_H:.0f} to {p90_h / DAY_H:.0f}" if p90_h else "0"


def _percent(share: float) -> str:
    return "< 1" if share < 0.01 else f"{100 * share:.0f}"


def document(
    made: ServicePlan, unknown: Sequence[Unknown], today: date, days: int, terms: Terms
) -> dict[str, object]:
    """The plan as one JSON document, with the terms it was made on."""
    return {
        "from": (today + timedelta(1)).isoformat(),
        "to": (today + timedelta(days)).isoformat(),
        "visits": made.visits,
        "expected_cost": round(made.cost, 2),
        "services": [
            {
                "date": one.day.isoformat(),
                **_machine(one.need),
                "risk": round(one.risk, 4),
                "postponed": [
                    {"weeks": p.weeks, "risk": round(p.risk, 4), "extra_cost": round(p.cost, 2)}
                    for p in one.postponed
                ],
            }
            for one in made.services
        ],
        "waiting": [
            {**_machine(one.need), "risk": round(one.risk, 4), "no_crew": one.no_crew} for one in made.waiting
        ],
        "unknown": [
            {
                "tenant": one.site[0],
                "site": one.site[1],
                "asset": one.asset,
                "target": one.target,
                "why": one.why,
                "lasts_until": one.lasts_until,
            }
            for one in unknown
        ],
        "terms": terms,
    }


def _machine(need: Need) -> dict[str, object]:
    tenant, site = need.site
    p10_h, p50_h, p90_h = (round(hours, 1) for hours in need.left_h)
    machine = {"tenant": tenant, "site": site, "asset": need.asset, "target": need.target}
    return {**machine, "p10_h": p10_h, "p50_h": p50_h, "p90_h": p90_h}
