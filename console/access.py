"""Who gives access to the database, by the settings."""

from collections.abc import Iterator
from contextlib import contextmanager

from console.databases import Databases, databases
from console.output import tell
from console.settings import Settings, SettingsError
from storage.access.keeper import Keeper


@contextmanager
def keeper_of(settings: Settings) -> Iterator[tuple[Keeper, Databases]]:
    """The keeper and the database that it is of. Raises `SettingsError` if this process may not."""
    with databases(settings, tell, migrate=False) as found:
        admin, owner = _needed(found.admin, "database_admin"), _needed(found.owner, "database_owner")
        yield Keeper(admin, owner), found


def _needed(conninfo: str | None, name: str) -> str:
    if conninfo is None:
        raise SettingsError(f"{name} is not set: roles and views are made by it (FAULTLINE_{name.upper()})")
    return conninfo
