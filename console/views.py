"""What the API answers: plain data, one tenant's."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fleet.registry import Registry
from storage.pool import Pool
from storage.queries import fleet_now, latest_forecasts, recent_episodes


async def assets(pool: Pool, registry: Registry, tenant: str) -> list[dict[str, Any]]:
    """The tenant's machines with their newest values by channel, score and health."""
    answer = []
    for now in await fleet_now(pool, tenant):
        channels = registry.equipment_type(now.equipment_type).channels
        values = {
            channel.name: {"value": value, "unit": channel.unit, "trusted": not (now.bad or 0) >> k & 1}
            for k, (channel, value) in enumerate(zip(channels, now.values or (), strict=False))
        }
        answer.append(_without(asdict(now), "asset_id", "tenant", "bad") | {"values": values})
    return answer


async def episodes(pool: Pool, tenant: str, limit: int) -> list[dict[str, Any]]:
    """The tenant's newest episodes with their evidence."""
    found = await recent_episodes(pool, tenant, limit=limit)
    return [_without(asdict(episode), "asset_id", "tenant") for episode in found]


async def forecasts(pool: Pool, tenant: str) -> list[dict[str, Any]]:
    """The newest forecast of what runs out on each of the tenant's machines."""
    return [_without(asdict(one), "asset_id", "tenant") for one in await latest_forecasts(pool, tenant)]


def _without(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
