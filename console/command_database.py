"""A command's moment with the database: opened, used, closed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from psycopg import AsyncConnection, OperationalError
from psycopg.errors import UndefinedColumn, UndefinedFunction, UndefinedTable

from console.databases import Databases, databases
from console.output import tell
from console.settings import Settings
from storage.errors import StorageError
from storage.pool import Pool, open_pool

T = TypeVar("T")

CONNECT_S = 10


def with_database(settings: Settings, operation: Callable[[Pool], Awaitable[T]]) -> T:
    """Run `operation` on the configured database, starting the embedded one for as long as it takes.

    Raises `StorageError` if the schema is older than this program.
    """
    return with_databases(settings, lambda found: with_pool(found, operation))


def with_databases(settings: Settings, operation: Callable[[Databases], T]) -> T:
    """The same for what needs other roles than the writer's."""
    with databases(settings, tell, migrate=False) as found:
        try:
            return operation(found)
        except (UndefinedTable, UndefinedColumn, UndefinedFunction) as error:
            raise StorageError(f"{error.diag.message_primary}: `faultline db migrate` makes it") from error


def with_pool(found: Databases, operation: Callable[[Pool], Awaitable[T]]) -> T:
    """Run `operation` on a database that is there; raises `StorageError` at once if it does not answer."""

    async def run() -> T:
        await _knock(found.writer)
        async with open_pool(found.writer, "faultline-command") as pool:
            return await operation(pool)

    return asyncio.run(run())


async def _knock(conninfo: str) -> None:
    """A pool would try for half a minute, and then not say why."""
    try:
        conn = await AsyncConnection.connect(conninfo, connect_timeout=CONNECT_S)
    except OperationalError as error:
        raise StorageError(
            f"the database does not answer: {str(error).splitlines()[0]} "
            "(`faultline check` shows which one is set, `faultline stack up` starts one)"
        ) from error
    await conn.close()
