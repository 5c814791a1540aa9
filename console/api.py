"""The HTTP API: telemetry in (answered when it is durable), and what was found out.

Every route under /v1 wants `Authorization: Bearer <key>`; a key belongs to one tenant and sees nothing else.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from aiokafka.errors import KafkaError
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from faust.types import TP
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from console import views
from fleet.clock import Clock, microseconds
from storage.apikeys import Principal, verify
from storage.pool import Pool
from streams import metrics
from streams.patience import OUTAGE
from streams.publisher import Publisher
from streams.registry_cache import RegistryCache
from streams.topics import telemetry_topic
from streams.wire.binary import decode_binary
from streams.wire.chunk import decode_chunk
from streams.wire.frame import FrameError
from streams.wire.limits import Limits
from streams.wire.text import decode_json

MAX_BODY = 8 << 20
MAX_MESSAGES = 10_000
DURABLE_WITHIN_S = 60.0
BINARY = "application/vnd.faultline.frame"


@dataclass(frozen=True)
class ApiParts:
    """What the API is wired from. `durable` returns once a published record is safe."""

    pool: Pool
    registry: RegistryCache
    publisher: Publisher
    durable: Callable[[TP, int], Awaitable[None]]
    limits: Limits
    clock: Clock
    problems: Callable[[], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Posted:
    """A message on its way to becoming a record."""

    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]


def build_api(parts: ApiParts) -> FastAPI:
    """The application."""
    api = FastAPI(title="Faultline", version="1", docs_url=None, redoc_url=None)

    async def principal(authorization: Annotated[str, Header()] = "") -> Principal:
        scheme, _, key = authorization.partition(" ")
        found = await verify(parts.pool, key) if scheme.lower() == "bearer" and key else None
        if found is None:
            raise HTTPException(401, "say who you are: Authorization: Bearer <key> (faultline assets key)")
        return found

    Who = Annotated[Principal, Depends(principal)]

    @api.post("/v1/telemetry")
    async def post_telemetry(request: Request, who: Who) -> Response:
        """Take in one message or an array of them; the answer comes when what was accepted is durable."""
        who.require("ingest")
        body = await _body(request)
        posted = _messages(
            body, request.headers.get("content-type", ""), microseconds(parts.clock.now()) // 1000
        )
        return await _ingest(parts, who.tenant, posted)

    @api.get("/v1/assets")
    async def get_assets(who: Who) -> list[dict[str, Any]]:
        """The tenant's machines with their newest score and health."""
        who.require("read")
        return await views.assets(parts.pool, parts.registry.current, who.tenant)

    @api.get("/v1/episodes")
    async def get_episodes(who: Who, limit: int = 100) -> list[dict[str, Any]]:
        """The tenant's newest episodes with evidence."""
        who.require("read")
        return await views.episodes(parts.pool, who.tenant, min(max(limit, 1), 1000))

    @api.get("/v1/forecasts")
    async def get_forecasts(who: Who) -> list[dict[str, Any]]:
        """The newest forecast of each machine and of what runs out on it."""
        who.require("read")
        return await views.forecasts(parts.pool, who.tenant)

    @api.get("/health")
    async def get_health() -> JSONResponse:
        """200 while all works; 503 with what does not."""
        problems = parts.problems()
        return JSONResponse({"status": "fail" if problems else "pass", **problems}, 503 if problems else 200)

    @api.get("/metrics")
    async def get_metrics() -> Response:
        """Prometheus metrics of this process."""
        return Response(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)

    @api.exception_handler(PermissionError)
    async def forbidden(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 403)

    for outage in (*OUTAGE, KafkaError, TimeoutError):

        @api.exception_handler(outage)
        async def unavailable(_: Request, __: Exception) -> JSONResponse:
            detail = "the log or the database is away; nothing was lost, send it again"
            return JSONResponse({"detail": detail}, 503, headers={"Retry-After": "5"})

    return api


async def _body(request: Request) -> bytes:
    chunks = bytearray()
    stream: AsyncIterator[bytes] = request.stream()
    async for part in stream:
        chunks += part
        if len(chunks) > MAX_BODY:
            raise HTTPException(413, f"a request carries at most {MAX_BODY >> 20} MiB: send smaller batches")
    return bytes(chunks)


def _messages(body: bytes, content_type: str, now_ms: int) -> list[Posted]:
    """The request's messages as raw bytes, so that each is judged exactly as if it had come over Kafka."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == BINARY:
        return [_posted(0, now_ms, body, BINARY)]
    if kind not in {"application/json", ""}:
        raise HTTPException(415, f"send application/json or {BINARY}, not {kind}")
    raws = _elements(body) if body.lstrip()[:1] == b"[" else [body]
    if len(raws) > MAX_MESSAGES:
        raise HTTPException(413, f"an array carries at most {MAX_MESSAGES} messages")
    return [_posted(i, now_ms, raw, "application/json") for i, raw in enumerate(raws)]


def _elements(body: bytes) -> list[bytes]:
    """The raw text of each element of a JSON array; raises `HTTPException` 400 for anything else."""
    try:
        text, decoder = body.decode(), json.JSONDecoder()
        at = text.index("[") + 1
        elements: list[bytes] = []
        while (at := _skip(text, at)) < len(text) and text[at] != "]":
            _, end = decoder.raw_decode(text, at)
            elements.append(text[at:end].encode())
            at = _skip(text, end)
            if text[at : at + 1] == ",":
                at += 1
            elif text[at : at + 1] != "]":
                raise ValueError(f"expected , or ] at character {at}")
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"not a JSON array: {error}") from error
    return elements


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _posted(index: int, now_ms: int, raw: bytes, content_type: str) -> Posted:
    return Posted(index, now_ms, _key(raw, content_type), raw, (("content-type", content_type.encode()),))


def _key(raw: bytes, content_type: str) -> bytes:
    """The asset's name; empty for what cannot be read, which the chunk decoder will then reject."""
    try:
        frame = decode_binary(raw) if content_type == BINARY else decode_json(raw)
    except FrameError:
        return b""
    return frame.asset.encode()


async def _ingest(parts: ApiParts, tenant: str, posted: list[Posted]) -> Response:
    decoded = decode_chunk(posted, tenant, parts.registry.current, parts.limits)
    if decoded.unknown_assets and await parts.registry.refresh():
        decoded = decode_chunk(posted, tenant, parts.registry.current, parts.limits)
    async with asyncio.timeout(DURABLE_WITHIN_S):
        landing = [await _send(parts, tenant, posted[record]) for record in decoded.frames.record.tolist()]
        await asyncio.gather(*landing)
    rejected = [
        {"index": reject.record, "reason": str(reject.reason), "detail": reject.detail}
        for reject in decoded.rejects
    ]
    status = 200 if not rejected else 207 if landing else 422
    return JSONResponse({"accepted": len(landing), "rejected": rejected}, status)


async def _send(parts: ApiParts, tenant: str, message: Posted) -> Awaitable[None]:
    topic = telemetry_topic(tenant)
    place = await parts.publisher.send(topic, message.key, message.value, message.headers)

    async def durable() -> None:
        partition, offset = await place
        await parts.durable(TP(topic, partition), offset)

    return durable()
