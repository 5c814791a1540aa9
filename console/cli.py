"""The `faultline` command: one file in `console/commands/` for each word that may follow it."""

import sys
from collections.abc import Iterable
from importlib import import_module, metadata
from pathlib import Path
from pkgutil import iter_modules
from typing import Annotated

import psycopg
import typer
from threadpoolctl import threadpool_limits

import console.commands
from console.output import fail
from console.settings import SettingsError
from dashboards.provision.errors import GrafanaError
from deploy.local.errors import LocalError
from fleet.asset import FleetError
from storage.errors import StorageError
from streams.errors import PartitionStopped, TopicError
from streams.replay.toml_reader import MapError

EXPECTED = (
    SettingsError,
    FleetError,
    LocalError,
    StorageError,
    GrafanaError,
    MapError,
    PartitionStopped,
    TopicError,
    psycopg.OperationalError,
)
"""What people and their surroundings cause; the message says what to do."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"faultline {metadata.version('faultline')}")
        raise typer.Exit


def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Predictive maintenance: telemetry in, odd machines and remaining life out."""


def command_names() -> list[str]:
    """The commands, by their files."""
    return sorted(info.name for info in iter_modules(console.commands.__path__))


def _bare() -> typer.Typer:
    app = typer.Typer(
        name="faultline",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_show_locals=False,  # locals may hold secrets
    )
    app.callback(epilog="Start with: [bold]faultline demo[/]")(root)
    return app


def overview() -> typer.Typer:
    """The application that only says which commands there are: importing them all takes seconds."""
    app = _bare()
    for name in command_names():
        app.command(name, help=_summary(name))(lambda: None)
    return app


def _summary(name: str) -> str:
    """What a command is for, as the first line of its file says."""
    with (Path(console.commands.__path__[0]) / f"{name}.py").open(encoding="utf-8") as lines:
        said = next(lines).strip().strip('"').partition(": ")[2]
    return said[:1].upper() + said[1:]


def build(names: Iterable[str]) -> typer.Typer:
    """The application with these commands; what a command needs is only imported with it."""
    app = _bare()
    for name in names:
        module = import_module(f"console.commands.{name}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            app.command(name, epilog=module.EXAMPLE)(getattr(module, name))
    return app


def main() -> None:
    """The console script: errors that people cause are one line that names the cure, not a traceback."""
    first = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    app = build([first]) if first in command_names() else overview()
    threadpool_limits(1)  # matrices are small here: more threads only get in each other's way
    try:
        app()
    except EXPECTED as error:
        try:
            fail(str(error))
        except typer.Exit as done:
            sys.exit(done.exit_code)
