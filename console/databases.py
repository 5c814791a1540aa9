"""Which database, as whom: the one in the settings, or the embedded one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from console.settings import Settings, SettingsError
from storage.bootstrap import OWNER, WRITER
from storage.server.database import prepare_database
from storage.server.launcher import Installation, PostgresServer, Progress
from storage.upgrade import upgrade


@dataclass(frozen=True)
class Databases:
    """Conninfo by purpose. `owner` runs migrations, `admin` makes roles; None: this process may not."""

    writer: str
    owner: str | None
    admin: str | None = None


@contextmanager
def databases(settings: Settings, progress: Progress, migrate: bool = True) -> Iterator[Databases]:
    """The database; an embedded server runs as long as the context.

    `migrate` brings the schema up to date if this process may: right for what runs long, wrong for what
    only looks. The embedded database is ours alone and always up to date.
    """
    if settings.database is not None:
        owner = settings.database_owner.get_secret_value() if settings.database_owner else None
        if owner is not None and migrate:
            upgrade(owner)
        admin = settings.database_admin.get_secret_value() if settings.database_admin else None
        yield Databases(settings.database.get_secret_value(), owner, admin)
        return
    if settings.database_owner is not None:
        raise SettingsError("database_owner is set but database is not: set both, or neither for embedded")
    with PostgresServer(Installation.embedded(), settings.data_dir, progress=progress) as server:
        database = prepare_database(server)
        yield Databases(database.dsn(WRITER), database.dsn(OWNER), database.superuser_dsn)


@contextmanager
def schema(settings: Settings, progress: Progress) -> Iterator[str]:
    """Conninfo for the schema as it stands: its owner's, else the writer's, who may look but not migrate."""
    if settings.database_owner is not None:
        yield settings.database_owner.get_secret_value()
        return
    with databases(settings, progress, migrate=False) as found:
        yield found.owner or found.writer
