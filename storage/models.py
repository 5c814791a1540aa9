"""Fitted forecasters as bytes, each fit a version of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Json

from storage.pool import Pool

_SAVE = """
insert into model (equipment_type, forecaster, version, state, lineage)
select %(kind)s, %(forecaster)s, coalesce(max(version), 0) + 1, %(state)s, %(lineage)s
from model where equipment_type = %(kind)s and forecaster = %(forecaster)s
returning version
"""

_NEWEST = """
select equipment_type, forecaster, version, state, lineage, created_at from (
    select distinct on (equipment_type, forecaster) * from model
    order by equipment_type, forecaster, version desc
) newest order by equipment_type, created_at, version
"""


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted forecaster. `lineage` says what it was fitted on."""

    equipment_type: str
    forecaster: str
    version: int
    state: bytes = field(repr=False)
    lineage: Mapping[str, Any]
    created_at: datetime


async def save_model(
    pool: Pool, equipment_type: str, forecaster: str, state: bytes, lineage: Mapping[str, Any]
) -> int:
    """Keep a fit as the next version and return that; raises `psycopg.errors.ForeignKeyViolation`."""
    params = {
        "kind": equipment_type,
        "forecaster": forecaster,
        "state": state,
        "lineage": Json(dict(lineage)),
    }
    async with pool.connection() as conn:
        row = await (await conn.execute(_SAVE, params)).fetchone()
    assert row is not None
    return int(row[0])


async def load_models(pool: Pool) -> list[Model]:
    """The newest model of each equipment type and forecaster; of a type's, the one fitted last comes last."""
    async with pool.connection() as conn, conn.cursor(row_factory=class_row(Model)) as cursor:
        await cursor.execute(_NEWEST)
        return await cursor.fetchall()
