"""A contract allows so much in each period, and says how far that is used up."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.asset import FleetError
from fleet.contract import Contract, Every, Period

HOUR = timedelta(hours=1)
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
TRIPS = Contract("acme", "trips", "trips", "1", 3100.0, Every.MONTH, JANUARY)

hours = st.integers(0, 40_000).map(lambda n: JANUARY + n * HOUR)
instants = st.datetimes(datetime(2026, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC))


def begun(at: datetime, end: datetime | None = None, every: Every = Every.MONTH) -> Contract:
    return replace(TRIPS, begin=at, end=end, every=every)


def period_of(contract: Contract, at: datetime) -> Period:
    found = contract.period(at)
    assert found is not None
    return found


def test_a_month_is_the_calendars_and_allows_the_same_whatever_its_length() -> None:
    february = period_of(TRIPS, datetime(2026, 2, 28, 23, 59, tzinfo=UTC))
    assert (february.start, february.end) == (
        datetime(2026, 2, 1, tzinfo=UTC),
        datetime(2026, 3, 1, tzinfo=UTC),
    )
    assert february.allowed == 3100.0
    year = period_of(begun(JANUARY, every=Every.YEAR), datetime(2027, 12, 31, tzinfo=UTC))
    assert (year.start, year.end) == (datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))


def test_a_part_of_a_period_allows_the_same_part() -> None:
    first = period_of(begun(JANUARY + timedelta(days=21)), JANUARY + timedelta(days=30))
    assert first.allowed == pytest.approx(3100.0 * 10 / 31)
    last = period_of(begun(JANUARY, JANUARY + timedelta(days=1)), JANUARY)
    assert last.end == JANUARY + timedelta(days=1)
    assert last.allowed == pytest.approx(100.0)


def test_what_is_used_goes_on_at_the_pace_so_far() -> None:
    january = period_of(TRIPS, JANUARY)
    tenth = january.standing(930.0, JANUARY + timedelta(days=9.3))
    assert tenth.share == pytest.approx(0.3)
    assert tenth.projected == pytest.approx(3100.0)
    assert january.standing(0.0, JANUARY).projected is None
    assert january.standing(2000.0, JANUARY + timedelta(days=90)).projected == 2000.0


def test_outside_of_a_contract_there_is_no_period() -> None:
    contract = begun(JANUARY, JANUARY + HOUR)
    assert contract.period(JANUARY - HOUR) is None
    assert contract.period(JANUARY + HOUR) is None
    assert begun(JANUARY, JANUARY).period(JANUARY) is None


@pytest.mark.parametrize("every", Every)
def test_the_last_year_of_the_calendar_has_no_period(every: Every) -> None:
    before = period_of(begun(JANUARY, every=every), datetime(9998, 12, 31, 23, 59, tzinfo=UTC))
    assert before.end == datetime(9999, 1, 1, tzinfo=UTC)
    for month in (1, 12):
        with pytest.raises(FleetError, match="say an instant before the year 9999"):
            begun(JANUARY, every=every).period(datetime(9999, month, 31, tzinfo=UTC))


@given(hours, instants, st.sampled_from(Every))
def test_an_instant_lies_in_its_period_and_periods_meet(begin: datetime, at: datetime, every: Every) -> None:
    contract = begun(begin, every=every)
    period = contract.period(at)
    if period is None:
        assert at < begin
        return
    assert period.start <= at < period.end
    assert contract.period(period.start) == period
    assert period_of(contract, period.end).start == period.end


@given(hours, hours, st.sampled_from(Every))
def test_a_contract_that_is_cut_in_two_allows_as_much_as_before(
    begin: datetime, cut: datetime, every: Every
) -> None:
    """So nobody gains by ending a contract and making it again."""
    whole = begun(begin, every=every)
    period = whole.period(cut)
    if period is None or cut == period.start:
        return
    before = period_of(replace(whole, end=cut), period.start)
    after = period_of(replace(whole, begin=cut), cut)
    assert before.allowed + after.allowed == pytest.approx(period.allowed)
    assert (before.end, after.end) == (cut, period.end)


@given(hours, instants, st.floats(0, 1e9))
def test_what_was_used_is_projected_to_no_less(begin: datetime, at: datetime, used: float) -> None:
    period = begun(begin).period(at)
    if period is None:
        return
    standing = period.standing(used, at)
    assert standing.used == used
    assert standing.projected is None or standing.projected >= used * (1 - 1e-12)
    assert period.standing(used, period.end).projected == pytest.approx(used)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"allowance": 0.0}, "allowance must be above 0"),
        ({"allowance": float("inf")}, "allowance must be above 0"),
        ({"begin": JANUARY + timedelta(minutes=5)}, "no whole hour of UTC"),
        ({"begin": JANUARY.astimezone(timezone(8 * HOUR))}, "no whole hour of UTC"),
        ({"begin": JANUARY.replace(tzinfo=None)}, "no whole hour of UTC"),
        ({"end": JANUARY - HOUR}, "ends before it begins"),
        ({"site": "hall", "asset": "l1"}, "say one of both"),
        ({"meter": "wear:rope"}, "say which machine"),
        ({"meter": "wear:rope", "asset": "l1", "begin": JANUARY + HOUR}, "no whole day of UTC"),
        ({"name": "all trips"}, "contract 'all trips'"),
    ],
)
def test_a_contract_that_cannot_be_kept_says_what_to_change(change: dict[str, object], says: str) -> None:
    with pytest.raises(FleetError, match=says):
        replace(TRIPS, **change)  # type: ignore[arg-type]  # one of its fields
