"""`faultline stack`: a real Kafka and a real TimescaleDB on this machine, without containers."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.status import Status

from console.output import err, fail, out, print_json, print_table
from console.settings import load_settings
from deploy.local import requirements as system
from deploy.local.errors import LocalError
from deploy.local.stack import Stack, StackStatus
from storage.bootstrap import OWNER, WRITER
from storage.errors import StorageError
from storage.server.launcher import Progress

app = typer.Typer(
    no_args_is_help=True,
    help="Run a real Kafka and a real TimescaleDB on loopback, without containers.",
)

Folder = Annotated[
    Path | None, typer.Option(help="Where the stack lives; else `stack` in the data folder of the settings.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


class Server(StrEnum):
    """The servers of the stack."""

    KAFKA = "kafka"
    POSTGRES = "postgres"


@app.command(epilog="Example: faultline stack up --install")
def up(
    folder: Folder = None,
    install: Annotated[
        bool, typer.Option("--install", help="As root, install missing system packages with apt.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Start Kafka and TimescaleDB and migrate the database; what runs already is left as it is.

    The first time downloads Kafka's jars and compiles TimescaleDB, about a minute in all.
    """
    with _working() as progress:
        status = Stack(_place(folder), progress=progress).up(install=install)
    _show(status, as_json)


@app.command(epilog="Example: faultline stack down")
def down(
    folder: Folder = None,
    delete: Annotated[bool, typer.Option("--delete", help="Delete all data of the stack as well.")] = False,
) -> None:
    """Stop what `up` started, and nothing else; the data stays."""
    with _working() as progress:
        stack = Stack(_place(folder), progress=progress)
        stack.remove() if delete else stack.down()


@app.command(epilog="Example: faultline stack status --json")
def status(folder: Folder = None, as_json: Json = False) -> None:
    """Show what runs and how to reach it; ends with 1 unless both servers run."""
    with _working():
        found = Stack(_place(folder)).status()
    _show(found, as_json)
    raise typer.Exit(0 if found.running else 1)


@app.command(epilog="Example: faultline stack logs kafka -n 100")
def logs(
    server: Annotated[Server, typer.Argument(help="Whose log.")],
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of its last lines.")] = 50,
    folder: Folder = None,
) -> None:
    """Print the end of a server's log."""
    with _working():
        found = Stack(_place(folder)).logs(server, lines)
    for line in found:
        typer.echo(line)


@app.command(epilog="Example: faultline stack requirements --install")
def requirements(
    install: Annotated[bool, typer.Option("--install", help="As root, install them with apt.")] = False,
) -> None:
    """Name the system programs that are missing; ends with 1 if any is."""
    lacking = system.missing()
    if lacking and install:
        with _working() as progress:
            system.install(lacking, progress)
        lacking = []
    if not lacking:
        out.print("nothing is missing")
        return
    print_table("missing", ["program", "what for", "package"], [(r.name, r.why, r.package) for r in lacking])
    fail(f"as root: {system.command_line(lacking)}, or: faultline stack requirements --install")


def _place(folder: Path | None) -> Path:
    return folder or load_settings().data_dir / "stack"


@contextmanager
def _working() -> Iterator[Progress]:
    """Shows on a terminal what goes on, and turns what can go wrong into an error that names the cure."""
    with err.status("") as spinner:
        try:
            yield partial(_say, spinner)
        except (LocalError, StorageError) as error:
            spinner.stop()
            fail(str(error))


def _say(spinner: Status, message: str) -> None:
    """On a terminal each message; elsewhere, where lines stay, one for each thing that is worked on."""
    before = str(spinner.status).partition(":")[0]
    spinner.update(escape(message))
    if not err.is_terminal and before != message.partition(":")[0]:
        err.print(message, markup=False, highlight=False)


def _show(found: StackStatus, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    print_table(
        "local stack", ["server", "process"], [(s, found.pids.get(s, "does not run")) for s in Server]
    )
    if found.running:  # lines to paste: nothing may wrap them
        typer.echo(f"export FAULTLINE_KAFKA={found.bootstrap_servers}")
        typer.echo(f"export FAULTLINE_DATABASE={shlex.quote(found.databases[WRITER])}")
        typer.echo(f"export FAULTLINE_DATABASE_OWNER={shlex.quote(found.databases[OWNER])}")
