"""Rows that carry waveforms, over HTTP: reduced to the row's values, which are then judged as any others."""

import asyncio
from typing import Any

from fastapi import HTTPException
from fastapi.responses import JSONResponse

from console.api_parts import ApiParts
from console.ingest import posted_at, take_in
from console.mapped_view import quarantined
from fleet.asset import Asset
from fleet.catalog import pack_of
from fleet.clock import microseconds
from fleet.dead_letter import Reason
from streams import metrics
from streams.mappers.quarantine import Problem, Quarantine
from streams.waveforms import Reduced, Waveforms, read_waveforms, reduce
from streams.wire.frame import FrameError

FORMAT = "waveforms"


async def ingest_waveforms(parts: ApiParts, tenant: str, body: bytes) -> JSONResponse:
    """Take in one row with its blocks; the answer also has what they were worth, and those that were not.

    200: the row is durable; 207: it is, without a block that shows nothing; 422: nothing is. Raises
    `HTTPException` for bytes that are no such message.
    """
    try:
        message = await asyncio.to_thread(read_waveforms, body)
    except FrameError as error:
        raise HTTPException(400, str(error)) from None
    asset = await _asset(parts, tenant, message)
    if asset is None:
        detail = f"{tenant} has no asset {message.asset!r}"
        rejected = [{"index": 0, "reason": str(Reason.UNKNOWN_ASSET), "detail": detail}]
        return JSONResponse({"accepted": 0, "rejected": rejected}, 422)
    pack = pack_of(parts.registry.current.equipment_type(asset.equipment_type))
    found = await asyncio.to_thread(reduce, message, pack, asset.ratings)
    now_ms = microseconds(parts.clock.now()) // 1000
    row = posted_at(0, now_ms, found.message, "application/json")
    accepted, rejected = await take_in(parts, tenant, [row])
    said: dict[str, Any] = {"accepted": accepted, "rejected": rejected, "values": dict(found.shown)}
    status = 422 if not accepted else 207 if found.bad else 200
    return JSONResponse(said | quarantined(_keep(parts, tenant, asset, found)), status)


async def _asset(parts: ApiParts, tenant: str, message: Waveforms) -> Asset | None:
    """The machine; the registry is read anew if it is unknown."""
    key = message.asset.encode(errors="replace")
    found = parts.registry.current.by_key(tenant).get(key)
    if found is None and await parts.registry.refresh():
        found = parts.registry.current.by_key(tenant).get(key)
    return found


def _keep(parts: ApiParts, tenant: str, asset: Asset, found: Reduced) -> Quarantine:
    """Count the blocks that are not in the row."""
    bad = Quarantine()
    for block in found.bad:
        bad.add(Problem.BAD_BLOCK, f"{asset.name}/{block.point}", None, "", block.detail)
        metrics.QUARANTINED.labels(format=FORMAT, problem=str(Problem.BAD_BLOCK)).inc()
    parts.mappings.of(tenant).merge(bad)
    return bad
