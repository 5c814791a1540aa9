"""`faultline grafana`: dashboards for Grafana."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from console.access import keeper_of
from console.feeding import progress_bar
from console.output import err, fail, out, print_json, print_table
from console.provisioning import Outcome, Provisioner, Rules, chosen, each
from console.settings import Settings, SettingsError, load_settings
from dashboards.alerts.files import alert_files
from dashboards.alerts.rules import rules
from dashboards.board import Audience
from dashboards.catalog import catalog
from dashboards.files import FOLDER, PASSWORD, files
from dashboards.provision.apply import Drift
from dashboards.provision.gateway import Server
from dashboards.provision.plan import CLEAN, State, Step
from storage.access.grants import Access
from storage.provisioning import alone

app = typer.Typer(no_args_is_help=True, help="Dashboards for Grafana.")


CHANGES = 2
"""Exit code where something is to be done, as `terraform plan -detailed-exitcode` has it."""

_DONE = {
    State.CREATE: "created",
    State.UPDATE: "updated",
    State.DELETE: "deleted",
    State.FOREIGN: "not ours",
}

_DRIFTED = {Drift.REPORT: "drifted, left", Drift.OVERWRITE: "overwritten", Drift.ADOPT: "adopted"}

SHOWN = 5
"""Differences of one thing that are shown."""

Who = Annotated[
    list[str] | None,
    typer.Argument(
        help="Tenants, technicians, makers (`faultline tenants list`); none: all.", metavar="NAME"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command(epilog="Example: faultline grafana plan acme")
def plan(names: Who = None, as_json: AsJson = False) -> None:
    """Show what `apply` would do; ends with 0 if nothing, 2 if something, 1 if it cannot be said."""
    with _provisioner() as (provisioner, accesses):
        outcomes = _all(accesses(names), provisioner.plan, "looking")
    if as_json:
        print_json([_plain(outcome) for outcome in outcomes])
    else:
        _show_plan(outcomes)
    _end(outcomes, any(not outcome.clean for outcome in outcomes))


@app.command(epilog="Example: faultline grafana apply acme --drift overwrite")
def apply(
    names: Who = None,
    drift: Annotated[
        Drift, typer.Option(help="What becomes of things of ours that somebody changed in Grafana.")
    ] = Drift.REPORT,
    allow_deletes: Annotated[
        int | None, typer.Option(min=0, help="So many things may go, over all organisations.")
    ] = None,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Give Grafana new logins, end its old ones.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Give each its own organisation with data source, folders, dashboards and home; safe to repeat.

    Ends with 0 if all is done, 2 if something was left to people, 1 if one of them failed.
    """
    rules = Rules(drift, allow_deletes, rotate)
    with _provisioner() as (provisioner, accesses):
        provisioner.check(chosen := accesses(names), rules)
        outcomes = _all(chosen, lambda access: provisioner.apply(access, rules), "provisioning")
    _tell(outcomes, as_json, _DRIFTED[drift])
    left = [step for outcome in outcomes for step in outcome.left(drift)]
    if left and not as_json:
        out.print(
            f"{len(left)} left, changed in Grafana or not made by us: `faultline grafana plan` shows them"
        )
    _end(outcomes, bool(left))


@app.command(epilog="Example: faultline grafana undo acme")
def undo(
    names: Annotated[list[str], typer.Argument(help="Whose last run.", metavar="NAME")],
    as_json: AsJson = False,
) -> None:
    """Take back what the last run changed; said again, do it again. Logins stay as they are."""
    with _provisioner() as (provisioner, accesses):
        outcomes = _all(accesses(names), provisioner.undo, "taking back")
    _tell(outcomes, as_json)
    _end(outcomes, False)


