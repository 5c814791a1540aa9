"""Keeps a platform's models as the database says, and what was repaired when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from detectors.contract import StateError
from detectors.explained import Fit
from detectors.surroundings import NAME as SURROUNDINGS
from detectors.surroundings import Surroundings
from fleet.clock import microseconds
from fleet.life_rows import LifeColumns
from fleet.model_scope import Scope
from forecasting.catalog import catalog
from forecasting.contract import Forecaster, ModelError
from forecasting.learned_life import LearnedLife
from forecasting.robust_trend import RobustTrend
from storage.life_rows import past_rows
from storage.maintenance import last_events
from storage.model_roles import ModelKey, Role, models_in_use
from storage.models import load_fit
from storage.pool import Pool
from streams.forecasters import FittedModel, Forecasters

log = structlog.get_logger()


@dataclass
class ModelsInUse:
    """The forecasters and the `fits` of what surroundings explain, and what they were made from."""

    pool: Pool
    fits: dict[Scope, Fit] = field(default_factory=dict)
    _fitted: dict[Scope, FittedModel] = field(default_factory=dict)
    _challengers: dict[Scope, FittedModel] = field(default_factory=dict)
    _priors: dict[Scope, FittedModel] = field(default_factory=dict)
    _renewed_us: dict[int, int] = field(default_factory=dict)
    _loaded: dict[tuple[Scope, Role], ModelKey] = field(default_factory=dict)

    @property
    def forecasters(self) -> Forecasters:
        """They follow each `refresh`."""
        return Forecasters(
            RobustTrend(),
            self._fitted,
            self._challengers,
            self._priors,
            self._renewed_us,
            past=partial(past_rows, self.pool),
        )

    async def refresh(self) -> None:
        """Take over what has changed; a model that cannot be used is left out with a warning."""
        found = await models_in_use(self.pool)
        last, self._loaded = self._loaded, {}  # of what an outage interrupts nothing is taken for loaded
        roles: dict[Role, dict[Scope, Any]] = {
            Role.CHAMPION: self._fitted,
            Role.CHALLENGER: self._challengers,
            Role.PRIOR: self._priors,
            Role.SURROUNDINGS: self.fits,
        }
        for role, kept in roles.items():
            wanted = {scope: model for (scope, its), model in found.items() if its is role}
            for scope in kept.keys() - wanted.keys():
                del kept[scope]
            for scope, model in wanted.items():
                if last.get((scope, role)) != model:
                    await self._take(kept, scope, *model)
        self._loaded = found
        renewed = {asset_id: microseconds(ts) for asset_id, ts in (await last_events(self.pool)).items()}
        self._renewed_us.update(renewed)
        for asset_id in self._renewed_us.keys() - renewed.keys():
            del self._renewed_us[asset_id]

    async def _take(self, kept: dict[Scope, Any], scope: Scope, name: str, version: int) -> None:
        state, lineage = await load_fit(self.pool, scope.equipment_type, name, version)
        try:
            kept[scope] = _made(name, version, state, lineage)
        except (ModelError, StateError) as error:
            kept.pop(scope, None)
            log.warning("model not usable, fit it again", of=str(scope), model=name, reason=repr(error))


def _made(name: str, version: int, state: bytes, lineage: Mapping[str, Any]) -> FittedModel | Fit:
    """What a worker uses; raises `ModelError` or `StateError` if this program cannot use that."""
    if name == SURROUNDINGS:
        return Fit(version, Surroundings.read(state))
    forecaster = revived(name, state)
    return FittedModel(forecaster, version, columns_of(forecaster, lineage))


def revived(name: str, state: bytes) -> Forecaster:
    """A forecaster from what was kept of it; raises `ModelError` if this program cannot use that."""
    known = catalog()
    if name not in known:
        raise ModelError(f"there is no forecaster {name!r} any more; fit another")
    forecaster = known[name]()
    forecaster.load(state)
    return forecaster


def columns_of(forecaster: Forecaster, lineage: Mapping[str, Any]) -> LifeColumns | None:
    """What a model that follows lives by the hour looks at; raises `ModelError` if it cannot be told."""
    if not isinstance(forecaster, LearnedLife) or forecaster.regressions is None:
        return None
    try:
        columns = LifeColumns.read(lineage)
    except KeyError as error:
        raise ModelError(f"its lineage does not say {error}; fit it again") from error
    if forecaster.regressions.signals.columns != (1 + len(columns.names), len(columns.bands)):
        raise ModelError("its lineage names other columns than it was fitted on; fit it again")
    return columns
