"""The `faultline` command: one file a subcommand in `console/commands/`."""

import sys
from importlib import import_module, metadata
from pkgutil import iter_modules
from typing import Annotated

import psycopg
import typer

import console.commands
from console.output import fail
from console.settings import SettingsError
from fleet.asset import FleetError
from storage.errors import StorageError
from storage.postgres_cluster import ServerError
from streams.replay.publisher import PublishError
from streams.replay.tables import MapError

EXPECTED = (
    SettingsError,
    FleetError,
    StorageError,
    ServerError,
    MapError,
    PublishError,
    psycopg.OperationalError,
)
"""What people and their surroundings cause; the message says what to do."""

app = typer.Typer(
    name="faultline",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,  # locals may hold secrets
    help="Predictive maintenance: telemetry in, odd machines and remaining life out.",
    epilog="Start with: [bold]faultline demo[/]",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"faultline {metadata.version('faultline')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of every command."""


for module in sorted(info.name for info in iter_modules(console.commands.__path__)):
    part = import_module(f"console.commands.{module}")
    if hasattr(part, "register"):
        part.register(app)
    else:
        app.add_typer(part.app, name=module)


def main() -> None:
    """The console script: errors that people cause are one line that names the cure, not a traceback."""
    try:
        app()
    except EXPECTED as error:
        try:
            fail(str(error))
        except typer.Exit as done:
            sys.exit(done.exit_code)
