"""Fitted forecasters as bytes, each fit a version of its own, and which of them are in use."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
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

_MODELS = """
select equipment_type, forecaster, version, lineage, created_at from model
where %(kind)s::text is null or equipment_type = %(kind)s
order by equipment_type, created_at, forecaster, version
"""

_STATE = "select state from model where equipment_type = %s and forecaster = %s and version = %s"

_USE = """
insert into model_use (equipment_type, role, forecaster, version, reason) values (%s, %s, %s, %s, %s)
"""

_USES = """
select equipment_type, role, forecaster, version, reason, since from model_use
where %(kind)s::text is null or equipment_type = %(kind)s
order by model_use_id
"""

_IN_USE = """
select equipment_type, role, forecaster, version
from (select distinct on (equipment_type, role) equipment_type, role, forecaster, version
      from model_use order by equipment_type, role, model_use_id desc) as newest
where forecaster is not null
"""


class Role(StrEnum):
    """What a model is for."""

    CHAMPION = "champion"
    """It answers."""
    CHALLENGER = "challenger"
    """It is asked too, and what it says is kept apart."""
    PRIOR = "prior"
    """How long such machines last: it stands beside a machine that shows no wear."""


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted forecaster. `lineage` says what it was fitted on and how well it did."""

    equipment_type: str
    forecaster: str
    version: int
    lineage: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ModelUse:
    """From when on a model, or none, has had a role, and why."""

    equipment_type: str
    role: str
    forecaster: str | None
    version: int | None
    reason: str
    since: datetime


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


async def known_models(pool: Pool, equipment_type: str | None = None) -> list[Model]:
    """All models, of one equipment type if it is given, oldest first."""
    async with pool.connection() as conn, conn.cursor(row_factory=class_row(Model)) as cursor:
        await cursor.execute(_MODELS, {"kind": equipment_type})
        return await cursor.fetchall()


async def load_state(pool: Pool, equipment_type: str, forecaster: str, version: int) -> bytes:
    """The fitted forecaster as bytes; raises `KeyError`."""
    async with pool.connection() as conn:
        row = await (await conn.execute(_STATE, (equipment_type, forecaster, version))).fetchone()
    if row is None:
        raise KeyError(f"{equipment_type} has no {forecaster} {version}")
    return bytes(row[0])


async def use_model(
    pool: Pool, equipment_type: str, role: Role, model: tuple[str, int] | None, reason: str
) -> None:
    """Give a role to a model (forecaster, version), or to none; raises `ForeignKeyViolation` as above."""
    async with pool.connection() as conn:
        await conn.execute(_USE, (equipment_type, role.value, *(model or (None, None)), reason))


async def model_uses(pool: Pool, equipment_type: str | None = None) -> list[ModelUse]:
    """Who had which role since when, oldest first."""
    async with pool.connection() as conn, conn.cursor(row_factory=class_row(ModelUse)) as cursor:
        await cursor.execute(_USES, {"kind": equipment_type})
        return await cursor.fetchall()


async def models_in_use(pool: Pool) -> dict[tuple[str, Role], tuple[str, int]]:
    """Forecaster and version of the model of each equipment type in each role that one has."""
    async with pool.connection() as conn:
        rows = await (await conn.execute(_IN_USE)).fetchall()
    return {(kind, Role(role)): (forecaster, version) for kind, role, forecaster, version in rows}
