"""A command's moment with the database: opened, used, closed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from console.databases import Databases, databases
from console.output import err
from console.settings import Settings
from storage.pool import Pool, open_pool

T = TypeVar("T")


def with_database(settings: Settings, operation: Callable[[Pool], Awaitable[T]]) -> T:
    """Run `operation` on the configured database, starting the embedded one for as long as it takes."""
    with databases(settings, progress=tell) as found:
        return with_pool(found, operation)


def with_pool(found: Databases, operation: Callable[[Pool], Awaitable[T]]) -> T:
    """Run `operation` on a database that is there."""

    async def run() -> T:
        async with open_pool(found.writer, "faultline-command") as pool:
            return await operation(pool)

    return asyncio.run(run())


def tell(line: str) -> None:
    """Progress for people, on stderr."""
    err.print(line, style="dim", markup=False, highlight=False)
