"""`faultline models`: learn remaining life from failures, and decide which model answers."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeGuard

import typer

from console.command_database import with_database
from console.output import fail, out, print_json, print_table, tell
from console.settings import load_settings
from console.training import fit as fit_record
from console.training import record_of, shifts
from fleet.asset import FleetError
from fleet.model_gate import objections, proposals
from forecasting.catalog import catalog
from forecasting.weibull_life import WeibullLife
from storage.models import (
    Model,
    ModelUse,
    Role,
    known_models,
    model_uses,
    models_in_use,
    save_model,
    use_model,
)
from storage.pool import Pool
from storage.queries import held_forecasts

app = typer.Typer(
    no_args_is_help=True,
    help="Learn remaining life from failures on record, and decide which model answers.",
)

Kind = Annotated[str, typer.Argument(help="The equipment type.")]
Which = Annotated[
    str, typer.Argument(help="The model, as `faultline models list` names it: conformal_life:3.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

HEADER = ("type", "model", "fitted", "failed", "error h", "in P10-P90", "role")

ROLLED_BACK = "rolled back from"
"""How the reason for a rollback begins."""

ADVISE_EXIT = 3
"""Exit code of `check` when a model should be fitted again."""


@app.command(epilog="Example: faultline models fit elevator --promote")
def fit(
    equipment_type: Kind,
    forecaster: Annotated[str, typer.Option(help="Which forecaster.")] = "conformal_life",
    promote: Annotated[
        bool, typer.Option("--promote", help="Let it answer at once if nothing speaks against it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Fit a model on all lives on record; it is tried beside the one that answers.

    `weibull_life` is how long such machines last: it answers beside the others, from its fit on.

    Run it beside the workers, nightly or after failures: it reads the database and stops nothing. A worker
    takes a model over within a minute.
    """

    async def run(pool: Pool) -> tuple[int, dict[str, Any], list[str]]:
        tell(f"reading the lives of {equipment_type} machines")
        record = await record_of(pool, equipment_type)
        tell(f"fitting on {record.failures} failures and {len(record.runs) - record.failures} other lives")
        fitted, lineage = fit_record(record, forecaster)
        version = await save_model(pool, equipment_type, forecaster, fitted.state(), lineage)
        if forecaster == WeibullLife.NAME:
            await use_model(pool, equipment_type, Role.PRIOR, (forecaster, version), "fitted")
            return version, lineage, []
        against = objections(lineage["scores"], await _champions_scores(pool, equipment_type))
        if promote and not against:
            await _promote(
                pool, equipment_type, (forecaster, version), "fitted, and nothing spoke against it"
            )
        else:
            await use_model(pool, equipment_type, Role.CHALLENGER, (forecaster, version), "fitted")
        return version, lineage, against

    version, lineage, against = with_database(load_settings(), run)
    if as_json:
        print_json({"model": f"{forecaster}:{version}", "lineage": lineage, "objections": against})
        return
    _say(f"{forecaster}:{version}", lineage["scores"], against)


@app.command("list", epilog="Example: faultline models list elevator")
def list_models(
    equipment_type: Annotated[str | None, typer.Argument(help="Only of this equipment type.")] = None,
    as_json: Json = False,
) -> None:
    """Show the models, how well they do on machines left out, and which are in use.

    The error is that of P50, "of" that of the median life.
    """

    async def find(pool: Pool) -> tuple[list[Model], list[ModelUse]]:
        return await known_models(pool, equipment_type), await model_uses(pool, equipment_type)

    models, uses = with_database(load_settings(), find)
    if as_json:
        print_json({"models": models, "uses": uses})
        return
    print_table(f"{len(models)} models", HEADER, [_row(model, _roles(uses)) for model in models])


@app.command(epilog="Example: faultline models promote elevator conformal_life:3")
def promote(
    equipment_type: Kind,
    model: Which,
    anyway: Annotated[
        str | None, typer.Option(help="Why it should answer whatever speaks against it; goes on record.")
    ] = None,
) -> None:
    """Let a model answer from now on."""

    async def run(pool: Pool) -> list[str]:
        wanted = await _known(pool, equipment_type, model)
        against = objections(wanted.lineage.get("scores"), await _champions_scores(pool, equipment_type))
        if not against or anyway:
            await _promote(pool, equipment_type, (wanted.forecaster, wanted.version), anyway or "promoted")
            return []
        return against

    if against := with_database(load_settings(), run):
        fail(f"{model} should not answer: {'; '.join(against)}. To let it anyway: --anyway 'the reason'")
    out.print(f"{model} answers for {equipment_type}", highlight=False)


