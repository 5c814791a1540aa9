"""`faultline check`: what is set, where it came from, and whether it works."""

from contextlib import closing
from dataclasses import dataclass
from typing import Annotated

import psycopg
import typer
from kafka.errors import KafkaError
from psycopg.errors import UndefinedTable
from rich.text import Text

from console.command_database import with_pool
from console.databases import databases
from console.output import out, print_json, print_table, tell
from console.settings import Settings, describe, load_settings
from storage.errors import StorageError
from storage.pool import Pool
from storage.registry import load_registry
from storage.server.cluster import ServerError
from streams.topics import HEALTH, TELEMETRY, connect

CAPABILITY = "select (select extversion from pg_extension where extname = 'timescaledb')"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    name: str
    ok: bool
    found: str


EXAMPLE = "Example: faultline check --json   (exit code 1 if something does not work)"


def check(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    """Show every setting with its source, secrets masked, and try the database and Kafka."""
    settings = load_settings()
    rows = describe(settings)
    checks = [_database(settings), _kafka(settings)]
    if as_json:
        keys = ("name", "value", "source")
        print_json({"settings": [dict(zip(keys, row, strict=True)) for row in rows], "checks": checks})
    else:
        print_table("settings", ["name", "value", "from"], rows)
        for one in checks:
            verdict = "[green]ok[/]" if one.ok else "[bold red]FAILS[/]"
            out.print(f"{verdict}  {one.name}:", Text(one.found))
    raise typer.Exit(0 if all(one.ok for one in checks) else 1)


def _database(settings: Settings) -> Check:
    try:
        with databases(settings, tell, migrate=False) as found:
            return with_pool(found, _ask)
    except UndefinedTable as error:
        return Check("database", False, f"{error.diag.message_primary} (`faultline db migrate` makes it)")
    except (OSError, psycopg.Error, StorageError, ServerError) as error:
        return Check("database", False, str(error))


async def _ask(pool: Pool) -> Check:
    async with pool.connection() as conn:
        server = conn.info.parameter_status("server_version")
        row = await (await conn.execute(CAPABILITY)).fetchone()
    machines = len((await load_registry(pool)).assets)
    timescale = row[0] if row else None
    edition = f"TimescaleDB {timescale}" if timescale else "without TimescaleDB"
    return Check("database", True, f"PostgreSQL {server} {edition}, {machines} machines known")


def _kafka(settings: Settings) -> Check:
    access = settings.kafka_access
    if access is None:
        return Check("kafka", True, "none set: the in-memory transport serves one process")
    try:
        with closing(connect(access)) as admin:
            topics = [name for name in admin.list_topics() if name.startswith((TELEMETRY, HEALTH))]
    except KafkaError as error:
        return Check(
            "kafka", False, f"{access.servers}: {error}: {access.doubts} `faultline stack up` starts one"
        )
    return Check("kafka", True, f"{access.servers}, {len(topics)} of our topics")
