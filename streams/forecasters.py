"""Which forecaster answers for a machine: the trend, the models in use for its type or tenant, a prior."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from fleet.failure_level import SPREAD, failure_level
from fleet.life_rows import LifeColumns, LifeRows
from fleet.model_scope import Scope, nearest
from fleet.vertical import VerticalPack
from forecasting.contract import LIMIT, REACHED, Forecast, Forecaster, History, Verdict
from forecasting.first_passage import FirstPassage
from forecasting.followed_lives import Latest
from forecasting.learned_life import LearnedLife
from forecasting.stacked_life import Regressions
from streams.trajectory import Trajectory

CONDITION = "condition"
"""The machine as a whole, among what runs out."""

AllLatest = Mapping[int, Latest]
"""An asset's life as it is now, for each fit that follows it."""

NOT_FOLLOWED: AllLatest = {}

Past = Callable[[int, int, int | None, int], Awaitable[LifeRows]]
"""What is stored of an asset with so many channels, after an instant (None: all) up to and with another."""


async def nothing_stored(asset_id: int, channels: int, after_us: int | None, until_us: int) -> LifeRows:
    """Where there is no database."""
    return LifeRows.of([], channels)


@dataclass(frozen=True, slots=True)
class Follower:
    """What lives are followed by, by the hour, for a fit."""

    fit: int
    regressions: Regressions
    columns: LifeColumns


@dataclass(frozen=True, slots=True)
class FittedModel:
    """A forecaster fitted on failures; `fit` is the number of that fit.

    columns: what it looks at by the hour; None for one that is asked about the level of wear alone.
    """

    forecaster: Forecaster
    fit: int
    columns: LifeColumns | None = None

    def says(self, history: History, latest: AllLatest = NOT_FOLLOWED) -> tuple[str, Forecast]:
        """Its name, as it stands beside each forecast, and its forecast from the end of the history.

        One that follows lives by the hour is asked about the latest row instead.
        """
        name = name_of_fit(self.forecaster, self.fit)
        if not isinstance(self.forecaster, LearnedLife) or self.forecaster.regressions is None:
            # health on record, which it was fitted on, ends at 0 %
            capped = replace(history, x=np.minimum(history.x, 1.0))
            return name, self.forecaster.predict([capped])[0]
        if self.fit not in latest:
            return name, Forecast(Verdict.TOO_LITTLE_DATA, basis="its hours are not read yet")
        return name, self.forecaster.at([latest[self.fit]])[0]

    @property
    def follower(self) -> Follower | None:
        """Who follows lives for it, if it wants them by the hour."""
        if not isinstance(self.forecaster, LearnedLife) or self.columns is None:
            return None
        regressions = self.forecaster.regressions
        return Follower(self.fit, regressions, self.columns) if regressions else None


def to_failure(pack: VerticalPack, mode: str, history: History) -> History | None:
    """A condition's history against the failure of a fault mode; None if it is not known when that fails."""
    level = failure_level(pack, mode, history.x[:, 0])
    return None if level is None else History(history.age_h, level[:, None], limit_spread=SPREAD)


def name_of_fit(forecaster: Forecaster | type[Forecaster], fit: int) -> str:
    """What stands beside each forecast of a fitted model."""
    return f"{_name(forecaster)} fit {fit}"


