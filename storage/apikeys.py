"""Keys of programs: `flt_<id>_<secret>`, shown once, of which only a hash is kept.

The secret is 256 random bits, so one SHA-256 is enough: there is nothing to guess that a slow hash would
slow down.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.rows import class_row

from storage.pool import Pool

_FORM = re.compile(r"flt_([0-9a-f]{16})_([0-9a-f]{64})")

_FIND = """
select tenant, scopes, secret_hash from api_key
where key_id = %s and revoked_at is null and (expires_at is null or expires_at > now())
"""


_KNOWN = """
select key_id, tenant, scopes, created_at, expires_at, revoked_at from api_key
where %(tenant)s::text is null or tenant = %(tenant)s order by created_at desc, key_id
"""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a key speaks for, and what it may do."""

    key_id: str
    tenant: str
    scopes: frozenset[str]

    def require(self, scope: str) -> None:
        """Raise `PermissionError` unless the key has that scope."""
        if scope not in self.scopes:
            raise PermissionError(f"this key may {', '.join(sorted(self.scopes))}, not {scope}")


async def create_key(
    pool: Pool, tenant: str, scopes: Sequence[str], lifetime: timedelta | None = None
) -> str:
    """Make a key and return it, this once.

    Raises `psycopg.errors.ForeignKeyViolation` for an unknown tenant.
    """
    key_id, secret = secrets.token_hex(8), secrets.token_hex(32)
    async with pool.connection() as conn:
        await conn.execute(
            "insert into api_key (key_id, tenant, secret_hash, scopes, expires_at) "
            "values (%s, %s, %s, %s, now() + %s)",
            (key_id, tenant, _hash(secret), sorted(set(scopes)), lifetime),
        )
    return f"flt_{key_id}_{secret}"


async def verify(pool: Pool, key: str) -> Principal | None:
    """Whom the key speaks for; None if it is malformed, unknown, wrong, expired or revoked."""
    form = _FORM.fullmatch(key)
    if form is None:
        return None
    key_id, secret = form.groups()
    async with pool.connection() as conn:
        row = await (await conn.execute(_FIND, (key_id,))).fetchone()
    tenant, scopes, known = row or ("", (), bytes(32))
    if not hmac.compare_digest(_hash(secret), known):
        return None
    return Principal(key_id, tenant, frozenset(scopes))


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key without its secret; it opens nothing any more once it is revoked or past its end."""

    key_id: str
    tenant: str
    scopes: Sequence[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


async def known_keys(pool: Pool, tenant: str | None = None) -> list[KnownKey]:
    """The keys of one tenant or all, the newest first."""
    async with pool.connection() as conn, conn.cursor(row_factory=class_row(KnownKey)) as cursor:
        await cursor.execute(_KNOWN, {"tenant": tenant})
        return await cursor.fetchall()


async def revoke(pool: Pool, key_id: str) -> bool:
    """End a key now; False if there is no such key or it was revoked before."""
    async with pool.connection() as conn:
        ended = await conn.execute(
            "update api_key set revoked_at = now() where key_id = %s and revoked_at is null", (key_id,)
        )
    return ended.rowcount == 1


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
