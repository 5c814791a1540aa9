"""From the newest forecasts to what is planned: what runs out where, and what has no date."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from fleet.asset import Asset
from fleet.registry import Registry
from fleet.service_plan import Need
from fleet.service_terms import Terms
from forecasting.contract import Verdict
from forecasting.life_distribution import LifeDistribution
from storage.queries import LatestForecast
from streams.forecasters import CONDITION

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


@dataclass(frozen=True, slots=True)
class Past:
    """When each machine was `first` known, and when it was last repaired or restored (`renewed`), if ever."""

    first: Mapping[int, datetime]
    renewed: Mapping[int, datetime]

    def since(self, said: LatestForecast) -> datetime:
        """When what runs out was new, as far as that is known."""
        known = [self.first.get(said.asset_id, said.ts)]
        if said.target == CONDITION and said.asset_id in self.renewed:
            known.append(self.renewed[said.asset_id])
        return max(known)


def sort_out(
    forecasts: Iterable[LatestForecast], registry: Registry, past: Past, terms: Terms, now: datetime
) -> tuple[list[Need], list[Unknown]]:
    """What can be planned at that instant, and what cannot."""
    needs, unknown = [], []
    for said in forecasts:
        asset = registry.asset_by_id(said.asset_id)
        where = (asset.tenant, asset.site), asset.name, said.target
        if said.before_repair:
            unknown.append(Unknown(*where, "no forecast since it was repaired or restored"))
        elif now - said.ts > STALE:
            unknown.append(Unknown(*where, f"no forecast for {STALE.days} days"))
        elif said.verdict != Verdict.ESTIMATE:
            lasts = said.ts + said.p10_h * HOUR if said.p10_h is not None else None
            unknown.append(Unknown(*where, WHY[Verdict(said.verdict)], lasts))
        else:
            age = (now - past.since(said)) / HOUR
            life = LifeDistribution(said.p10_h or 0.0, said.p50_h or 0.0, said.p90_h or 0.0)
            survived = max((now - said.ts) / HOUR, 0.0)
            needs.append(Need(*where, life, survived, max(age, 0.0), terms.of(asset.equipment_type)))
    return needs, unknown


def never_forecast(assets: Iterable[Asset], forecasts: Iterable[LatestForecast]) -> list[Unknown]:
    """The machines whose condition no forecast is of."""
    known = {said.asset_id for said in forecasts if said.target == CONDITION}
    return [
        Unknown((one.tenant, one.site), one.name, CONDITION, "no forecast yet")
        for one in assets
        if one.asset_id not in known
    ]
