"""Keeps a platform's forecasters as the database says: champions, challengers, and what was repaired."""

from dataclasses import dataclass, field

import structlog

from fleet.clock import microseconds
from forecasting.catalog import catalog
from forecasting.contract import ModelError
from forecasting.robust_trend import RobustTrend
from storage.maintenance import last_events
from storage.models import Role, load_state, models_in_use
from storage.pool import Pool
from streams.forecast_engine import FittedModel, Forecasters

log = structlog.get_logger()


@dataclass
class ModelsInUse:
    """The forecasters, and what they were made from."""

    pool: Pool
    _fitted: dict[str, FittedModel] = field(default_factory=dict)
    _challengers: dict[str, FittedModel] = field(default_factory=dict)
    _priors: dict[str, FittedModel] = field(default_factory=dict)
    _renewed_us: dict[int, int] = field(default_factory=dict)
    _loaded: dict[tuple[str, Role], tuple[str, int]] = field(default_factory=dict)

    @property
    def forecasters(self) -> Forecasters:
        """They follow each `refresh`."""
        return Forecasters(RobustTrend(), self._fitted, self._challengers, self._priors, self._renewed_us)

    async def refresh(self) -> None:
        """Take over what has changed; a model that cannot be used is left out with a warning."""
        found = await models_in_use(self.pool)
        last, self._loaded = self._loaded, {}  # of what an outage interrupts nothing is taken for loaded
        roles = {
            Role.CHAMPION: self._fitted,
            Role.CHALLENGER: self._challengers,
            Role.PRIOR: self._priors,
        }
        for role, kept in roles.items():
            wanted = {kind: model for (kind, its), model in found.items() if its is role}
            for kind in kept.keys() - wanted.keys():
                del kept[kind]
            for kind, model in wanted.items():
                if last.get((kind, role)) != model:
                    await self._take(kept, kind, *model)
        self._loaded = found
        renewed = {asset_id: microseconds(ts) for asset_id, ts in (await last_events(self.pool)).items()}
        self._renewed_us.update(renewed)
        for asset_id in self._renewed_us.keys() - renewed.keys():
            del self._renewed_us[asset_id]

    async def _take(self, kept: dict[str, FittedModel], kind: str, name: str, version: int) -> None:
        state = await load_state(self.pool, kind, name, version)
        kept.pop(kind, None)
        try:
            forecaster = catalog()[name]()
            forecaster.load(state)
        except (KeyError, ModelError) as error:
            log.warning("model not usable, fit it again", kind=kind, model=name, reason=repr(error))
            return
        kept[kind] = FittedModel(forecaster, version)
