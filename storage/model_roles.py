"""Which models are in use, for what and for whom, since when and why; a history to which rows are added."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from psycopg.rows import class_row

from fleet.model_scope import Scope
from storage.pool import Connection, Pool

ModelKey = tuple[str, int]
"""Forecaster and version."""

LOCK = 0x6D6F64656C
"""PostgreSQL's advisory lock "model": two decisions wait for each other."""

_USE = """
insert into model_role (equipment_type, tenant, role, forecaster, version, reason)
values (%s, %s, %s, %s, %s, %s)
"""

_USES = """
select equipment_type, tenant, role, forecaster, version, reason, since from model_role
where %(kind)s::text is null or equipment_type = %(kind)s
order by model_use_id
"""

_IN_USE = """
select equipment_type, tenant, role, forecaster, version
from (select distinct on (equipment_type, scope, role) equipment_type, tenant, role, forecaster, version
      from model_role order by equipment_type, scope, role, model_use_id desc) as newest
where forecaster is not null
"""

ROLLED_BACK = "rolled back from"
"""How the reason for a rollback begins."""


class Role(StrEnum):
    """What a model is for."""

    CHAMPION = "champion"
    """It answers."""
    CHALLENGER = "challenger"
    """It is asked too, and what it says is kept apart."""
    PRIOR = "prior"
    """How long such machines last: it stands beside a machine that shows no wear."""
    SURROUNDINGS = "surroundings"
    """What load and weather explain: it is taken out of rows before they are judged."""


@dataclass(frozen=True, slots=True)
class ModelUse:
    """From when on a model, or none, has had a role, and why; of a tenant's machines or of all."""

    equipment_type: str
    tenant: str | None
    role: str
    forecaster: str | None
    version: int | None
    reason: str
    since: datetime

    @property
    def scope(self) -> Scope:
        """Whose machines."""
        return Scope(self.equipment_type, self.tenant)

    @property
    def model(self) -> ModelKey | None:
        """Forecaster and version, or none."""
        return (self.forecaster, self.version) if self.forecaster and self.version else None


async def use_model(pool: Pool, scope: Scope, role: Role, model: ModelKey | None, reason: str) -> None:
    """Give a role to a model, or to none; raises `ForeignKeyViolation` for one that is not of that scope.

    A challenger that gets to answer is no challenger any more.
    """
    async with _decision(pool) as conn:
        await _give(conn, scope, role, model, reason)
        if role is Role.CHAMPION and (await _in_use(conn)).get((scope, Role.CHALLENGER)) == model:
            await _give(conn, scope, Role.CHALLENGER, None, "it answers now")


async def end_role(pool: Pool, scope: Scope, role: Role) -> ModelKey | None:
    """Take a role away; returns who had it, None if nobody had."""
    async with _decision(pool) as conn:
        model = (await _in_use(conn)).get((scope, role))
        if model is not None:
            await _give(conn, scope, role, None, "ended")
        return model


async def roll_back(
    pool: Pool, scope: Scope, role: Role = Role.CHAMPION
) -> tuple[ModelKey | None, ModelKey | None] | None:
    """Give the role to who had it before; returns that and who had it, None without one to go back to."""
    async with _decision(pool) as conn:
        uses = await _uses(conn, scope.equipment_type)
        line = holders([use for use in uses if use.scope == scope], role)
        if len(line) < 2:
            return None
        before, now = line[-2:]
        await _give(conn, scope, role, before, f"{ROLLED_BACK} {name_of(now)}")
        return before, now


def holders(uses: Sequence[ModelUse], role: Role = Role.CHAMPION) -> list[ModelKey | None]:
    """Who had the role one after the other, none at first, the last one now; without whom was rolled back."""
    line: list[ModelKey | None] = [None]
    for use in uses:
        if use.role == role:
            if use.reason.startswith(ROLLED_BACK) and len(line) > 1:
                line.pop()
            if use.model != line[-1]:
                line.append(use.model)
    return line


def name_of(model: ModelKey | None) -> str:
    """As people write it: conformal_life:3."""
    return "{}:{}".format(*model) if model else "no model"


async def model_uses(pool: Pool, equipment_type: str | None = None) -> list[ModelUse]:
    """Who had which role since when, oldest first."""
    async with pool.connection() as conn:
        return await _uses(conn, equipment_type)


async def models_in_use(pool: Pool) -> dict[tuple[Scope, Role], ModelKey]:
    """The model in each role that one has, by whose machines it is for."""
    async with pool.connection() as conn:
        return await _in_use(conn)


@asynccontextmanager
async def _decision(pool: Pool) -> AsyncIterator[Connection]:
    """A transaction in which nobody else gives or ends roles, so that what was read still holds."""
    async with pool.connection() as conn, conn.transaction():
        await conn.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
        yield conn


async def _give(conn: Connection, scope: Scope, role: Role, model: ModelKey | None, reason: str) -> None:
    await conn.execute(_USE, (*scope, role.value, *(model or (None, None)), reason))


async def _uses(conn: Connection, equipment_type: str | None = None) -> list[ModelUse]:
    async with conn.cursor(row_factory=class_row(ModelUse)) as cursor:
        await cursor.execute(_USES, {"kind": equipment_type})
        return await cursor.fetchall()


async def _in_use(conn: Connection) -> dict[tuple[Scope, Role], ModelKey]:
    rows = await (await conn.execute(_IN_USE)).fetchall()
    return {(Scope(kind, tenant), Role(role)): (name, fit) for kind, tenant, role, name, fit in rows}