@app.command(epilog="Example: faultline models rollback elevator")
def rollback(equipment_type: Kind) -> None:
    """Let the model answer that did before, and what that followed if said again; at last the trend alone."""

    async def run(pool: Pool) -> str:
        line = _line(await model_uses(pool, equipment_type))
        if len(line) < 2:
            fail(f"no model answers for {equipment_type}, so there is nothing to roll back: promote one")
        before, now = line[-2:]
        await use_model(pool, equipment_type, Role.CHAMPION, before, f"{ROLLED_BACK} {_name(now)}")
        return _name(before)

    out.print(f"{with_database(load_settings(), run)} answers for {equipment_type}", highlight=False)


@app.command(epilog="Example: faultline models check elevator --json")
def check(equipment_type: Kind, as_json: Json = False) -> None:
    """Say whether the model that answers should be fitted again; ends with code 3 if so."""

    async def run(pool: Pool) -> tuple[str, list[str]]:
        in_use = (await models_in_use(pool)).get((equipment_type, Role.CHAMPION))
        if in_use is None:
            fail(f"no model answers for {equipment_type}: `faultline models fit {equipment_type} --promote`")
        forecaster, version = in_use
        champion = await _known(pool, equipment_type, f"{forecaster}:{version}")
        record = await record_of(pool, equipment_type)
        said = f"{forecaster}-{catalog()[forecaster].VERSION} fit {version}"
        held = await held_forecasts(pool, equipment_type, said)
        return f"{forecaster}:{version}", proposals(shifts(champion.lineage, record), held)

    model, why = with_database(load_settings(), run)
    if as_json:
        print_json({"model": model, "fit_again": why})
    elif why:
        out.print(f"{model}: fit it again: {'; '.join(why)}", highlight=False)
    else:
        out.print(f"{model}: nothing speaks for fitting it again", highlight=False)
    if why:
        raise typer.Exit(ADVISE_EXIT)


async def _promote(pool: Pool, kind: str, model: tuple[str, int], reason: str) -> None:
    await use_model(pool, kind, Role.CHAMPION, model, reason)
    if (await models_in_use(pool)).get((kind, Role.CHALLENGER)) == model:
        await use_model(pool, kind, Role.CHALLENGER, None, "it answers now")


async def _known(pool: Pool, kind: str, name: str) -> Model:
    models = {f"{one.forecaster}:{one.version}": one for one in await known_models(pool, kind)}
    if name not in models:
        raise FleetError(f"{kind} has no model {name!r}: there are {', '.join(models) or 'none yet'}")
    return models[name]


async def _champions_scores(pool: Pool, kind: str) -> Mapping[str, float] | None:
    in_use = (await models_in_use(pool)).get((kind, Role.CHAMPION))
    if in_use is None:
        return None
    scores: Mapping[str, float] | None = (await _known(pool, kind, "{}:{}".format(*in_use))).lineage.get(
        "scores"
    )
    return scores


def _say(name: str, scores: Mapping[str, float] | None, against: list[str]) -> None:
    if _answers(scores):
        out.print(
            f"{name} errs by {scores['mae_h']:.0f} h on machines left out, the median life by "
            f"{scores['dummy_mae_h']:.0f} h; {scores['coverage']:.0%} of the lives are between P10 and P90",
            highlight=False,
        )
    if against:
        out.print(f"It is tried, and does not answer: {'; '.join(against)}", highlight=False)


def _row(model: Model, roles: Mapping[tuple[str, str, int], str]) -> tuple[object, ...]:
    scores = model.lineage.get("scores")
    scores = scores if _answers(scores) else None
    return (
        model.equipment_type,
        f"{model.forecaster}:{model.version}",
        f"{model.created_at:%m-%d %H:%M}",
        model.lineage.get("failures"),
        f"{scores['mae_h']:.0f} of {scores['dummy_mae_h']:.0f}" if scores else None,
        f"{scores['coverage']:.0%}" if scores else None,
        roles.get((model.equipment_type, model.forecaster, model.version)),
    )


def _answers(scores: Mapping[str, float] | None) -> TypeGuard[Mapping[str, float]]:
    """Whether there is anything to say about its errors: a model may have had no answer at all."""
    return scores is not None and scores["mae_h"] is not None


def _roles(uses: list[ModelUse]) -> dict[tuple[str, str, int], str]:
    newest = {(use.equipment_type, use.role): use for use in uses}
    return {
        (use.equipment_type, use.forecaster, use.version): use.role
        for use in newest.values()
        if use.forecaster and use.version
    }


def _line(uses: list[ModelUse]) -> list[tuple[str, int] | None]:
    """Who answered one after the other, none at first, the last one now; without whom was rolled back."""
    line: list[tuple[str, int] | None] = [None]
    for use in uses:
        if use.role == Role.CHAMPION:
            model = (use.forecaster, use.version) if use.forecaster and use.version else None
            if use.reason.startswith(ROLLED_BACK) and len(line) > 1:
                line.pop()
            if model != line[-1]:
                line.append(model)
    return line


def _name(model: tuple[str, int] | None) -> str:
    return "{}:{}".format(*model) if model else "no model"
