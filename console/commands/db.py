"""`faultline db`: the database's schema."""

from typing import Annotated

import typer

from console.command_database import with_database
from console.databases import schema
from console.output import fail, out, print_json, print_table, tell
from console.settings import load_settings
from storage.migrate import FileStatus
from storage.migrate import status as read_status
from storage.position import set_position
from storage.upgrade import upgrade
from streams.topics import TELEMETRY

app = typer.Typer(no_args_is_help=True, help="Bring the database's schema up to date, or look at it.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command(epilog="Example: FAULTLINE_DATABASE_OWNER='host=db user=faultline_owner …' faultline db migrate")
def migrate(as_json: Json = False) -> None:
    """Apply the migrations that are missing; safe to repeat, and with two at once.

    The embedded database needs none of it: whatever uses it brings it up to date.
    """
    settings = load_settings()
    if settings.database is not None and settings.database_owner is None:
        fail("set database_owner: only the schema's owner may migrate")
    with schema(settings, tell) as conninfo:
        applied = upgrade(conninfo)
    if as_json:
        print_json(applied)
    else:
        out.print(f"{len(applied)} applied" if applied else "up to date")


@app.command(epilog="Example: faultline db status --json")
def status(as_json: Json = False) -> None:
    """Show which migrations are applied, and which wait for what the server cannot do."""
    with schema(load_settings(), tell) as conninfo:
        rows = read_status(conninfo)
    if as_json:
        print_json(rows)
    else:
        print_table("migrations", ["file", "applied", "waits for"], [_row(one) for one in rows])


@app.command(epilog="Example: faultline db position telemetry.acme 3 120000")
def position(
    topic: Annotated[str, typer.Argument(help="The topic that lost records or was made anew.")],
    partition: Annotated[int, typer.Argument(min=0, help="Its partition.")],
    offset: Annotated[int, typer.Argument(min=0, help="The offset to go on at.")],
) -> None:
    """Let the workers go on elsewhere in a partition, after a worker stopped because its position is lost."""
    consumer = "score" if topic.startswith(TELEMETRY) else "forecast"
    moved = with_database(
        load_settings(), lambda pool: set_position(pool, consumer, topic, partition, offset)
    )
    if not moved:
        fail(f"nothing of {topic}[{partition}] is stored, so there is no position to move")
    told = f"{topic}[{partition}]: the next record stored will be the one at {offset}"
    out.print(told, markup=False, highlight=False)


def _row(one: FileStatus) -> tuple[str, str, str]:
    applied = f"{one.applied_at:%Y-%m-%d %H:%M} UTC" if one.applied_at else "no: faultline db migrate"
    return f"{one.version:04}_{one.name}", applied, ", ".join(need.name.lower() for need in one.waiting)
