"""Fitted forecasters as bytes, each fit a version of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Json

from fleet.model_scope import Scope
from storage.pool import Pool

_SAVE = """
insert into model (equipment_type, tenant, forecaster, version, state, lineage)
select %(kind)s, %(tenant)s, %(forecaster)s, coalesce(max(version), 0) + 1, %(state)s, %(lineage)s
from model where equipment_type = %(kind)s and forecaster = %(forecaster)s
returning version
"""

_MODELS = """
select equipment_type, tenant, forecaster, version, lineage, created_at from model
where %(kind)s::text is null or equipment_type = %(kind)s
order by equipment_type, created_at, forecaster, version
"""

_FIT = "select state, lineage from model where equipment_type = %s and forecaster = %s and version = %s"


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted forecaster, of a `tenant` or of all. `lineage`: what it was fitted on, and how well it did."""

    equipment_type: str
    tenant: str | None
    forecaster: str
    version: int
    lineage: Mapping[str, Any]
    created_at: datetime

    @property
    def scope(self) -> Scope:
        """Whose machines it may answer for."""
        return Scope(self.equipment_type, self.tenant)

    @property
    def key(self) -> tuple[str, int]:
        """What it is among the models of its equipment type: forecaster and version."""
        return self.forecaster, self.version


async def save_model(
    pool: Pool, scope: Scope, forecaster: str, state: bytes, lineage: Mapping[str, Any]
) -> int:
    """Keep a fit as the type's next version and return that; raises `psycopg.errors.ForeignKeyViolation`."""
    params = {
        "kind": scope.equipment_type,
        "tenant": scope.tenant,
        "forecaster": forecaster,
        "state": state,
        "lineage": Json(dict(lineage)),
    }
    async with pool.connection() as conn:
        row = await (await conn.execute(_SAVE, params)).fetchone()
    assert row is not None
    return int(row[0])


async def known_models(pool: Pool, equipment_type: str | None = None) -> list[Model]:
    """All models, of one equipment type if it is given, oldest first."""
    async with pool.connection() as conn, conn.cursor(row_factory=class_row(Model)) as cursor:
        await cursor.execute(_MODELS, {"kind": equipment_type})
        return await cursor.fetchall()


async def load_fit(
    pool: Pool, equipment_type: str, forecaster: str, version: int
) -> tuple[bytes, Mapping[str, Any]]:
    """The fitted forecaster as bytes, and its lineage; raises `KeyError`."""
    async with pool.connection() as conn:
        row = await (await conn.execute(_FIT, (equipment_type, forecaster, version))).fetchone()
    if row is None:
        raise KeyError(f"{equipment_type} has no {forecaster} {version}")
    return bytes(row[0]), row[1]
