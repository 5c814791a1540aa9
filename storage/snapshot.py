"""A partition's saved state, tens of megabytes with a thousand machines, to the database and back in pieces.

In pieces because a connection never gives back the room for the largest message that it has carried, and a
worker has a dozen of them: that was a third of its memory.
"""

import hashlib
from dataclasses import dataclass, field

import structlog

from storage.append import Place
from storage.pool import Connection

PIECE = 1 << 20
"""Bytes read at once; psycopg cuts what it copies at 4 MiB."""

log = structlog.get_logger()

_HERE = "where consumer = %s and topic = %s and partition = %s"
_FORGET = f"delete from snapshot {_HERE}"  # noqa: S608 - our own text
_COPY = "copy snapshot (consumer, topic, partition, next_offset, sha256, state) from stdin (format binary)"
_TYPES = ("text", "text", "int4", "int8", "bytea", "bytea")
_FIND = f"select next_offset, sha256, octet_length(state) from snapshot {_HERE}"  # noqa: S608
_READ = f"select substring(state from %s for {PIECE}) from snapshot {_HERE}"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Snapshot:
    """State of a partition's engine after everything below `next_offset`."""

    next_offset: int
    state: bytes = field(repr=False)


async def save(conn: Connection, place: Place, snapshot: Snapshot) -> None:
    """Keep the snapshot instead of the one before, as a part of the transaction that is open."""
    await conn.execute(_FORGET, place)
    row = *place, snapshot.next_offset, hashlib.sha256(snapshot.state).digest(), snapshot.state
    async with conn.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.set_types(_TYPES)
        await copy.write_row(row)


async def load(conn: Connection, place: Place) -> Snapshot | None:
    """What was saved last, None if that is nothing or damaged."""
    found = await (await conn.execute(_FIND, place)).fetchone()
    if found is None:
        return None
    next_offset, digest, size = found
    state = b"".join([await _piece(conn, place, at) for at in range(1, size + 1, PIECE)])
    if hashlib.sha256(state).digest() == digest:
        return Snapshot(next_offset, state)
    _, topic, partition = place
    log.warning("snapshot damaged, computing the state again", topic=topic, partition=partition)
    return None


async def _piece(conn: Connection, place: Place, at: int) -> bytes:
    row = await (await conn.execute(_READ, (at, *place))).fetchone()
    return bytes(row[0]) if row else b""
