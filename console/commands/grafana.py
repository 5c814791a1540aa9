"""`faultline grafana`: dashboards for Grafana."""

from pathlib import Path
from typing import Annotated

import typer
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from console.output import fail, out
from dashboards.catalog import catalog
from dashboards.files import FOLDER, PASSWORD, files

app = typer.Typer(no_args_is_help=True, help="Dashboards for Grafana.")


@app.callback()
def _several() -> None:
    """More commands will follow `export`."""


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
) -> None:
    """Write dashboards and data source as files that Grafana reads when it starts.

    Grafana finds the login's password in its environment.
    """
    try:
        server = conninfo_to_dict(login)
    except ProgrammingError:
        fail("libpq cannot read the login: give the line that `faultline tenants add` has printed", 2)
    if missing := [name for name in ("host", "user", "dbname") if name not in server]:
        fail(f"the login names no {missing[0]}: give the line that `faultline tenants add` has printed", 2)
    machines = {board.code.removeprefix("AD-").lower() for board in catalog() if board.code.startswith("AD-")}
    if unknown := sorted(set(kind or ()) - machines):
        fail(f"no dashboard for {unknown[0]!r}: there are {', '.join(sorted(machines))}", 2)
    boards = [
        board
        for board in catalog()
        if not kind or not board.code.startswith("AD-") or board.code.removeprefix("AD-").lower() in kind
    ]
    made = files(
        boards,
        str(server["host"]),
        int(server.get("port") or 5432),
        str(server["dbname"]),
        str(server["user"]),
    )
    for path, text in made:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    out.print(f"{len(boards)} dashboards in two languages in {folder}", highlight=False, soft_wrap=True)
    told = f"start Grafana with that folder in {FOLDER} and the login's password in {PASSWORD}"
    out.print(told, highlight=False, soft_wrap=True)
