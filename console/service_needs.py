"""From the newest forecasts to what is planned: what runs out where, and what has no date."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from fleet.registry import Registry
from fleet.service_plan import Need
from fleet.service_terms import Terms
from forecasting.contract import Verdict
from forecasting.life_distribution import LifeDistribution
from storage.queries import LatestForecast

STALE = timedelta(days=14)
"""A forecast older than this says nothing about today."""

HOUR = timedelta(hours=1)

WHY = {
    Verdict.MORE_THAN: "lasts longer than can be said",
    Verdict.NO_TREND: "no wear to be seen",
    Verdict.TOO_LITTLE_DATA: "too little data",
}


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something without a date, and why; at `lasts_until`, if that is known, it is time to look again."""

    site: tuple[str, str]
    asset: str
    target: str
    why: str
    lasts_until: datetime | None = None


def sort_out(
    forecasts: Iterable[LatestForecast],
    registry: Registry,
    since: Mapping[int, datetime],
    terms: Terms,
    now: datetime,
) -> tuple[list[Need], list[Unknown]]:
    """What can be planned at that instant, and what cannot; `since` is when each machine was first known."""
    needs, unknown = [], []
    for said in forecasts:
        asset = registry.asset_by_id(said.asset_id)
        where = (asset.tenant, asset.site), asset.name, said.target
        if now - said.ts > STALE:
            unknown.append(Unknown(*where, f"no forecast for {STALE.days} days"))
        elif said.verdict != Verdict.ESTIMATE:
            lasts = said.ts + said.p10_h * HOUR if said.p10_h is not None else None
            unknown.append(Unknown(*where, WHY[Verdict(said.verdict)], lasts))
        else:
            age = (now - since.get(said.asset_id, said.ts)) / HOUR
            life = LifeDistribution(said.p10_h or 0.0, said.p50_h or 0.0, said.p90_h or 0.0)
            survived = max((now - said.ts) / HOUR, 0.0)
            needs.append(Need(*where, life, survived, max(age, 0.0), terms.of(asset.equipment_type)))
    return needs, unknown
