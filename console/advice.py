"""What each machine could save, from what is stored of its hours."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from fleet.advice import Advice, advise
from fleet.asset import Asset
from fleet.catalog import pack_of
from fleet.registry import Registry
from storage.hours import hours_of, newest_hour
from storage.pool import Pool

DAYS = 30
"""What a piece of advice looks back on, unless another span is asked for."""

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class MachineAdvice:
    """A machine's advice, for the `days` until `until`."""

    tenant: str
    site: str
    asset: str
    until: datetime
    days: int
    advice: tuple[Advice, ...]

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self) | {"until": self.until.isoformat()}


async def advice_for(pool: Pool, registry: Registry, asset: Asset, days: int) -> MachineAdvice | None:
    """Advice on a machine by its newest hours in the rollups; None without any, or without rules."""
    pack = pack_of(registry.equipment_type(asset.equipment_type))
    newest = await newest_hour(pool, asset.asset_id) if pack.advice else None
    if newest is None:
        return None
    end, span = newest + HOUR, timedelta(days=days)
    found = await hours_of(pool, asset.asset_id, pack.equipment_type, end - 3 * span, end)
    last = round(end.timestamp() / 3600)
    now, before, earlier = (
        found.between(last - (back + 1) * 24 * days, last - back * 24 * days) for back in range(3)
    )
    rows = tuple(advise(pack.advice, now, before, earlier))
    return MachineAdvice(asset.tenant, asset.site, asset.name, end, days, rows)


async def advice_on(
    pool: Pool, registry: Registry, days: int, tenant: str | None = None, machine: str | None = None
) -> list[MachineAdvice]:
    """Advice on all machines, or those of a tenant, or one of them, as far as there is any."""
    wanted = [
        one
        for one in registry.assets
        if tenant in {None, one.tenant} and machine in {None, f"{one.tenant}/{one.name}"}
    ]
    found = [await advice_for(pool, registry, one, days) for one in wanted]
    return [one for one in found if one and one.advice]