@app.command(epilog="Example: faultline grafana remove acme --yes")
def remove(
    names: Annotated[list[str], typer.Argument(help="Whose organisation.", metavar="NAME")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take all that is ours out of Grafana, and the organisation if nothing else is in it."""
    if not yes:
        typer.confirm(f"Take the dashboards of {', '.join(names)} out of Grafana?", abort=True)
    with _provisioner() as (provisioner, accesses):
        outcomes = _all(accesses(names), provisioner.remove, "removing")
    _tell(outcomes, as_json)
    _end(outcomes, False)


@app.command(
    epilog='Example: faultline grafana export provisioning --login "host=db user=a1_2 dbname=faultline"'
)
def export(
    folder: Annotated[
        Path, typer.Argument(file_okay=False, help="Where they go: Grafana's provisioning folder.")
    ],
    login: Annotated[str, typer.Option(help="The conninfo that `faultline tenants add` has printed.")],
    kind: Annotated[
        list[str] | None, typer.Option("--type", help="Machines of these types alone; may be repeated.")
    ] = None,
    operations: Annotated[
        bool, typer.Option("--operations", help="For those who run the platform: its board and alerts.")
    ] = False,
    disk_gb: Annotated[
        float | None,
        typer.Option(min=1, help="Size of the database's disk; none: no alert when it fills up."),
    ] = None,
) -> None:
    """Write dashboards and data source as files that Grafana reads when it starts.

    Grafana finds the login's password in its environment. With `--operations`, which wants a login of that
    kind, there are alert rules too: in `alerting` for Grafana, in `api` as the body for its provisioning API.
    """
    if disk_gb and not operations:
        fail("--disk-gb is for the alerts of --operations: give both", 2)
    try:
        server = conninfo_to_dict(login)
    except ProgrammingError:
        fail("libpq cannot read the login: give the line that `faultline tenants add` has printed", 2)
    if missing := [name for name in ("host", "user", "dbname") if name not in server]:
        fail(f"the login names no {missing[0]}: give the line that `faultline tenants add` has printed", 2)
    machines = {board.equipment_type for board in catalog() if board.equipment_type}
    if unknown := sorted(set(kind or ()) - machines):
        fail(f"no dashboard for {unknown[0]!r}: there are {', '.join(sorted(machines))}", 2)
    boards = [
        board
        for board in catalog()
        if (Audience.OPERATIONS in board.audience) is operations
        and (not kind or board.equipment_type is None or board.equipment_type in kind)
    ]
    made = files(
        boards,
        str(server["host"]),
        int(server.get("port") or 5432),
        str(server["dbname"]),
        str(server["user"]),
    )
    if operations:
        made = chain(made, alert_files(rules(disk_gb)))
    for path, text in made:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    out.print(f"{len(boards)} dashboards in two languages in {folder}", highlight=False, soft_wrap=True)
    told = f"start Grafana with that folder in {FOLDER} and the login's password in {PASSWORD}"
    out.print(told, highlight=False, soft_wrap=True)


@contextmanager
def _provisioner() -> Iterator[tuple[Provisioner, Callable[[Sequence[str] | None], list[Access]]]]:
    settings = load_settings()
    server = _server(settings)
    with keeper_of(settings) as (keeper, found), alone(keeper.owner_dsn):
        server.check()
        yield Provisioner(server, keeper, found.writer), lambda names: chosen(keeper, names or ())


def _server(settings: Settings) -> Server:
    if settings.grafana_url is None:
        raise SettingsError("grafana_url is not set: say where Grafana answers (FAULTLINE_GRAFANA_URL)")
    if settings.grafana_admin_password is None:
        raise SettingsError(
            "grafana_admin_password is not set: it is the password of grafana_admin, a server administrator "
            "of Grafana (FAULTLINE_GRAFANA_ADMIN_PASSWORD)"
        )
    return Server(
        settings.grafana_url, settings.grafana_admin, settings.grafana_admin_password.get_secret_value()
    )


def _all(accesses: Sequence[Access], work: Callable[[Access], Outcome], doing: str) -> list[Outcome]:
    outcomes = []
    with progress_bar() as bar:
        task = bar.add_task(doing, total=len(accesses), note="")
        for outcome in each(accesses, work):
            outcomes.append(outcome)
            bar.update(task, advance=1, note=outcome.name)
    return outcomes


def _show_plan(outcomes: Sequence[Outcome]) -> None:
    rows = [
        (outcome.name, step.state, step.kind, step.uid, _some(step.differences()))
        for outcome in outcomes
        for step in outcome.steps
        if step.state not in CLEAN
    ]
    if rows:
        print_table(f"{len(rows)} to do", ["for", "do", "what", "uid", "differences"], rows)
    elif not any(outcome.error for outcome in outcomes):
        out.print("nothing to do")


def _some(differences: Sequence[str]) -> str:
    more = [f"… {len(differences) - SHOWN} more"] if len(differences) > SHOWN else []
    return "\n".join([*differences[:SHOWN], *more])


def _tell(outcomes: Sequence[Outcome], as_json: bool, drifted: str = "deleted") -> None:
    """What was done; `drifted` says what became of things that somebody had changed."""
    if as_json:
        print_json([_plain(outcome) for outcome in outcomes])
    else:
        _show_done(outcomes, drifted)


def _show_done(outcomes: Sequence[Outcome], drifted: str) -> None:
    words = _DONE | {State.DRIFTED: drifted}
    for outcome in outcomes:
        if outcome.error is None:
            counted = Counter(step.state for step in outcome.steps)
            said = [f"{count} {words.get(state, state)}" for state, count in counted.items()]
            said += outcome.notes
            out.print(f"{outcome.name}: {', '.join(said)}", highlight=False, markup=False, soft_wrap=True)


def _plain(outcome: Outcome) -> dict[str, object]:
    def plain(step: Step) -> dict[str, object]:
        named = {"state": step.state, "kind": step.kind, "uid": step.uid}
        return named | {"differences": step.differences()}

    steps = [plain(step) for step in outcome.steps if step.state not in CLEAN]
    return {"name": outcome.name, "steps": steps, "notes": outcome.notes, "error": outcome.error}


def _end(outcomes: Sequence[Outcome], something: bool) -> None:
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    for outcome in failed:
        err.print(
            f"{outcome.name}: {outcome.error}", style="red", markup=False, highlight=False, soft_wrap=True
        )
    if failed or something:
        raise typer.Exit(1 if failed else CHANGES)
