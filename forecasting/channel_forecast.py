"""The next hours of a channel (load, temperature, energy), for planning: hourly values in, quantiles out.

A usual day or a usual week, whichever has been nearer so far, plus an autoregression of what differs from it.
How far such forecasts were off at past origins makes the quantiles (split conformal over rolling origins;
Tashman 2000, Vovk et al. 2005), so they hold whatever the distribution, while the channel stays what it is.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from forecasting.contract import Verdict

Floats = NDArray[np.float64]

DAY, WEEK = 24, 168
USUAL = 4 * WEEK
"""The usual day and week are means over so many hours: longer ones lag behind the seasons of the year."""
MEMORY = 26 * WEEK
"""The autoregression is fitted on so many hours, at most."""
LAGS = 24

ORIGIN_STEP = 25
"""Hours between past origins, so that they fall on every hour of the day."""
MOST_ORIGINS = 80
FEWEST_WEEKS = 8
"""Four to know what is usual, four to see how far forecasts are off."""
LEADS = np.array([0, 2, 6, 12, 24, 48, 72, 96, 120, 144, 168])
"""Errors are pooled over the hours ahead between two of these."""
MISS = 0.1
"""Share of values below P10, and above P90."""


@dataclass(frozen=True, slots=True)
class ChannelForecast:
    """p10, p50, p90: (hours,) from the hour after the last value on, in the channel's unit; else empty."""

    verdict: Verdict
    p10: Floats
    p50: Floats
    p90: Floats
    basis: str
    """What it rests on, or why nothing can be said."""


def forecast_channel(value: Floats, hours: int = WEEK) -> ChannelForecast:
    """Forecast hourly values (n,), NaN where there is none, for the next 1 to 168 hours; about 1 s.

    "Too little data" under eight weeks, or where less than half of the last four are known. Raises
    `ValueError` for other hours. Values that are not finite count as missing.
    """
    if not 1 <= hours <= WEEK:
        raise ValueError(f"{hours} hours ahead: ask for 1 to {WEEK}")
    value = np.where(np.isfinite(value), value, np.nan)
    if lack := _lack(value):
        return ChannelForecast(Verdict.TOO_LITTLE_DATA, *(np.zeros(0),) * 3, lack)
    origins = _origins(len(value), hours)
    past = {season: _errors(value, season, origins, hours) for season in (DAY, WEEK)}
    season = min(past, key=lambda each: float(np.nanmean(np.abs(past[each]))))
    off = _quantiles(past[season], hours)
    p10, p50, p90 = _ahead(value, season, hours) + off
    usual = "day" if season == DAY else "week"
    return ChannelForecast(
        Verdict.ESTIMATE, p10, p50, p90, f"the usual {usual}, {len(origins)} past forecasts"
    )


def _lack(value: Floats) -> str:
    """Why nothing can be said; empty if something can."""
    if len(value) < FEWEST_WEEKS * WEEK:
        return f"{len(value) // WEEK} of {FEWEST_WEEKS} weeks"
    known = np.isfinite(value[-USUAL:])
    if known.mean() < 0.5 or not known.reshape(-1, DAY).any(axis=0).all():
        return f"{known.mean():.0%} of the last {USUAL // WEEK} weeks known, not spread over the day"
    return ""


def _origins(n: int, hours: int) -> NDArray[np.int64]:
    """Lengths of the past after which a forecast can be compared with what came."""
    return np.arange(n - hours, USUAL + WEEK, -ORIGIN_STEP)[:MOST_ORIGINS]


def _errors(value: Floats, season: int, origins: NDArray[np.int64], hours: int) -> Floats:
    """(origins, hours) what came less what was forecast, NaN where unknown."""
    return np.array([value[n : n + hours] - _ahead(value[:n], season, hours) for n in origins.tolist()])


def _ahead(value: Floats, season: int, hours: int) -> Floats:
    """(hours,) point forecast after the last value."""
    value = value[-MEMORY:]
    usual = _usual(value, season)
    at = np.arange(len(value) + hours) - len(value)
    expected = usual[at % season]
    differs = value - expected[: len(value)]
    return np.asarray(expected[len(value) :] + _carried_on(differs, _autoregression(differs), hours))


def _usual(value: Floats, season: int) -> Floats:
    """(season,) mean of each hour of the season of late, hour 0 coming next; the day's if unknown."""
    seasons = value[-USUAL:].reshape(-1, season)
    known = np.isfinite(seasons)
    count = known.sum(axis=0)
    mean = np.where(known, seasons, 0.0).sum(axis=0) / np.maximum(count, 1)
    overall = float(np.nanmean(value[-USUAL:])) if known.any() else 0.0
    if season == DAY:
        return np.where(count > 0, mean, overall)
    return np.where(count > 0, mean, np.tile(_usual(value, DAY), season // DAY))


def _autoregression(differs: Floats) -> Floats:
    """(LAGS,) least-squares coefficients, the newest last, from the stretches without a gap."""
    rows = sliding_window_view(differs, LAGS + 1)
    rows = rows[np.isfinite(rows).all(axis=1)]
    past, now = rows[:, :-1], rows[:, -1]
    gram = past.T @ past
    ridge = 1e-6 * float(np.trace(gram)) / LAGS + 1e-12
    return np.asarray(np.linalg.solve(gram + ridge * np.eye(LAGS), past.T @ now))


def _carried_on(differs: Floats, coefficient: Floats, hours: int) -> Floats:
    """(hours,) deviations ahead, within what has been seen; gaps of the last days are bridged too."""
    known = differs[np.isfinite(differs)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    path = np.concatenate([differs[-3 * LAGS :], np.full(hours, np.nan)])
    path[:LAGS] = np.nan_to_num(path[:LAGS])
    for at in range(LAGS, len(path)):
        if np.isnan(path[at]):
            path[at] = min(max(float(path[at - LAGS : at] @ coefficient), low), high)
    return path[-hours:]


def _quantiles(error: Floats, hours: int) -> Floats:
    """(3, hours) errors at MISS, one half and 1 - MISS, pooled over similar leads."""
    off = np.zeros((3, hours))
    for first, end in pairwise(LEADS):
        seen = np.sort(error[:, first:end], axis=None)
        seen = seen[np.isfinite(seen)]
        if len(seen):
            rank = max(int((len(seen) + 1) * MISS), 1)
            off[:, first:end] = np.array([[seen[rank - 1]], [np.median(seen)], [seen[-rank]]])
    return off
