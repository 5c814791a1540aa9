"""The next hours of a machine's channel, computed on request from the hours that are stored of it."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from fleet.asset import Asset, Channel, FleetError
from fleet.registry import Registry
from forecasting.channel_forecast import ChannelForecast, forecast_channel
from storage.history import HOUR, trusted_hours
from storage.pool import Pool
from storage.queries import fleet_now

PAST = timedelta(weeks=52)
"""More than the forecast learns from, so that it can be tried on past weeks."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """Quantiles of each hour from `start` on, in `unit`; of a counter, of what it gains in the hour."""

    channel: Channel
    unit: str
    start: datetime
    said: ChannelForecast


async def channel_ahead(pool: Pool, registry: Registry, asset: Asset, channel: str, hours: int) -> Ahead:
    """Looks ahead from the hour of the machine's newest row, which is not over, as of the last rollup.

    Raises `FleetError` for a channel that it has not, that is a code, or of which nothing is stored.
    """
    column, found = _channel(registry, asset, channel)
    newest = [one.ts for one in await fleet_now(pool, asset.tenant) if one.asset_id == asset.asset_id]
    if not newest or newest[0] is None:
        raise FleetError(f"nothing is stored of {asset.tenant}/{asset.name} yet: send its telemetry first")
    end = newest[0].astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    value = _gained(await trusted_hours(pool, asset.asset_id, column, end - PAST, end), found.kind)
    known = np.flatnonzero(np.isfinite(value))
    past = value[known[0] :] if len(known) else value[:0]
    said = await asyncio.to_thread(forecast_channel, past, hours)
    unit = f"{found.unit}/h" if found.kind == "counter" else found.unit
    return Ahead(found, unit, end, said)


def _channel(registry: Registry, asset: Asset, name: str) -> tuple[int, Channel]:
    kind = registry.equipment_type(asset.equipment_type)
    known = {channel.name: (k, channel) for k, channel in enumerate(kind.channels)}
    told = [channel for channel, (_, each) in known.items() if each.kind != "state"]
    if name not in told:
        why = "is a code, which has no mean" if name in known else "is none of its channels"
        raise FleetError(f"{asset.name}: {name!r} {why}: ask for one of {', '.join(told)}")
    return known[name]


def _gained(value: NDArray[np.float64], kind: str) -> NDArray[np.float64]:
    """(n,): of a counter what each hour added, unknown where it was set back; of others the means."""
    if kind != "counter":
        return value
    more = np.diff(value, prepend=np.nan)
    return np.where(more >= 0, more, np.nan)


def document(asset: Asset, found: Ahead) -> dict[str, object]:
    """As one JSON document; `hours` is empty where nothing can be said."""
    said = found.said
    hours = [
        {"ts": found.start + k * HOUR, "p10": float(low), "p50": float(mid), "p90": float(high)}
        for k, (low, mid, high) in enumerate(zip(said.p10, said.p50, said.p90, strict=True))
    ]
    return {
        "site": asset.site,
        "asset": asset.name,
        "channel": found.channel.name,
        "unit": found.unit,
        "verdict": str(said.verdict),
        "basis": said.basis,
        "hours": hours,
    }
