"""The next hours of a channel: season, deviation, band, gaps, and when nothing can be said."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from forecasting.channel_forecast import DAY, WEEK, ChannelForecast, forecast_channel
from forecasting.contract import Verdict

Floats = NDArray[np.float64]

ETT = Path(__file__).parents[2].parent / "shared" / "data" / "ett" / "ETTh1.csv"


def load(hours: int, seed: int = 1, weekend: float = 1.0) -> Floats:
    """A day's rise and fall, less at weekends, and weather that lasts for hours."""
    rng = np.random.default_rng([31, seed])
    at = np.arange(hours)
    day = 10.0 + 5.0 * np.sin(2 * np.pi * at / DAY)
    weather = np.zeros(hours)
    for hour in range(1, hours):
        weather[hour] = 0.9 * weather[hour - 1] + rng.normal(0.0, 0.5)
    return np.asarray(day * np.where(at % WEEK < 5 * DAY, 1.0, weekend) + weather)


def test_it_goes_on_from_where_it_is_to_what_is_usual() -> None:
    value = load(20 * WEEK)
    value[-5:] += 6.0
    said = forecast_channel(value)
    usual = 10.0 + 5.0 * np.sin(2 * np.pi * np.arange(WEEK) / DAY)
    assert said.basis.startswith("the usual day")
    assert said.p50[0] - usual[0] > 3.0
    np.testing.assert_allclose(said.p50[3 * DAY :], usual[3 * DAY :], atol=1.0)


@pytest.mark.parametrize("weekend", [1.0, 0.4])
def test_a_week_is_usual_where_weekends_differ(weekend: float) -> None:
    said = forecast_channel(load(20 * WEEK, weekend=weekend))
    assert said.basis.startswith(f"the usual {'day' if weekend == 1.0 else 'week'}")


def test_the_band_holds_what_comes_as_often_as_it_says_near_and_far() -> None:
    inside, width = [], []
    for seed in range(12):
        value = load(17 * WEEK, seed)
        said = forecast_channel(value[:-WEEK])
        inside.append((said.p10 <= value[-WEEK:]) & (value[-WEEK:] <= said.p90))
        width.append(said.p90 - said.p10)
    assert 0.7 <= np.mean(np.array(inside)[:, :DAY]) <= 0.9
    assert 0.7 <= np.mean(np.array(inside)) <= 0.9
    near, far = np.mean(width, axis=0)[[0, -1]]
    assert near < 0.75 * far


def test_gaps_are_bridged() -> None:
    value = load(20 * WEEK)
    holes = value.copy()
    holes[np.random.default_rng(1).random(len(value)) < 0.1] = np.nan
    holes[-30:-20], holes[500:700], holes[-1] = np.inf, np.nan, np.nan
    whole, patchy = forecast_channel(value), forecast_channel(holes)
    assert np.isfinite(patchy.p50).all()
    assert np.abs(patchy.p50 - whole.p50).max() < 1.0
    assert np.isinf(holes[-30]), "the caller's array was changed"


def test_a_channel_of_which_hardly_two_days_are_whole_stays_within_what_was_seen() -> None:
    value = load(12 * WEEK)
    patchy = np.where(np.arange(len(value)) % 12 == 0, np.nan, value)
    patchy[-70:-30] = value[-70:-30]
    said = forecast_channel(patchy)
    assert value.min() - 2.0 < said.p50.min() < said.p50.max() < value.max() + 2.0


@pytest.mark.parametrize("value", [np.zeros(2000), np.full(2000, -1e9), np.arange(2000.0) ** 3])
def test_no_noise_and_no_end_in_sight_stay_finite_and_ordered(value: Floats) -> None:
    said = forecast_channel(value, 48)
    assert np.isfinite([said.p10, said.p50, said.p90]).all()
    assert ((said.p10 <= said.p50) & (said.p50 <= said.p90)).all()
    assert said.p50.shape == (48,)


def lacking(value: Floats) -> ChannelForecast:
    said = forecast_channel(value)
    assert said.verdict is Verdict.TOO_LITTLE_DATA
    assert not len(said.p10) + len(said.p50) + len(said.p90)
    return said


def test_where_too_little_is_known_it_cannot_say() -> None:
    value = load(20 * WEEK)
    assert forecast_channel(value[: 8 * WEEK]).verdict is Verdict.ESTIMATE
    assert lacking(value[: 8 * WEEK - 1]).basis == "7 of 8 weeks"
    assert lacking(np.zeros(0)).basis == "0 of 8 weeks"
    silent, daytime = value.copy(), value.copy()
    silent[-15 * DAY :] = np.nan
    assert lacking(silent).basis.startswith("46% of the last 4 weeks known")
    daytime.reshape(-1, DAY)[:, 22:] = np.nan
    assert lacking(daytime).basis.endswith("not spread over the day")
    with pytest.raises(ValueError, match="1 to 168"):
        forecast_channel(value, WEEK + 1)


def test_it_sees_nothing_later() -> None:
    value = load(20 * WEEK)
    before = forecast_channel(value[: 15 * WEEK].copy()).p50
    later = value.copy()
    later[15 * WEEK :] = 1e6
    np.testing.assert_array_equal(forecast_channel(later[: 15 * WEEK]).p50, before)


@pytest.mark.skipif(not ETT.exists(), reason=f"needs the ETT data: put ETTh1.csv at {ETT}")
def test_transformer_loads_are_nearer_than_by_the_same_hour_of_yesterday() -> None:
    table = np.loadtxt(ETT, delimiter=",", skiprows=1, usecols=range(1, 8))
    off, off_yesterday = [], []
    for n in range(len(table) // 2, 3 * len(table) // 4 - WEEK, 1009):
        for channel in table.T:
            came = channel[n : n + DAY]
            off.append(np.abs(forecast_channel(channel[:n], DAY).p50 - came).mean() / channel.std())
            off_yesterday.append(np.abs(channel[n - DAY : n] - came).mean() / channel.std())
    assert np.mean(off) < 0.95 * np.mean(off_yesterday)
