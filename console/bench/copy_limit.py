"""The limit of what PostgreSQL can take in: COPY BINARY of the same rows into a table of the same schema."""

import tempfile
import time
from pathlib import Path

import psycopg
from psycopg import sql

from console.bench.plant import Plant
from storage.bootstrap import WRITER

BLOCK = 1 << 18


def copy_seconds(site: Plant, channels: int) -> float:
    """How long one COPY takes, with its commit, for all telemetry of a plant."""
    columns = sql.SQL(", ").join(
        map(sql.Identifier, ("ts", "bad", "asset_id", "score", *(f"v{k}" for k in range(channels))))
    )
    with tempfile.TemporaryDirectory(prefix="faultline-bench-copy-") as folder:
        rows = Path(folder) / "telemetry.copy"
        _dump(site.database.dsn(WRITER), columns, rows)
        with site.servers.database() as database:
            site.servers.settle()
            return _load(database.dsn(WRITER), columns, rows)


def _dump(dsn: str, columns: sql.Composed, to: Path) -> None:
    query = sql.SQL("copy (select {} from telemetry) to stdout (format binary)").format(columns)
    with psycopg.connect(dsn) as conn, to.open("wb") as file, conn.cursor().copy(query) as copy:
        file.writelines(copy)


def _load(dsn: str, columns: sql.Composed, source: Path) -> float:
    statement = sql.SQL("copy telemetry ({}) from stdin (format binary)").format(columns)
    with psycopg.connect(dsn) as conn, source.open("rb") as file:
        started = time.perf_counter()
        with conn.cursor().copy(statement) as copy:
            while block := file.read(BLOCK):
                copy.write(block)
        conn.commit()
        return time.perf_counter() - started
