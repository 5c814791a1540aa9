"""A migrated database on a server of our own, its roles' passwords kept beside the server's."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from storage.bootstrap import OWNER, ROLES, bootstrap
from storage.server.cluster import write_secret
from storage.server.launcher import PostgresServer
from storage.upgrade import upgrade


@dataclass(frozen=True)
class Database:
    """One database of a server; every conninfo names the file that holds the password, never the password."""

    admin_dsn: str
    name: str
    passfile: Path

    def dsn(self, role: str) -> str:
        """Conninfo of one of `storage.bootstrap.ROLES`."""
        return make_conninfo(self.admin_dsn, dbname=self.name, user=role, passfile=str(self.passfile))

    @property
    def superuser_dsn(self) -> str:
        """Conninfo of the server's superuser, for this database."""
        return make_conninfo(self.admin_dsn, dbname=self.name)

    def dsns(self) -> dict[str, str]:
        """Conninfo by role, the superuser's too."""
        superuser = str(conninfo_to_dict(self.admin_dsn)["user"])
        return {role: self.dsn(role) for role in ROLES} | {superuser: self.superuser_dsn}


def find_database(server: PostgresServer, name: str = "faultline") -> Database:
    """The database as `prepare_database` made it; asks nothing of the server."""
    return Database(server.admin_dsn, name, server.home / "roles.passfile")


def prepare_database(server: PostgresServer, name: str = "faultline") -> Database:
    """Make the roles and the database, or bring them up to date, and migrate; the server must run.

    May be repeated at any time. Raises `StorageError`.
    """
    database = find_database(server, name)
    bootstrap(server.admin_dsn, name, kept_passwords(database.passfile))
    upgrade(database.dsn(OWNER))
    return database


def kept_passwords(passfile: Path) -> Mapping[str, str]:
    """The roles' passwords: random when they are made, then kept in a file of libpq's format."""
    if not passfile.exists():
        lines = (f"*:*:*:{role}:{secrets.token_urlsafe(24)}\n" for role in ROLES)
        write_secret(passfile, "".join(lines))
    return dict(line.rsplit(":", 2)[1:] for line in passfile.read_text().splitlines())