@dataclass(frozen=True, slots=True)
class Forecasters:
    """Which forecaster answers.

    A wear counter goes on at its pace. Whether a condition gets worse at all is the trend's word, on the
    asset's own past, held against the failure of the fault mode that a finding names. If so, a model fitted
    on failures of the equipment type says when; what it cannot say, the trend does, and what that cannot say
    either, the lives of such machines (`priors`). Where no wear is to be seen, that stays the answer, with
    those lives beside it, unless the machine is at its limit. `challengers` are asked beside the fitted
    models. Each of these is a tenant's own, or else the equipment type's; never another tenant's.
    `renewed_us` is when each asset was repaired or restored last: its condition begins anew there. Whoever
    fills the mappings may change them at any time. `past` reads what a model that follows lives by the hour
    has not seen of them.
    """

    trend: Forecaster
    fitted: Mapping[Scope, FittedModel] = field(default_factory=dict)
    challengers: Mapping[Scope, FittedModel] = field(default_factory=dict)
    priors: Mapping[Scope, FittedModel] = field(default_factory=dict)
    renewed_us: Mapping[int, int] = field(default_factory=dict)
    counter: Forecaster = field(default_factory=FirstPassage)
    past: Past = nothing_stored

    def followers(self, scope: Scope) -> list[Follower]:
        """Who follows the lives of a tenant's machines by the hour."""
        asked = (nearest(models, scope) for models in (self.fitted, self.challengers))
        return [model.follower for model in asked if model is not None and model.follower is not None]

    def history(self, asset_id: int, target: str, trajectory: Trajectory) -> History:
        """The past since the asset was as good as new; a forecast from before that knows nothing of it."""
        since = self.renewed_us.get(asset_id) if target == CONDITION else None
        known = since is not None and since < trajectory.ts_us[-1]
        return trajectory.history(since if known else None)

    def forecast(
        self,
        scope: Scope,
        target: str,
        history: History,
        latest: AllLatest = NOT_FOLLOWED,
        to_failure: History | None = None,
    ) -> tuple[str, Forecast]:
        """The forecaster's name and its forecast from the last point of the history of a tenant's machine.

        to_failure: the condition against what the named fault mode fails at; the trend goes by it if known.
        """
        if target != CONDITION:
            return _says(self.counter, history)
        name, seen = _says(self.trend, history if to_failure is None else to_failure)
        prior, model = nearest(self.priors, scope), nearest(self.fitted, scope)
        if seen.verdict not in {Verdict.ESTIMATE, Verdict.MORE_THAN}:
            if _at_limit(history):
                return name, REACHED
            return name, seen if prior is None else _beside(seen, prior.says(history)[1])
        if model is None:
            return name, seen
        by_model, learned = model.says(history, latest)
        if learned.verdict is not Verdict.TOO_LITTLE_DATA:
            return by_model, learned
        if prior is not None and seen.verdict is Verdict.MORE_THAN:
            by_prior, usual = prior.says(history)
            if usual.verdict is Verdict.ESTIMATE:
                return by_prior, replace(usual, basis=f"{learned.basis}; {usual.basis}")
        return name, replace(seen, basis=f"{learned.basis}; {seen.basis}")

    def in_shadow(
        self, scope: Scope, target: str, history: History, latest: AllLatest = NOT_FOLLOWED
    ) -> tuple[str, Forecast] | None:
        """What the challenger would say, if there is one for that."""
        model = nearest(self.challengers, scope) if target == CONDITION else None
        return model.says(history, latest) if model is not None else None


def _says(forecaster: Forecaster, history: History) -> tuple[str, Forecast]:
    return _name(forecaster), forecaster.predict([history])[0]


def _name(forecaster: Forecaster | type[Forecaster]) -> str:
    return f"{forecaster.NAME}-{forecaster.VERSION}"


def _at_limit(history: History) -> bool:
    """Whether health is at 0 % or below; without a trend that is all there is to say."""
    return bool(len(history.x) and history.x[-1, 0] >= LIMIT)


def _beside(seen: Forecast, usual: Forecast) -> Forecast:
    """What is seen, with what is usual at this age in its basis, if that is known."""
    if usual.p10_h is None:
        return seen
    hours = (
        f"more than {usual.p10_h:.0f}" if usual.p90_h is None else f"{usual.p10_h:.0f} to {usual.p90_h:.0f}"
    )
    return replace(seen, basis=f"{seen.basis}; usual at this age: {hours} h left ({usual.basis})")
