"""What the API answers: plain data, one tenant's."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from console.advice import advice_on
from console.ahead import channel_ahead, document
from console.machines import find_machine
from fleet.asset import Channel
from storage.pool import Pool
from storage.queries import AssetNow, fleet_now, latest_forecasts, recent_episodes
from streams.registry_cache import RegistryCache


async def assets(pool: Pool, registry: RegistryCache, tenant: str) -> list[dict[str, Any]]:
    """The tenant's machines with their newest values by channel, score and health."""
    found = await fleet_now(pool, tenant)
    if not {now.equipment_type for now in found} <= {kind.name for kind in registry.current.equipment_types}:
        await registry.refresh()
    channels = {kind.name: kind.channels for kind in registry.current.equipment_types}
    # A type that even now is not known was added this second: its machines have no values yet.
    return [_asset(now, channels.get(now.equipment_type, ())) for now in found]


def _asset(now: AssetNow, channels: Sequence[Channel]) -> dict[str, Any]:
    values = {
        channel.name: {"value": value, "unit": channel.unit, "trusted": not (now.bad or 0) >> k & 1}
        for k, (channel, value) in enumerate(zip(channels, now.values or (), strict=False))
    }
    return _without(asdict(now), "asset_id", "tenant", "bad") | {"values": values}


async def episodes(pool: Pool, tenant: str, limit: int) -> list[dict[str, Any]]:
    """The tenant's newest episodes with their evidence."""
    found = await recent_episodes(pool, tenant, limit=limit)
    return [_without(asdict(episode), "asset_id", "tenant") for episode in found]


async def forecasts(pool: Pool, tenant: str) -> list[dict[str, Any]]:
    """The newest forecast of what runs out on each of the tenant's machines, none from before a repair."""
    found = await latest_forecasts(pool, tenant)
    return [
        _without(asdict(one), "asset_id", "tenant", "before_repair") for one in found if not one.before_repair
    ]


async def ahead(
    pool: Pool, registry: RegistryCache, machine: str, channel: str, hours: int
) -> dict[str, Any]:
    """The next hours of a channel of TENANT/NAME; raises `FleetError` if there is none."""
    asset = find_machine(registry.current, machine)
    return document(asset, await channel_ahead(pool, registry.current, asset, channel, hours))


async def advice(pool: Pool, registry: RegistryCache, tenant: str, days: int) -> list[dict[str, Any]]:
    """What the tenant's machines could save, by their last `days`."""
    await registry.refresh()
    found = await advice_on(pool, registry.current, days, tenant)
    return [_without(one.plain(), "tenant") for one in found]


def _without(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
