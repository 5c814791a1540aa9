"""`faultline models`: learn from what is on record, and decide which model is used."""

from collections.abc import Mapping
from typing import Annotated, Any, NoReturn, TypeGuard

import typer

from console.command_database import with_database
from console.model_trial import against, role_of, since_it_answers
from console.output import fail, out, print_json, print_table, tell
from console.settings import load_settings
from console.surroundings import beside_another, fit_in_use, learned
from console.surroundings import record_of as hours_on_record
from console.training import fit as fit_record
from console.training import forecaster_of, record_of, shifts
from detectors.surroundings import NAME as SURROUNDINGS
from fleet.asset import FleetError
from fleet.model_gate import proposals, surroundings_objections
from fleet.model_scope import Scope
from storage.model_roles import (
    ModelKey,
    ModelUse,
    Role,
    end_role,
    model_uses,
    models_in_use,
    name_of,
    roll_back,
    use_model,
)
from storage.models import Model, known_models, save_model
from storage.pool import Pool

app = typer.Typer(
    no_args_is_help=True,
    help="Learn remaining life from failures, and what load and weather explain, and decide what is used.",
)

Kind = Annotated[str, typer.Argument(help="The equipment type.")]
Which = Annotated[
    str, typer.Argument(help="The model, as `faultline models list` names it: conformal_life:3.")
]
Tenant = Annotated[
    str | None, typer.Option(help="Of this customer's machines alone; else of all of the type.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

HEADER = ("type", "customer", "model", "fitted", "failed", "error h", "in P10-P90", "role")

DEFAULT = "conformal_life"

ADVISE_EXIT = 3
"""Exit code of `check` when a model should be fitted again."""


@app.command(epilog="Example: faultline models fit elevator --promote")
def fit(
    equipment_type: Kind,
    forecaster: Annotated[
        str | None, typer.Option(help="Which forecaster. Default: conformal_life.", show_default=False)
    ] = None,
    tenant: Tenant = None,
    promote: Annotated[
        bool, typer.Option("--promote", help="Let it answer at once if nothing speaks against it.")
    ] = False,
    surroundings: Annotated[
        bool, typer.Option("--surroundings", help="What load and weather explain, for detection.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Fit a model on all lives on record; it is tried beside the one that answers.

    `learned_life` learns from the hourly means of all channels, from eight failures on. `weibull_life` is how
    long such machines last: it stands beside the others from its fit on, unless machines left out speak
    against it. `scaled_life` is for few failures, from three on: it goes by the health of such machines too.

    With `--tenant` it learns from that customer's machines alone, and answers for no other's.

    With `--surroundings` it learns from stored hours, of four weeks or more, what load and weather explain of
    the channels. Once promoted, workers take that out before they judge a row.

    Run it beside the workers, nightly or after failures: it reads the database and stops nothing. A worker
    takes a model over within a minute.
    """
    if surroundings and forecaster:
        fail("surroundings are no forecaster: say --surroundings or --forecaster", 2)
    name, scope = forecaster or DEFAULT, Scope(equipment_type, tenant)
    forecaster_of(name)  # before anything is read

    async def explain(pool: Pool) -> tuple[Model, list[str]]:
        tell(f"reading the hours of {scope} machines")
        record, in_use = await hours_on_record(pool, scope), await fit_in_use(pool, scope)
        tell(f"fitting on {len(record.machines)} machines")
        fitted, lineage = learned(record, in_use)
        version = await save_model(pool, scope, SURROUNDINGS, fitted.state(), lineage)
        model = await _known(pool, equipment_type, name_of((SURROUNDINGS, version)))
        found = surroundings_objections(lineage["spread"])
        if promote and not found:
            await use_model(pool, scope, Role.SURROUNDINGS, model.key, "fitted, and nothing spoke against it")
        return model, found

    async def run(pool: Pool) -> tuple[Model, list[str]]:
        tell(f"reading the lives of {scope} machines")
        record = await record_of(pool, scope)
        tell(f"fitting on {record.failures} failures and {len(record.runs) - record.failures} other lives")
        fitted, lineage = fit_record(record, name)
        version = await save_model(pool, scope, name, fitted.state(), lineage)
        model = await _known(pool, equipment_type, name_of((name, version)))
        found, role = await against(pool, record, model), role_of(name)
        if not found and (promote or role is Role.PRIOR):
            await use_model(pool, scope, role, model.key, "fitted, and nothing spoke against it")
        elif role is not Role.PRIOR:
            await use_model(pool, scope, Role.CHALLENGER, model.key, "fitted")
        return model, found

    model, found = with_database(load_settings(), explain if surroundings else run)
    if as_json:
        print_json({"model": name_of(model.key), "lineage": model.lineage, "objections": found})
        return
    _say(model, found)


@app.command("list", epilog="Example: faultline models list elevator")
def list_models(
    equipment_type: Annotated[str | None, typer.Argument(help="Only of this equipment type.")] = None,
    as_json: Json = False,
) -> None:
    """Show the models, how well they do on machines left out, and which are in use.

    The error is that of P50, "of" that of the median life; surroundings leave so much of the spread.
    """

    async def find(pool: Pool) -> tuple[list[Model], list[ModelUse], Mapping[tuple[Scope, Role], ModelKey]]:
        models, uses = await known_models(pool, equipment_type), await model_uses(pool, equipment_type)
        return models, uses, await models_in_use(pool)

    models, uses, in_use = with_database(load_settings(), find)
    if as_json:
        print_json({"models": models, "uses": uses})
        return
    roles = {(scope, model): role for (scope, role), model in in_use.items()}
    rows = [_row(model, roles.get((model.scope, model.key))) for model in models]
    print_table(f"{len(models)} models", HEADER, rows)


@app.command(epilog="Example: faultline models promote elevator conformal_life:3")
def promote(
    equipment_type: Kind,
    model: Which,
    anyway: Annotated[
        str | None, typer.Option(help="Why it should answer whatever speaks against it; goes on record.")
    ] = None,
) -> None:
    """Let a model answer from now on, for the machines that it was fitted for.

    It is held against the one that answers: on the lives on record that neither has seen, and on what both
    forecast for machines that have failed since.
    """

    async def run(pool: Pool) -> tuple[Model, list[str]]:
        wanted = await _known(pool, equipment_type, model)
        found = [] if anyway else await _objections(pool, wanted)
        if not found:
            role = role_of(wanted.forecaster)
            await use_model(pool, wanted.scope, role, wanted.key, anyway or "promoted")
        return wanted, found

    wanted, found = with_database(load_settings(), run)
    if found:
        fail(f"{model} should not answer: {'; '.join(found)}. To let it anyway: --anyway 'the reason'")
    out.print(f"{model} {_does(role_of(wanted.forecaster))} for {wanted.scope}", highlight=False)


@app.command(epilog="Example: faultline models rollback elevator")
def rollback(
    equipment_type: Kind,
    tenant: Tenant = None,
    surroundings: Annotated[
        bool, typer.Option("--surroundings", help="What load and weather explain, not who answers.")
    ] = False,
) -> None:
    """Let the model answer that did before, and what that followed if said again; at last none.

    Where none of a customer's own answers, that of the type does, and without one the trend.
    """
    scope = Scope(equipment_type, tenant)
    role = Role.SURROUNDINGS if surroundings else Role.CHAMPION
    gone_back = with_database(load_settings(), lambda pool: roll_back(pool, scope, role))
    if gone_back is None:
        _none_answers(scope, "there is nothing to roll back: promote one")
    out.print(f"{name_of(gone_back[0])} {_does(role)} for {scope}", highlight=False)


@app.command(epilog="Example: faultline models end elevator --role challenger")
def end(
    equipment_type: Kind,
    model: Annotated[
        str | None, typer.Argument(help="The model, as `faultline models list` names it.")
    ] = None,
    role: Annotated[Role | None, typer.Option(help="Whoever has this role.")] = None,
    tenant: Tenant = None,
) -> None:
    """End a challenger, a prior or surroundings: it is asked no more, and stays on record.

    A champion is ended with `faultline models rollback`, which says who answers instead.
    """
    if (model is None) == (role is None):
        fail("say which: either a model, as `faultline models list` names it, or --role challenger, prior …")
    if role is Role.CHAMPION:
        fail("a champion is not ended: `faultline models rollback` lets the one before answer")

    async def run(pool: Pool) -> tuple[Role, ModelKey]:
        scope, its = await _to_end(pool, Scope(equipment_type, tenant), model, role)
        ended = await end_role(pool, scope, its)
        if ended is None:
            fail(f"{scope} has no {its}: `faultline models list {equipment_type}` shows what is in use")
        return its, ended

    its, ended = with_database(load_settings(), run)
    out.print(f"{name_of(ended)} is no {its} any more", highlight=False)


@app.command(epilog="Example: faultline models check elevator --json")
def check(equipment_type: Kind, tenant: Tenant = None, as_json: Json = False) -> None:
    """Say whether the model that answers should be fitted again; ends with code 3 if so.

    So it is when what its machines show has shifted, and when its forecasts for machines that have failed
    since erred more, or held less, than on machines left out when it was fitted.
    """
    scope = Scope(equipment_type, tenant)

    async def run(pool: Pool) -> tuple[str, list[str]]:
        in_use = (await models_in_use(pool)).get((scope, Role.CHAMPION))
        if in_use is None:
            of_whom = f" --tenant {tenant}" if tenant else ""
            _none_answers(scope, f"fit one: `faultline models fit {equipment_type}{of_whom} --promote`")
        champion = await _known(pool, equipment_type, name_of(in_use))
        shifted = shifts(champion.lineage, await record_of(pool, scope))
        then = (champion.lineage.get("scores") or {}).get("coverage")
        return name_of(in_use), proposals(shifted, await since_it_answers(pool, champion), then)

    model, why = with_database(load_settings(), run)
    if as_json:
        print_json({"model": model, "fit_again": why})
    elif why:
        out.print(f"{model}: fit it again: {'; '.join(why)}", highlight=False)
    else:
        out.print(f"{model}: nothing speaks for fitting it again", highlight=False)
    if why:
        raise typer.Exit(ADVISE_EXIT)


async def _to_end(pool: Pool, scope: Scope, name: str | None, role: Role | None) -> tuple[Scope, Role]:
    """Whose role it is, and which; ends the command for a model that has none to end."""
    if role is not None:
        return scope, role
    assert name is not None  # one of the two was given
    model = await _known(pool, scope.equipment_type, name)
    found = [
        its
        for (whose, its), key in (await models_in_use(pool)).items()
        if (whose, key) == (model.scope, model.key)
    ]
    if Role.CHAMPION in found:
        fail(f"{name} is the champion: `faultline models rollback` lets the one before answer")
    if not found:
        fail(f"{name} is not in use: `faultline models list {scope.equipment_type}` shows what is")
    return model.scope, found[0]


async def _objections(pool: Pool, model: Model) -> list[str]:
    """What speaks against giving a model its role."""
    if role_of(model.forecaster) is not Role.SURROUNDINGS:
        tell(f"reading the lives of {model.scope} machines")
        return await against(pool, await record_of(pool, model.scope), model)
    if beside_another(model.lineage, await fit_in_use(pool, model.scope)):
        return ["it was fitted before the one that is in use: fit again, so that they are compared"]
    return surroundings_objections(model.lineage["spread"])


def _does(role: Role) -> str:
    return "is used" if role is Role.SURROUNDINGS else "answers"


def _none_answers(scope: Scope, cure: str) -> NoReturn:
    fail(f"no model answers for {scope}{' by one of its own' if scope.tenant else ''}, so {cure}")


async def _known(pool: Pool, kind: str, name: str) -> Model:
    models = {name_of(one.key): one for one in await known_models(pool, kind)}
    if name not in models:
        raise FleetError(f"{kind} has no model {name!r}: there are {', '.join(models) or 'none yet'}")
    return models[name]


def _say(model: Model, against: list[str]) -> None:
    name, scores = name_of(model.key), model.lineage.get("scores")
    for column, reason in model.lineage.get("left_out", {}).items():
        out.print(f"{column} is not learned from: {reason}", highlight=False)
    if spread := model.lineage.get("spread"):
        _say_spread(name, spread)
    if _answers(scores):
        out.print(
            f"{name} errs by {scores['mae_h']:.0f} h on machines left out, the median life by "
            f"{scores['dummy_mae_h']:.0f} h; {scores['coverage']:.0%} of the lives are between P10 and P90",
            highlight=False,
        )
    if calibration := model.lineage.get("calibration"):
        out.print(
            f"{name}: of the machines left out {calibration['failures']} failed, where "
            f"{calibration['expected']:.1f} were expected, and {calibration['early']} before P10, where "
            f"{calibration['early_expected']:.1f} were",
            highlight=False,
        )
    if against:
        is_asked = role_of(model.forecaster) is Role.CHAMPION
        tried = "is tried, and does not answer" if is_asked else "is not used"
        out.print(f"It {tried}: {'; '.join(against)}", highlight=False)


def _say_spread(name: str, spread: Mapping[str, Any]) -> None:
    """What is left of the spread of each channel, by fits that had not seen the weeks."""
    left = ", ".join(f"{channel} {part:.0%}" for channel, part in spread["channels"].items() if part)
    out.print(f"{name} leaves of the spread: {left or 'all'}", highlight=False)


def _row(model: Model, role: Role | None) -> tuple[object, ...]:
    scores, calibration = model.lineage.get("scores"), model.lineage.get("calibration")
    scores = scores if _answers(scores) else None
    held, spread = scores or calibration, model.lineage.get("spread")
    error = f"{scores['mae_h']:.0f} of {scores['dummy_mae_h']:.0f}" if scores else None
    if spread and spread["left"]:
        error = f"leaves {spread['left']:.0%}"
    return (
        model.equipment_type,
        model.tenant,
        name_of(model.key),
        f"{model.created_at:%m-%d %H:%M}",
        model.lineage.get("failures"),
        error,
        f"{held['coverage']:.0%}" if held else None,
        role,
    )


def _answers(scores: Mapping[str, float] | None) -> TypeGuard[Mapping[str, float]]:
    """Whether there is anything to say about its errors: a model may have had no answer at all."""
    return scores is not None and scores["mae_h"] is not None
