"""What is known of a model's forecasts: beside the champion's, and since it answers."""

from datetime import datetime

import numpy as np

from console.models_in_use import revived
from console.training import Record
from detectors.surroundings import NAME as SURROUNDINGS
from fleet.clock import microseconds
from fleet.life_rows import LEVEL_ALONE, LifeColumns
from fleet.model_gate import FEWEST_COMPARED, LifeSaid, against_champion, objections, prior_objections
from fleet.model_scope import Scope, nearest
from forecasting.catalog import catalog
from forecasting.comparison import Comparison, by_life, compare
from forecasting.contract import Forecaster, ModelError, Run
from forecasting.drift import expected_error
from forecasting.evaluation import ask, coverage, judged, left_out, mean_error
from forecasting.learned_life import LearnedLife
from forecasting.weibull_life import WeibullLife
from storage.forecast_record import said_of_ended_lives
from storage.model_roles import Role, models_in_use
from storage.models import Model, known_models, load_fit
from storage.pool import Pool
from streams.forecasters import name_of_fit


def role_of(forecaster: str) -> Role:
    """What a model of that forecaster is used for once nothing speaks against it."""
    roles = {WeibullLife.NAME: Role.PRIOR, SURROUNDINGS: Role.SURROUNDINGS}
    return roles.get(forecaster, Role.CHAMPION)


async def against(pool: Pool, record: Record, model: Model) -> list[str]:
    """What speaks against giving a model its role, by the record of its machines as it is now."""
    if role_of(model.forecaster) is Role.PRIOR:
        return prior_objections(model.lineage.get("calibration"))
    if found := objections(model.lineage.get("scores")):
        return found
    champion = await champion_for(pool, model.scope)
    if champion is None or champion.key == model.key:
        return []
    try:
        state, _ = await load_fit(pool, champion.equipment_type, *champion.key)
        answers = revived(champion.forecaster, state)
    except ModelError:  # so no worker can use it either
        return []
    return against_champion(on_record(record, model, champion, answers) | await _live(pool, model, champion))


async def champion_for(pool: Pool, scope: Scope) -> Model | None:
    """The model that answers for a scope's machines: a tenant's own, or else the type's."""
    uses = await models_in_use(pool)
    key = nearest({its: model for (its, role), model in uses.items() if role is Role.CHAMPION}, scope)
    return next((one for one in await known_models(pool, scope.equipment_type) if one.key == key), None)


def on_record(record: Record, model: Model, champion: Model, answers: Forecaster) -> dict[str, Comparison]:
    """Errors for the same lives at the same instants, none of which either had seen.

    The champion's are those of the very fit that answers where enough lives have ended since. Else they are
    of fits like it that leave the same machines out, if it is of another forecaster: one of the same would
    say the same.
    """
    known = catalog()
    mine, its_own = _views(record, model, champion)
    said = left_out(known[model.forecaster], mine, record.assets)
    since = f"that ended since the fit of {champion.forecaster}:{champion.version}"
    if said is None:
        return {since: Comparison(0, np.inf, np.inf)}
    unseen = [n for n in judged(mine) if record.ends_us[n] > _seen_until_us(champion)]
    alike = model.forecaster == champion.forecaster or model.scope != champion.scope
    its = None if alike else left_out(known[champion.forecaster], its_own, record.assets)
    if its is None or len(unseen) >= FEWEST_COMPARED:
        return {since: compare(said.of(unseen), ask(answers, its_own, unseen))}
    return {"left out of both fits": compare(said, its)}


def _views(record: Record, model: Model, champion: Model) -> tuple[list[Run], list[Run]]:
    """The lives as each of the two wants them: if one wants hours, both are asked at the same hours."""
    if LearnedLife.NAME not in {model.forecaster, champion.forecaster}:
        return record.runs, record.runs
    mine, its = (
        LifeColumns.read(one.lineage) if one.forecaster == LearnedLife.NAME else LEVEL_ALONE
        for one in (model, champion)
    )
    return record.hourly(mine, its), record.hourly(its, mine)


async def _live(pool: Pool, model: Model, champion: Model) -> dict[str, Comparison]:
    """What both said in operation: the one answered while the other was tried."""
    said = await said_of_ended_lives(pool, model.equipment_type, _name(champion), _name(model))
    both = np.isfinite(said.challenger_h)
    mine, its = (np.abs(p50_h - said.left_h)[both] for p50_h in (said.challenger_h, said.p50_h))
    return {"forecast by both in operation": by_life(said.life[both], mine, its)}


async def since_it_answers(pool: Pool, model: Model) -> list[LifeSaid]:
    """What a model said of each life that has failed since, beside the errors known from its fit."""
    said = await said_of_ended_lives(pool, model.equipment_type, _name(model))
    profile = model.lineage.get("errors") or {"left_h": []}
    found = []
    for life in np.unique(said.life):
        mine = said.life == life
        left = said.left_h[mine]
        found.append(
            LifeSaid(
                coverage(said.p10_h[mine], said.p90_h[mine], left),
                mean_error(said.p50_h[mine], left),
                float(expected_error(profile, left).mean()) if profile["left_h"] else None,
            )
        )
    return found


def _seen_until_us(model: Model) -> int:
    """Up to when lives were on record as it was fitted; 0 if it was fitted on others than these machines'."""
    until = model.lineage.get("to")
    return microseconds(datetime.fromisoformat(until)) if until else 0


def _name(model: Model) -> str:
    return name_of_fit(catalog()[model.forecaster], model.version)
