"""What the outlook of a counter says of machines whose days differ, are missing or too few."""

import numpy as np
import pytest

from forecasting.contract import Verdict
from forecasting.wear.bearing import BearingLife
from forecasting.wear.contract import Lifetime
from forecasting.wear.forward import Duty, outlook, worn_by_day
from forecasting.wear.operations import Operations

HOUR_US = 3_600_000_000
DAY_H = 24


def bearing(limit: float) -> BearingLife:
    return BearingLife(BearingLife.example().bearing, Lifetime("1", limit / 2, limit))


def at(rpm: list[float]) -> Duty:
    """Whole days at 2 kN and a speed each, in hourly rows."""
    speed = np.repeat(rpm, DAY_H)
    duty = np.stack([np.full(len(speed) + 1, 2.0), [speed[0], *speed]], axis=1)
    return Duty(np.arange(len(duty)) * HOUR_US, duty)


def worn_at(rpm: float) -> float:
    """Share of life that a day at a speed takes."""
    return rpm * 60 * DAY_H / 343e6


def test_each_day_of_the_past_by_itself() -> None:
    speeds = [1500.0, 0.0, 3000.0] * 5
    assert worn_by_day(bearing(1.0), at(speeds)) == pytest.approx([worn_at(rpm) for rpm in speeds])


def test_a_day_that_is_not_whole_is_left_out() -> None:
    past = at([900.0, *[1500.0] * 14])
    cut = Duty(past.ts_us[10:], past.x[10:])
    assert worn_by_day(bearing(1.0), cut) == pytest.approx([worn_at(1500.0)] * 14)


def test_the_last_days_of_a_duty() -> None:
    past = at([900.0] * 20 + [1500.0] * 14)
    assert worn_by_day(bearing(1.0), past.last(14)) == pytest.approx([worn_at(1500.0)] * 14)
    assert len(worn_by_day(bearing(1.0), past.last(1000))) == 34
    assert not len(Duty(past.ts_us[:0], past.x[:0]).last(3).ts_us)


def test_hours_that_are_unknown_count_as_the_others_of_their_day() -> None:
    past = at([1500.0] * 15)
    past.x[2 * DAY_H + 3 : 2 * DAY_H + 8] = np.nan
    assert worn_by_day(bearing(1.0), past) == pytest.approx([worn_at(1500.0)] * 15)


def test_days_of_which_little_is_known_are_left_out() -> None:
    past = at([1500.0, 1500.0, 700.0, *[1500.0] * 12])
    past.x[2 * DAY_H + 5 : 3 * DAY_H + 1] = np.nan
    assert worn_by_day(bearing(1.0), past) == pytest.approx([worn_at(1500.0)] * 14)


def test_a_counter_knows_of_days_in_which_nothing_came() -> None:
    """Three days at once, then as a mean of them."""
    n = 20 * DAY_H + 1
    ts_us, count = np.arange(n) * HOUR_US, np.arange(0.0, 10.0 * n, 10.0)
    come = (ts_us <= 7 * DAY_H * HOUR_US) | (ts_us >= 10 * DAY_H * HOUR_US)
    days = worn_by_day(Operations(1e6), Duty(ts_us[come], count[come, None]))
    assert days == pytest.approx([240.0] * 18)


def test_more_load_is_more_operations_where_nothing_else_is_told() -> None:
    n = 20 * DAY_H + 1
    past = Duty(np.arange(n) * HOUR_US, np.arange(0.0, 10.0 * n, 10.0)[:, None])
    usual, more = (outlook(Operations(24_000.0), past, 0.0, load).limit.p50_h for load in (1.0, 1.2))
    assert usual == pytest.approx(2400)
    assert more == pytest.approx(2000)


def test_a_machine_at_rest_has_no_limit_in_sight() -> None:
    found = outlook(bearing(1.0), at([0.0] * 20), 0.3)
    assert (found.limit.verdict, found.limit.p10_h) == (Verdict.MORE_THAN, 175_200.0)
    assert found.limit.basis == "20 days of past duty"


def test_where_the_band_passes_the_horizon_its_lower_end_is_given() -> None:
    speeds = np.random.default_rng(2).uniform(0.0, 3000.0, 14).tolist()
    pace = float(np.mean([worn_at(rpm) for rpm in speeds]))
    found = outlook(bearing(7300 * pace), at(speeds), 0.0).limit
    assert found.verdict is Verdict.MORE_THAN
    assert found.p10_h is not None
    assert 100_000 < found.p10_h < 175_200


def test_the_same_past_has_the_same_outlook() -> None:
    past = at(np.random.default_rng(4).uniform(0.0, 3000.0, 30).tolist())
    assert outlook(bearing(1.0), past, 0.0) == outlook(bearing(1.0), past, 0.0)


@pytest.mark.parametrize("ts_us", [[0, 2, 1], [0, 1]])
def test_a_duty_is_in_order(ts_us: list[int]) -> None:
    with pytest.raises(ValueError, match="sort it"):
        Duty(np.array(ts_us), np.zeros((3, 2)))


def weeks(seed: int, days: int) -> list[float]:
    """Speeds of working weeks: five days, two of rest, each a little different."""
    rng = np.random.default_rng([17, seed])
    working = np.where((np.arange(days) + rng.integers(7)) % 7 < 5, 1500.0, 400.0)
    speeds: list[float] = (working * rng.lognormal(0.0, 0.3, days)).tolist()
    return speeds


def test_the_band_holds_what_comes_four_times_in_five() -> None:
    """30 days of the past, the limit some months ahead: of 80 machines 65 to 98 % end in their band."""
    held = []
    for seed in range(80):
        speeds = weeks(seed, 330)
        worn = np.cumsum([worn_at(rpm) for rpm in speeds[30:]])
        limit = float(worn[40 + 2 * seed])
        found = outlook(bearing(limit), at(speeds[:30]), 0.0).limit
        assert found.p10_h is not None
        assert found.p90_h is not None
        held.append(found.p10_h <= (41 + 2 * seed) * DAY_H <= found.p90_h)
    assert 0.65 <= np.mean(held) <= 0.98, f"{np.mean(held):.0%}"


@pytest.mark.parametrize(("warning", "limit", "start"), [(0.0, 1.0, 0.0), (2.0, 1.0, 0.0), (1.0, 2.0, 1.0)])
def test_a_lifetime_warns_between_its_start_and_its_limit(warning: float, limit: float, start: float) -> None:
    with pytest.raises(ValueError, match="start < warning <= limit"):
        Lifetime("h", warning, limit, start)
