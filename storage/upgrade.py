"""Brings a database to this release: its schema, and the views of whoever looks with SQL of their own."""

from storage.access.grants import refresh
from storage.migrate import Applied, migrate


def upgrade(owner_dsn: str) -> list[Applied]:
    """Apply the migrations that are missing; if there were any, make the views of every access anew.

    May be repeated, and run by two at once. Raises `StorageError`.
    """
    applied = migrate(owner_dsn)
    if applied:
        refresh(owner_dsn)
    return applied
