"""What is planned counts a machine's age from when its condition was new."""

from datetime import UTC, datetime, timedelta

from console.service_needs import Past, sort_out
from fleet.asset import Asset
from fleet.registry import Registry
from fleet.service_terms import Terms
from storage.queries import LatestForecast

NOW = datetime(2026, 5, 1, tzinfo=UTC)
LIFT = Asset(1, "acme", "home", "lift", "elevator")


def says(target: str, before_repair: bool = False) -> LatestForecast:
    ts = NOW - timedelta(hours=6)
    return LatestForecast(
        1, "acme", "lift", target, ts, "robust_trend-1", "estimate", 10.0, 20.0, 30.0, "", before_repair
    )


def test_a_repair_makes_the_condition_young_and_no_counter() -> None:
    past = Past(first={1: NOW - timedelta(hours=900)}, renewed={1: NOW - timedelta(hours=100)})
    registry = Registry(("acme",), (LIFT,), ())
    needs, unknown = sort_out([says("condition"), says("belt")], registry, past, Terms(), NOW)
    assert unknown == []
    assert [(need.target, need.age_h, need.survived_h) for need in needs] == [
        ("condition", 100.0, 6.0),
        ("belt", 900.0, 6.0),
    ]


def test_a_forecast_from_before_a_repair_gives_no_date() -> None:
    past = Past(first={}, renewed={1: NOW})
    needs, unknown = sort_out([says("condition", True)], Registry(("acme",), (LIFT,), ()), past, Terms(), NOW)
    assert needs == []
    assert [one.why for one in unknown] == ["no forecast since it was repaired or restored"]
