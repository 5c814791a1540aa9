"""What the database server can do, asked once."""

from enum import IntEnum

from psycopg import Connection
from psycopg.rows import TupleRow


class Capability(IntEnum):
    """What a server offers; each level has all that the lower ones have."""

    PLAIN = 0
    """PostgreSQL alone."""
    APACHE = 1
    """TimescaleDB under the Apache licence: hypertables, `time_bucket`, `drop_chunks`."""
    COMMUNITY = 2
    """TimescaleDB under the Timescale licence: columnstore, continuous aggregates, policies as well."""


def detect(conn: Connection[TupleRow]) -> Capability:
    """What the connected database offers: an extension that is available but not created does not count."""
    row = conn.execute(
        "select current_setting('timescaledb.license', true) from pg_extension where extname = 'timescaledb'"
    ).fetchone()
    if row is None:
        return Capability.PLAIN
    return Capability.COMMUNITY if row[0] == "timescale" else Capability.APACHE
