"""The outlook of one machine from what is stored: its counters at past and other loads, and its headroom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from fleet.asset import Asset, FleetError
from fleet.catalog import pack_of
from fleet.modelled_wear import ModelledWear
from fleet.registry import Registry
from fleet.vertical import VerticalPack
from fleet.wear_outlook import CounterOutlook, Headroom, Past, as_modelled, counter_outlook, headroom
from storage.history import trusted_minutes
from storage.pool import Pool
from storage.queries import fleet_now, wear_counters
from storage.rollup import run_due


@dataclass(frozen=True, slots=True)
class MachineOutlook:
    """lacking: counters that the machine has not, each with the ratings that it needs."""

    end: datetime
    counters: tuple[CounterOutlook, ...]
    headroom: Headroom | None
    lacking: Mapping[str, Sequence[str]]


async def machine_outlook(
    pool: Pool, registry: Registry, asset: Asset, days: int, loads: Sequence[float]
) -> MachineOutlook:
    """Looks ahead from the machine's newest row, on the duty of so many days before it.

    Raises `FleetError` where there is nothing to look ahead from.
    """
    pack = pack_of(registry.equipment_type(asset.equipment_type))
    counters = counters_of(pack, asset)
    if not counters:
        raise FleetError(_why_none(pack, asset))
    while await run_due(pool):
        pass
    end = await _newest(pool, asset)
    past = await _past(pool, pack, asset, counters, end, days)
    value = {
        wear.counter: wear.value
        for wear in await wear_counters(pool, asset.tenant)
        if wear.asset_id == asset.asset_id
    }
    room = [found for one in counters if (found := headroom(one, past))]
    told = [counter_outlook(one, past, value.get(one.name, one.used), loads) for one in counters]
    return MachineOutlook(end, tuple(told), room[0] if room else None, pack.lacking(asset.ratings))


def counters_of(pack: VerticalPack, asset: Asset) -> list[ModelledWear]:
    """The machine's wear counters; those whose ratings it lacks are left out."""
    rated = [each.of(asset.ratings) for each in pack.modelled]
    return [as_modelled(each) for each in (*pack.wear, *rated) if each is not None]


def _why_none(pack: VerticalPack, asset: Asset) -> str:
    lacking = pack.lacking(asset.ratings)
    if not lacking:
        return f"{asset.equipment_type} has no wear counters: only a vertical pack names some"
    missing = "; ".join(f"{name}: {', '.join(names)}" for name, names in lacking.items())
    return f"{asset.name} has no wear counters: add ratings to its fleet file ({missing})"


async def _newest(pool: Pool, asset: Asset) -> datetime:
    now = [one.ts for one in await fleet_now(pool, asset.tenant) if one.asset_id == asset.asset_id]
    if not now or now[0] is None:
        raise FleetError(f"nothing is stored of {asset.tenant}/{asset.name} yet: send its telemetry first")
    return now[0]


async def _past(
    pool: Pool, pack: VerticalPack, asset: Asset, counters: Sequence[ModelledWear], end: datetime, days: int
) -> Past:
    kind = pack.equipment_type
    known = {channel.name for channel in kind.channels}
    read = {channel for one in counters for reading in one.readings for channel in reading.channels}
    columns = sorted(kind.column(channel) for channel in read & known)
    start = end.replace(second=0, microsecond=0) - timedelta(days=days)
    after = end + timedelta(microseconds=1)
    ts_us, values = await trusted_minutes(pool, asset.asset_id, columns, start, after)
    x = np.full((len(ts_us), len(kind.channels)), np.nan)
    x[:, columns] = values
    return Past(kind, ts_us, x)
