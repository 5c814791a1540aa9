"""Messages in field formats over HTTP: mapped to frames, which are then judged as any others."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import HTTPException
from fastapi.responses import JSONResponse

from console.api_parts import ApiParts
from console.ingest import BINARY, posted_at, take_in
from console.mapped_view import plain, quarantined, when
from console.reported_events import keep_events
from fleet.clock import microseconds
from fleet.registry import Registry
from streams import metrics
from streams.mappers.aliases import asset_of
from streams.mappers.canonical import Canonical, Machine, Machines, to_canonical
from streams.mappers.catalog import read_message
from streams.mappers.frames import frames
from streams.mappers.message import Message
from streams.mappers.quarantine import Problem
from streams.mappers.table import MappingTable
from streams.replay.toml_reader import MapError
from streams.wire.binary import encode_binary
from streams.wire.frame import Frame

log = structlog.get_logger()


async def ingest_mapped(parts: ApiParts, tenant: str, format_name: str, body: bytes) -> JSONResponse:
    """Take in a message of that format; the answer also has its fault codes and what is quarantined.

    200: what could be mapped is durable; 207: some of it was rejected; 422: nothing could be mapped or
    accepted. Raises `HTTPException` for an unknown format and for bytes that are no message of it.
    """
    table = parts.mappings.tables.get(format_name)
    if table is None:
        raise HTTPException(400, f"unknown format: there are {', '.join(parts.mappings.tables)}")
    try:
        message = await asyncio.to_thread(read_message, body, table)
        found = await _canonical(parts, tenant, message, table)
        rows = await asyncio.to_thread(frames, found.readings, table.tick_s, table.hold)
    except MapError as error:
        raise HTTPException(400, str(error)) from None
    await keep_events(parts, tenant, found.events)
    now_ms = microseconds(parts.clock.now()) // 1000
    accepted, rejected = await take_in(
        parts, tenant, [posted_at(i, now_ms, encode_binary(row), BINARY) for i, row in enumerate(rows)]
    )
    _tell(parts, tenant, format_name, found)
    nothing = not accepted and (rejected or found.quarantine.total)
    status = 422 if nothing else 207 if rejected else 200
    said = {"accepted": accepted, "rejected": [_named(one, rows) for one in rejected]}
    more = {"events": [plain(one) for one in found.events], "position": dict(message.position)}
    return JSONResponse(said | more | quarantined(found.quarantine), status)


async def _canonical(parts: ApiParts, tenant: str, message: Message, table: MappingTable) -> Canonical:
    """In a thread, as it may take a second; again with the registry read anew if a machine is unknown."""
    aliases = parts.mappings.aliases.get(tenant, {})
    machines = _machines(parts.registry.current, tenant, aliases)
    found = await asyncio.to_thread(to_canonical, message, table, machines)
    strange = any(entry.problem is Problem.UNKNOWN_MACHINE for entry in found.quarantine.entries())
    if strange and await parts.registry.refresh():
        machines = _machines(parts.registry.current, tenant, aliases)
        found = await asyncio.to_thread(to_canonical, message, table, machines)
    return found


def _machines(registry: Registry, tenant: str, aliases: Mapping[str, str]) -> Machines:
    mine = registry.by_key(tenant)

    def machine(name: str) -> Machine | None:
        asset = mine.get((asset_of(name, aliases) or "").encode())
        return Machine(asset.name, registry.equipment_type(asset.equipment_type)) if asset else None

    return machine


def _tell(parts: ApiParts, tenant: str, format_name: str, found: Canonical) -> None:
    """Count what is quarantined; write down each event that endangers people, for whatever reads the log."""
    parts.mappings.of(tenant).merge(found.quarantine)
    for entry in found.quarantine.entries():
        metrics.QUARANTINED.labels(format=format_name, problem=str(entry.problem)).inc(entry.count)
    for event in found.events:
        if event.safety:
            said = {"asset": event.asset, "code": event.code, "title": event.title_en, "ts_us": event.ts_us}
            log.warning("safety event", tenant=tenant, **said)


def _named(rejected: dict[str, Any], rows: list[Frame]) -> dict[str, Any]:
    row = rows[rejected.pop("index")]
    return {"asset": row.asset, "ts": when(int(row.ts_us[0])), **rejected}
